/* Formulas and emoji in the page: what they need comes late, and only where a text has one. */
import { after, afterEach, before, test } from "node:test";
import assert from "node:assert/strict";
import { id, inserts } from "./fake_host.mjs";
import { Fixture } from "./page_fixture.mjs";

let at;
before(async () => { at = await Fixture.open({ reducedMotion: "reduce" }); });
afterEach(() => assert.deepEqual(at.faults ?? [], []));
after(() => at.close());

const loaded = () => at.page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => /(maths|emoji|KaTeX)[^/]*$/.exec(name)?.[1]).filter(Boolean));

test("a page without a formula and without an emoji's name asks for neither", async () => {
  await at.show(inserts([["markdown", { id: 1, body: "**Prices**: $5 and $6, at 10:30" }], ["text", { body: "$x$ :rocket:" }]]));
  await at.page.locator("strong", { hasText: "Prices" }).waitFor();
  await at.settled();
  assert.deepEqual(await loaded(), []);
});

test("a formula shows its source until it can be drawn, in a text, a label and a table", async () => {
  const maths = await at.hold("**/assets/maths-*.js");
  await at.show(inserts([
    ["markdown", { id: 1, body: "Area $\\pi r^2$\n\n$$\\sum_{k=1}^n \\pmb{k} = \\fcolorbox{red}{white}{$n$}$$" }],
    ["number_input", { id: 2, label: "Radius $r$", value: 1 }], ["table", { rows: [{ area: "$\\pi$" }] }],
  ]));
  await at.page.getByText("$\\pi r^2$", { exact: true }).waitFor();
  await at.page.getByLabel("Radius $r$").waitFor();
  assert.equal(await at.page.locator(".katex").count(), 0);
  maths.release();
  for (const place of [".markdown", ".field-label", "td"]) await at.page.locator(`${place} .katex`).first().waitFor();
  assert.equal(await at.page.locator("math").count(), 4);
  assert.equal(await at.page.locator(".maths > code").count(), 0);
  await at.page.evaluate(() => document.fonts.ready);
  assert.ok((await loaded()).includes("KaTeX"), "its letters are drawn with its own fonts");
});

test("without KaTeX a formula stays its source, and the page lives on", async () => {
  const maths = await at.hold("**/assets/maths-*.js");
  await at.show(inserts([["markdown", { id: 1, body: "Area $\\pi r^2$" }], ["text", { id: 2, body: "old" }]]));
  const told = at.page.waitForEvent("console", (message) => message.text().includes("ERR_FAILED"));
  maths.fail();
  await told;
  at.host.patch([{ op: "update", id: id(2), set: { body: "new" } }]);
  await at.page.getByText("new").waitFor();
  assert.equal(await at.page.locator(".maths > code").textContent(), "$\\pi r^2$");
  at.faults = [];
});

test("a formula that changes is drawn anew, one that is mended is no longer wrong", async () => {
  await at.show(inserts([["markdown", { id: 1, body: "$\\frac{a}$" }]]));
  await at.page.locator(".maths.is-wrong").waitFor();
  at.host.patch([{ op: "update", id: id(1), set: { body: "$\\frac{a}{b}$" } }]);
  await at.page.locator(".maths .katex").waitFor();
  assert.equal(await at.page.locator(".is-wrong").count(), 0);
});

test("an emoji's name stands until the names have come; then texts, labels and their names have it", async () => {
  const names = await at.hold("**/assets/emoji-*.js");
  await at.show(inserts([["title", { id: 1, body: ":rocket: Launching" }], ["markdown", { body: "Ready :+1:" }], ["button", { id: 2, label: "Go :wave:", help: "Say it" }]]));
  await at.page.getByText("Ready :+1:").waitFor();
  names.release();
  await at.page.getByText("Ready 👍").waitFor();
  await at.page.getByRole("button", { name: "Go 👋", exact: true }).waitFor();
  await at.page.getByRole("button", { name: "Help: Go 👋" }).waitFor();
  assert.equal(await at.page.getByRole("heading", { name: "🚀 Launching" }).getAttribute("id"), "launching");
});
