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

// Relative URLs, so that the page works below any path; nothing is inlined, so that the content
// policy needs no exceptions.
export default defineConfig({
  base: "./",
  plugins: [onlyLexer(), solid()],
  build: {
    target: "es2022",
    cssTarget: "esnext",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
