/* Which DOM operations a patch makes: those that it must, and no other. */
import { after, afterEach, before, test } from "node:test";
import assert from "node:assert/strict";
import { makeRandom } from "./bundle.mjs";
import { id, inserts } from "./fake_host.mjs";
import { Fixture } from "./page_fixture.mjs";

let at;
before(async () => { at = await Fixture.open({ reducedMotion: "reduce" }); });
afterEach(() => assert.deepEqual(at.faults, []));
after(() => at.close());

const texts = (...bodies) => bodies.map((body, index) => ["text", { id: 10 + index, body }]);

/** The changes below .page that `act` makes, in words. */
async function changes(act, until) {
  await at.page.evaluate(() => {
    globalThis.log = [];
    const word = (node) => node.nodeType === 3 ? `"${node.data}"` : node.textContent;
    globalThis.watcher = new MutationObserver((records) => {
      for (const record of records) {
        for (const node of record.removedNodes) log.push(`- ${word(node)}`);
        for (const node of record.addedNodes) log.push(`+ ${word(node)}`);
        if (record.type === "characterData") log.push(`= ${record.target.data}`);
        if (record.type === "attributes") log.push(`@ ${record.attributeName}`);
      }
    });
    watcher.observe(document.querySelector("#main .page"), { childList: true, subtree: true, characterData: true, attributes: true });
  });
  await act();
  await at.page.waitForFunction(until);
  await at.settled();
  return at.page.evaluate(() => { watcher.disconnect(); return log; });
}

const bodies = () => at.page.evaluate(() => [...document.querySelectorAll("#main .page > *")].map((element) => element.textContent));

/** Let the host say something that the page shows when all before it has been applied. */
let marks = 0;
async function mark() {
  const name = `mark-${++marks}`;
  at.host.send({ t: "broken", message: name });
  await at.page.waitForFunction((text) => document.querySelector(".broken")?.textContent.includes(text), name);
  at.host.send({ t: "mended" });
  await at.page.waitForFunction(() => !document.querySelector(".broken"));
}

test("an unchanged rerun touches nothing", async () => {
  await at.show(inserts(texts("one", "two", "three")));
  const log = await changes(async () => { at.host.patch([]); await mark(); }, () => true);
  assert.deepEqual(log, []);
});

test("one changed text is one change of one text", async () => {
  await at.show(inserts(texts("one", "two", "three")));
  const log = await changes(() => at.host.patch([{ op: "update", id: id(11), set: { body: "TWO" } }]), () => document.querySelector("#main").textContent.includes("TWO"));
  assert.deepEqual(log, ["= TWO"]);
});

test("one changed metric touches its figure and its change only", async () => {
  await at.show(inserts([["metric", { id: 5, label: "Sales", value: 10, delta: 1, chart_data: [1, 2, 3] }]]));
  const log = await changes(() => at.host.patch([{ op: "update", id: id(5), set: { value: 12, delta: 2 } }]), () => document.querySelector(".metric-value").textContent === "12");
  assert.deepEqual(log.filter((line) => !line.startsWith("@ style")).sort(), ["= 12", "= 2"]);
});

test("an insert in the middle adds one element and moves none", async () => {
  await at.show(inserts(texts("one", "two", "three")));
  const log = await changes(() => at.host.patch([{ op: "insert", id: id(50), in: 1, after: id(11), type: "text", props: { body: "new" } }]), () => document.querySelector("#main").textContent.includes("new"));
  assert.deepEqual(log, ["+ new"]);
  assert.deepEqual(await bodies(), ["one", "two", "new", "three"]);
});

test("a remove takes one element with everything in it", async () => {
  await at.show(inserts([["text", { id: 10, body: "one" }], ["container", { id: 11 }, [["text", { id: 12, body: "in" }], ["text", { id: 13, body: "side" }]]], ["text", { id: 14, body: "two" }]]));
  const log = await changes(() => at.host.patch([{ op: "remove", id: id(11) }]), () => document.querySelectorAll("#main .page > *").length === 2);
  assert.deepEqual(log, ["- inside"]);
});

test("a move moves the one element", async () => {
  await at.show(inserts(texts("one", "two", "three", "four")));
  const log = await changes(() => at.host.patch([{ op: "move", id: id(13), in: 1, after: 0 }]), () => document.querySelector("#main .page > *").textContent === "four");
  assert.deepEqual(log, ["- four", "+ four"]);
  assert.deepEqual(await bodies(), ["four", "one", "two", "three"]);
});

test("an element moves into another box with its own nodes", async () => {
  await at.show(inserts([["container", { id: 10 }, [["text_input", { id: 11, label: "Name" }]]], ["container", { id: 12 }, [["text", { id: 13, body: "x" }]]]]));
  await at.page.fill("input", "half ty");
  await at.page.evaluate(() => { globalThis.kept = document.querySelector("input"); });
  at.host.patch([{ op: "move", id: id(11), in: id(12), after: id(13) }]);
  await at.page.waitForFunction(() => document.querySelectorAll("#main .page > *")[1].contains(kept));
  assert.deepEqual(await at.page.evaluate(() => [document.querySelector("input") === kept, document.activeElement === kept, kept.value, kept.selectionStart]), [true, true, "half ty", 7]);
});

test("an insert with an id that is there replaces it", async () => {
  await at.show(inserts([["container", { id: 10 }, [["text", { id: 11, body: "in" }]]], ["text", { id: 12, body: "two" }]]));
  at.host.patch([{ op: "insert", id: id(10), in: 1, after: id(12), type: "text", props: { body: "now text" } }]);
  await at.page.waitForFunction(() => document.querySelector("#main").textContent.includes("now text"));
  assert.deepEqual(await bodies(), ["two", "now text"]);
});

test("focus, caret and half-typed text survive a reorder around and of the field", async () => {
  await at.show(inserts([...texts("a", "b"), ["text_input", { id: 20, label: "Name", value: "old" }], ["text", { id: 30, body: "c" }]]));
  await at.page.focus("input");
  await at.page.keyboard.press("End");
  await at.page.keyboard.type("er and mo");
  await at.page.keyboard.press("ArrowLeft");
  at.host.patch([{ op: "move", id: id(20), in: 1, after: 0 }, { op: "move", id: id(30), in: 1, after: id(20) }, { op: "remove", id: id(10) }, { op: "update", id: id(20), set: { value: "from the host", label: "Other" }, by: "script" }]);
  await at.page.waitForFunction(() => document.querySelector("label").textContent === "Other");
  const state = await at.page.evaluate(() => { const input = document.querySelector("input"); return [document.activeElement === input, input.value, input.selectionStart]; });
  assert.deepEqual(state, [true, "older and mo", 11]);
  assert.deepEqual(await bodies(), ["Other", "c", "b"]);
});

test("an element that leaves a box which goes in the same patch keeps its focus", async () => {
  await at.show(inserts([["container", { id: 10 }, [["text_input", { id: 11, label: "Name" }]]], ["container", { id: 12 }, [["text", { id: 13, body: "x" }]]]]));
  await at.page.fill("input", "half");
  at.host.patch([{ op: "move", id: id(11), in: id(12), after: 0 }, { op: "remove", id: id(10) }]);
  await at.page.waitForFunction(() => document.querySelectorAll("#main .page > *").length === 1);
  assert.deepEqual(await at.page.evaluate(() => [document.activeElement.matches("input"), document.querySelector("input").value]), [true, "half"]);
});

test("the scroll of a box survives a reorder", async () => {
  await at.show(inserts([["text", { id: 10, body: "a" }], ["container", { id: 11, height: 80 }, texts(..."abcdefghij").map(([type, props]) => [type, { ...props, id: props.id + 100 }])], ["text", { id: 12, body: "b" }]]));
  await at.page.evaluate(() => { document.querySelector("[data-height]").scrollTop = 60; });
  at.host.patch([{ op: "move", id: id(11), in: 1, after: 0 }]);
  await at.page.waitForFunction(() => document.querySelector("#main .page > *").matches("[data-height]"));
  assert.equal(await at.page.evaluate(() => document.querySelector("[data-height]").scrollTop), 60);
});

test("a whole tree keeps the nodes of what stays", async () => {
  await at.show(inserts([...texts("one", "two"), ["text_input", { id: 20, label: "Name" }]]));
  await at.page.fill("input", "typed");
  const log = await changes(() => at.host.tree(inserts([["text", { id: 10, body: "one" }], ["text_input", { id: 20, label: "Name" }], ["text", { id: 40, body: "end" }]])), () => document.querySelector("#main").textContent.endsWith("end"));
  assert.deepEqual(log.filter((line) => !line.startsWith("@")).sort(), ["+ end", "- two"]);
  assert.equal(await at.page.inputValue("input"), "typed");
});

test("a gap in the patches asks for the whole tree once", async () => {
  await at.show(inserts(texts("one")));
  at.host.seq += 3;
  at.host.patch([{ op: "update", id: id(10), set: { body: "lost" } }]);
  at.host.patch([{ op: "update", id: id(10), set: { body: "lost too" } }]);
  await at.host.heard((message) => message.t === "whole");
  await mark();
  assert.equal(at.host.said.filter(({ t }) => t === "whole").length, 1);
  assert.deepEqual(await bodies(), ["one"]);
  at.host.tree(inserts(texts("new")));
  await at.page.waitForFunction(() => document.querySelector("#main").textContent.includes("new"));
  at.host.patch([{ op: "update", id: id(10), set: { body: "newer" } }]);
  await at.page.waitForFunction(() => document.querySelector("#main").textContent.includes("newer"));
});

test("a patch that does not fit the tree asks for the whole tree", async () => {
  await at.show(inserts(texts("one")));
  at.host.patch([{ op: "update", id: id(999), set: { body: "x" } }]);
  await at.host.heard((message) => message.t === "whole");
  at.faults.length = 0; /* it says why on the console */
});

test("rows of a table are told apart by _id: a new one on top washes no other", async () => {
  const rows = (...names) => names.map((name) => ({ _id: name, name }));
  await at.show(inserts([["table", { id: 10, rows: rows("a", "b", "c") }]]));
  await at.page.evaluate(() => { globalThis.row = document.querySelectorAll("tbody tr")[0]; });
  at.host.patch([{ op: "update", id: id(10), set: { rows: rows("new", "a", "b", "c") } }]);
  await at.page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 4);
  assert.equal(await at.page.evaluate(() => document.querySelectorAll("tbody tr")[1] === row), true);
});

const SEED = Number(process.env.SEED ?? 20261124);
test(`random patches leave the page as the model says (seed ${SEED})`, async () => {
  const random = makeRandom(SEED);
  const model = { id: 1, list: [] };
  const nodes = new Map([[1, model]]);
  let next = 100;
  const wire = (node) => (node.id === 1 ? 1 : id(node.id));
  const boxes = () => [...nodes.values()].filter((node) => node.list);
  const contains = (node, other) => node === other || (node.list ?? []).some((child) => contains(child, other));
  const forget = (node) => { nodes.delete(node.id); for (const child of node.list ?? []) forget(child); };
  const takeOut = (node) => { node.parent.list.splice(node.parent.list.indexOf(node), 1); };
  const putIn = (node, parent) => { const index = random.below(parent.list.length + 1); parent.list.splice(index, 0, node); node.parent = parent; return index === 0 ? 0 : wire(parent.list[index - 1]); };
  const makers = {
    insert() {
      const isBox = random.next() < 0.3, node = { id: next++, text: `t${next}`, ...(isBox && { list: [] }) };
      const parent = random.pick(boxes()), after = putIn(node, parent);
      nodes.set(node.id, node);
      return { op: "insert", id: id(node.id), in: wire(parent), after, type: isBox ? "container" : "text", props: isBox ? {} : { body: node.text } };
    },
    update() {
      const node = random.pick([...nodes.values()].filter((one) => one.text && !one.list));
      if (!node) return makers.insert();
      node.text = `u${random.below(1000)}`;
      return { op: "update", id: id(node.id), set: { body: node.text } };
    },
    move() {
      const node = random.pick([...nodes.values()].filter((one) => one.id !== 1));
      const parents = node ? boxes().filter((box) => !contains(node, box)) : [];
      if (!node || parents.length === 0) return makers.insert();
      takeOut(node);
      const parent = random.pick(parents), after = putIn(node, parent);
      return { op: "move", id: id(node.id), in: wire(parent), after };
    },
    remove() {
      const node = random.pick([...nodes.values()].filter((one) => one.id !== 1));
      if (!node) return makers.insert();
      takeOut(node);
      forget(node);
      return { op: "remove", id: id(node.id) };
    },
  };
  const shape = (node) => node.list.map((child) => (child.list ? shape(child) : child.text));
  await at.show([]);
  for (let round = 0; round < 60; round++) {
    const ops = Array.from({ length: 1 + random.below(12) }, () => makers[random.pick(["insert", "insert", "insert", "update", "move", "move", "remove"])]());
    at.host.patch(ops);
    await mark();
    const shown = await at.page.evaluate(() => {
      const read = (box) => [...box.children].map((child) => (child.matches("[data-element=container]") ? read(child) : child.textContent));
      return read(document.querySelector("#main .page"));
    });
    assert.deepEqual(shown, shape(model), `round ${round}: ${JSON.stringify(ops)}`);
  }
});
