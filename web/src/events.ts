/*
 * What the person did, on its way to the host: numbered events, each with the values that changed
 * and at most one press, kept until the host acknowledges them.
 *
 * A value is shown at once, before the host agrees, and a host's answer that is older than the
 * person's last change of a widget is not shown (isOlder). Half-typed text is a draft: it is sent
 * when its field is left or Enter is pressed, and a press takes every draft with it in its event.
 */
import { encode, type Document, type Value } from "./bson";

const MOST = 1024 * 1024; /* bytes of a message that the host takes */

export interface Wire {
  send(message: Document): void /* only called while open */;
}

export interface Surroundings {
  seen(): number /* last patch applied */;
  show(id: number, value: Value): void /* the widget's value, at once */;
  typeOf(id: number): string /* the widget's, "" when it is not there */;
  knows(id: number): boolean /* whether the page has this widget */;
  ignores(id: number): boolean /* a change of this widget alone is not sent */;
}

interface Kept {
  n: number;
  message: Document;
}

interface Sent {
  n: number;
  value: Value;
}

/** Numbers of the last event sent and the last the host reflects tell the page whether it waits. */
export class Events {
  last = 0;
  onSent: () => void = () => {};
  onRefused: (waiting: number) => void = () => {};
  onTooLarge: () => void = () => {};
  private wire: Wire | undefined;
  private kept: Kept[] = [];
  private refusedFrom = 0; /* events from here on wait for room in the host's queue */
  private waitsForPage = false; /* the host lost the session: send when the page has been drawn */
  private readonly values = new Map<number, Value>(); /* changed, not in an event yet */
  private readonly drafts = new Map<number, Value>(); /* half-typed; undefined: no value yet */
  private readonly sent = new Map<number, Sent>(); /* widget: last event with a value of it */
  private readonly types = new Map<number, string>(); /* of the widgets with such values */
  private readonly leaving = new Set<number>(); /* fields left while a button was being pressed */
  private isPlanned = false;
  private isPointerDown = false;

  constructor(private readonly page: Surroundings) {}

  /** Know when a pointer is down: a field left by pressing a button goes along with the press. */
  watchPointer(target: EventTarget): void {
    const up = () => {
      this.isPointerDown = false;
      setTimeout(() => {
        for (const id of this.leaving) this.commit(id);
        this.leaving.clear();
      });
    };
    target.addEventListener(
      "pointerdown",
      () => {
        this.isPointerDown = true;
      },
      { capture: true },
    );
    target.addEventListener("pointerup", up, { capture: true });
    target.addEventListener("pointercancel", up, { capture: true });
  }

  /* ---- values ---- */

  /** A value to send now, with others of the same moment. */
  set(id: number, value: Value): void {
    this.drafts.delete(id);
    this.choose(id, value);
    this.plan();
  }

  /** A value that changes many times a second: sent once the event before was acknowledged. */
  setOften(id: number, value: Value): void {
    this.choose(id, value);
    if (this.kept.length === 0) this.plan();
  }

  private choose(id: number, value: Value): void {
    this.values.set(id, value);
    this.noteType(id);
    this.page.show(id, value);
  }

  /** A field that goes with its page is left too: its type is known from before. */
  private noteType(id: number): void {
    const type = this.page.typeOf(id);
    if (type) this.types.set(id, type);
  }

  /** Half-typed. Undefined: typed, but no value yet, such as "-". */
  draft(id: number, value: Value): void {
    this.drafts.set(id, value);
    this.noteType(id);
  }
  hasDraft(id: number): boolean {
    return this.drafts.has(id);
  }
  dropDraft(id: number): void {
    this.drafts.delete(id);
  }

  /** Send a draft. */
  commit(id: number): void {
    if (this.takeDraft(id)) this.plan();
  }

  /** The field was left: send its draft, with the press that may come of it. */
  leave(id: number): void {
    if (this.isPointerDown && this.drafts.has(id)) this.leaving.add(id);
    else this.commit(id);
  }

  private takeDraft(id: number): boolean {
    if (!this.drafts.has(id)) return false;
    const value = this.drafts.get(id);
    this.drafts.delete(id);
    if (value === undefined) return false;
    this.choose(id, value);
    return true;
  }

  /** Whether a host's value that came with event `ev` is older than the person's own. */
  isOlder = (id: number, ev: number): boolean =>
    this.values.has(id) || this.drafts.has(id) || (this.sent.get(id)?.n ?? 0) > ev;

  /** The value that stands then; it outlives a widget that goes and comes back meanwhile. */
  ownValue = (id: number, type: string): Value => {
    const own = [this.drafts.get(id), this.values.get(id), this.sent.get(id)?.value];
    return this.types.get(id) === type ? own.find((value) => value !== undefined) : undefined;
  };

  /* ---- sending ---- */

  press(id: number): void {
    for (const draft of [...this.drafts.keys()]) this.takeDraft(draft);
    this.sendEvent(id);
  }

  /** Run the script again, with whatever has changed. */
  rerun(): void {
    this.sendEvent(undefined);
  }

  stop(): void {
    if (this.refusedFrom > 0) return this.stopBeforeRefused();
    this.keep(++this.last, { t: "stop", n: this.last });
  }

  /** Everything that changed, now; unless nothing of it is worth a run of its own. */
  flush(): void {
    if ([...this.values.keys()].some((id) => !this.page.ignores(id))) this.sendEvent(undefined);
  }

  private plan(): void {
    if (this.isPlanned) return;
    this.isPlanned = true;
    queueMicrotask(() => {
      this.isPlanned = false;
      this.flush();
    });
  }

  private sendEvent(press: number | undefined): void {
    const n = this.last + 1;
    const values: Document = {};
    for (const [id, value] of this.values) values[String(id)] = value;
    const { pathname: path, search: query } = location;
    const event = { t: "event", n, seen: this.page.seen(), values, press, path, query };
    if (encode(event).length > MOST) return this.takeBack();
    this.last = n;
    for (const [id, value] of this.values) this.sent.set(id, { n, value });
    this.values.clear();
    this.keep(n, event);
  }

  /** Too much for one message: it stays a draft, and no press acts as if the host had it. */
  private takeBack(): void {
    for (const [id, value] of this.values) this.drafts.set(id, value);
    this.values.clear();
    this.onTooLarge();
  }

  private keep(n: number, message: Document): void {
    this.kept.push({ n, message });
    if (this.refusedFrom === 0 && !this.waitsForPage) this.wire?.send(message);
    this.onSent();
  }

  /** Stop is never refused: it takes the place of the refused events. Their values follow it. */
  private stopBeforeRefused(): void {
    const refused = this.kept.filter(({ n }) => n >= this.refusedFrom);
    this.kept = this.kept.filter(({ n }) => n < this.refusedFrom);
    this.last = this.refusedFrom;
    this.refusedFrom = 0;
    for (const { message } of refused) {
      const values = (message.values ?? {}) as Document;
      for (const id of Object.keys(values)) {
        if (!this.values.has(Number(id))) this.values.set(Number(id), values[id]);
      }
    }
    this.keep(this.last, { t: "stop", n: this.last });
    this.flush();
  }

  /* ---- what the host says ---- */

  /** Events up to `ev` are taken. */
  acknowledge(ev: number): void {
    const waiting = this.kept.length;
    this.kept = this.kept.filter(({ n }) => n > ev);
    if (this.kept.length === 0 && waiting > 0 && this.values.size > 0) this.plan();
  }

  refuse(from: number): void {
    this.refusedFrom = from;
    this.onRefused(this.kept.filter(({ n }) => n >= from).length);
  }

  /** There may be room again: after an acknowledgement or the end of a run. */
  retryRefused(): void {
    const from = this.refusedFrom;
    if (from === 0) return;
    this.refusedFrom = 0;
    this.sendKept(from);
  }

  /** A socket is open and the session is the old one: what was not taken is sent again. */
  resume(wire: Wire, ack: number): void {
    this.wire = wire;
    this.refusedFrom = 0;
    this.acknowledge(ack);
    this.sendKept(0);
    if (this.kept.length > 0) this.onSent();
  }

  /** The session is a new one: what was never acknowledged follows when the page is drawn. */
  restart(wire: Wire): void {
    this.wire = wire;
    this.refusedFrom = 0;
    this.sent.clear();
    this.waitsForPage = this.kept.length > 0;
  }

  /** A run of the new session has ended: its widgets are known, so they can be told. */
  pageIsDrawn(): void {
    if (!this.waitsForPage) return;
    this.waitsForPage = false;
    const old = this.kept;
    this.kept = [];
    for (const { message } of old) this.sendAnew(message);
  }

  private sendAnew(message: Document): void {
    const values = (message.values ?? {}) as Document;
    for (const id of Object.keys(values).map(Number)) {
      if (this.page.knows(id)) this.choose(id, values[String(id)]);
    }
    const press =
      typeof message.press === "number" && this.page.knows(message.press)
        ? message.press
        : undefined;
    if (this.values.size > 0 || press !== undefined) this.sendEvent(press);
  }

  lost(): void {
    this.wire = undefined;
  }

  private sendKept(from: number): void {
    if (this.waitsForPage) return;
    for (const { n, message } of this.kept) if (n >= from) this.wire?.send(message);
  }
}
