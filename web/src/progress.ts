/*
 * Whether the page waits for its script, and what it shows for that: nothing at first, after 150 ms
 * the moonrise bar with Stop, and after 800 ms the elements that are still old lose ink. Which these are the
 * host is asked: what is drawn again as it was needs no operation.
 */
import { createSignal } from "solid-js";
import type { Value } from "./bson";
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
  private isAsked = false; /* the answer is on its way, and knows of what comes before it */
  private hasOld = false; /* the answer was shown */

  constructor(
    private readonly tree: Tree,
    private readonly askForOld: () => void,
  ) {
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
    if (this.hasOld && !this.isAsked) this.ask();
  }

  /** The host's answer: what the run has not drawn yet, by the ids of whole branches. */
  onOld(ids: Value): void {
    if (!this.isAsked) return;
    this.isAsked = false;
    this.hasOld = true;
    const nodes = Array.isArray(ids) ? ids.map((id) => this.tree.find(Number(id))) : [];
    const old = new Set(nodes.flatMap((node) => (node ? branch(node) : [])));
    for (const root of this.tree.roots)
      for (const node of branch(root))
        node.view?.element.classList.toggle("is-stale", old.has(node) && OUTPUTS.has(node.type));
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
    this.barTimer = window.setTimeout(() => this.setLong(true), BAR_AFTER);
    this.staleTimer = window.setInterval(() => this.isAsked || this.ask(), STALE_AFTER);
  }

  private end(): void {
    clearTimeout(this.barTimer);
    clearInterval(this.staleTimer);
    this.setBusy(false);
    this.setLong(false);
    this.isAsked = this.hasOld = false;
    for (const element of document.querySelectorAll(".is-stale"))
      element.classList.remove("is-stale");
  }

  private ask(): void {
    this.isAsked = true;
    this.askForOld();
  }
}

/** The node and all that is in it. */
function branch(node: TreeNode): TreeNode[] {
  return [node, ...node.list.flatMap(branch)];
}
