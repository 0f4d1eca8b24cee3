/* What the person does, and what the page says of it. */
import { after, afterEach, before, test } from "node:test";
import assert from "node:assert/strict";
import { id, idText, inserts } from "./fake_host.mjs";
import { load } from "./bundle.mjs";
import { Fixture } from "./page_fixture.mjs";

let at;
before(async () => { at = await Fixture.open({ reducedMotion: "reduce" }); });
afterEach(() => assert.deepEqual(at.faults, []));
after(() => at.close());

const event = (n) => at.host.heard((message) => message.t === "event" && message.n === n);
const takesAll = (message, host) => { if (message.n) { host.ev = message.n; host.patch([]); } };

const form = () => inserts([
  ["text_input", { id: 1, label: "Name" }], ["text_area", { id: 2, label: "Note" }], ["number_input", { id: 3, label: "Count", value: 5, min: 0, max: 10 }],
  ["checkbox", { id: 4, label: "Tick" }], ["toggle", { id: 5, label: "Switch" }], ["radio", { id: 6, label: "One of", options: ["a", "b"], value: "a" }],
  ["selectbox", { id: 7, label: "Pick", options: ["x", "y", "z"], value: "x" }], ["multiselect", { id: 8, label: "Many", options: ["Online", "In store", "Fairs"], value: ["Online"] }],
  ["slider", { id: 9, label: "Amount", value: 40 }], ["slider", { id: 10, label: "Range", value: [20, 60] }],
  ["button", { id: 11, label: "Go", shortcut: "Ctrl+S" }], ["text_input", { id: 12, label: "Live", live: true }],
]);

test("the first message is a hello with the page's surroundings", async () => {
  await at.show(form());
  const hello = at.host.said[0];
  assert.deepEqual([hello.t, hello.v, hello.session, hello.seq, hello.event, hello.locale, hello.theme, hello.path, hello.query], ["hello", 1, undefined, 0, 0, "en-GB", "light", "/", ""]);
  assert.match(hello.load, /^[\w-]{16}$/);
  assert.ok(hello.zone.length > 2);
});

test("each widget sends its value in its own form", async () => {
  await at.show(form());
  at.host.answer = takesAll;
  const page = at.page;
  await page.check("text=Tick");
  await page.getByLabel("Switch").check();
  await page.getByLabel("b", { exact: true }).check();
  await page.getByLabel("Pick").selectOption("z");
  await page.getByLabel("Name").fill("Ines");
  await page.keyboard.press("Enter");
  await page.getByLabel("Note").fill("two\nlines");
  await page.keyboard.press("Control+Enter");
  await page.getByLabel("Count").fill("7");
  await page.keyboard.press("Enter");
  await page.getByLabel("Amount").press("ArrowRight");
  await page.getByLabel("Range, to").press("ArrowLeft");
  await at.host.heard((message) => message.values?.[idText(10)]);
  const values = Object.assign({}, ...at.host.events().map((message) => message.values));
  assert.deepEqual(values, {
    [idText(4)]: true, [idText(5)]: true, [idText(6)]: "b", [idText(7)]: "z", [idText(1)]: "Ines", [idText(2)]: "two\nlines", [idText(3)]: 7,
    [idText(9)]: 41, [idText(10)]: [20, 59],
  });
  assert.deepEqual(at.host.events().map(({ n }) => n), at.host.events().map((_, index) => index + 1));
});

test("a field left with the keyboard sends what was typed", async () => {
  await at.show(form());
  await at.page.getByLabel("Name").fill("Ines");
  await at.page.keyboard.press("Tab");
  assert.deepEqual((await event(1)).values, { [idText(1)]: "Ines" });
});

test("a live field sends after a pause", async () => {
  await at.show(form(), { clock: "rests" });
  await at.page.getByLabel("Live").pressSequentially("ab");
  await at.page.clock.runFor(290);
  await at.page.getByLabel("Live").pressSequentially("c");
  await at.page.clock.runFor(290);
  assert.equal(at.host.events().length, 0);
  await at.page.clock.runFor(20);
  assert.deepEqual((await event(1)).values, { [idText(12)]: "abc" });
  assert.equal(at.host.events().length, 1);
});

test("a press takes half-typed text with it, in one event", async () => {
  await at.show(form());
  await at.page.getByLabel("Name").pressSequentially("half");
  await at.page.getByLabel("Note").pressSequentially("more");
  await at.page.getByRole("button", { name: "Go" }).click();
  const pressed = await at.host.heard((message) => message.press);
  assert.equal(Number(pressed.press), Number(idText(11)));
  assert.equal(pressed.values[idText(2)], "more");
  assert.equal(Object.assign({}, ...at.host.events().map(({ values }) => values))[idText(1)], "half");
  assert.equal(at.host.events().at(-1), pressed);
});

test("a shortcut presses its button, also from a field, and takes the text", async () => {
  await at.show(form());
  await at.page.getByLabel("Name").pressSequentially("half");
  await at.page.keyboard.press("Control+s");
  const pressed = await event(1);
  assert.deepEqual([Number(pressed.press), pressed.values], [Number(idText(11)), { [idText(1)]: "half" }]);
});

test("R runs again, but not while one types", async () => {
  await at.show(form());
  await at.page.getByLabel("Name").pressSequentially("r");
  await at.page.evaluate(() => document.activeElement.blur());
  await event(1);
  await at.page.keyboard.press("r");
  const again = await event(2);
  assert.deepEqual([again.values, again.press], [{}, undefined]);
});

test("a value is shown at once, and an answer that is older does not undo it", async () => {
  await at.show(form());
  await at.page.getByLabel("Tick").check();
  await event(1);
  at.host.patch([{ op: "update", id: id(4), set: { value: false } }], "running", { ev: 0 });
  at.host.patch([{ op: "update", id: id(1), set: { label: "After" } }], "running", { ev: 0 });
  await at.page.getByLabel("After").waitFor();
  assert.equal(await at.page.getByLabel("Tick").isChecked(), true);
  at.host.patch([{ op: "update", id: id(4), set: { value: false }, by: "script" }], "finished", { ev: 1 });
  await at.page.waitForFunction(() => !document.querySelector("input[type=checkbox]").checked);
});

test("a widget that goes and comes back before the host knows shows what was chosen", async () => {
  await at.show(form());
  await at.page.getByLabel("Tick").check();
  await at.page.getByLabel("Name").fill("Ines");
  await at.page.keyboard.press("Enter");
  await event(2);
  const [name, tick] = [form()[0], form()[3]];
  at.host.patch([{ op: "remove", id: id(1) }, { op: "remove", id: id(4) }], "running", { ev: 0 });
  at.host.patch([{ ...name, props: { label: "Name again", value: "old" } }, { ...tick, after: 0 }], "running", { ev: 0 });
  await at.page.getByLabel("Name again").waitFor();
  assert.equal(await at.page.getByLabel("Name again").inputValue(), "Ines");
  assert.equal(await at.page.getByLabel("Tick").isChecked(), true);
  at.host.patch([{ op: "update", id: id(1), set: { value: "script's" }, by: "script" }], "finished", { ev: 2 });
  await at.page.waitForFunction(() => document.querySelector("input[type=text]").value === "script's");
});

test("what comes back under the same key as another widget has its own value", async () => {
  await at.show(form());
  await at.page.getByLabel("Name").fill("Ines");
  await at.page.keyboard.press("Enter");
  await event(1);
  at.host.patch([{ ...form()[0], type: "slider", props: { label: "Amount of it", value: 7 } }], "running", { ev: 0 });
  assert.equal(await at.page.getByLabel("Amount of it").inputValue(), "7");
});

test("text that is too much for a message stays a draft, and no press acts without it", async () => {
  const { Events } = await load("events.ts");
  globalThis.location ??= { pathname: "/", search: "" };
  const said = [], warnings = [];
  const events = new Events({ seen: () => 1, show: () => {}, typeOf: () => "text_area", knows: () => true, ignores: () => false });
  events.onTooLarge = () => warnings.push("too large");
  events.resume({ send: (message) => said.push(message) }, 0);
  events.draft(7, "x".repeat(1_100_000));
  events.press(9);
  assert.deepEqual([said, warnings, events.hasDraft(7)], [[], ["too large"], true]);
  events.draft(7, "short");
  events.press(9);
  assert.deepEqual(said.map(({ n, press, values }) => [n, press, values]), [[1, 9, { 7: "short" }]]);
});

test("a script may clear a field after a press, but not what is typed since", async () => {
  await at.show(form());
  const name = at.page.getByLabel("Name");
  await name.pressSequentially("first");
  await at.page.keyboard.press("Control+s");
  await event(1);
  at.host.patch([{ op: "update", id: id(1), set: { value: "" }, by: "script" }], "finished", { ev: 1 });
  await at.page.waitForFunction(() => document.querySelector("input[type=text]").value === "");
  await name.pressSequentially("second");
  at.host.patch([{ op: "update", id: id(1), set: { value: "" }, by: "script" }, { op: "update", id: id(11), set: { label: "Went" } }], "finished", { ev: 1 });
  await at.page.getByRole("button", { name: "Went" }).waitFor();
  assert.equal(await name.inputValue(), "second");
});

test("a caret inside of a text stays there when the script writes the text anew", async () => {
  await at.show(form());
  const name = at.page.getByLabel("Name");
  await name.fill("ines");
  await name.press("Home");
  await name.press("ArrowRight");
  await name.press("Enter");
  await event(1);
  at.host.patch([{ op: "update", id: id(1), set: { value: "INES" }, by: "script" }], "finished", { ev: 1 });
  await at.page.waitForFunction(() => document.querySelector("input[type=text]").value === "INES");
  await at.page.keyboard.type("-");
  assert.equal(await name.inputValue(), "I-NES");
});

test("a slider keeps one event on its way and always sends the last value", async () => {
  await at.show(form());
  const slider = at.page.getByLabel("Amount");
  await slider.evaluate((input) => { for (let value = 41; value <= 60; value++) { input.value = String(value); input.dispatchEvent(new Event("input", { bubbles: true })); } });
  assert.deepEqual((await event(1)).values, { [idText(9)]: 60 });
  await slider.evaluate((input) => { for (let value = 61; value <= 70; value++) { input.value = String(value); input.dispatchEvent(new Event("input", { bubbles: true })); } });
  assert.equal(at.host.events().length, 1);
  at.host.ev = 1;
  at.host.patch([]);
  assert.deepEqual((await event(2)).values, { [idText(9)]: 70 });
  await slider.evaluate((input) => { input.value = "75"; input.dispatchEvent(new Event("input", { bubbles: true })); input.dispatchEvent(new Event("change", { bubbles: true })); });
  assert.deepEqual((await event(3)).values, { [idText(9)]: 75 });
});

test("one step of a slider is one event", async () => {
  await at.show(form());
  at.host.answer = takesAll;
  await at.page.getByLabel("Amount").press("ArrowRight");
  await at.page.getByLabel("Range, to").press("ArrowLeft");
  await at.page.getByRole("button", { name: "Go" }).click();
  await at.host.heard((message) => message.press !== undefined);
  assert.deepEqual(at.host.events().map(({ values }) => values), [{ [idText(9)]: 41 }, { [idText(10)]: [20, 59] }, {}]);
});

test("the two thumbs of a range do not pass each other", async () => {
  await at.show(form());
  await at.page.getByLabel("Range, from").evaluate((input) => { input.value = "90"; input.dispatchEvent(new Event("input", { bubbles: true })); });
  assert.deepEqual((await event(1)).values, { [idText(10)]: [60, 60] });
});

test("a number is read as people write it, and kept within its limits", async () => {
  await at.show(form(), { clock: "rests" }); /* else a slow click on an arrow would repeat */
  at.host.answer = takesAll;
  const count = at.page.getByLabel("Count");
  await count.fill("abc");
  await at.page.getByText("This is not a number.").waitFor();
  await count.press("Tab");
  assert.equal(await count.inputValue(), "5");
  await count.fill("2,5");
  await count.press("Enter");
  assert.deepEqual((await event(1)).values, { [idText(3)]: 2.5 });
  await count.fill("99");
  await at.page.getByText("At most 10.").waitFor();
  await count.press("Enter");
  assert.deepEqual((await event(2)).values, { [idText(3)]: 10 });
  assert.equal(await count.inputValue(), "10");
  await count.press("ArrowDown");
  assert.deepEqual((await event(3)).values, { [idText(3)]: 9 });
  await at.page.getByRole("button", { name: "Less" }).click();
  assert.deepEqual((await event(4)).values, { [idText(3)]: 8 });
  await count.fill("");
  await count.press("Enter");
  assert.deepEqual((await event(5)).values, { [idText(3)]: null });
});

test("a multiselect is searched, chosen and emptied by keyboard", async () => {
  await at.show(form());
  at.host.answer = takesAll;
  const box = at.page.getByRole("combobox", { name: "Many" });
  await box.focus();
  await at.page.keyboard.type("fa");
  await at.page.getByRole("option", { name: "Fairs" }).waitFor();
  assert.equal(await at.page.locator(".listbox:popover-open [role=option]").count(), 1);
  await at.page.keyboard.press("Enter");
  assert.deepEqual((await event(1)).values, { [idText(8)]: ["Online", "Fairs"] });
  await at.page.keyboard.press("Backspace");
  assert.deepEqual((await event(2)).values, { [idText(8)]: ["Online"] });
  await at.page.keyboard.press("Escape");
  assert.equal(await box.getAttribute("aria-expanded"), "false");
  await at.page.getByRole("button", { name: "Remove Online" }).click();
  assert.deepEqual((await event(3)).values, { [idText(8)]: [] });
});

test("what the host refuses waits and is sent again when there is room", async () => {
  await at.show(form());
  at.host.answer = (message, host) => { if (message.n >= 2) host.send({ t: "refuse", from: 2 }); };
  const go = at.page.getByRole("button", { name: "Go" });
  await go.click();
  await event(1);
  await go.click();
  await at.page.getByText("will be sent again").waitFor();
  await go.click();
  await go.click();
  assert.deepEqual(at.host.events().map(({ n }) => n), [1, 2]);
  at.host.answer = undefined;
  at.host.ev = 1;
  at.host.patch([]);
  await event(4);
  assert.deepEqual(at.host.events().map(({ n }) => n), [1, 2, 2, 3, 4]);
});

test("Stop goes before refused events and keeps their values, not their presses", async () => {
  await at.show(form());
  at.host.answer = (message, host) => { if (message.t === "event") host.send({ t: "refuse", from: 1 }); };
  await at.page.getByLabel("Tick").check();
  await at.page.getByText("will be sent again").waitFor();
  await at.page.getByRole("button", { name: "Go" }).click();
  await at.page.getByRole("button", { name: "Stop" }).click();
  assert.equal((await at.host.heard((message) => message.t === "stop")).n, 1);
  const after = await event(2);
  assert.deepEqual([after.values, after.press], [{ [idText(4)]: true }, undefined]);
});
