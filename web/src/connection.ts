/*
 * The WebSocket to the host: opened, said hello, and opened again with growing pauses when it goes.
 * Messages are BSON documents. What is not said while the socket is away is the events' care.
 */
import { createSignal } from "solid-js";
import { decode, encode, type Document } from "./bson";

export type Status = "connecting" | "open" | "lost" | "elsewhere";

export interface Listener {
  hello(): Document /* the first message of a socket */;
  receive(message: Document): void /* may throw: the socket is closed and opened again */;
  lost(): void;
}

const PAUSES = [100, 400, 1_000, 2_000, 4_000, 8_000, 15_000]; /* ms before each further try */
const HELLO_TIME = 10_000; /* ms a socket may take to open */
const TAKEN_OVER = 1000; /* the host closes normally: another page took the session */
const TRY_LATER = 1013;

export class Connection {
  readonly status: () => Status;
  readonly nextTry: () => number; /* when, as Date.now(), while lost */
  private readonly setStatus: (status: Status) => void;
  private readonly setNextTry: (at: number) => void;
  private socket: WebSocket | undefined;
  private timer = 0;
  private tries = 0;

  constructor(
    private readonly url: URL,
    private readonly listener: Listener,
  ) {
    [this.status, this.setStatus] = createSignal<Status>("connecting");
    [this.nextTry, this.setNextTry] = createSignal(0);
    addEventListener("online", () => this.tryNow());
    addEventListener("visibilitychange", () => {
      if (!document.hidden) this.tryNow();
    });
  }

  open(): void {
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.send(this.listener.hello());
    socket.onmessage = (event) => this.receive(socket, event.data);
    socket.onclose = (event) => {
      if (this.socket === socket) this.onClosed(event.code);
    };
    this.timer = window.setTimeout(() => {
      if (this.status() !== "open") socket.close();
    }, HELLO_TIME);
  }

  /** Open again at once, if the connection is lost. */
  tryNow(): void {
    if (this.status() === "lost" || this.status() === "elsewhere") {
      this.tries = Math.min(this.tries, 1);
      this.setStatus("lost");
      if (!this.socket || this.socket.readyState === WebSocket.CLOSED) this.open();
    }
  }

  send(message: Document): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(encode(message));
  }

  /** The host has welcomed us. */
  isWelcome(): void {
    clearTimeout(this.timer);
    this.tries = 0;
    this.setStatus("open");
  }

  private receive(socket: WebSocket, data: unknown): void {
    if (this.socket !== socket || !(data instanceof ArrayBuffer)) return;
    try {
      this.listener.receive(decode(new Uint8Array(data)));
    } catch (error) {
      console.error(error);
      socket.close();
    }
  }

  private onClosed(code: number): void {
    this.socket = undefined;
    clearTimeout(this.timer);
    this.listener.lost();
    if (code === TAKEN_OVER && this.status() === "open") return this.setStatus("elsewhere");
    if (code === TRY_LATER) this.tries = Math.max(this.tries, 4);
    const pause = PAUSES[Math.min(this.tries++, PAUSES.length - 1)]!;
    const wait = pause * (0.8 + 0.4 * Math.random());
    this.setNextTry(Date.now() + wait);
    this.setStatus("lost");
    this.timer = window.setTimeout(() => this.open(), wait);
  }
}
