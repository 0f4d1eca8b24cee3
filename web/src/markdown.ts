/*
 * Markdown to DOM nodes: marked's lexer gives tokens, and each becomes a node made here. No text is
 * ever parsed as HTML, so there is nothing to clean: raw HTML is shown as the text it is, and links
 * go only where LINKS allows.
 */
import {
  getDefaults,
  Lexer,
  type MarkedOptions,
  type Token,
  Tokenizer,
  type TokenizerThis,
  type Tokens,
} from "marked";
import { formulaNode, readBlock, readInLine, startOfBlock, type Formula } from "./formulas";
import { followDrawing } from "./icons";
import { letters } from "./letters";

const LINKS = /^(https?:|mailto:|tel:)/i;
const HAS_SCHEME = /^[^/?#]*:/;
const IMAGES = /^(https?:|data:image\/(png|jpeg|gif|webp|avif);)/i;

/* Colours of the theme, which may differ from those that CSS knows by the same name. */
const COLOURS = new Set("blue green orange red violet gray grey yellow primary rainbow".split(" "));
const KEYWORDS = new Set("inherit initial unset revert transparent".split(" "));
const DIRECTIVE = /^:(?:(small|shimmer)|([a-z]{3,20}|#[\da-f]{3,8})(-background|-badge)?)\[/i;
const ICON = /^:(?:material|icon)\/([\w-]+):/;

interface Directive extends Tokens.Generic {
  colour: string;
  shape: "text" | "background" | "badge" | "small" | "shimmer";
  tokens: Token[];
}

/* Behind each token marked looks at the rest of a paragraph, and for a star that nothing closes at all
   of it: a long one of signs alone would take minutes. So what is looked at has a maximum, and what
   comes behind is the text it is. */
const LOOKS = 500; /* at each character, of a text of LENGTH or more: about a second for that */
const LENGTH = 100_000;
const SEARCH = 10; /* looks that a search in vain takes at each character */
let looksLeft = 0;

function readRest(text: string): Tokens.Generic | undefined {
  looksLeft -= text.length;
  return looksLeft < 0 ? plain(text) : undefined;
}

class BoundedTokenizer extends Tokenizer {
  override emStrong(text: string, masked: string, before?: string) {
    const token = super.emStrong(text, masked, before);
    if (!token && /^[*_]/.test(text)) looksLeft -= SEARCH * text.length;
    return token;
  }
}

/* Only marked's lexer and tokenizer are taken: its renderer and its shared settings stay out of the
   bundle. */
const OPTIONS: MarkedOptions = {
  ...getDefaults(),
  tokenizer: new BoundedTokenizer(),
  extensions: {
    block: [readBlock],
    startBlock: [startOfBlock as Start],
    inline: [readRest, readDirective, readIcon, readInLine],
    startInline: [startOfInline as Start],
    childTokens: { directive: ["tokens"] },
    renderers: {},
  },
};

const plain = (text: string) => ({ type: "text", raw: text, text });

/** Read a text, or where boxes stand in each other deeper than the browser's stack, do without. */
function read<T>(text: string, how: () => T, without: () => T): T {
  looksLeft = LOOKS * Math.max(text.length, LENGTH);
  try {
    return how();
  } catch (error) {
    if (error instanceof RangeError) return without();
    throw error;
  }
}

type Start = NonNullable<NonNullable<MarkedOptions["extensions"]>["startInline"]>[number];

/** Where one of these may begin, by one search: marked asks again behind each. */
function startOfInline(text: string): number | undefined {
  const at = text.search(/:[a-z#]|\$/i);
  return at < 0 ? undefined : at;
}

function readDirective(this: TokenizerThis, text: string): Directive | undefined {
  const match = DIRECTIVE.exec(text);
  const colour = match?.[2]?.toLowerCase() ?? "";
  const end = match && isColour(colour) ? closingBracket(text, match[0].length) : -1;
  if (!match || end < 0) return undefined;
  const shape = (match[1]?.toLowerCase() ?? match[3]?.slice(1) ?? "text") as Directive["shape"];
  const tokens = this.lexer.inlineTokens(text.slice(match[0].length, end), []);
  return { type: "directive", raw: text.slice(0, end + 1), colour, shape, tokens };
}

function isColour(word: string): boolean {
  if (word === "" || COLOURS.has(word)) return true;
  return !KEYWORDS.has(word) && CSS.supports("color", word);
}

function readIcon(text: string): Tokens.Generic | undefined {
  const match = ICON.exec(text);
  return match ? { type: "icon", raw: match[0], name: match[1] } : undefined;
}

/** Where the bracket that is open before `from` closes, or -1. */
function closingBracket(text: string, from: number): number {
  let open = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "[") open++;
    else if (text[i] === "]" && --open === 0) return i;
  }
  return -1;
}

/* ---- what callers use ---- */

/** Inline Markdown as nodes, for labels and headings. */
export function inlineNodes(text: string): Node[] {
  return read(
    text,
    () => inline(Lexer.lexInline(text, OPTIONS)),
    () => [letters(text)],
  );
}

export interface Makers {
  code(text: string, language: string): HTMLElement;
  heading?: ((heading: HTMLElement) => void) | undefined /* what a heading gets besides its text */;
}

interface Block {
  raw: string;
  node: Node | undefined;
}

/**
 * A box that shows Markdown. Blocks that stay the same keep their nodes, so a long text that grows
 * at its end is cheap, and a selection in it stays.
 */
export class MarkdownBox {
  private blocks: Block[] = [];
  private links = "";

  constructor(
    private readonly box: HTMLElement,
    private readonly make: Makers,
  ) {}

  show(text: string): void {
    const tokens = read<Token[]>(
      text,
      () => Lexer.lex(text, OPTIONS),
      () => [plain(text)],
    );
    const links = JSON.stringify("links" in tokens ? tokens.links : {});
    const old = links === this.links ? this.blocks : [];
    let same = 0;
    while (same < old.length && same < tokens.length && old[same]!.raw === tokens[same]!.raw)
      same++;
    for (const block of this.blocks.slice(same)) block.node?.parentNode?.removeChild(block.node);
    const fresh = tokens.slice(same).map((token) => ({
      raw: token.raw,
      node: read(
        token.raw,
        () => block(token, this.make),
        () => block(plain(token.raw), this.make),
      ),
    }));
    for (const { node } of fresh) if (node) this.box.append(node);
    this.blocks = [...old.slice(0, same), ...fresh];
    this.links = links;
  }
}

/* ---- blocks ---- */

function block(token: Token, makers: Makers): Node | undefined {
  switch (token.type) {
    case "heading":
      return heading(token as Tokens.Heading, makers);
    case "paragraph":
      return make("p", inline(token.tokens));
    case "text":
      return make("span", token.tokens ? inline(token.tokens) : [letters(token.text as string)]);
    case "code":
      return makers.code(
        token.text as string,
        (token.lang as string | undefined)?.split(/\s/)[0] ?? "text",
      );
    case "blockquote":
      return make("blockquote", blocks(token.tokens, makers));
    case "hr":
      return make("hr", [], "divider");
    case "list":
      return list(token as Tokens.List, makers);
    case "table":
      return table(token as Tokens.Table);
    case "formula":
      return formulaNode(token as Formula);
    case "html":
      return token.raw.trim() ? make("p", [document.createTextNode(token.raw.trim())]) : undefined;
    case "space":
    case "def":
      return undefined;
    default:
      return make("p", [letters(token.raw)]);
  }
}

function heading(token: Tokens.Heading, makers: Makers): HTMLElement {
  const box = make(`h${Math.min(6, token.depth)}`, inline(token.tokens), "md-heading");
  makers.heading?.(box);
  return box;
}

function blocks(tokens: Token[] | undefined, makers: Makers): Node[] {
  return (tokens ?? []).map((token) => block(token, makers)).filter((node) => node !== undefined);
}

function list(token: Tokens.List, makers: Makers): HTMLElement {
  const box = make(
    token.ordered ? "ol" : "ul",
    token.items.map((item) => listItem(item, makers)),
  );
  if (token.ordered && typeof token.start === "number" && token.start !== 1)
    box.setAttribute("start", String(token.start));
  return box;
}

function listItem(item: Tokens.ListItem, makers: Makers): HTMLElement {
  const box = make("li", blocks(item.tokens, makers));
  if (!item.task) return box;
  const tick = document.createElement("input");
  tick.type = "checkbox";
  tick.disabled = true;
  tick.checked = item.checked === true;
  tick.setAttribute("aria-label", item.checked ? "done" : "not done");
  box.className = "md-task";
  const first = box.firstElementChild;
  (first?.matches("p, span") ? first : box).prepend(tick, " ");
  return box;
}

function table(token: Tokens.Table): HTMLElement {
  const cell = (tag: string) => (part: Tokens.TableCell, index: number) => {
    const box = make(tag, inline(part.tokens));
    const side = token.align[index];
    if (side) box.dataset.align = side;
    if (tag === "th") box.setAttribute("scope", "col");
    return box;
  };
  const head = make("thead", [make("tr", token.header.map(cell("th")))]);
  const body = make(
    "tbody",
    token.rows.map((row) => make("tr", row.map(cell("td")))),
  );
  const scroll = make("div", [make("table", [head, body], "table")], "table-scroll md-table");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", "Table");
  return scroll;
}

/* ---- inline ---- */

function inline(tokens: Token[] | undefined): Node[] {
  return (tokens ?? []).map(inlineNode);
}

function inlineNode(token: Token): Node {
  switch (token.type) {
    case "text":
      return token.tokens ? fragment(inline(token.tokens)) : letters(token.text as string);
    case "escape":
      return letters(token.text as string);
    case "strong":
      return make("strong", inline(token.tokens));
    case "em":
      return make("em", inline(token.tokens));
    case "del":
      return make("del", inline(token.tokens));
    case "codespan":
      return make("code", [document.createTextNode(token.text as string)]);
    case "br":
      return document.createElement("br");
    case "link":
      return link(token as Tokens.Link);
    case "image":
      return image(token as Tokens.Image);
    case "html":
      return document.createTextNode(token.raw);
    case "directive":
      return directive(token as Directive);
    case "icon":
      return iconNode(token.name as string);
    case "formula":
      return formulaNode(token as Formula);
    default:
      return letters(token.raw);
  }
}

/** Whether a link may be followed: a scheme of the list, or none. */
function isLinkAllowed(href: string): boolean {
  const bare = href.replace(/[\u0000-\u0020\u007f-\u00a0]/g, "");
  return LINKS.test(bare) || !HAS_SCHEME.test(bare);
}

function link(token: Tokens.Link): Node {
  if (!isLinkAllowed(token.href)) return make("span", inline(token.tokens));
  const anchor = make("a", inline(token.tokens), "link");
  anchor.setAttribute("href", token.href);
  if (token.title) anchor.setAttribute("title", token.title);
  if (/^(https?:|\/\/)/i.test(token.href)) {
    anchor.setAttribute("target", "_blank");
    anchor.setAttribute("rel", "noopener noreferrer");
  }
  return anchor;
}

function image(token: Tokens.Image): Node {
  const bare = token.href.replace(/[\u0000-\u0020]/g, "");
  if (HAS_SCHEME.test(bare) && !IMAGES.test(bare)) return letters(token.text);
  const picture = document.createElement("img");
  picture.src = token.href;
  picture.alt = token.text;
  picture.loading = "lazy";
  if (token.title) picture.title = token.title;
  return picture;
}

function directive(token: Directive): Node {
  if (token.shape === "small") return make("small", inline(token.tokens), "md-small");
  const tags = {
    text: "md-colour",
    background: "md-background",
    badge: "badge",
    shimmer: "md-shimmer",
  };
  const box = make("span", inline(token.tokens), tags[token.shape]);
  const { colour } = token;
  if (COLOURS.has(colour)) box.dataset.colour = colour === "grey" ? "gray" : colour;
  else if (colour) box.style.setProperty("--tone", colour);
  return box;
}

/** An icon beside text; what it says, the text says. */
function iconNode(name: string): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  followDrawing(name, (drawing) => path.setAttribute("d", drawing));
  svg.append(path);
  return svg;
}

/* ---- nodes ---- */

function make(tag: string, children: Node[], name?: string): HTMLElement {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

function fragment(children: Node[]): DocumentFragment {
  const box = document.createDocumentFragment();
  box.append(...children);
  return box;
}
