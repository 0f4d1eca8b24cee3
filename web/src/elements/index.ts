/* Which component draws which element. The list is complete, or it does not compile. */
import type { ElementType } from "../elements.gen";
import type { TreeNode } from "../tree";
import { Button, Checkbox, Radio } from "./choices";
import { Code } from "./code";
import { NumberInput, TextArea, TextInput } from "./inputs";
import { Json } from "./json";
import { Column, Columns, Container, Empty, Expander, Tab, Tabs } from "./layout";
import { Metric } from "./metric";
import { Multiselect, Selectbox } from "./select";
import { Slider } from "./slider";
import { Exception, Note, ProgressBar, Spinner, Status, Toast } from "./status";
import { Table } from "./table";
import { Badge, Caption, Divider, Header, Markdown, PlainText, Subheader, Title } from "./text";

type Root = "main" | "sidebar" | "event" | "bottom"; /* drawn by the app itself */
type Drawer = (node: never) => HTMLElement;

const DRAWERS: { [T in Exclude<ElementType, Root>]: (node: TreeNode<T>) => HTMLElement } = {
  markdown: Markdown, title: Title, header: Header, subheader: Subheader, caption: Caption, text: PlainText,
  code: Code, divider: Divider, badge: Badge, json: Json, table: Table, metric: Metric,
  success: Note, info: Note, warning: Note, error: Note, exception: Exception,
  progress: ProgressBar, spinner: Spinner, status: Status, toast: Toast,
  button: Button, checkbox: Checkbox, toggle: Checkbox, radio: Radio, selectbox: Selectbox,
  multiselect: Multiselect, slider: Slider, number_input: NumberInput, text_input: TextInput, text_area: TextArea,
  container: Container, columns: Columns, column: Column, tabs: Tabs, tab: Tab, expander: Expander, empty: Empty,
};

/** Draw an element. One that fails becomes a note in its place, and the page lives on. */
export function draw(node: TreeNode): HTMLElement {
  const drawer = (DRAWERS as Partial<Record<string, Drawer>>)[node.type];
  try {
    if (!drawer) throw new Error(`${node.type} is a root`);
    const element = drawer(node as never);
    element.dataset.element = node.type;
    return element;
  } catch (error) {
    console.error(error);
    const note = document.createElement("p");
    note.className = "field-error";
    note.textContent = `This ${node.type} cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
    return note;
  }
}
