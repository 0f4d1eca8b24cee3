import { nameToEmoji } from "gemoji";
import { defineConfig, type Plugin } from "vite";
import solid from "vite-plugin-solid";

const AFTER_LEXER = "/**\n * Renderer\n */";

/** marked's module makes an instance of its whole self, so no bundler drops a part of it; we take the lexer. */
function onlyLexer(): Plugin {
  return {
    name: "only-marked-lexer",
    transform(code, id) {
      if (!id.endsWith("/marked.esm.js")) return null;
      const end = code.indexOf(AFTER_LEXER);
      if (end < 0) this.error("marked has changed: its lexer is not found");
      return { code: `${code.slice(0, end)}\nexport { _Lexer as Lexer, _getDefaults as getDefaults };`, map: null };
    },
  };
}

/** Of what gemoji tells, the names. */
function onlyEmojiNames(): Plugin {
  const code = `export const nameToEmoji = ${JSON.stringify(nameToEmoji)};`;
  return {
    name: "only-emoji-names",
    transform: (_, id) => (id.endsWith("/gemoji/index.js") ? { code, map: null } : null),
  };
}

/** KaTeX names each font in three formats; every browser that draws the page reads the first. */
function onlyWoff2(): Plugin {
  return {
    name: "only-woff2",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("/katex.css")) return null;
      const less = code.replace(/, url\(fonts\/[\w-]+\.(?:woff|ttf)\) format\("\w+"\)/g, "");
      if (/\.(woff|ttf)\)/.test(less)) this.error("katex has changed: its fonts are not found");
      return { code: less, map: null };
    },
  };
}

/** Each of Lucide's drawings says again how its lines are drawn; the page has that in its style. */
function onlyShapes(): Plugin {
  return {
    name: "only-shapes",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("/lucide/icons.json")) return null;
      return { code: code.replace(/<\/?g[^>]*>| (?:fill|stroke)[\w-]*=\\"[^"\\]*\\"/g, ""), map: null };
    },
  };
}

// Relative URLs, so that the page works below any path; nothing is inlined, so that the content
// policy needs no exceptions.
export default defineConfig({
  base: "./",
  plugins: [onlyLexer(), onlyEmojiNames(), onlyWoff2(), onlyShapes(), solid()],
  build: {
    target: "es2022",
    cssTarget: "esnext",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
