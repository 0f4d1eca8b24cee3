/* What can be told of a Markdown text without reading it. */

/* What may begin something in Markdown: anywhere, at the edge of a word, at the beginning. */
const SIGNS = [
  /[*`~[\]<>&\\|\n]|:[a-z#]|:[\w+-]+:|\$.*\$|--|https?:|www\.|@/,
  /(^|\W)_|_(\W|$)/,
  /^\s*(#{1,6}|[+-]|\d+[.)])(\s|$)|^(\t| {2,})|^\s*(=+|-+)\s*$/,
];

/** Whether a text is only words. */
export function isPlain(text: string): boolean {
  return !SIGNS.some((sign) => sign.test(text));
}

/** Without the commonest signs. */
export function bare(text: string): string {
  return text
    .replace(/!?(?::[a-z-]+)?\[([^\]]*)\](?:\([^)]*\))?/g, "$1")
    .replace(/:(material|icon)\/\w+:|[*`]+|~~|^(#{1,6}|>) /gm, "");
}
