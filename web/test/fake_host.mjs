/*
 * A host for tests of the page: serves dist/ under the real host's content policy and speaks
 * docs/protocol.md over one WebSocket, as the test tells it. What the page says is kept in `said`.
 */
import { createServer } from "node:http";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";
import { deserialize, Long, serialize } from "bson";

const DIST = new URL("../dist/", import.meta.url);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

/** An id as the real host writes it: int64, beyond 32 bits. */
export const id = (number) => Long.fromNumber(number + 2 ** 40);
export const idText = (number) => String(number + 2 ** 40);

export class FakeHost {
  said = [];
  sockets = [];
  answer = undefined; /* (message, host) => void: what the host does with a message */
  seq = 0;
  ev = 0;
  sessions = new Map(); /* secret: true */
  resumes = true;

  static async start() {
    const host = new FakeHost();
    const page = await readFile(new URL("index.html", DIST), "utf8");
    const scripts = [...page.matchAll(/<script>([^<]*)<\/script>/g)].map(([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
    host.policy = `default-src 'none'; script-src 'self' ${scripts.join(" ")}; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'`;
    host.server = createServer((request, response) => host.serve(request, response));
    host.upgrades = new WebSocketServer({ noServer: true });
    host.server.on("upgrade", (request, socket, head) => {
      if (host.isAway) return socket.destroy();
      host.upgrades.handleUpgrade(request, socket, head, (web) => host.take(web));
    });
    await new Promise((resolve) => host.server.listen(0, "127.0.0.1", resolve));
    host.url = `http://127.0.0.1:${host.server.address().port}/`;
    return host;
  }

  async serve(request, response) {
    const path = new URL(request.url, "http://host").pathname;
    const name = extname(path) ? path.slice(1) : "index.html";
    try {
      const body = await readFile(fileURLToPath(new URL(name, DIST)));
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream", "content-security-policy": this.policy });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  take(socket) {
    this.sockets.push(socket);
    socket.on("message", (bytes) => this.hear(socket, deserialize(bytes, { promoteLongs: true })));
  }

  hear(socket, message) {
    this.said.push(message);
    this.wake?.();
    if (message.t === "hello") this.welcome(socket, message);
    else this.answer?.(message, this);
  }

  welcome(socket, hello) {
    const known = this.resumes && hello.session !== undefined && this.sessions.has(hello.session);
    const session = known ? hello.session : `secret-${this.sessions.size + 1}`;
    this.sessions.set(session, true);
    this.socket = socket;
    const sameLoad = known && this.load === hello.load;
    if (!sameLoad) this.ev = 0;
    this.load = hello.load;
    this.send({ t: "welcome", v: 1, session, public: "p", resumed: known, app: this.app ?? "gallery", version: "0.1.0", ack: this.ev, limits: { events: 1024 } });
    if (sameLoad && hello.seq === this.seq) this.send({ t: "ack", ev: this.ev });
    else this.tree(this.first ?? [], "finished");
  }

  send(document) { if (this.socket?.readyState === 1) this.socket.send(serialize(document)); }

  tree(ops, state = "finished", more = {}) {
    this.first = ops;
    this.send({ t: "tree", seq: ++this.seq, run: this.seq, ev: this.ev, state, ms: 4.2, ops, ...more });
  }

  patch(ops, state = "finished", more = {}) {
    this.send({ t: "patch", seq: ++this.seq, run: this.seq, ev: this.ev, state, ms: 14.3, ops, ...more });
  }

  /** The connection is cut, as a network does it. */
  cut() { for (const socket of this.sockets.splice(0)) socket.terminate(); }

  /** The next message of the page that fits, also one said already. */
  async heard(fits, from = 0) {
    for (;;) {
      const found = this.said.slice(from).find(fits);
      if (found) return found;
      await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`the page did not say it, but ${JSON.stringify(this.said.slice(from))}`)), 60_000);
        this.wake = () => { clearTimeout(timer); resolve(); };
      });
    }
  }

  events() { return this.said.filter((message) => message.t === "event"); }

  async stop() {
    for (const socket of this.upgrades.clients) socket.terminate();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/* ---- writing trees ---- */

/** Operations that insert a page: [type, props, children] with ids by place, or by the prop `id`. */
export function inserts(elements, parent = 1, counter = { next: 100 }, ops = []) {
  let after = 0;
  for (const [type, props = {}, children = []] of elements) {
    const { id: wanted, ...rest } = props;
    const own = id(wanted ?? counter.next++);
    ops.push({ op: "insert", id: own, in: typeof parent === "number" ? parent : parent, after, type, props: rest });
    inserts(children, own, counter, ops);
    after = own;
  }
  return ops;
}
