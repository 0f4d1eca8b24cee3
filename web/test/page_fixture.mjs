/* One page against one fake host, for the tests that need both. */
import { readdirSync } from "node:fs";
import { FakeHost } from "./fake_host.mjs";
import { openBrowser } from "./browser.mjs";

const LATE = `/assets/${readdirSync(new URL("../dist/assets/", import.meta.url)).find((name) => /^late-.*\.js$/.test(name))}`;

export class Fixture {
  static async open(options = {}) {
    const fixture = new Fixture();
    fixture.browser = await openBrowser();
    fixture.options = options;
    return fixture;
  }

  /**
   * A fresh host, context and page that shows `tree`. With `clock: "rests"` time passes on the page only
   * as the test lets it, by `page.clock.runFor`.
   */
  async show(tree, { clock, ...options } = {}) {
    await this.leave();
    this.faults = [];
    this.host = await FakeHost.start();
    this.host.first = tree;
    this.context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", ...this.options, ...options });
    this.page = await this.newPage(clock === "rests");
    return this;
  }

  /** Hold back the files whose address fits, from the next show on, until they are released or fail. */
  async hold(address) {
    let decide;
    const decided = new Promise((resolve) => { decide = resolve; });
    this.held = { address, decided };
    return { release: () => decide("continue"), fail: () => decide("abort") };
  }

  async newPage(clockRests) {
    const page = await this.context.newPage();
    const held = this.held;
    this.held = undefined;
    if (held) await page.route(held.address, async (route) => route[await held.decided]());
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) this.faults.push(message.text()); });
    if (clockRests) await page.clock.install();
    await page.goto(this.host.url);
    await page.waitForSelector(".page:not(.is-loading)");
    if (!held) await page.evaluate((late) => import(late), LATE);
    await page.evaluate(() => document.fonts.ready.then(() => {}));
    if (clockRests) await page.clock.pauseAt(Date.now() + 3_600_000);
    return page;
  }

  /** Wait until the page has drawn what the host sent last. */
  settled() { return this.page.waitForFunction(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))); }

  async leave() {
    await this.context?.close();
    await this.host?.stop();
    this.context = this.host = undefined;
  }

  async close() {
    await this.leave();
    await this.browser.close();
  }
}
