/* axe finds nothing on a page with every element, in both themes, wide and on a phone. */
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Fixture } from "./page_fixture.mjs";
import { gallery } from "./pages.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let at;
before(async () => { at = await Fixture.open({ reducedMotion: "reduce", bypassCSP: true }); });
after(() => at.close());

async function faults() {
  await at.page.addScriptTag({ content: axe });
  return at.page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 4).map(({ target, any, all, none }) => `${target} ${[...any, ...all, ...none].map(({ message }) => message).join("; ")}`).join(" | ")}`);
  });
}

for (const colorScheme of ["light", "dark"]) {
  test(`every element, wide, ${colorScheme}`, async () => {
    await at.show(gallery(), { colorScheme });
    await at.page.getByText("Asking the database").waitFor();
    assert.deepEqual(await faults(), []);
  });

  test(`every element on a phone, the drawer closed and open, ${colorScheme}`, async () => {
    await at.show(gallery(), { colorScheme, viewport: { width: 390, height: 844 } });
    assert.deepEqual(await faults(), []);
    await at.page.getByRole("button", { name: "Open the sidebar" }).click();
    await at.page.getByText("Order value").waitFor();
    assert.deepEqual(await faults(), []);
  });

  test(`an open list, a lost connection, a script that does not compile, stale elements, ${colorScheme}`, async () => {
    await at.show(gallery(), { colorScheme });
    await at.page.getByRole("combobox", { name: "Channels" }).click();
    await at.page.locator(".listbox:popover-open .option").first().waitFor();
    at.host.send({ t: "broken", message: "'end' expected near '<eof>'", file: "app.lua", line: 9, source: [[8, "if x then"], [9, ""]] });
    at.host.send({ t: "notice", kind: "stopped", text: "Stopped." });
    const everything = at.host.first.filter((op) => op.in === 1).map((op) => op.id);
    at.host.answer = (message, host) => message.t === "old" && host.send({ t: "old", ids: everything });
    at.host.patch([], "running");
    await at.page.locator(".is-stale").first().waitFor();
    assert.deepEqual(await faults(), []);
    at.host.isAway = true;
    at.host.cut();
    await at.page.getByText("Connection lost.").waitFor();
    assert.deepEqual(await faults(), []);
  });
}
