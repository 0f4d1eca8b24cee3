/* Drawings by their names: what the page knows itself, what comes late, and the words of Material Symbols. */
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { asScript } from "./bundle.mjs";
import { id, inserts } from "./fake_host.mjs";
import { Fixture } from "./page_fixture.mjs";

const lucide = JSON.parse(readFileSync(createRequire(import.meta.url).resolve("@iconify-json/lucide/icons.json"), "utf8"));
let at, page;
before(async () => {
  at = await Fixture.open({ reducedMotion: "reduce" });
  page = await at.browser.newPage();
  await page.setContent("<!doctype html><body></body>");
  await page.addScriptTag({ content: await asScript("icons-all.ts", "icons") });
});
after(() => at.close());

test("each drawing as one path covers what its shapes cover", async () => {
  const wrong = await page.evaluate((all) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    document.body.append(svg);
    const measure = (markup) => {
      svg.innerHTML = markup;
      const { x, y, width, height } = svg.getBBox();
      return [x, y, width, height];
    };
    return Object.entries(all).filter(([name, { body }]) => {
      const one = measure(`<path d="${icons.find(name)}"/>`), shapes = measure(body);
      return !one.every((value, i) => Math.abs(value - shapes[i]) < 0.02);
    }).map(([name]) => name);
  }, lucide.icons);
  assert.deepEqual(wrong, []);
  assert.ok(Object.keys(lucide.icons).length > 1900);
});

test("every word of Material Symbols in the list leads to a drawing, and is no name of Lucide's own", async () => {
  const names = await page.evaluate(() => [...icons.materialNames]);
  assert.deepEqual(names.filter(([, name]) => !(name in lucide.icons)), []);
  assert.deepEqual(names.filter(([word]) => word in lucide.icons || word in lucide.aliases), []);
  assert.ok(names.length > 290, String(names.length));
  const [one, same, ...none] = await page.evaluate(() => ["account-circle", "user-circle", "nosuchthing", "constructor", ""].map((word) => icons.find(word) ?? null));
  assert.ok(one.length > 20);
  assert.equal(one, same, "a word of Material Symbols, and an older name of Lucide's");
  assert.deepEqual(none, [null, null, null]);
});

test("a name that the page does not know is drawn when the drawings have come, and an unknown one is a dot", async () => {
  await at.show(inserts([["badge", { id: 1, label: "a", icon: ":material/account_circle:" }], ["badge", { id: 2, label: "b", icon: "squirrel" }],
    ["badge", { id: 3, label: "c", icon: "nosuchthing" }], ["markdown", { id: 4, body: "d :material/emoji_events:" }]]));
  await at.page.waitForFunction(() => [...document.querySelectorAll(".page svg path")].filter((path) => path.getBBox().width > 10).length === 3);
  const [known, , dot] = await at.page.locator(".badge svg path").evaluateAll((all) => all.map((path) => path.getBBox().width));
  assert.ok(known > 15 && dot < 5, `${known} and ${dot}`);
  assert.deepEqual(at.faults, []);
});

test("a drawing that comes late does not replace one that was asked for since", async () => {
  const held = await at.hold("**/assets/icons-all-*.js");
  await at.show(inserts([["badge", { id: 1, label: "a", icon: "squirrel" }], ["badge", { id: 2, label: "b", icon: "squirrel" }]]));
  at.host.patch([{ op: "update", id: id(1), set: { icon: "check" } }]);
  const isDrawn = (at) => document.querySelectorAll(".badge svg path")[at].getBBox().width > 10;
  await at.page.waitForFunction(isDrawn, 0);
  const first = () => at.page.locator(".badge svg path").first().getAttribute("d");
  const check = await first();
  held.release();
  await at.page.waitForFunction(isDrawn, 1);
  assert.equal(await first(), check);
});
