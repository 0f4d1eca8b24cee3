/*
 * Colours for source code, small and good enough: comments, strings, numbers and keywords of the
 * languages that people show most. One expression per language finds the next piece; what it does
 * not find is plain.
 */

interface Language {
  pieces: RegExp /* groups: comment, string, number, word */;
  keywords: Set<string>;
}

const words = (text: string) => new Set(text.split(" "));
const NUMBER = String.raw`\b(?:0x[\da-fA-F]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\b`;
const WORD = String.raw`[A-Za-z_][\w]*`;
const QUOTED = String.raw`"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`;

function language(comment: string, string: string, keywords: string, flags = "g"): Language {
  return {
    pieces: new RegExp(`(${comment})|(${string})|(${NUMBER})|(${WORD})`, flags),
    keywords: words(keywords),
  };
}

const C_COMMENT = String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`;
const HASH_COMMENT = String.raw`#[^\n]*`;

const lua = language(
  String.raw`--\[(=*)\[[\s\S]*?(?:\]\2\]|$)|--[^\n]*`,
  String.raw`\[(=*)\[[\s\S]*?(?:\]\4\]|$)|${QUOTED}`,
  "and break do else elseif end false for function goto if in local nil not or repeat " +
    "return then true until while",
);
const javascript = language(
  C_COMMENT,
  "`(?:\\\\.|[^`\\\\])*`?|" + QUOTED,
  "async await break case catch class const continue default delete do else enum export " +
    "extends false finally for from function if implements import in instanceof interface let " +
    "new null of return static super switch this throw true try type typeof undefined var " +
    "void while yield",
);
const python = language(
  HASH_COMMENT,
  `"""[\\s\\S]*?(?:"""|$)|'''[\\s\\S]*?(?:'''|$)|${QUOTED}`,
  "and as assert async await break class continue def del elif else except False finally " +
    "for from global if import in is lambda None nonlocal not or pass raise return True try " +
    "while with yield",
);
const c = language(
  C_COMMENT + String.raw`|^[ \t]*#[^\n]*`,
  QUOTED,
  "auto bool break case char const continue default do double else enum extern false float " +
    "for if inline int long register return short signed sizeof static struct switch true " +
    "typedef union unsigned void volatile while size_t NULL uint8_t uint32_t uint64_t int32_t " +
    "int64_t",
  "gm",
);
const sql = language(
  String.raw`--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`,
  QUOTED,
  "select from where and or not insert into values update set delete create table index " +
    "drop alter join left right inner outer on group by order limit offset having as distinct " +
    "null is in like between union all case when then else end primary key references",
  "gi",
);
const shell = language(
  HASH_COMMENT,
  QUOTED,
  "if then else elif fi for while do done case esac function in return exit export local cd " +
    "echo sudo set",
);
const json = language(String.raw`\/\/[^\n]*`, QUOTED, "true false null");

const LANGUAGES: Record<string, Language> = {
  lua,
  javascript,
  js: javascript,
  typescript: javascript,
  ts: javascript,
  jsx: javascript,
  tsx: javascript,
  python,
  py: python,
  c,
  cpp: c,
  h: c,
  java: c,
  rust: c,
  go: c,
  sql,
  sh: shell,
  bash: shell,
  shell,
  json,
  jsonc: json,
  yaml: shell,
  toml: shell,
};

/** The text as nodes, coloured where the language is known. */
export function highlight(text: string, name: string): Node[] {
  const known = LANGUAGES[name.toLowerCase()];
  if (!known) return [document.createTextNode(text)];
  const nodes: Node[] = [];
  let plain = 0;
  for (const match of text.matchAll(known.pieces)) {
    const kind = kindOf(match[0], known);
    if (!kind) continue;
    if (match.index > plain) nodes.push(document.createTextNode(text.slice(plain, match.index)));
    nodes.push(piece(match[0], kind));
    plain = match.index + match[0].length;
  }
  if (plain < text.length) nodes.push(document.createTextNode(text.slice(plain)));
  return nodes;
}

function kindOf(text: string, known: Language): string | undefined {
  if (/^(--|\/\/|\/\*|#|[ \t]+#)/.test(text)) return "comment";
  if (/^["'`[]/.test(text)) return "string";
  if (/^\d/.test(text)) return "numeral";
  const isKeyword =
    known.keywords.has(text) || (known === sql && known.keywords.has(text.toLowerCase()));
  return isKeyword ? "keyword" : undefined;
}

function piece(text: string, kind: string): HTMLElement {
  const span = document.createElement("span");
  span.className = kind;
  span.textContent = text;
  return span;
}
