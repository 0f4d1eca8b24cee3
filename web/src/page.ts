/*
 * The page in the browser: the one thing from which the client hangs. Takes the host's messages in
 * order, applies patches, acknowledges, and gives the elements what they need to act.
 */
import { createSignal } from "solid-js";
import { type Document, type Value } from "./bson";
import { Connection } from "./connection";
import { Events } from "./events";
import { makeLoad, rememberSession } from "./identity";
import { Notices } from "./notices";
import { Progress } from "./progress";
import { theme } from "./theme";
import { Tree, UnknownElement, type Applied } from "./tree";
import { wash } from "./wash";

export interface Broken {
  message: string;
  file?: string;
  line?: number;
  source?: Value;
}

const TOO_LARGE =
  "What you typed is more than a megabyte, too much to be sent. Nothing was done; please shorten it.";
const BLINK = 300; /* ms without a connection before the page says so */

export class Page {
  readonly events: Events;
  readonly tree: Tree;
  readonly progress: Progress;
  readonly notices = new Notices();
  readonly connection: Connection;
  readonly app: () => string;
  readonly broken: () => Broken | undefined;
  readonly isDrawn: () => boolean;
  readonly isWaiting: () => boolean; /* the connection is gone for longer than a blink */
  private readonly setApp: (name: string) => void;
  private readonly setBroken: (broken: Broken | undefined) => void;
  private readonly setDrawn: (is: boolean) => void;
  private readonly setWaiting: (is: boolean) => void;
  private waitTimer = 0;
  private readonly load = makeLoad();
  private session: string | undefined;
  private seq = 0; /* last patch applied */
  private waitsForTree = false;

  constructor(session: string | undefined) {
    this.session = session;
    [this.app, this.setApp] = createSignal("");
    [this.broken, this.setBroken] = createSignal<Broken>();
    [this.isDrawn, this.setDrawn] = createSignal(false);
    [this.isWaiting, this.setWaiting] = createSignal(false);
    this.events = new Events({
      seen: () => this.seq,
      show: (id, value) => this.tree.find(id)?.set("value", value),
      typeOf: (id) => this.tree.find(id)?.type ?? "",
      knows: (id) => this.tree.find(id) !== undefined,
      ignores: (id) => this.tree.find(id)?.get("ignores") === true,
    });
    this.tree = new Tree(this.events);
    this.progress = new Progress(this.tree, () => this.connection.send({ t: "old" }));
    this.events.onSent = () => this.progress.onSent(this.events.last);
    this.events.onRefused = (count) => this.notices.say("refused", keepsUpNot(count));
    this.events.onTooLarge = () => this.notices.say("too_large", TOO_LARGE);
    this.connection = new Connection(new URL("_moonlit/socket", socketBase()), {
      hello: () => this.hello(),
      receive: (message) => this.receive(message),
      lost: () => this.onLost(),
    });
  }

  start(): void {
    this.events.watchPointer(window);
    theme.onChange(() => this.connection.send({ t: "context", ...surroundings() }));
    this.connection.open();
  }

  private hello(): Document {
    return {
      t: "hello",
      v: 1,
      session: this.session,
      load: this.load,
      seq: this.seq,
      event: this.events.last,
      ...surroundings(),
      path: location.pathname,
      query: location.search,
    };
  }

  private receive(message: Document): void {
    switch (message.t) {
      case "welcome":
        return this.onWelcome(message);
      case "patch":
        return this.onPatch(message);
      case "tree":
        return this.onTree(message);
      case "old":
        return this.progress.onOld(message.ids);
      case "ack":
        return this.onAck(message);
      case "refuse":
        return this.events.refuse(number(message.from));
      case "notice":
        return this.notices.say(text(message.kind), text(message.text));
      case "broken":
        return this.onBroken(message);
      case "mended":
        return this.setBroken(undefined);
      case "alive":
        return this.connection.send({ t: "taken" });
      case "error":
        return this.notices.say("error", text(message.message));
      default:
        console.warn("a message of an unknown kind", message.t);
    }
  }

  private onWelcome(message: Document): void {
    const hadSession = this.seq > 0;
    this.session = text(message.session);
    rememberSession(this.session);
    this.setApp(text(message.app));
    this.connection.isWelcome();
    clearTimeout(this.waitTimer);
    this.waitTimer = 0;
    this.setWaiting(false);
    const wire = { send: (event: Document) => this.connection.send(event) };
    if (message.resumed === true || !hadSession) this.events.resume(wire, number(message.ack));
    else {
      this.events.restart(wire);
      this.progress.restart();
    }
  }

  /** A short cut of the connection is not worth a word. */
  private onLost(): void {
    this.events.lost();
    this.progress.rest();
    this.waitTimer ||= window.setTimeout(() => this.setWaiting(true), BLINK);
  }

  private onPatch(message: Document): void {
    const seq = number(message.seq);
    if (this.waitsForTree || seq <= this.seq) return;
    if (seq !== this.seq + 1) return this.askForTree();
    this.show(message, () => this.tree.apply(message.ops, number(message.ev)));
  }

  private onTree(message: Document): void {
    this.waitsForTree = false;
    this.show(message, () => this.tree.become(message.ops, number(message.ev)));
    this.setDrawn(true);
  }

  private show(message: Document, apply: () => Applied): void {
    const ev = number(message.ev),
      state = text(message.state);
    try {
      const isFirst = this.seq === 0;
      const { changed } = apply();
      if (!isFirst) wash(changed);
    } catch (error) {
      if (error instanceof UnknownElement) return this.reloadOnce(error);
      if (message.t === "tree") throw error;
      console.error(error);
      return this.askForTree();
    }
    this.seq = number(message.seq);
    this.settle(ev, state, message.ms);
  }

  private settle(ev: number, state: string, ms: Value): void {
    this.events.acknowledge(ev);
    if (state !== "running") {
      this.events.pageIsDrawn();
      this.events.retryRefused();
    }
    this.progress.onPatch(state, ev, typeof ms === "number" ? ms : undefined);
  }

  private onAck(message: Document): void {
    this.events.acknowledge(number(message.ev));
    this.events.retryRefused();
  }

  private askForTree(): void {
    this.waitsForTree = true;
    this.connection.send({ t: "whole" });
  }

  private onBroken(message: Document): void {
    const { file, line, source } = message;
    this.setBroken({
      message: text(message.message),
      source,
      ...(typeof file === "string" && { file }),
      ...(typeof line === "number" && { line }),
    });
  }

  /** The host is newer than this page. One new load brings the newer one; twice would be a loop. */
  private reloadOnce(error: UnknownElement): void {
    const key = "moonlit:reloaded-for";
    if (sessionStorage.getItem(key) === error.type) throw error;
    sessionStorage.setItem(key, error.type);
    location.reload();
  }
}

function keepsUpNot(count: number): string {
  const actions = count === 1 ? "One action waits" : `${count} actions wait`;
  return `The script cannot keep up. ${actions} and will be sent again.`;
}

function surroundings(): Document {
  return {
    locale: navigator.language,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    theme: theme.shown(),
  };
}

function socketBase(): URL {
  const base = new URL(document.baseURI);
  base.protocol = base.protocol === "https:" ? "wss:" : "ws:";
  return base;
}

function number(value: Value): number {
  return typeof value === "number" ? value : 0;
}
function text(value: Value): string {
  return typeof value === "string" ? value : "";
}
