import { nameToEmoji } from "gemoji";
import { defineConfig, type Plugin } from "vite";
import solid from "vite-plugin-solid";

const AFTER_LEXER = "/**\n * Renderer\n */";

type Edit = (code: string, fail: (why: string) => never) => string;

/** A package's file, named by the end of its path, before anybody else reads it. */
function edited(file: string, edit: Edit): Plugin {
  return {
    name: `edited ${file}`,
    enforce: "pre",
    transform(code, id) {
      return id.endsWith(`/${file}`) ? { code: edit(code, (why) => this.error(why)), map: null } : null;
    },
  };
}

/** marked's module makes an instance of its whole self, so no bundler drops a part of it; we take what reads. */
const onlyLexer: Edit = (code, fail) => {
  const end = code.indexOf(AFTER_LEXER);
  if (end < 0) fail("marked has changed: its lexer is not found");
  return `${code.slice(0, end)}\nexport { _Lexer as Lexer, _Tokenizer as Tokenizer, _getDefaults as getDefaults };`;
};

/** Of what gemoji tells, the names. */
const onlyEmojiNames: Edit = () => `export const nameToEmoji = ${JSON.stringify(nameToEmoji)};`;

/** KaTeX names each font in three formats; every browser that draws the page reads the first. */
const onlyWoff2: Edit = (code, fail) => {
  const less = code.replace(/, url\(fonts\/[\w-]+\.(?:woff|ttf)\) format\("\w+"\)/g, "");
  if (/\.(woff|ttf)\)/.test(less)) fail("katex has changed: its fonts are not found");
  return less;
};

/** Each of Lucide's drawings says again how its lines are drawn; the page has that in its style. */
const onlyShapes: Edit = (code) =>
  code.replace(/<\/?g[^>]*>| (?:fill|stroke)[\w-]*=\\"[^"\\]*\\"/g, "");

// Relative URLs, so that the page works below any path; nothing is inlined, so that the content
// policy needs no exceptions.
export default defineConfig({
  base: "./",
  plugins: [
    edited("marked.esm.js", onlyLexer),
    edited("gemoji/index.js", onlyEmojiNames),
    edited("katex.css", onlyWoff2),
    edited("lucide/icons.json", onlyShapes),
    solid(),
  ],
  build: {
    target: "es2022",
    cssTarget: "esnext",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
