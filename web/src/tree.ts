/*
 * The page as data: elements by id, each with its fields as signals and its children as one list.
 * A patch is applied in one batch, so the page changes once; a whole tree is applied onto the one
 * there is, so that what stays keeps its focus, caret, scroll and half-typed text.
 *
 * An element's view is made by the one who first shows it and lives as long as the element, however
 * often it moves.
 */
import { batch, createSignal, type Accessor, type Setter } from "solid-js";
import { isDocument, type Document, type Value } from "./bson";
import { DEFAULTS, KINDS, type ElementType, type Elements } from "./elements.gen";

export interface View {
  element: HTMLElement;
  dispose(): void;
}

export class TreeNode<T extends ElementType = ElementType> {
  /** The fields, read like plain ones; whoever reads one in an effect is told of its changes. */
  readonly props: Elements[T];
  readonly children: Accessor<readonly TreeNode[]>;
  readonly list: TreeNode[] = []; /* the children as patches leave them; shown at the batch's end */
  parent: TreeNode | undefined;
  view: View | undefined;
  isAlive = true;
  private readonly tellChildren: Setter<readonly TreeNode[]>;
  private readonly fields = new Map<string, Value>();
  private readonly signals = new Map<string, [Accessor<Value>, Setter<Value>]>();

  constructor(
    readonly id: number,
    readonly type: T,
    fields: Document,
  ) {
    [this.children, this.tellChildren] = createSignal<readonly TreeNode[]>([], { equals: false });
    for (const name of Object.keys(fields)) this.fields.set(name, fields[name]);
    const read = (_: object, name: string | symbol) =>
      typeof name === "string" ? this.read(name) : undefined;
    this.props = new Proxy({}, { get: read }) as Elements[T];
  }

  get isLeaf(): boolean {
    return KINDS[this.type] === "leaf";
  }

  set(name: string, value: Value): void {
    this.fields.set(name, value);
    this.tell(name);
  }

  unset(name: string): void {
    if (this.fields.delete(name)) this.tell(name);
  }

  /** Take these fields instead of all there were. */
  replace(fields: Document): void {
    for (const name of [...this.fields.keys()]) {
      if (!(name in fields)) this.unset(name);
    }
    for (const name of Object.keys(fields)) this.set(name, fields[name]);
  }

  get(name: string): Value {
    return this.fields.has(name) ? this.fields.get(name) : (DEFAULTS[this.type] as Document)[name];
  }

  showChildren(): void {
    this.tellChildren([...this.list]);
  }

  private read(name: string): Value {
    let signal = this.signals.get(name);
    if (!signal) this.signals.set(name, (signal = createSignal<Value>(this.get(name))));
    return signal[0]();
  }

  private tell(name: string): void {
    const value = this.get(name);
    this.signals.get(name)?.[1](() => value);
  }
}

export const ROOTS = { main: 1, sidebar: 2, event: 3, bottom: 4 } as const;

/** What the person did to widgets that the host does not know of yet. */
export interface Own {
  isOlder(id: number, ev: number): boolean /* a value that came with event `ev` */;
  ownValue(id: number, type: string): Value /* of a widget of this type, to show instead */;
}

export interface Applied {
  changed: TreeNode[] /* leaves with changed fields, in the order of the patch */;
}

export class Tree {
  readonly main = this.makeRoot("main");
  readonly sidebar = this.makeRoot("sidebar");
  readonly event = this.makeRoot("event");
  readonly bottom = this.makeRoot("bottom");
  readonly roots = [this.main, this.sidebar, this.event, this.bottom];
  private readonly nodes = new Map<number, TreeNode>();
  private readonly reordered = new Set<TreeNode>();
  private readonly ended: { node: TreeNode; isTop: boolean }[] = [];
  private changed = new Set<TreeNode>();

  constructor(private readonly own: Own) {
    for (const root of this.roots) this.nodes.set(root.id, root);
  }

  find(id: number): TreeNode | undefined {
    return this.nodes.get(id);
  }

  /** Apply the operations of a patch; one that names what is not there throws: a tree helps. */
  apply(ops: Value, ev: number): Applied {
    return this.inBatch(() => {
      for (const op of readOps(ops)) this.applyOne(op, ev);
    });
  }

  /** Become the tree that these inserts describe. */
  become(ops: Value, ev: number): Applied {
    return this.inBatch(() => {
      const inserts = readOps(ops);
      const staying = new Set(inserts.map((op) => numberOf(op, "id")));
      for (const node of [...this.nodes.values()]) {
        if (node.parent && node.isAlive && !staying.has(node.id)) this.remove(node);
      }
      for (const root of [this.main, this.sidebar, this.event, this.bottom]) this.empty(root);
      for (const op of inserts) this.place(op, ev);
    });
  }

  private makeRoot<T extends keyof typeof ROOTS>(type: T): TreeNode<T> {
    return new TreeNode(ROOTS[type], type, {});
  }

  private inBatch(work: () => void): Applied {
    this.changed = new Set();
    try {
      batch(() => {
        work();
        for (const node of this.reordered) node.showChildren();
      });
    } finally {
      this.reordered.clear();
      this.endViews();
    }
    return { changed: [...this.changed].filter((node) => node.isAlive) };
  }

  /** What was removed goes when all else has its place: what moved out of it stays whole. */
  private endViews(): void {
    for (const { node, isTop } of this.ended.splice(0)) {
      if (isTop || node.view?.element.isConnected) node.view?.element.remove();
      node.view?.dispose();
      node.view = undefined;
    }
  }

  private applyOne(op: Document, ev: number): void {
    switch (op.op) {
      case "insert":
        return this.insert(op, ev);
      case "update":
        return this.update(op, ev);
      case "move":
        return this.move(this.must(numberOf(op, "id")), op);
      case "remove":
        return this.remove(this.must(numberOf(op, "id")));
      default:
        throw new Error(`unknown operation ${String(op.op)}`);
    }
  }

  /** A new element without children. One with the same id goes first. */
  private insert(op: Document, ev: number): void {
    const old = this.nodes.get(numberOf(op, "id"));
    if (old && old.type !== op.type) this.remove(old);
    else if (old) for (const child of [...old.list]) this.remove(child);
    this.place(op, ev);
  }

  private place(op: Document, ev: number): void {
    const id = numberOf(op, "id");
    const fields = isDocument(op.props) ? op.props : {};
    let node = this.nodes.get(id);
    if (node && node.type !== op.type) {
      this.remove(node);
      node = undefined;
    }
    if (node) this.renew(node, fields, ev);
    else {
      const type = typeOf(op);
      node = new TreeNode(id, type, this.withOwn(id, type, fields, ev));
      this.nodes.set(id, node);
    }
    this.move(node, op);
  }

  /** A widget that comes back shows what the person chose before it went. */
  private withOwn(id: number, type: ElementType, fields: Document, ev: number): Document {
    const value = this.own.isOlder(id, ev) ? this.own.ownValue(id, type) : undefined;
    return value === undefined ? fields : { ...fields, value };
  }

  private renew(node: TreeNode, fields: Document, ev: number): void {
    if (node.get("value") !== undefined && this.own.isOlder(node.id, ev)) {
      const own = node.get("value");
      fields = { ...fields, value: own };
    }
    node.replace(fields);
  }

  private update(op: Document, ev: number): void {
    const node = this.must(numberOf(op, "id"));
    const set = isDocument(op.set) ? op.set : {};
    const isIgnored = (name: string) => name === "value" && this.own.isOlder(node.id, ev);
    for (const name of Object.keys(set)) if (!isIgnored(name)) node.set(name, set[name]);
    for (const name of textsOf(op.unset)) if (!isIgnored(name)) node.unset(name);
    if (node.isLeaf) this.changed.add(node);
  }

  private move(node: TreeNode, op: Document): void {
    const parent = this.must(numberOf(op, "in"));
    for (let above: TreeNode | undefined = parent; above; above = above.parent) {
      if (above === node) throw new Error("an element inside itself");
    }
    this.take(node);
    parent.list.splice(this.placeAfter(parent, numberOf(op, "after")), 0, node);
    node.parent = parent;
    this.reordered.add(parent);
  }

  private placeAfter(parent: TreeNode, after: number): number {
    if (after === 0) return 0;
    if (parent.list.at(-1)?.id === after) return parent.list.length;
    const index = parent.list.findIndex((child) => child.id === after);
    if (index < 0) throw new Error("the neighbour is not there");
    return index + 1;
  }

  private take(node: TreeNode): void {
    const siblings = node.parent?.list;
    const index = siblings?.indexOf(node) ?? -1;
    if (siblings && index >= 0) siblings.splice(index, 1);
    if (node.parent) this.reordered.add(node.parent);
    node.parent = undefined;
  }

  private remove(node: TreeNode): void {
    this.take(node);
    const waiting = [node];
    for (let one = waiting.pop(); one; one = waiting.pop()) {
      waiting.push(...one.list);
      one.isAlive = false;
      this.ended.push({ node: one, isTop: one === node });
      this.nodes.delete(one.id);
      this.reordered.delete(one);
    }
  }

  /** Take the children out without ending them; what is not placed again was removed before. */
  private empty(node: TreeNode): void {
    for (const child of node.list) this.empty(child);
    for (const child of node.list) child.parent = undefined;
    node.list.length = 0;
    this.reordered.add(node);
  }

  private must(id: number): TreeNode {
    const node = this.nodes.get(id);
    if (!node) throw new Error(`element ${id} is not there`);
    return node;
  }
}

function readOps(ops: Value): Document[] {
  if (ops === undefined || ops === null) return [];
  if (!Array.isArray(ops)) throw new Error("the operations are no list");
  return ops.filter(isDocument);
}

function numberOf(op: Document, name: string): number {
  const value = op[name] ?? 0;
  if (typeof value !== "number") throw new Error(`${name} is no number`);
  return value;
}

function textsOf(value: Value): string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === "string")
    : [];
}

function typeOf(op: Document): ElementType {
  if (typeof op.type !== "string" || !Object.hasOwn(KINDS, op.type)) {
    throw new UnknownElement(String(op.type));
  }
  return op.type as ElementType;
}

/** The host knows an element that this page does not: the page is older and must be loaded anew. */
export class UnknownElement extends Error {
  constructor(readonly type: string) {
    super(`unknown element ${type}`);
  }
}
