/* A static table: rows are documents, lists or values; cells are shown by their BSON type. */
import {
  createMemo,
  createRenderEffect,
  createSignal,
  For,
  on,
  Show,
  type Accessor,
  type JSX,
  type Setter,
} from "solid-js";
import { isDocument, keysOf, ObjectId, type Document, type Value } from "../bson";
import { placesOf } from "../format";
import { followHeight, Inline } from "../parts";
import type { TreeNode } from "../tree";
import { washElement } from "../wash";
import { kindOf, lineOf } from "./value";

interface Column {
  name: string;
  isNumber: boolean;
  places: number /* figures of a column stand under each other */;
}

interface Row {
  key: string;
  document: Accessor<Document>;
  set: Setter<Document>;
}

const MOST_PLACES = 4;

export function Table(node: TreeNode<"table">): HTMLElement {
  const p = node.props;
  const documents = createMemo(() => toDocuments(p.rows));
  const names = createMemo(() => p.columns ?? namesOf(documents()), undefined, {
    equals: isSameList,
  });
  const columns = createMemo(() => names().map((name) => describe(name, documents())));
  const columnMap = createMemo(() => new Map(columns().map((column) => [column.name, column])));
  const rows = keepRows(documents);
  const box = (
    <div
      class="table-card card"
      data-border={String(p.border)}
      classList={{ "is-empty-table": documents().length === 0 }}
    >
      <div class="table-scroll" tabindex="0" role="group" aria-label="Table">
        <table class="table">
          <Show when={!p.hide_header && names().length > 0}>
            <thead>
              <tr>
                <Show when={!p.hide_index}>
                  <th scope="col">
                    <span class="visually-hidden">Row</span>
                  </th>
                </Show>
                <For each={names()}>
                  {(name) => (
                    <th scope="col" classList={{ "is-number": columnMap().get(name)?.isNumber }}>
                      <Inline text={name} />
                    </th>
                  )}
                </For>
              </tr>
            </thead>
          </Show>
          <tbody>
            <For each={rows()}>
              {(row, index) => (
                <tr>
                  <Show when={!p.hide_index}>
                    <th scope="row" class="is-quiet is-number">
                      {index() + 1}
                    </th>
                  </Show>
                  <For each={names()}>
                    {(name) => <Cell value={row.document()[name]} column={columnMap().get(name)} />}
                  </For>
                </tr>
              )}
            </For>
          </tbody>
        </table>
        <Show when={documents().length === 0}>
          <p class="table-empty">No rows</p>
        </Show>
      </div>
    </div>
  ) as HTMLElement;
  followHeight(box, () => p.height);
  return box;
}

function Cell(props: { value: Value; column: Column | undefined }): JSX.Element {
  const text = createMemo(() => cellText(props.value, props.column));
  const kind = () => kindOf(props.value);
  const cell = (
    <td
      classList={{
        "is-number": props.column?.isNumber === true,
        "is-empty": kind() === "empty",
        "is-quiet": kind() === "date",
        "is-code":
          kind() === "id" || kind() === "document" || kind() === "list" || kind() === "other",
      }}
    >
      {kind() === "text" ? <Inline text={text()} /> : text()}
    </td>
  ) as HTMLElement;
  createRenderEffect(on(text, () => washElement(cell), { defer: true }));
  return cell;
}

function cellText(value: Value, column: Column | undefined): string {
  if (
    typeof value === "number" &&
    column?.isNumber &&
    column.places > 0 &&
    Number.isFinite(value)
  ) {
    return value.toFixed(column.places);
  }
  return lineOf(value);
}

/* ---- rows ---- */

/** Rows keep their elements: by _id where they have one, else by their place. */
function keepRows(documents: Accessor<Document[]>): Accessor<Row[]> {
  const kept = new Map<string, Row>();
  return createMemo(() => {
    const seen = new Set<string>();
    const rows = documents().map((document, index) => {
      const key = keyOf(document, index, seen);
      seen.add(key);
      const row = kept.get(key) ?? makeRow(key, document);
      kept.set(key, row);
      row.set(() => document);
      return row;
    });
    for (const key of kept.keys()) if (!seen.has(key)) kept.delete(key);
    return rows;
  });
}

function makeRow(key: string, first: Document): Row {
  const [document, set] = createSignal(first);
  return { key, document, set };
}

function keyOf(document: Document, index: number, seen: Set<string>): string {
  const id = document._id;
  const known =
    id instanceof ObjectId || typeof id === "string" || typeof id === "number"
      ? `id:${String(id)}`
      : "";
  return known && !seen.has(known) ? known : `row:${index}`;
}

/** Whatever rows are given as: a list of documents. */
function toDocuments(rows: Value): Document[] {
  if (Array.isArray(rows)) return rows.map(toDocument);
  if (!isDocument(rows)) return rows === null || rows === undefined ? [] : [{ value: rows }];
  const names = keysOf(rows);
  if (names.length > 0 && names.every((name) => Array.isArray(rows[name])))
    return fromColumns(rows, names);
  return names.map((name) => ({ field: name, value: rows[name] }));
}

function toDocument(row: Value): Document {
  if (isDocument(row)) return row;
  if (Array.isArray(row))
    return Object.fromEntries(row.map((value, index) => [`${index + 1} `, value]));
  return { value: row };
}

function fromColumns(columns: Document, names: string[]): Document[] {
  const length = Math.max(...names.map((name) => (columns[name] as Value[]).length));
  return Array.from({ length }, (_, index) =>
    Object.fromEntries(names.map((name) => [name, (columns[name] as Value[])[index]])),
  );
}

function namesOf(documents: Document[]): string[] {
  const names = new Set<string>();
  for (const document of documents) for (const name of keysOf(document)) names.add(name);
  return [...names];
}

function describe(name: string, documents: Document[]): Column {
  let isNumber = documents.length > 0,
    places = 0,
    hasValue = false;
  for (const document of documents) {
    const value = document[name],
      kind = kindOf(value);
    if (kind === "empty") continue;
    hasValue = true;
    if (kind !== "number") isNumber = false;
    else if (typeof value === "number") places = Math.max(places, placesOf(value));
  }
  return { name, isNumber: isNumber && hasValue, places: places <= MOST_PLACES ? places : 0 };
}

function isSameList(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
