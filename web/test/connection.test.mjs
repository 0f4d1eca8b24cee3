/* The connection comes and goes; nothing is lost. */
import { after, afterEach, before, test } from "node:test";
import assert from "node:assert/strict";
import { id, idText, inserts } from "./fake_host.mjs";
import { Fixture } from "./page_fixture.mjs";

let at;
before(async () => { at = await Fixture.open({ reducedMotion: "reduce" }); });
afterEach(() => { assert.deepEqual(at.faults.filter((text) => !text.includes("WebSocket connection")), []); });
after(() => at.close());

const form = () => inserts([["text_input", { id: 1, label: "Name" }], ["button", { id: 2, label: "Go" }], ["text", { id: 3, body: "text" }], ["checkbox", { id: 4, label: "Tick" }]]);
const banner = () => at.page.getByText("Connection lost.");
const hellos = () => at.host.said.filter(({ t }) => t === "hello");

test("a cut connection is told calmly, controls wait, and the page comes back as it was", async () => {
  await at.show(form(), { clock: "rests" });
  await at.page.getByLabel("Name").pressSequentially("half");
  at.host.isAway = true;
  at.host.cut();
  while (!(await at.page.getByText(/Next try in [2-9] s/).isVisible())) await at.page.clock.runFor(100);
  await banner().waitFor();
  assert.equal(await at.page.getByRole("button", { name: "Go" }).getAttribute("aria-disabled"), "true");
  await at.page.keyboard.type("x");
  await at.page.getByRole("button", { name: "Go" }).click({ force: true });
  await at.page.getByLabel("Tick").click({ force: true });
  assert.equal(await at.page.getByLabel("Name").inputValue(), "half");
  assert.equal(await at.page.getByLabel("Tick").isChecked(), false);
  at.host.isAway = false;
  await at.page.evaluate(() => [...document.querySelectorAll(".banner button")].find((button) => button.textContent === "Try now")?.click()); /* unless the page was quicker */
  await banner().waitFor({ state: "detached" });
  assert.equal(await at.page.evaluate(() => document.activeElement === document.querySelector("input")), true);
  await at.page.keyboard.type("y");
  assert.equal(await at.page.getByLabel("Name").inputValue(), "halfy");
  assert.equal(await at.page.getByRole("button", { name: "Go" }).getAttribute("aria-disabled"), null);
  const again = hellos().at(-1);
  assert.deepEqual([again.session, again.load, again.seq], ["secret-1", hellos()[0].load, at.host.seq]);
  assert.equal(at.host.events().length, 0);
});

test("a short cut of the connection is not worth a word", async () => {
  await at.show(form(), { clock: "rests" });
  await at.page.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver(() => { if (document.querySelector(".banner")) seen.push("banner"); }).observe(document.body, { childList: true, subtree: true });
  });
  let isBack = false;
  at.page.once("websocket", () => { isBack = true; });
  const before = at.host.said.length;
  at.host.cut();
  while (!isBack) await at.page.clock.runFor(20);
  await at.host.heard((message) => message.t === "hello", before);
  at.host.patch([{ op: "update", id: id(3), set: { body: "again" } }]);
  await at.page.getByText("again").waitFor();
  await at.page.clock.runFor(10_000);
  assert.deepEqual(await at.page.evaluate(() => seen), []);
});

test("events that were not acknowledged are sent again, once, in order", async () => {
  await at.show(form());
  const go = at.page.getByRole("button", { name: "Go" });
  await go.click();
  await go.click();
  await go.click();
  await at.host.heard((message) => message.n === 3);
  at.host.ev = 1;
  const before = at.host.said.length;
  at.host.cut();
  await at.host.heard((message) => message.n === 3, before);
  assert.deepEqual(at.host.said.slice(before).map(({ t, n }) => n ?? t), ["hello", 2, 3]);
});

test("a new session gets what was never acknowledged, when its widgets are drawn", async () => {
  await at.show(form());
  await at.page.getByLabel("Tick").check();
  await at.host.heard((message) => message.n === 1);
  at.host.resumes = false;
  const before = at.host.said.length;
  at.host.cut();
  const sent = await at.host.heard((message) => message.t === "event", before);
  assert.deepEqual(sent.values, { [idText(4)]: true });
  assert.equal(await at.page.getByLabel("Tick").isChecked(), true);
  at.host.ev = sent.n;
  at.host.patch([{ op: "update", id: id(4), set: { value: false } }]);
  await at.page.waitForFunction(() => !document.querySelector("input[type=checkbox]").checked);
});

test("text half typed when the host lost the session stands in the new page too", async () => {
  await at.show(form());
  await at.page.getByLabel("Name").fill("half typed");
  at.host.resumes = false;
  at.host.first = [];
  const before = at.host.said.length;
  at.host.cut();
  const sent = await at.host.heard((message) => message.t === "event", before);
  assert.deepEqual(Object.values(sent.values), ["half typed"]);
  at.host.patch(form(), "finished", { ev: 0 });
  await at.page.getByLabel("Name").waitFor();
  assert.equal(await at.page.getByLabel("Name").inputValue(), "half typed");
});

test("F5 presents the same session with a new load", async () => {
  await at.show(form());
  await at.page.reload();
  await at.page.getByText("text").waitFor();
  assert.equal(hellos()[1].session, "secret-1");
  assert.notEqual(hellos()[1].load, hellos()[0].load);
});

test("after F5 the page waits for an old one that is slow to go", async () => {
  await at.show(form());
  const name = await at.page.evaluate(async () => (await navigator.locks.query()).held[0].name);
  const old = await at.context.newPage(); /* it has the lock for as long as nineteen tries */
  await old.route("**", (route) => route.fulfill({ contentType: "text/html", body: "" }));
  await old.goto(at.host.url);
  await old.evaluate((lock) => { void navigator.locks.request(lock, () => new Promise((go) => { globalThis.go = go; })); }, name);
  await at.page.exposeFunction("oldGoes", () => old.evaluate(async (lock) => {
    globalThis.go();
    await navigator.locks.request(lock, () => {});
  }, name));
  await at.page.addInitScript(() => {
    const { locks } = navigator, { request } = locks;
    let tries = 0;
    locks.request = async (...how) => {
      if (++tries === 20) await globalThis.oldGoes();
      return request.apply(locks, how);
    };
  });
  await at.page.reload();
  await at.host.heard((message) => message.t === "hello", 1);
  assert.equal(hellos()[1].session, "secret-1");
});

test("a duplicated tab gets a session of its own", async () => {
  await at.show(form());
  const [copy] = await Promise.all([at.context.waitForEvent("page"), at.page.evaluate(() => { window.open(location.href, "_blank"); })]);
  await copy.getByText("text").waitFor();
  assert.deepEqual(hellos().map(({ session }) => session), [undefined, undefined]);
  assert.equal(at.host.sessions.size, 2);
});

test("asked whether it is alive, the page answers", async () => {
  await at.show(form());
  at.host.send({ t: "alive" });
  await at.host.heard((message) => message.t === "taken");
});

test("a page whose session was taken over rests until it is asked to go on", async () => {
  await at.show(form());
  at.host.socket.close(1000, "the page was opened anew");
  await at.page.getByText("Open in another tab.").waitFor();
  assert.equal(hellos().length, 1);
  await at.page.getByRole("button", { name: "Use here" }).click();
  await at.host.heard((message) => message.t === "hello", 1);
  await at.page.getByText("Open in another tab.").waitFor({ state: "detached" });
});

test("a message that is no BSON closes the socket, and the page connects anew", async () => {
  await at.show(form());
  at.host.socket.send(Buffer.from([5, 0, 0]));
  await at.host.heard((message) => message.t === "hello", 1);
  await at.page.getByText("text").waitFor();
  at.faults.length = 0; /* it says why on the console */
});

test("the theme is kept, told to the host, and set before the first paint", async () => {
  await at.show(form());
  const button = at.page.getByRole("button", { name: /^Theme/ }).last();
  await button.click();
  await button.click();
  const told = await at.host.heard((message) => message.t === "context" && message.theme === "dark");
  assert.equal(told.theme, "dark");
  await at.page.reload();
  assert.equal(await at.page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await at.page.getByText("text").waitFor();
  assert.equal(hellos()[1].theme, "dark");
});
