/* What the first paint seldom needs, in a file of its own; later.ts asks for it. */
export { highlight } from "./highlight";
export { inlineNodes, MarkdownBox } from "./markdown";
export { Multiselect, TypedSelect } from "./elements/combobox";
export { Json } from "./elements/json";
export { Table } from "./elements/table";
