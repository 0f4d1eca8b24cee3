/*
 * Whether the page waits for its script, and what it shows for that: nothing at first, after 150 ms
 * the moonrise bar with Stop, and after 800 ms the elements that are still old lose ink.
 */
import { createSignal } from "solid-js";
import type { Tree, TreeNode } from "./tree";

const BAR_AFTER = 150; /* ms */
const STALE_AFTER = 800;

/* What shows results. What the person uses or reads as the frame of a page keeps its ink. */
const OUTPUTS = new Set([
  "markdown",
  "caption",
  "text",
  "code",
  "badge",
  "json",
  "table",
  "metric",
  "success",
  "info",
  "warning",
  "error",
  "exception",
  "progress",
]);

export class Progress {
  readonly isLong: () => boolean; /* the bar is shown */
  readonly took: () => number | undefined; /* ms of the last run */
  readonly isBusy: () => boolean;
  private readonly setLong: (is: boolean) => void;
  private readonly setTook: (ms: number) => void;
  private readonly setBusy: (is: boolean) => void;
  private state = "finished";
  private reflected = 0;
  private sent = 0;
  private barTimer = 0;
  private staleTimer = 0;
  private firstPatch = 0; /* elements touched from this patch on are new */
  private isStale = false;

  constructor(private readonly tree: Tree) {
    [this.isLong, this.setLong] = createSignal(false);
    [this.took, this.setTook] = createSignal<number>();
    [this.isBusy, this.setBusy] = createSignal(false);
  }

  /** An event went out. */
  onSent(last: number): void {
    this.sent = last;
    this.look();
  }

  /** A patch or tree came, and is applied. */
  onPatch(state: string, ev: number, ms: number | undefined): void {
    const hasEnded = state !== "running";
    this.state = state;
    this.reflected = Math.max(this.reflected, ev);
    if (hasEnded && ms !== undefined) this.setTook(ms);
    this.look();
    if (this.isStale) this.markStale();
  }

  /** The session is new: its numbers begin again. */
  restart(): void {
    this.reflected = this.sent = 0;
  }

  /** Without a connection nothing is known to run. */
  rest(): void {
    this.end();
  }

  private look(): void {
    const isBusy = this.state === "running" || this.reflected < this.sent;
    if (isBusy && !this.isBusy()) this.begin();
    else if (!isBusy && this.isBusy()) this.end();
  }

  private begin(): void {
    this.setBusy(true);
    this.firstPatch = this.tree.patches + 1;
    this.barTimer = window.setTimeout(() => this.setLong(true), BAR_AFTER);
    this.staleTimer = window.setTimeout(() => {
      this.isStale = true;
      this.markStale();
    }, STALE_AFTER);
  }

  private end(): void {
    clearTimeout(this.barTimer);
    clearTimeout(this.staleTimer);
    this.setBusy(false);
    this.setLong(false);
    this.isStale = false;
    for (const element of document.querySelectorAll(".is-stale"))
      element.classList.remove("is-stale");
  }

  /** The script draws from top to bottom: what stands behind the last new element is old. */
  private markStale(): void {
    for (const root of [this.tree.main, this.tree.sidebar]) {
      const order = flatten(root);
      const lastNew = order.findLastIndex((node) => node.touched >= this.firstPatch);
      order.forEach((node, i) => {
        node.view?.element.classList.toggle("is-stale", i > lastNew && OUTPUTS.has(node.type));
      });
    }
  }
}

function flatten(node: TreeNode): TreeNode[] {
  return node.list.flatMap((child) => [child, ...flatten(child)]);
}
