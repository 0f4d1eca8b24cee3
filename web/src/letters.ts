/*
 * What the letters of a Markdown text stand for: entities, arrows and signs made of letters, and
 * emoji by their short names.
 */
import { createSignal } from "solid-js";
import type { find } from "./emoji";

/* marked escapes nothing in its tokens but entities written in the source: they become letters. */
const ENTITIES: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  reg: "®",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  times: "×",
  euro: "€",
  rarr: "→",
  larr: "←",
};

const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,8}));/gi;

/* Between blanks, these are meant as signs. */
const ARROWS = /(?<=^|\s)(?:<->|<-|->|>=|<=|~=|--)(?=\s|$)/g;
const SIGNS: Record<string, string> = {
  "<->": "↔",
  "<-": "←",
  "->": "→",
  ">=": "≥",
  "<=": "≤",
  "~=": "≈",
  "--": "—",
};

const CODE = /(?<!\w):([a-z\d_+-]+):/g;
const [emoji, setEmoji] = createSignal<typeof find>();

/** The text as a node, with what its letters stand for. */
export function letters(text: string): Text {
  const plain = text
    .replace(ENTITY, entity)
    .replace(ARROWS, (sign) => SIGNS[sign]!);
  const node = document.createTextNode(plain);
  if (plain.search(CODE) >= 0) nameEmoji(node);
  return node;
}

function entity(all: string, decimal?: string, hex?: string, name?: string): string {
  if (name) return ENTITIES[name] ?? all;
  const point = decimal ? Number(decimal) : parseInt(hex!, 16);
  return point > 0 && point < 0x110000 ? String.fromCodePoint(point) : all;
}

/** Emoji for their names, now or when the names have come; an effect that asks is told then. */
function nameEmoji(node: Text): void {
  const known = emoji();
  const write = (look: typeof find) => {
    node.data = node.data.replace(CODE, (all: string, name: string) => look(name) ?? all);
  };
  if (known) return write(known);
  const take = (loaded: { find: typeof find }) => {
    setEmoji(() => loaded.find);
    write(loaded.find);
  };
  void import("./emoji").then(take, () => {});
}
