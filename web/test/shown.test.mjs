/* What the page shows of runs, errors and its elements. */
import { after, afterEach, before, test } from "node:test";
import assert from "node:assert/strict";
import { id, idText, inserts } from "./fake_host.mjs";
import { Fixture } from "./page_fixture.mjs";
import { gallery } from "./pages.mjs";
import { entrySize } from "../scripts/size.mjs";

let at;
before(async () => { at = await Fixture.open({ reducedMotion: "reduce" }); });
afterEach(() => assert.deepEqual(at.faults ?? [], []));
after(() => at.close());

const moonrise = () => at.page.locator(".moonrise");

/** Until nothing of the kind is on the page any more, however many there were. */
const none = (selector) => at.page.waitForFunction((selector) => document.querySelector(selector) === null, selector);

test("what a browser loads before it can draw is at most 60 KB", () => {
  const { total, limit } = entrySize();
  assert.ok(total <= limit, `${total} bytes, ${limit} are allowed`);
});

test("a quick run shows no bar; a long one does, with Stop, until its last patch", async () => {
  await at.show(inserts([["button", { id: 1, label: "Go" }], ["text", { id: 2, body: "old" }]]), { clock: "rests" });
  await at.page.getByRole("button", { name: "Go" }).click();
  await at.host.heard((message) => message.n === 1);
  await at.page.clock.runFor(140);
  at.host.ev = 1;
  at.host.patch([{ op: "update", id: id(2), set: { body: "quick" } }]);
  await at.page.getByText("quick").waitFor();
  await at.page.clock.runFor(1000);
  assert.equal(await moonrise().count(), 0);
  await at.page.getByRole("button", { name: "Go" }).click();
  await at.host.heard((message) => message.n === 2);
  await at.page.clock.runFor(140);
  assert.equal(await moonrise().count(), 0);
  await at.page.clock.runFor(20);
  assert.equal(await moonrise().count(), 1);
  at.host.patch([], "running", { ev: 2 });
  at.host.patch([{ op: "update", id: id(2), set: { body: "part" } }], "running", { ev: 2 });
  await at.page.getByText("part").waitFor();
  assert.equal(await moonrise().count(), 1);
  await at.page.getByRole("button", { name: "Stop" }).click();
  const stop = await at.host.heard((message) => message.t === "stop");
  assert.equal(stop.n, 3);
  at.host.ev = 3;
  at.host.patch([], "stopped");
  await moonrise().waitFor({ state: "detached" });
});

test("what a long run has not drawn yet loses ink; what it drew again as it was, and what comes, has it", async () => {
  await at.show(inserts([["button", { id: 1, label: "Go" }], ["text", { id: 2, body: "as it was" }], ["text", { id: 3, body: "second" }],
    ["container", { id: 5 }, [["text", { id: 6, body: "inside" }]]], ["text", { id: 4, body: "third" }]]));
  const stale = () => at.page.locator(".is-stale");
  let old = [1, 3, 5, 4];
  at.host.answer = (message, host) => message.t === "old" && host.send({ t: "old", ids: old.map(id) });
  await at.page.getByRole("button", { name: "Go" }).click();
  await stale().first().waitFor();
  assert.deepEqual(await stale().allTextContents(), ["second", "inside", "third"]);
  old = [5, 4];
  at.host.patch([{ op: "update", id: id(3), set: { body: "new" } }], "running", { ev: 1 });
  await at.page.locator(".markdown:not(.is-stale)", { hasText: "new" }).waitFor();
  assert.deepEqual(await stale().allTextContents(), ["inside", "third"]);
  at.host.ev = 1;
  at.host.patch([]);
  await none(".is-stale");
});

test("where a run draws on and on, what it has not drawn loses ink all the same", async () => {
  await at.show(inserts([["button", { id: 1, label: "Go" }], ["text", { id: 2, body: "first" }], ["text", { id: 3, body: "second" }]]));
  const answers = [];
  at.host.answer = (message, host) => {
    if (message.t !== "old") return;
    host.patch([{ op: "update", id: id(2), set: { body: `drawn ${answers.push("old")}` } }], "running", { ev: 1 });
    host.send({ t: "old", ids: [id(3)] });
  };
  await at.page.getByRole("button", { name: "Go" }).click();
  await at.page.locator(".is-stale", { hasText: "second" }).waitFor();
  assert.equal(await at.page.locator(".is-stale").count(), 1);
  at.host.answer = undefined;
  at.host.ev = 1;
  at.host.patch([]);
  await none(".is-stale");
});

test("the time of the last run stands in the foot", async () => {
  await at.show(inserts([["text", { id: 2, body: "x" }]]));
  at.host.patch([], "finished", { ms: 14.3 });
  await at.page.getByText("Ran in 14 ms").waitFor();
});

test("a changed value is washed once, where motion is welcome", async () => {
  await at.show(inserts([["text", { id: 2, body: "x" }], ["text", { id: 3, body: "y" }]]), { reducedMotion: "no-preference" });
  await at.page.evaluate(() => { /* a wash that rests is seen, however late one looks */
    const animate = Element.prototype.animate;
    Element.prototype.animate = function (...how) { const animation = animate.apply(this, how); animation.pause(); return animation; };
  });
  at.host.patch([{ op: "update", id: id(2), set: { body: "changed" } }]);
  await at.page.getByText("changed").waitFor();
  const washed = await at.page.evaluate(() => document.getAnimations().filter(({ id }) => id === "wash").map(({ effect }) => effect.target.textContent));
  assert.deepEqual(washed, ["changed"]);
});

test("an error stands in its place with line, source and traceback", async () => {
  await at.show(inserts([["exception", { message: "attempt to index a nil value", kind: "Script error", file: "app.lua", line: 2, source: [[1, "local x"], [2, "x.y = 1"]], traceback: ["app.lua:2: in main chunk"] }]]));
  const box = at.page.locator(".exception");
  assert.match(await box.textContent(), /attempt to index a nil value.*Script error in app\.lua line 2/s);
  assert.equal(await box.locator("li.is-here").textContent(), "2x.y = 1");
  await box.getByText("Traceback").click();
  assert.ok(await box.getByText("in main chunk").isVisible());
});

test("a script that does not compile is shown over the page, which stays, until it is mended", async () => {
  await at.show(inserts([["text", { id: 2, body: "the old page" }]]));
  at.host.send({ t: "broken", message: "'end' expected near '<eof>'", file: "app.lua", line: 9, source: [[8, "if x then"], [9, ""]] });
  await at.page.getByText("'end' expected").waitFor();
  assert.ok(await at.page.getByText("the old page").isVisible());
  await at.page.getByRole("button", { name: "Hide" }).click();
  assert.equal(await at.page.getByText("'end' expected").count(), 0);
  at.host.send({ t: "mended" });
  await at.page.locator(".broken").waitFor({ state: "detached" });
});

test("notices of the host are toasts in a live region, and can be closed", async () => {
  await at.show(inserts([["text", { id: 2, body: "x" }]]));
  at.host.send({ t: "notice", kind: "press_dropped", text: "Stopped; 2 presses that waited were dropped." });
  const toast = at.page.locator("[aria-live=polite] .toast");
  await toast.getByText("2 presses").waitFor();
  await toast.getByRole("button", { name: "Close" }).click();
  await toast.waitFor({ state: "hidden" });
});

test("metrics side by side are one card; another neighbour makes them single again", async () => {
  await at.show(inserts([["columns", { spec: 2 }, [["column", { id: 3 }, [["metric", { id: 4, label: "A", value: 1 }]]], ["column", { id: 5 }, [["metric", { id: 6, label: "B", value: 2 }]]]]]]));
  assert.equal(await at.page.locator(".metrics").count(), 1);
  at.host.patch([{ op: "insert", id: id(7), in: id(5), after: id(6), type: "text", props: { body: "more" } }]);
  await at.page.getByText("more").waitFor();
  assert.equal(await at.page.locator(".metrics").count(), 0);
});

test("tabs are moved through with the arrows, and keep their choice over a patch", async () => {
  await at.show(inserts([["tabs", { id: 2, labels: ["One", "Two"] }, [["tab", { id: 3, label: "One" }, [["text", { id: 4, body: "first page" }]]], ["tab", { id: 5, label: "Two" }, [["text", { id: 6, body: "second page" }]]]]]]));
  await at.page.getByRole("tab", { name: "One" }).focus();
  await at.page.keyboard.press("ArrowRight");
  assert.ok(await at.page.getByText("second page").isVisible());
  assert.ok(!(await at.page.getByText("first page").isVisible()));
  at.host.patch([{ op: "update", id: id(6), set: { body: "changed page" } }]);
  await at.page.getByText("changed page").waitFor();
  assert.ok(await at.page.getByText("changed page").isVisible());
});

test("a fold opened by the person stays open over patches", async () => {
  await at.show(inserts([["expander", { id: 2, label: "More" }, [["text", { id: 3, body: "inside" }]]]]));
  await at.page.getByText("More").click();
  at.host.patch([{ op: "update", id: id(3), set: { body: "changed inside" } }]);
  await at.page.getByText("changed inside").waitFor();
  assert.equal(await at.page.locator("details").evaluate((box) => box.open), true);
});

test("a spinner stays unseen for half a second", async () => {
  await at.show(inserts([["text", { id: 2, body: "x" }]]), { clock: "rests" });
  at.host.patch([{ op: "insert", id: id(9), in: 1, after: id(2), type: "spinner", props: { text: "Working hard" } }], "running");
  await at.page.locator(".spinner-line.is-waiting").waitFor({ state: "attached" });
  await at.page.clock.runFor(490);
  assert.equal(await at.page.getByText("Working hard").count(), 0);
  await at.page.clock.runFor(20);
  await at.page.getByText("Working hard").waitFor();
});

test("the tree of a value shows BSON's types and folds by keyboard", async () => {
  await at.show(gallery());
  const tree = at.page.locator(".json");
  const text = await tree.textContent();
  for (const part of ["65f0a1b2c3d4e5f6a7b8c9d0ObjectId", "2.80decimal", "9007199254740993int64", "2026-11-20T09:30:00.000Zdate", "3 bytesbinary 0", "1700000000, 3timestamp"]) assert.ok(text.includes(part), `${part} in ${text}`);
  await tree.locator("summary").first().focus();
  await at.page.keyboard.press("Enter");
  await tree.getByText('"classic"').waitFor({ state: "hidden" });
});

test("numbers of a table stand at the right, with the same places", async () => {
  await at.show(gallery());
  const cells = await at.page.locator("[data-element=table] tbody tr td:nth-child(3)").evaluateAll((all) => all.map((cell) => [cell.textContent, getComputedStyle(cell).textAlign]));
  assert.deepEqual(cells, [["2.80", "end"], ["3.25", "end"], ["4.00", "end"], ["14.50", "end"]]);
});

test("a toast stays for its time, though the next run takes its element away", async () => {
  const toast = (number, body) => ({ op: "insert", id: id(number), in: 3, after: 0, type: "toast", props: { body } });
  await at.show(inserts([["text", { id: 1, body: "first" }]]), { clock: "rests" });
  at.host.patch([toast(50, "Saved")]);
  at.host.patch([{ op: "remove", id: id(50) }, toast(51, "Sent")]);
  await at.page.locator(".toast", { hasText: "Sent" }).waitFor();
  await at.page.locator(".toast", { hasText: "Saved" }).waitFor();
  at.host.patch([{ op: "remove", id: id(51) }, toast(52, "Sent")]);
  at.host.patch([{ op: "update", id: id(1), set: { body: "second" } }]);
  await at.page.getByText("second").waitFor();
  assert.equal(await at.page.locator(".toast", { hasText: "Sent" }).count(), 1, "the same words are shown once");
  await at.page.clock.runFor(4100);
  await at.page.locator(".toast", { hasText: "Saved" }).waitFor({ state: "hidden" });
});

test("a status tells how long its task took in this run", async () => {
  await at.show(inserts([["status", { id: 1, label: "Work", state: "complete" }]]), { clock: "rests" });
  at.host.patch([{ op: "update", id: id(1), set: { state: "running" } }], "running");
  await at.page.locator(".status-block .spinner").waitFor();
  await at.page.clock.runFor(1500);
  at.host.patch([{ op: "update", id: id(1), set: { state: "complete" } }]);
  await at.page.locator(".status-block .card-note", { hasText: "1.5 s" }).waitFor();
});

test("an empty sidebar is hidden; with something in it, it is a drawer on a phone", async () => {
  await at.show(inserts([["text", { id: 2, body: "x" }]]), { viewport: { width: 390, height: 800 } });
  assert.equal(await at.page.locator(".sidebar").count(), 0);
  at.host.patch(inserts([["text", { id: 9, body: "in the sidebar" }]], 2));
  const open = at.page.getByRole("button", { name: "Open the sidebar" });
  await open.waitFor();
  assert.ok(!(await at.page.getByText("in the sidebar").isVisible()));
  await open.click();
  await at.page.getByText("in the sidebar").waitFor();
  await at.page.keyboard.press("Escape");
  await at.page.getByText("in the sidebar").waitFor({ state: "hidden" });
});

test("no page scrolls sideways, from a phone to a wide screen", async () => {
  for (const width of [320, 390, 700, 1024, 1600]) {
    await at.show(gallery(), { viewport: { width, height: 900 } });
    assert.ok((await at.page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${width} px`);
  }
});

test("a word that is wider than a phone breaks, or ends in an ellipsis, wherever it stands", async () => {
  const word = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen";
  const labelled = ["metric", "badge", "button", "checkbox", "toggle", "slider", "number_input", "text_input", "text_area", "expander", "status"];
  const spoken = ["markdown", "title", "header", "subheader", "caption", "text", "success", "error"];
  await at.show(inserts([
    ...labelled.map((type, i) => [type, { id: i + 1, label: word }]), ...spoken.map((type, i) => [type, { id: i + 31, body: word }]),
    ["progress", { id: 51, value: 0.5, text: word }], ["radio", { id: 52, label: word, options: [word], captions: [word] }], ["json", { id: 53, body: { word } }],
    ["selectbox", { id: 54, label: word, options: [word], value: word }], ["multiselect", { id: 55, label: word, options: [word], value: [word] }],
  ]), { viewport: { width: 320, height: 800 } });
  const wide = await at.page.evaluate(() => [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > 320).map((one) => one.outerHTML.slice(0, 120)));
  assert.deepEqual(wide, []);
});

test("the page needs no style attributes in its markup and breaks no content policy", async () => {
  await at.show(gallery());
  at.host.patch([{ op: "update", id: id(51), set: { value: 0.9 } }, { op: "update", id: id(30), set: { value: 80 } }]);
  await at.page.waitForFunction(() => document.querySelector("progress").value === 0.9);
  assert.deepEqual(at.faults, []);
  assert.ok(idText(51).length > 9);
});
