/*
 * Reads runtime/ui/elements.def and writes what follows from it: the client's types
 * (src/elements.gen.ts), the reference page (docs/elements.md) and what editors know of the drawing
 * calls (lua/meta/moonlit.lua). With --check it writes nothing and fails when one of them is stale.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fieldsOf, isKind, pascal, readDefinition, root, ROOTS, unquote, wordsOf } from "./definition.mjs";
import { writeStubs } from "./stubs.mjs";

/* ---- TypeScript ---- */

const TYPES = {
  TEXT: "string", BOOLEAN: "boolean", NUMBER: "number", INTEGER: "number", TEXTS: "string[]",
  NUMBERS: "number[]", VALUE: "Value", SIZE: 'number | "stretch" | "content"',
};

const KINDS = { true: "true", false: "false", number: "number", text: "string", bson: "Value" };

function typeOf(field) {
  const words = wordsOf(field);
  if (words) return words.map((word) => (isKind(field, word) ? KINDS[word] : JSON.stringify(word))).join(" | ");
  if (!TYPES[field.type]) throw new Error(`unknown type ${field.type} of ${field.name}`);
  return TYPES[field.type];
}

/** The default as a JavaScript literal, or undefined where there is none. */
function literalOf(field) {
  const text = field.fallback;
  if (text === "none" || text === "required" || text === "min") return undefined;
  if (text === "true" || text === "false" || /^-?[\d.]+$/.test(text)) return text;
  return JSON.stringify(unquote(text));
}

const isOnWire = (field) => field.source !== "LOCAL";

function writeTypes({ elements, common }) {
  const out = [
    "/* Made by scripts/elements.mjs from runtime/ui/elements.def: do not edit. */",
    "", 'import type { Value } from "./bson";', "",
  ];
  for (const element of elements) {
    out.push(`export interface ${pascal(element.name)}Props {`);
    for (const field of fieldsOf(element, common).filter(isOnWire)) {
      const optional = field.fallback === "required" || literalOf(field) !== undefined ? "" : "?";
      out.push(`  ${field.name}${optional}: ${typeOf(field)};`);
    }
    out.push("}", "");
  }
  out.push("export interface Elements {");
  for (const element of elements) out.push(`  ${element.name}: ${pascal(element.name)}Props;`);
  out.push("}", "", "export type ElementType = keyof Elements;", "");
  out.push('export const KINDS: Record<ElementType, "leaf" | "widget" | "container"> = {');
  for (const element of elements) out.push(`  ${element.name}: "${element.kind.toLowerCase()}",`);
  out.push("};", "", "/** What a field is when the wire does not name it. */");
  out.push("export const DEFAULTS: { [T in ElementType]: Partial<Elements[T]> } = {");
  for (const element of elements) {
    const known = fieldsOf(element, common).filter((field) => isOnWire(field) && literalOf(field) !== undefined);
    out.push(`  ${element.name}: {${known.map((field) => ` ${field.name}: ${literalOf(field)}`).join(",")} },`);
  }
  out.push("};", "");
  return out.join("\n");
}

/* ---- reference page ---- */

const WORDS = {
  TEXT: "text", BOOLEAN: "boolean", NUMBER: "number", INTEGER: "integer", TEXTS: "list of texts",
  NUMBERS: "list of numbers", VALUE: "value", FUNCTION: "function", SIZE: "size",
};
const MADE_BY = { column: "columns", tab: "tabs" };

function signatureOf(element, common) {
  if (ROOTS.has(element.name)) return `ui.${element.name}`;
  const fields = fieldsOf(element, common).filter((field) => field.source !== "WIRE");
  let text = `ui.${element.name}(`, first = true;
  for (const field of fields.filter((one) => one.source === "ARG")) {
    const name = first ? field.name : `, ${field.name}`;
    text += field.fallback === "required" ? name : `[${name}]`;
    first = false;
  }
  if (fields.some((field) => field.source !== "ARG")) {
    const name = fields.some((field) => field.name === "options") ? "choices" : "options";
    text += first ? `[${name}]` : `[, ${name}]`;
  }
  return `${text})`;
}

function wordOf(field) {
  if (field.name === "options") return "list, cursor"; /* the wire has their labels */
  const words = wordsOf(field);
  if (!words) return WORDS[field.type];
  const write = (word) => (!isKind(field, word) ? `\`"${word}"\`` : word === "bson" ? "BSON value" : word === "text" || word === "number" ? word : `\`${word}\``);
  return words.map(write).join(", ");
}

function fallbackOf(field) {
  if (field.source === "ARG" && field.fallback === "required") return "required";
  if (field.fallback === "none") return "";
  const isWord = field.type === "TEXT" || (wordsOf(field)?.includes(field.fallback) && !isKind(field, field.fallback));
  return isWord ? `\`${JSON.stringify(unquote(field.fallback))}\`` : `\`${field.fallback}\``;
}

const cell = (text) => text.replaceAll("|", "\\|");

function writeFields(out, fields) {
  if (fields.length === 0) return;
  out.push("| name | type | default | meaning |", "| --- | --- | --- | --- |");
  for (const field of fields) {
    const name = field.source === "ARG" ? `**${field.name}**` : field.name;
    out.push(`| ${name} | ${cell(wordOf(field))} | ${cell(fallbackOf(field))} | ${cell(field.doc)} |`);
  }
  out.push("");
}

function writeReference({ elements, common }) {
  const out = [
    "# Elements", "",
    "<!-- Made by web/scripts/elements.mjs from runtime/ui/elements.def: do not edit. -->", "",
    "Every element is a call on `ui` (`local ui = require \"moonlit\"`) or on a container's handle. Bold names are",
    "arguments, in this order; the others go into the options table, which is the last argument. Every element",
    "takes `key`, a text that says which element it is when the script draws it anew.", "",
    "Raw HTML is never inserted, so no element has `unsafe_allow_html`. A widget's value is kept while it is hidden,",
    "without an option for it, and is not tied to the page's address: there is no `bind`.", "",
    "An icon is an emoji, `\"spinner\"`, or the name of a drawing: one of Lucide's (`star`, `chart-line`), or one of the",
    "commoner names of Material Symbols (`:material/emoji_events:`). A name that is neither becomes a dot.", "",
    "## Options of every widget", "",
  ];
  writeFields(out, common);
  let group = "";
  for (const element of elements) {
    if (element.group !== group) {
      group = element.group;
      out.push(`## ${group[0].toUpperCase()}${group.slice(1)}`, "");
    }
    out.push(`### ${element.name}`, "");
    if (MADE_BY[element.name]) out.push(`Returned by \`ui.${MADE_BY[element.name]}\`. ${element.doc}`, "");
    else out.push("```lua", signatureOf(element, common), "```", "", element.doc, "");
    writeFields(out, element.fields.filter((field) => field.source !== "WIRE"));
  }
  return `${out.join("\n").trimEnd()}\n`;
}

const parsed = readDefinition();
const files = [
  [new URL("web/src/elements.gen.ts", root), writeTypes(parsed)],
  [new URL("docs/elements.md", root), writeReference(parsed)],
  [new URL("lua/meta/moonlit.lua", root), writeStubs(parsed)],
];
const isCheck = process.argv.includes("--check");
for (const [url, text] of files) {
  const path = fileURLToPath(url);
  if (!isCheck) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    console.error(`${path} is stale: run \`npm run elements\` in web/.`);
    process.exitCode = 1;
  }
}
