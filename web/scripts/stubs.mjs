/*
 * The drawing calls as editors with the Lua language server know them: a file of annotations that
 * nothing runs. `ui.metric(...)` is a function of class moonlit, `box:metric(...)` a method of class
 * moonlit.Handle, and both take moonlit.MetricOptions.
 */
import { fieldsOf, isKind, pascal, ROOTS, unquote, wordsOf } from "./definition.mjs";

const TYPES = {
  TEXT: "string", BOOLEAN: "boolean", NUMBER: "number", INTEGER: "integer", TEXTS: "string[]",
  NUMBERS: "number[]", VALUE: "any", FUNCTION: "fun(...)", SIZE: "moonlit.Width",
};
const KINDS = { true: "true", false: "false", number: "number", text: "string", bson: "moonlit.Scalar" };

/* What elements.def says in words alone, by field, or by element and field. */
const CLOSER = {
  on_change: "moonlit.OnChange", args: "any[]", format_func: "fun(option: any): string",
  index: "integer|false", options: "moonlit.Choices", body: "string|number",
  "json.body": "any", "exception.body": "any", "columns.spec": "integer|number[]",
  "multiselect.default": "any[]", "number_input.value": "number|false",
  "text_input.value": "string|false", "text_area.value": "string|false", "table.columns": "string[]",
  "slider.value": "number|moonlit.Date|number[]|moonlit.Date[]",
};

const RESULTS = { button: "boolean", checkbox: "boolean", toggle: "boolean", multiselect: "any[]",
  number_input: "number", text_input: "string", text_area: "string", columns: "moonlit.Container ...",
  tabs: "moonlit.Container ...", spinner: "any ..." };
const BY_KIND = { LEAF: "moonlit.Handle", WIDGET: "any", CONTAINER: "moonlit.Container" };

/* Those that call a function which draws inside, or is waited for. */
const LAST = { container: "f?: fun()", expander: "f?: fun()", status: "f?: fun()", spinner: "f: fun(): any" };
const MADE_BY_OTHERS = new Set([...ROOTS, "column", "tab"]);

function typeOf(element, field) {
  const closer = CLOSER[`${element.name}.${field.name}`] ?? CLOSER[field.name];
  const words = wordsOf(field);
  if (closer) return closer;
  if (!words) return TYPES[field.type];
  return words.map((word) => (isKind(field, word) ? KINDS[word] : JSON.stringify(word))).join("|").replace("true|false", "boolean");
}

function usual(field) {
  if (field.fallback === "none" || field.fallback === "required") return "";
  const text = unquote(field.fallback);
  return `; ${field.type === "TEXT" || wordsOf(field)?.includes(text) && !isKind(field, text) ? JSON.stringify(text) : text} by default`;
}

const describe = (field) => `${field.doc.replace(/\.$/, "")}${/default/.test(field.doc) ? "" : usual(field)}`;

function argumentsOf(element, fields, optionsName) {
  const list = fields.filter((field) => field.source === "ARG").map((field) => ({
    name: field.name, mark: field.fallback === "required" ? "" : "?", type: typeOf(element, field), doc: describe(field),
  }));
  if (element.name !== "empty") {
    list.push({ name: optionsName, mark: "?", type: `moonlit.${pascal(element.name)}Options`, doc: "" });
  }
  const last = /^(\w+)(\??): (.+)$/.exec(LAST[element.name] ?? "");
  if (last) list.push({ name: last[1], mark: last[2], type: last[3], doc: "" });
  return list;
}

function writeOptions(out, element, fields) {
  out.push(`---@class moonlit.${pascal(element.name)}Options`);
  for (const field of fields.filter((one) => one.source === "OPTION" || one.source === "LOCAL")) {
    out.push(`---@field ${field.name}? ${typeOf(element, field)} ${describe(field)}`);
  }
  out.push("---@field key? string|integer Which element it is when the script draws it anew", "");
}

/** `owner` is "ui." or "handle:". */
function writeCall(out, owner, element, list) {
  const result = RESULTS[element.name] ?? BY_KIND[element.kind];
  out.push(`---${element.doc}`);
  for (const { name, mark, type, doc } of list) out.push(`---@param ${name}${mark} ${type} ${doc}`.trimEnd());
  out.push(`---@return ${result}`);
  if (LAST[element.name]) {
    const types = list.filter(({ name }) => name !== "options").map(({ name, type }) => `${name}: ${type}`);
    if (owner !== "ui.") types.unshift("self: moonlit.Handle");
    out.push(`---@overload fun(${types.join(", ")}): ${result.replace(" ...", "")}`);
  }
  out.push(`function ${owner}${element.name}(${list.map(({ name }) => name).join(", ")}) end`, "");
}

export function writeStubs({ elements, common }) {
  const out = [
    "---@meta",
    "-- Made by web/scripts/elements.mjs from runtime/ui/elements.def: do not edit. For editors; nothing runs it.", "",
    '---@alias moonlit.Width "stretch"|"content"|number',
    '---@alias moonlit.OnChange fun(...)|"rerun"|"ignore"',
    "---@alias moonlit.Choices any[]|moonlit.Cursor",
    "---@alias moonlit.Scalar moonlit.Decimal128|moonlit.Int64|moonlit.Double|moonlit.Date", "",
    "---@class moonlit",
  ];
  for (const element of elements.filter(({ name }) => ROOTS.has(name) && name !== "event")) {
    out.push(`---@field ${element.name} moonlit.Container ${element.doc}`);
  }
  out.push("local ui = {}", "", "---@class moonlit.Handle", "local handle = {}", "");
  for (const element of elements.filter(({ name }) => !MADE_BY_OTHERS.has(name))) {
    const fields = fieldsOf(element, common);
    const list = argumentsOf(element, fields, fields.some(({ name }) => name === "options") ? "choices" : "options");
    if (element.name !== "empty") writeOptions(out, element, fields);
    writeCall(out, "ui.", element, list);
    writeCall(out, "handle:", element, list);
  }
  return out.join("\n");
}
