/*
 * Maths in Markdown: `$...$` in a line and `$$...$$` in a box of its own, as TeX. Prices stay what
 * they are: a `$` opens before a letter, not before a blank, and closes behind one, and not before
 * a digit. KaTeX sets the formulas; it is asked for with the first one, and until it is there (or
 * when it cannot read one) the source is shown.
 */
import type { Tokens } from "marked";

const IN_LINE = /^\$(?![\s$])((?:\\[^]|[^\\$])+)(?<!\s)\$(?!\d)/;
const IN_BOX = /^ {0,3}\$\$(?!\$)((?:\\[^]|[^\\$]|\$(?!\$))+)\$\$(?!\$)/;
const REST_OF_LINE = /^[ \t]*(?:\n|$)/;
const EMPTY_LINE = /^\s*$|\n[ \t]*\n/;
const NEXT_BOX = /\n(?:\$\$| *\n)/;

export interface Formula extends Tokens.Generic {
  source: string;
  isBox: boolean;
}

function readBox(text: string): Formula | undefined {
  const match = IN_BOX.exec(text);
  if (!match || EMPTY_LINE.test(match[1]!)) return undefined;
  return { type: "formula", raw: match[0], source: match[1]!, isBox: true };
}

export function readBlock(text: string): Formula | undefined {
  const formula = readBox(text);
  const rest = formula && REST_OF_LINE.exec(text.slice(formula.raw.length));
  return rest ? { ...formula, raw: formula.raw + rest[0] } : undefined;
}

export function readInLine(text: string): Formula | undefined {
  const match = IN_LINE.exec(text);
  if (!match) return text.startsWith("$$") ? readBox(text) : undefined;
  return { type: "formula", raw: match[0], source: match[1]!, isBox: false };
}

/** Where a line begins that may be a box: a paragraph is read up to there. Behind it nobody looks. */
export function startOfBlock(text: string): number | undefined {
  const match = NEXT_BOX.exec(text);
  return match?.[0] === "\n$$" ? match.index + 1 : undefined;
}

/** The formula as an element, its source first. */
export function formulaNode({ raw, source, isBox }: Formula): HTMLElement {
  const box = document.createElement("span");
  const code = document.createElement("code");
  code.textContent = raw.trim();
  box.className = isBox ? "maths is-box" : "maths";
  box.append(code);
  if (isBox) beReachable(box);
  void import("./maths").then(({ typeset }) => typeset(box, source, isBox), () => {});
  return box;
}

/** A wide formula scrolls, so the keyboard has to get there. */
function beReachable(box: HTMLElement): void {
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Formula");
}
