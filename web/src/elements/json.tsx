/* A value as a tree that folds. A branch is a native disclosure and is filled when it is opened. */
import { createMemo, createRenderEffect, createSignal, For, Show, type JSX } from "solid-js";
import { isDocument, keysOf, type Document, type Value } from "../bson";
import { CopyButton } from "../parts";
import type { TreeNode } from "../tree";
import { exactText, kindOf, typeName } from "./value";

const STEP = 200; /* entries shown at once */
const BARE = 24; /* a document of at most so many fields needs no line of its own above them */

export function Json(node: TreeNode<"json">): HTMLElement {
  const p = node.props;
  const value = createMemo(() => parse(p.body));
  const depth = () => (p.expanded === true ? 99 : typeof p.expanded === "number" ? p.expanded : 0);
  const box = (<div class="tree" />) as HTMLElement;
  createRenderEffect(() => {
    const now = value(),
      levels = depth();
    const isBare =
      levels > 0 && isDocument(now) && keysOf(now).length > 0 && keysOf(now).length <= BARE;
    const fields = () =>
      keysOf(now as Document).map((name) => (
        <Entry name={name} path={name} value={(now as Document)[name]} depth={levels - 1} />
      ));
    box.replaceChildren(
      ...([isBare ? fields() : <Entry value={now} depth={levels} />].flat() as Node[]),
    );
  });
  return (
    <div class="json">
      {box}
      <CopyButton class="copy" of="the value" text={() => jsonText(value())} />
    </div>
  ) as HTMLElement;
}

/** A text may hold JSON itself. */
function parse(body: Value): Value {
  if (typeof body !== "string") return body;
  try {
    return JSON.parse(body) as Value;
  } catch {
    return body;
  }
}

interface EntryProps {
  name?: string;
  path?: string /* from the top, as a query writes it: stock.berlin */;
  value: Value;
  depth: number;
}

function Entry(props: EntryProps): JSX.Element {
  const isBranch = Array.isArray(props.value) || isDocument(props.value);
  if (isBranch && sizeOf(props.value) > 0) return <Branch {...props} />;
  return (
    <div class="tree-leaf">
      <Name {...props} />
      <span class={`tree-${kindOf(props.value)}`}>
        {isBranch ? (Array.isArray(props.value) ? "[ ]" : "{ }") : exactText(props.value)}
      </span>
      <Show when={typeName(props.value)}>{(name) => <span class="tree-type">{name()}</span>}</Show>
    </div>
  );
}

function Name(props: { name?: string; path?: string }): JSX.Element {
  return (
    <Show when={props.name !== undefined}>
      <span class="tree-name" title={props.path}>
        {props.name}
      </span>
    </Show>
  );
}

function Branch(props: EntryProps): JSX.Element {
  const [isOpen, setOpen] = createSignal(props.depth > 0);
  const [shown, setShown] = createSignal(STEP);
  const names = Array.isArray(props.value)
    ? props.value.map((_, index) => String(index))
    : keysOf(props.value as Record<string, Value>);
  const unit = Array.isArray(props.value) ? "item" : "field";
  const count = () => `${names.length} ${unit}${names.length === 1 ? "" : "s"}`;
  const pathOf = (name: string) => (props.path === undefined ? name : `${props.path}.${name}`);
  const of = (name: string) => (props.value as Record<string, Value>)[name];
  return (
    <details
      class="tree-branch"
      open={isOpen()}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <Name {...props} />
        <span class="tree-mark">{Array.isArray(props.value) ? "[ ]" : "{ }"}</span>
        <span class="tree-count">{count()}</span>
      </summary>
      <Show when={isOpen()}>
        <div class="tree-children">
          <For each={names.slice(0, shown())}>
            {(name) => (
              <Entry name={name} path={pathOf(name)} value={of(name)} depth={props.depth - 1} />
            )}
          </For>
          <Show when={names.length > shown()}>
            <button type="button" class="button is-small" onClick={() => setShown(shown() + STEP)}>
              {names.length - shown()} more
            </button>
          </Show>
        </div>
      </Show>
    </details>
  );
}

function sizeOf(value: Value): number {
  return Array.isArray(value) ? value.length : keysOf(value as Record<string, Value>).length;
}

/** Extended JSON, near enough to be pasted into a shell. */
function jsonText(value: Value): string {
  const plain = (item: Value): unknown => {
    if (Array.isArray(item)) return item.map(plain);
    if (isDocument(item))
      return Object.fromEntries(keysOf(item).map((name) => [name, plain(item[name])]));
    const type = typeName(item);
    return type ? { [`$${type}`]: exactText(item) } : item;
  };
  return JSON.stringify(plain(value), null, 2);
}
