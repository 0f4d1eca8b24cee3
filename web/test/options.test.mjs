/* What the options of elements do on the page. */
import { after, afterEach, before, test } from "node:test";
import assert from "node:assert/strict";
import { id, idText, inserts } from "./fake_host.mjs";
import { Fixture } from "./page_fixture.mjs";

let at;
before(async () => { at = await Fixture.open({ reducedMotion: "reduce" }); });
afterEach(() => assert.deepEqual(at.faults, []));
after(() => at.close());

const takesAll = (message, host) => { if (message.n) { host.ev = message.n; host.patch([]); } };
const valuesSaid = () => Object.assign({}, ...at.host.events().map((message) => message.values));
const box = (selector) => at.page.locator(selector).first().boundingBox();

/* ---- what comes later ---- */

test("what the second file draws keeps its place free: nothing below it moves when it comes", async () => {
  const page = inserts([
    ["table", { id: 1, rows: [{ a: 1 }, { a: 2 }, { a: 3 }] }], ["multiselect", { id: 2, label: "Many", options: ["a"], value: [] }],
    ["json", { id: 3, body: { a: 1, b: 2 } }], ["markdown", { id: 6, body: "Words that are **strong** and `short`" }], ["button", { id: 7, label: "**Go** on" }], ["code", { id: 4, body: "local x = 1" }], ["text", { id: 5, body: "below" }],
  ]);
  const held = await at.hold(/assets\/late-/);
  await at.show(page);
  assert.equal(await at.page.locator("table").count(), 0);
  assert.equal(await at.page.locator(".code .keyword").count(), 0);
  assert.ok(await at.page.getByText("Words that are strong and short").isVisible());
  assert.ok(await at.page.getByRole("button", { name: "Go on" }).isVisible());
  const before = await box("[data-element=text]");
  held.release();
  await at.page.locator(".prose strong").waitFor();
  await at.page.locator(".button strong").waitFor();
  await at.page.locator("table").waitFor();
  await at.page.locator(".code .keyword").waitFor();
  await at.settled();
  assert.equal((await box("[data-element=text]")).y, before.y);
  at.host.patch([{ op: "update", id: id(1), set: { rows: [{ a: "changed" }] } }]);
  await at.page.getByText("changed").waitFor();
});

test("when the second file cannot be had, the page says so and lives on", async () => {
  const held = await at.hold(/assets\/late-/);
  await at.show(inserts([["table", { id: 1, rows: [{ a: 1 }] }], ["text", { id: 2, body: "lives" }]]));
  held.fail();
  await at.page.getByText("A part of the page could not be loaded.", { exact: false }).waitFor();
  assert.ok(await at.page.getByText("lives").isVisible());
  at.faults = [];
});

/* ---- text ---- */

test("a text that must have a form is flagged and not sent until it has it", async () => {
  await at.show(inserts([
    ["text_input", { id: 1, label: "Code", validate: "[A-Z]{2}\\d+" }], ["text_input", { id: 2, label: "Mail", type: "email", required: true, value: "a@b.org" }],
    ["text_area", { id: 3, label: "Words", required: true, value: "some" }], ["number_input", { id: 4, label: "Count", required: true, value: 4 }],
  ]));
  at.host.answer = takesAll;
  const [code, mail] = [at.page.getByLabel("Code"), at.page.getByLabel("Mail")];
  await code.fill("wrong");
  assert.equal(await code.getAttribute("aria-invalid"), null, "nothing is said while one types");
  await code.press("Enter");
  await at.page.getByText("This does not have the form that is asked for.").waitFor();
  assert.equal(await code.getAttribute("aria-invalid"), "true");
  await mail.fill("nobody");
  await at.page.keyboard.press("Tab");
  await at.page.getByText("This is no e-mail address.").waitFor();
  await mail.fill("");
  await at.page.getByLabel("Words").fill("");
  await at.page.getByLabel("Count").fill("");
  await at.page.getByLabel("Count").press("Tab");
  await at.page.getByText("This cannot be empty.").nth(1).waitFor();
  assert.deepEqual(valuesSaid(), {});
  await code.fill("AB12");
  assert.equal(await code.getAttribute("aria-invalid"), null, "a mended text is not flagged any more");
  await mail.fill("x@y.org");
  await mail.press("Enter");
  await at.host.heard((message) => message.values?.[idText(2)]);
  assert.deepEqual(valuesSaid(), { [idText(1)]: "AB12", [idText(2)]: "x@y.org" });
});

test("a change that is ignored is shown at once and goes with the next event", async () => {
  await at.show(inserts([["text_input", { id: 1, label: "Word", ignores: true }], ["toggle", { id: 2, label: "Tell", ignores: true }], ["button", { id: 3, label: "Go" }]]));
  at.host.answer = takesAll;
  await at.page.getByLabel("Word").fill("kept");
  await at.page.keyboard.press("Enter");
  await at.page.getByLabel("Tell").check();
  at.host.patch([{ op: "update", id: id(1), set: { value: "older" } }]);
  await at.settled();
  assert.equal(await at.page.getByLabel("Word").inputValue(), "kept");
  assert.deepEqual(at.host.events(), []);
  await at.page.getByRole("button", { name: "Go" }).click();
  const event = await at.host.heard((message) => message.n === 1);
  assert.deepEqual(event.values, { [idText(1)]: "kept", [idText(2)]: true });
});

test("headings of Markdown can be linked to, unless the script says no", async () => {
  await at.show(inserts([["markdown", { id: 1, body: "## First steps\n\nwords" }], ["markdown", { id: 2, body: "## Others", anchors: false }]]));
  const link = at.page.getByRole("link", { name: "Link to First steps" });
  assert.equal(await link.getAttribute("href"), "#first-steps");
  assert.equal(await at.page.locator("h2#first-steps").count(), 1);
  assert.equal(await at.page.getByRole("link", { name: "Link to Others" }).count(), 0);
});

test("an icon is a drawing, an emoji as it is, or a spinner", async () => {
  await at.show(inserts([["title", { id: 1, body: "Fair", icon: "🎡" }], ["button", { id: 2, label: "Busy", icon: "spinner" }], ["button", { id: 3, label: "Save", icon: "check" }]]));
  assert.equal(await at.page.locator("h1 .is-emoji").textContent(), "🎡");
  assert.equal(await at.page.getByRole("heading", { name: "Fair", exact: true }).count(), 1, "an icon has no name of its own");
  assert.equal(await at.page.locator(".button .spinner").count(), 1);
  assert.ok((await at.page.locator(".button svg path").getAttribute("d")).length > 5);
});

test("a slider of dates says and sends dates", async () => {
  const day = (text) => new Date(`${text}T00:00:00Z`);
  await at.show(inserts([
    ["slider", { id: 1, label: "Day", min: day("2026-01-01"), max: day("2026-12-31"), value: day("2026-06-01"), step: 86400 }],
    ["slider", { id: 2, label: "Days", min: day("2026-01-01"), max: day("2026-01-31"), value: [day("2026-01-02"), day("2026-01-05")], step: 86400, format: "DD.MM.YY" }],
    ["slider", { id: 3, label: "Time", min: day("2026-01-01"), max: day("2026-01-02"), value: new Date("2026-01-01T09:15:00Z"), step: 900, format: "time" }],
  ]), { timezoneId: "America/New_York" });
  at.host.answer = takesAll;
  const said = at.page.locator(".field-value");
  assert.deepEqual(await said.allTextContents(), ["1 Jun 2026", "02.01.26 – 05.01.26", "04:15"]);
  await at.page.getByLabel("Day", { exact: true }).press("ArrowRight");
  await at.page.getByLabel("Days, to").press("ArrowRight");
  await at.host.heard((message) => message.values?.[idText(2)]);
  assert.deepEqual(valuesSaid(), { [idText(1)]: day("2026-06-02"), [idText(2)]: [day("2026-01-02"), day("2026-01-06")] });
  assert.equal(await said.first().textContent(), "2 Jun 2026");
});

/* ---- choices ---- */

const choices = (more) => inserts([["multiselect", { id: 1, label: "Many", options: ["Amber", "Beryl", "Coral"], value: [], ...more }]]);
const rows = () => at.page.locator(".listbox:popover-open .option").allTextContents();

test("all of a multiselect are chosen by one entry, and none by it again", async () => {
  await at.show(choices({ select_all: true, max_selections: 2 }));
  at.host.answer = takesAll;
  const field = () => at.page.getByRole("combobox", { name: "Many" });
  await field().click();
  assert.deepEqual(await rows(), ["Choose all", "Amber", "Beryl", "Coral"]);
  await field().press("Enter");
  await at.host.heard((message) => message.values);
  assert.deepEqual(valuesSaid(), { [idText(1)]: ["Amber", "Beryl"] });
  await at.show(choices({ select_all: true, value: ["Amber", "Beryl", "Coral"] }));
  at.host.answer = takesAll;
  await field().click();
  await at.page.getByText("Choose none").click();
  await at.host.heard((message) => message.values);
  assert.deepEqual(valuesSaid(), { [idText(1)]: [] });
});

for (const [mode, word, found] of [["contains", "r", ["Amber", "Beryl", "Coral"]], ["prefix", "be", ["Beryl"]], ["fuzzy", "al", ["Coral"]], ["fuzzy", "cl", ["Coral"]]]) {
  test(`typing "${word}" narrows a list by ${mode}`, async () => {
    await at.show(choices({ filter_mode: mode }));
    await at.page.getByRole("combobox", { name: "Many" }).pressSequentially(word);
    assert.deepEqual(await rows(), found);
  });
}

test("a selectbox that is searched takes only what is listed", async () => {
  await at.show(inserts([["selectbox", { id: 1, label: "One", options: ["Amber", "Beryl"], value: "Amber", filter_mode: "contains" }]]));
  at.host.answer = takesAll;
  await at.page.getByRole("combobox", { name: "One" }).fill("nothing such");
  assert.deepEqual(await rows(), []);
  await at.page.getByRole("combobox", { name: "One" }).fill("ber");
  assert.deepEqual(await rows(), ["Amber", "Beryl"]);
  await at.page.getByText("Beryl").click();
  await at.host.heard((message) => message.values);
  assert.deepEqual(valuesSaid(), { [idText(1)]: "Beryl" });
});

/* ---- boxes ---- */

test("a width holds for every element: pixels, its content, or all there is", async () => {
  await at.show(inserts([
    ["code", { id: 1, body: "x", width: 200 }], ["info", { id: 2, body: "x", width: "content" }], ["table", { id: 3, rows: [{ a: 1 }], width: 300 }],
    ["button", { id: 4, label: "Go", width: "stretch" }], ["expander", { id: 5, label: "More", width: 250 }], ["text", { id: 6, body: "all" }],
  ]));
  await at.page.locator("table").waitFor();
  const width = async (type) => Math.round((await box(`[data-element=${type}]`)).width);
  const all = await width("text");
  assert.deepEqual([await width("code"), await width("table"), await width("expander"), await width("button")], [200, 300, 250, all]);
  assert.ok(await width("info") < 120);
});

test("a height of stretch fills what the neighbours leave of a column", async () => {
  const tall = ["column", {}, [["container", { border: true }, Array.from({ length: 9 }, (_, i) => ["text", { body: `line ${i}` }])]]];
  const filling = [["container", { border: true, height: "stretch" }, [["text", { body: "x" }]]], ["metric", { label: "M", value: 1, border: true, height: "stretch" }],
    ["text_area", { id: 9, label: "Note", value: "", height: "stretch" }], ["table", { rows: [{ a: 1 }], height: "stretch" }]];
  await at.show(inserts([["columns", { spec: 5 }, [tall, ...filling.map((one) => ["column", {}, [["text", { body: "above" }], one]])]]]), { viewport: { width: 1600, height: 900 } });
  await at.page.locator("table").waitFor();
  const ends = await at.page.locator("[data-element=column] > :last-child").evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().bottom)));
  assert.deepEqual(ends, ends.map(() => ends[0]));
  const [area, field] = [await box("textarea"), await box("[data-element=text_area]")];
  assert.ok(area.y + area.height > field.y + field.height - 4, "the area itself, not only its room");
});

test("columns that do not wrap stay side by side on a phone, and the page does not scroll sideways", async () => {
  const column = (n) => ["column", {}, [["text", { body: `column ${n}` }]]];
  const row = (more) => inserts([["columns", { spec: 4, ...more }, [1, 2, 3, 4].map(column)]]);
  const tops = () => at.page.locator("[data-element=column]").evaluateAll((all) => new Set(all.map((one) => one.getBoundingClientRect().top)).size);
  await at.show(row({}), { viewport: { width: 390, height: 800 } });
  assert.ok(await tops() > 1);
  await at.show(row({ wrap: false }), { viewport: { width: 390, height: 800 } });
  assert.equal(await tops(), 1);
  assert.ok(await at.page.evaluate(() => document.documentElement.scrollWidth) <= 390);
});

test("metrics on a phone leave no empty place beside the last", async () => {
  const metric = (n) => ["column", {}, [["metric", { label: `M${n}`, value: n }]]];
  await at.show(inserts([["columns", { spec: 3 }, [1, 2, 3].map(metric)]]), { viewport: { width: 390, height: 800 } });
  const [first, , last] = await at.page.locator("[data-element=column]").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().width));
  assert.ok(last > first * 1.8, `${first} and ${last}`);
});

test("an expander and tabs that tell send what the person opens, and follow the script", async () => {
  await at.show(inserts([
    ["expander", { id: 1, label: "More", value: false }, [["text", { id: 2, body: "inside" }]]], ["expander", { id: 3, label: "Aside" }, [["text", { id: 4, body: "words" }]]],
    ["tabs", { id: 5, labels: ["One", "Two"], value: "One" }, [["tab", { id: 6, label: "One" }, [["text", { id: 7, body: "first" }]]], ["tab", { id: 8, label: "Two" }, [["text", { id: 9, body: "second" }]]]]],
  ]));
  at.host.answer = takesAll;
  await at.page.getByText("Aside").click();
  await at.page.getByText("More").click();
  await at.host.heard((message) => message.values);
  await at.page.getByRole("tab", { name: "One" }).focus();
  await at.page.keyboard.press("ArrowRight");
  await at.host.heard((message) => message.values?.[idText(5)]);
  assert.deepEqual(valuesSaid(), { [idText(1)]: true, [idText(5)]: "Two" });
  assert.equal(at.host.events().length, 2);
  at.host.patch([{ op: "update", id: id(1), set: { value: false }, by: "script" }, { op: "update", id: id(5), set: { value: "One" }, by: "script" }]);
  await at.page.getByText("first").waitFor();
  await at.page.getByText("inside").waitFor({ state: "hidden" });
  await at.settled();
  assert.equal(at.host.events().length, 2, "what the script opens is not sent back");
});

test("steps have no box: a sign each, and a line from each to the next, if that is a step", async () => {
  const step = (n, more) => ["expander", { id: n, label: `Step ${n}`, type: "step", ...more }, [["text", { id: n + 10, body: "words" }]]];
  await at.show(inserts([step(1, { icon: "check" }), step(2, { expanded: true }), step(3, { icon: "spinner" }), ["text", { id: 4, body: "end" }]]));
  const [boxes, signs, lines] = await at.page.evaluate(() => {
    const all = [...document.querySelectorAll("[data-element=expander]")];
    const drawn = (element, part) => getComputedStyle(element, part).content !== "none";
    return [all.map((one) => getComputedStyle(one).borderTopWidth), all.map((one) => drawn(one.querySelector("summary"), "::before")), all.map((one) => drawn(one, "::after"))];
  });
  assert.deepEqual(boxes, ["0px", "0px", "0px"]);
  assert.deepEqual(signs, [false, true, false], "a dot stands where no icon is");
  assert.deepEqual(lines, [true, true, false]);
});

test("a box with autoscroll follows its end, until the person scrolls away", async () => {
  const lines = (from, count) => Array.from({ length: count }, (_, i) => ["text", { id: from + i, body: `line ${from + i}` }]);
  await at.show(inserts([["container", { id: 1, height: 120, autoscroll: true }, lines(10, 20)]]));
  const place = () => at.page.locator(".box").evaluate((one) => [Math.round(one.scrollTop), Math.round(one.scrollHeight - one.clientHeight)]);
  const add = async (n) => {
    at.host.patch([{ op: "insert", id: id(n), in: id(1), after: id(n - 1), type: "text", props: { body: `line ${n}` } }]);
    await at.page.getByText(`line ${n}`).waitFor({ state: "attached" });
    await at.settled();
    return place();
  };
  let [top, end] = await add(30);
  assert.ok(end > 0 && Math.abs(top - end) <= 1, `${top} of ${end}`);
  await at.page.locator(".box").evaluate((one) => { one.scrollTop = 0; });
  await at.settled();
  [top] = await add(31);
  assert.equal(top, 0);
});

test("texts of a table are inline Markdown, and a name of a tree says its path", async () => {
  await at.show(inserts([["table", { id: 1, rows: [{ word: "**strong** and snake_case_name" }] }], ["json", { id: 2, body: { stock: { berlin: [3] } } }]]));
  await at.page.locator("td strong").waitFor();
  assert.equal(await at.page.locator("td").textContent(), "strong and snake_case_name");
  assert.deepEqual(await at.page.locator(".tree-name").evaluateAll((all) => all.map((one) => one.title)), ["stock", "stock.berlin", "stock.berlin.0"]);
});
