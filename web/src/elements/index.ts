/* Which component draws which element. The list is complete, or it does not compile. */
import { createRenderEffect, untrack } from "solid-js";
import { isDocument, keysOf } from "../bson";
import type { ElementType } from "../elements.gen";
import { late, type Late } from "../later";
import { followStyle, followWidth, type Size } from "../parts";
import type { TreeNode } from "../tree";
import { Button, Checkbox, Radio } from "./choices";
import { Code } from "./code";
import { NumberInput, TextArea, TextInput } from "./inputs";
import { Column, Columns, Container, Empty, Expander, Tab, Tabs } from "./layout";
import { Metric } from "./metric";
import { Selectbox } from "./select";
import { Slider } from "./slider";
import { Exception, Note, ProgressBar, Spinner, Status, Toast } from "./status";
import { Badge, Caption, Divider, Header, Markdown, PlainText, Subheader, Title } from "./text";

type Root = "main" | "sidebar" | "event" | "bottom"; /* drawn by the app itself */
type Drawer = (node: never) => HTMLElement;
type Draws<T extends ElementType> = (node: TreeNode<T>) => HTMLElement;

const DRAWERS: { [T in Exclude<ElementType, Root>]: Draws<T> } = {
  markdown: Markdown,
  title: Title,
  header: Header,
  subheader: Subheader,
  caption: Caption,
  text: PlainText,
  code: Code,
  divider: Divider,
  badge: Badge,
  json: later((all) => all.Json, roomOfTree),
  table: later((all) => all.Table, roomOfTable),
  metric: Metric,
  success: Note,
  info: Note,
  warning: Note,
  error: Note,
  exception: Exception,
  progress: ProgressBar,
  spinner: Spinner,
  status: Status,
  toast: Toast,
  button: Button,
  checkbox: Checkbox,
  toggle: Checkbox,
  radio: Radio,
  selectbox: (node) => (isTypedInto(node) ? drawTyped(node) : Selectbox(node)),
  multiselect: later(
    (all) => all.Multiselect,
    () => FIELD,
  ),
  slider: Slider,
  number_input: NumberInput,
  text_input: TextInput,
  text_area: TextArea,
  container: Container,
  columns: Columns,
  column: Column,
  tabs: Tabs,
  tab: Tab,
  expander: Expander,
  empty: Empty,
};

/** Draw an element. One that fails becomes a note in its place, and the page lives on. */
export function draw(node: TreeNode): HTMLElement {
  const drawer = (DRAWERS as Partial<Record<string, Drawer>>)[node.type];
  return drawSafely(node, drawer);
}

function drawSafely(node: TreeNode, drawer: Drawer | undefined): HTMLElement {
  try {
    if (!drawer) throw new Error(`${node.type} is a root`);
    const element = drawer(node as never);
    element.dataset.element = node.type;
    followWidth(element, () => (node.props as { width?: Size }).width);
    return element;
  } catch (error) {
    console.error(error);
    const note = document.createElement("p");
    note.className = "field-error";
    const reason = error instanceof Error ? error.message : String(error);
    note.textContent = `This ${node.type} cannot be shown: ${reason}`;
    return note;
  }
}

/* ---- elements of the second file: until it is there they keep their place free ---- */

const FIELD = 62,
  ROW = 36,
  LINE = 22,
  EDGES = 26; /* px */

function later<T extends ElementType>(
  find: (all: Late) => Draws<T>,
  room: (node: TreeNode<T>) => number,
): Draws<T> {
  return (node) => {
    const all = late();
    return all ? find(all)(node) : keepPlace(node, find, room(node));
  };
}

function keepPlace<T extends ElementType>(
  node: TreeNode<T>,
  find: (all: Late) => Draws<T>,
  room: number,
): HTMLElement {
  const place = document.createElement("div");
  place.setAttribute("aria-busy", "true");
  followStyle(place, "min-block-size", () => `${room}px`);
  createRenderEffect(() => {
    const all = late();
    if (!all || !node.view) return;
    const element = untrack(() => drawSafely(node as unknown as TreeNode, find(all) as Drawer));
    place.replaceWith(element);
    node.view.element = element;
  });
  return place;
}

function isTypedInto(node: TreeNode<"selectbox">): boolean {
  return node.props.accept_new_options || node.props.filter_mode !== undefined;
}

function drawTyped(node: TreeNode<"selectbox">): HTMLElement {
  return later<"selectbox">(
    (all) => all.TypedSelect,
    () => FIELD,
  )(node);
}

function roomOfTable({ props }: TreeNode<"table">): number {
  const rows = Array.isArray(props.rows) ? props.rows.length : 1;
  return (Math.max(1, rows) + (props.hide_header ? 0 : 1)) * ROW + 2;
}

function roomOfTree({ props }: TreeNode<"json">): number {
  const lines = props.expanded === false || !isDocument(props.body) ? 1 : keysOf(props.body).length;
  return Math.max(1, lines) * LINE + EDGES;
}
