/*
 * Sentences of the host for the person, and toasts whose run is over, shown as toasts. One kind is
 * shown once at a time.
 */
import { createSignal } from "solid-js";

export interface Notice {
  id: number;
  kind: string;
  text: string;
  icon?: string;
  time?: number /* ms */;
}

export class Notices {
  readonly list: () => readonly Notice[];
  private readonly setList: (change: (list: readonly Notice[]) => readonly Notice[]) => void;
  private count = 0;

  constructor() {
    [this.list, this.setList] = createSignal<readonly Notice[]>([]);
  }

  say(kind: string, text: string, more: { icon?: string; time?: number } = {}): void {
    const notice = { id: ++this.count, kind, text, ...more };
    this.setList((list) => [...list.filter((old) => old.kind !== kind), notice]);
  }

  drop(notice: Notice): void {
    this.setList((list) => list.filter((one) => one !== notice));
  }
}
