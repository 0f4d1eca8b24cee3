import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { openBrowser } from "./browser.mjs";
import { asScript, load, makeRandom } from "./bundle.mjs";

const SEED = Number(process.env.SEED ?? 20261124);
let browser, page;

before(async () => {
  browser = await openBrowser();
  page = await browser.newPage();
  await page.setContent("<!doctype html><base href=\"http://localhost/app/\"><body></body>");
  await page.addScriptTag({ content: await asScript("markdown.ts", "moonlit") });
  await page.addScriptTag({ content: await asScript("maths.ts", "maths") });
  await page.evaluate(() => {
    globalThis.show = (text) => {
      const box = document.createElement("div");
      const code = (text, language) => Object.assign(document.createElement("pre"), { textContent: `${language}|${text}` });
      new moonlit.MarkdownBox(box, { code }).show(text);
      return box;
    };
  });
});
after(() => browser.close());

const html = (text) => page.evaluate((source) => show(source).innerHTML, text);

test("paragraphs, emphasis, lists, quotes, tables and code become their elements", async () => {
  assert.equal(await html("**bold** *soft* ~~gone~~ `a &amp; b`"), "<p><strong>bold</strong> <em>soft</em> <del>gone</del> <code>a &amp;amp; b</code></p>");
  assert.match(await html("- one\n- two"), /<ul><li><span>one<\/span><\/li><li><span>two<\/span><\/li><\/ul>/);
  assert.match(await html("3. three"), /<ol start="3">/);
  assert.match(await html("> said"), /<blockquote><p>said<\/p><\/blockquote>/);
  assert.match(await html("| a | b |\n|---|--:|\n| 1 | 2 |"), /<th scope="col">a<\/th><th data-align="right" scope="col">b<\/th>/);
  assert.equal(await html("```lua\nx = 1\n```"), "<pre>lua|x = 1</pre>");
  assert.match(await html("- [x] done"), /<input type="checkbox" disabled="" aria-label="done">/);
});

test("colours, backgrounds, badges, small text and icons are ours", async () => {
  assert.equal(await html(":red[a **b**]"), '<p><span class="md-colour" data-colour="red">a <strong>b</strong></span></p>');
  assert.match(await html(":blue-background[x]"), /class="md-background" data-colour="blue">x</);
  assert.match(await html("text :grey-badge[x [y] z] on"), /class="badge" data-colour="gray">x \[y\] z<\/span> on/);
  assert.equal(await html(":small[fine]"), '<p><small class="md-small">fine</small></p>');
  assert.match(await html(":material/check: yes"), /<svg class="icon"/);
  assert.equal(await html(":nocolour[x] at 10:30 :red[open"), "<p>:nocolour[x] at 10:30 :red[open</p>");
  assert.equal(await html(":nosmile: stays"), "<p>:nosmile: stays</p>");
});

test("raw HTML is shown as the text it is", async () => {
  for (const source of ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a <b onclick=alert(1)>b</b>", "<svg/onload=alert(1)>",
    "<iframe src=//x>", "[x](<javascript:alert(1)>)<style>*{}</style>", "<!-- --><a href=javascript:alert(1)>x</a>"]) {
    const bad = await page.evaluate((text) => show(text).querySelectorAll("script, img, b, svg, iframe, style, a[href^=javascript]").length, source);
    assert.equal(bad, 0, source);
  }
  assert.equal(await page.evaluate(() => show("a <b>x</b>").textContent), "a <b>x</b>");
});

test("links go only where the list allows", async () => {
  for (const href of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "&#106;avascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", " javascript:x", "\u0001javascript:x", "blob:x"]) {
    const links = await page.evaluate((text) => [...show(`[x](<${text}>) [x](${text})`).querySelectorAll("a")].map((a) => a.protocol), href);
    for (const protocol of links) assert.match(protocol, /^(https?|mailto|tel):$/, `${href} gave ${protocol}`);
    assert.ok(!links.includes("javascript:"));
  }
  assert.match(await html("[x](https://example.org)"), /<a class="link" href="https:\/\/example.org" target="_blank" rel="noopener noreferrer">x<\/a>/);
  assert.match(await html("[x](#part)"), /<a class="link" href="#part">x<\/a>/);
  assert.match(await html("[x](mailto:a@b.c)"), /href="mailto:a@b.c"/);
  assert.equal(await page.evaluate(() => show("![alt](javascript:x)").innerHTML), "<p>alt</p>");
});

test("colours by number or by CSS's names, a shimmer, and signs made of letters", async () => {
  assert.match(await html(":#c06[rose]"), /<span class="md-colour" style="--tone: ?#c06;">rose<\/span>/);
  assert.match(await html("the :Teal-background[sea]"), /<p>the <span class="md-background" style="--tone: ?teal;">sea<\/span>/);
  assert.equal(await html(":inherit[x] :nosuch[y] :#12345[z]"), "<p>:inherit[x] :nosuch[y] :#12345[z]</p>");
  assert.equal(await html(":shimmer[soon]"), '<p><span class="md-shimmer">soon</span></p>');
  assert.equal(await html("a -> b <- c <-> d, x ~= y -- z"), "<p>a → b ← c ↔ d, x ≈ y — z</p>");
  assert.equal(await html("1 >= 0, 0 <= 1, `a -> b`, x->y, --all"), "<p>1 ≥ 0, 0 ≤ 1, <code>a -&gt; b</code>, x-&gt;y, --all</p>");
});

test("a formula stands between dollars, a price does not", async () => {
  const formula = (source) => `<span class="maths"><code>${source}</code></span>`;
  const box = (source) => `<span class="maths is-box" tabindex="0" role="group" aria-label="Formula"><code>${source}</code></span>`;
  assert.equal(await html("so $a_1 * b_2$, the $n$th"), `<p>so ${formula("$a_1 * b_2$")}, the ${formula("$n$")}th</p>`);
  assert.equal(await html("**bold $x$**, $\\$5$ and $|x|\n+1$"), `<p><strong>bold ${formula("$x$")}</strong>, ${formula("$\\$5$")} and ${formula("$|x|\n+1$")}</p>`);
  assert.equal(await html("$$\na\n- b\n$$\n\nthen"), `${box("$$\na\n- b\n$$")}<p>then</p>`);
  assert.equal(await html("first\n$$x\n= y$$\nthen $$z$$ inside"), `<p>first</p>${box("$$x\n= y$$")}<p>then ${box("$$z$$")} inside</p>`);
  for (const source of ["$5 and $6", "from $5, to $6.", "($5–$6)", "US$5 or CA$7", "$ x $", "a $x", "$", "$$", "$$$$", "$$$ dear $$$", "$$ $$", "`$x$`"])
    assert.equal(await page.evaluate((text) => show(text).querySelectorAll(".maths").length, source), 0, source);
  assert.equal(await html("\\$x$ costs \\$5"), "<p>$x$ costs $5</p>");
  assert.equal(await html("$$\na\n\nb\n$$"), "<p>$$\na</p><p>b\n$$</p>");
  for (const between of ["\n", "\n\n", "\n  \n", "\n \t\n"])
    assert.ok((await html(`a${between}$$x$$`)).endsWith(`</p>${box("$$x$$")}`), JSON.stringify(between));
});

test("a formula is drawn for the eye, and told to a screen reader; one that is wrong says why", async () => {
  const drawn = await page.evaluate(async () => {
    const { typeset } = maths;
    const box = document.createElement("span");
    typeset(box, "\\frac{a}{b}", true);
    return [box.querySelector("math mfrac")?.textContent, box.querySelector(".katex-html").getAttribute("aria-hidden"), box.querySelector("annotation").textContent];
  });
  assert.deepEqual(drawn, ["ab", "true", "\\frac{a}{b}"]);
  await page.evaluate(() => document.body.replaceChildren(show("$\\frac{$ and $y$")));
  await page.waitForFunction(() => document.querySelector(".maths.is-wrong") && document.querySelector(".katex"));
  const wrong = await page.evaluate(() => [document.querySelector(".maths").textContent, document.querySelector(".maths").title]);
  assert.equal(wrong[0], "$\\frac{$");
  assert.match(wrong[1], /KaTeX parse error: .*expected '}'/);
});

test("a formula that would hold up the page stays its source", async () => {
  const told = await page.evaluate(() => ["x".repeat(10_000), "x".repeat(10_001)].map((source) => {
    const box = document.createElement("span");
    maths.typeset(box, source, false);
    return [box.querySelectorAll("math").length, box.title];
  }));
  assert.deepEqual(told, [[1, ""], [0, "A formula has at most 10000 characters"]]);
});

test("where a paragraph ends, nobody looks further for a formula", async () => {
  const { startOfBlock } = await load("formulas.ts");
  assert.deepEqual(["a\nb\n$$x$$", "a\n\nb\n$$x$$", "a\n  \n$$x$$", "a $$x$$\n$"].map(startOfBlock), [4, undefined, undefined, undefined]);
});

test("a formula cannot bring a link, a picture or a style of its own, nor grow without end", async () => {
  const hostile = ["\\href{javascript:alert(1)}{x}", "\\url{javascript:alert(1)}", "\\includegraphics{https://example.org/x.png}", "\\htmlStyle{position: fixed}{x}",
    "\\htmlClass{app}{x}", "\\htmlData{on=1}{x}", "\\def\\a{\\a\\a}\\a", "\\rule{99999em}{99999em}"];
  const found = await page.evaluate(async (sources) => {
    const { typeset } = maths;
    return sources.map((source) => {
      const box = document.createElement("span");
      typeset(box, source, false);
      return box.querySelectorAll("a, img, script, .app, [data-on], [style*=fixed], [style*='99999']").length;
    });
  }, hostile);
  assert.deepEqual(found, hostile.map(() => 0));
});

test("emoji by their names, and only the names that are known", async () => {
  const names = async (text) => {
    await page.evaluate((source) => document.body.replaceChildren(show(source)), text);
    await page.waitForFunction(() => moonlit.inlineNodes(":moon:")[0].data !== ":moon:");
    return page.evaluate(() => document.body.firstChild.innerHTML);
  };
  assert.equal(await names(":rocket: **:+1:** :white_check_mark::100:"), "<p>🚀 <strong>👍</strong> ✅💯</p>");
  assert.equal(await names(":nosuch: :constructor: `:rocket:` \\:rocket: at 10:100:30"), "<p>:nosuch: :constructor: <code>:rocket:</code> :rocket: at 10:100:30</p>");
  assert.equal(await names(":red[:heart:] :material/check:"), (await html(":red[❤️] :material/check:")));
});

test(`what counts as plain words reads the same as Markdown (seed ${SEED})`, async () => {
  const { isPlain } = await load("plain.ts");
  const random = makeRandom(SEED);
  const pieces = ["a", "word", " ", "  ", "_", "*", "`", "~", "[", "]", "(", ")", "<", ">", "&", "\\", "|", ":", ":red", "-", "+", "#", "1", "1.", ".", "=", "!", ":+1:", ":", "http", "://", "www.", "@", "é", "$", "$", "\"", ",", "\t"];
  const sources = Array.from({ length: 4000 }, () => Array.from({ length: 1 + random.below(8) }, () => random.pick(pieces)).join("")).filter(isPlain);
  assert.ok(sources.length > 300, String(sources.length));
  const wrong = await page.evaluate((all) => all.filter((source) => {
    const inline = moonlit.inlineNodes(source), box = show(source), trimmed = source.trim();
    return inline.some((node) => node.nodeType !== 3) || inline.map((node) => node.textContent).join("") !== source ||
      box.textContent.trim() !== trimmed || box.querySelector(":not(p)") !== null;
  }), sources);
  assert.deepEqual(wrong, []);
  assert.deepEqual(["Orders", "Your name", "10 % of 3.5", "It's (very) late - or not", "snake_case"].map(isPlain), [true, true, true, true, true]);
});

test("without its signs a text is near to what it will be", async () => {
  const { bare } = await load("plain.ts");
  assert.equal(bare("## A **bold** `code` :red[word] and [a link](https://x.org)"), "A bold code word and a link");
  assert.equal(bare("snake_case :material/check: done"), "snake_case  done");
});

test(`random mixtures of markup never make an element outside the list (seed ${SEED})`, async () => {
  const random = makeRandom(SEED);
  const pieces = ["<", ">", "script", "onerror=", "javascript:", "[", "](", ")", "`", "**", "*", "_", "\n", "\n\n", "- ", "> ", "# ", "|", "---", ":red[", "]", "![", "&lt;", "&#x6a;", "\"", "'", "=", "a", " ", "```", "<!--", "-->", "http://x", "data:", "\\", "1. ", ":small["];
  const sources = Array.from({ length: 600 }, () => Array.from({ length: 1 + random.below(30) }, () => random.pick(pieces)).join(""));
  const faults = await page.evaluate((all) => {
    const allowed = new Set("P SPAN STRONG EM DEL CODE BR A UL OL LI BLOCKQUOTE HR H1 H2 H3 H4 H5 H6 TABLE THEAD TBODY TR TH TD DIV PRE SMALL INPUT IMG svg path".split(" "));
    return all.filter((source) => [...show(source).querySelectorAll("*")].some((element) =>
      !allowed.has(element.tagName) || [...element.attributes].some(({ name }) => name.startsWith("on") || name === "style") ||
      (element instanceof HTMLAnchorElement && !["http:", "https:", "mailto:", "tel:", ":"].includes(element.protocol))));
  }, sources);
  assert.deepEqual(faults, []);
});

test("a text that grows keeps the nodes of the blocks before", async () => {
  const kept = await page.evaluate(() => {
    const box = document.createElement("div");
    const markdown = new moonlit.MarkdownBox(box, () => document.createElement("pre"));
    markdown.show("# One\n\ntwo\n\nthr");
    const [first, second] = box.children;
    markdown.show("# One\n\ntwo\n\nthree\n\n- four");
    return [box.children[0] === first, box.children[1] === second, box.textContent];
  });
  assert.deepEqual(kept, [true, true, "Onetwothreefour"]);
});

test("a hostile text is read in its own time", async () => {
  const length = await page.evaluate(() => show(":red[".repeat(2000) + "*".repeat(5000) + "[".repeat(2000)).textContent.length);
  assert.ok(length > 0);
});

test("a long paragraph of signs is read for a while, and what comes behind is the text it is", async () => {
  const long = "*a* word and word ".repeat(1000);
  assert.equal((await html(long)).split("<em>").length - 1, 1000, "18 KB are read to their end");
  const signs = `*b* ${"*a ".repeat(33000)}*b*`;
  const { em, text } = await page.evaluate((source) => ({ em: show(source).querySelectorAll("em").length, text: show(source).textContent }), signs);
  assert.equal(em, 1);
  assert.equal(text, signs.replace("*b*", "b"));
});

test("boxes in each other deeper than a browser's stack are shown as the text they are", async () => {
  const deep = `${">- ".repeat(20000)}x`;
  assert.equal(await page.evaluate((source) => show(source).textContent, deep), deep);
});
