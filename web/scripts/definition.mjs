/* What runtime/ui/elements.def says, read line by line: one macro a line. */
import { readFileSync } from "node:fs";

export const root = new URL("../../", import.meta.url);
const definition = readFileSync(new URL("runtime/ui/elements.def", root), "utf8");

/** The arguments of one macro line, split at the commas outside of quotes and parentheses. */
function splitArguments(text) {
  const parts = [];
  let depth = 0, quoted = false, part = "";
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (quoted && letter === "\\") { part += letter + text[++i]; continue; }
    if (letter === '"') quoted = !quoted;
    if (!quoted && letter === "(") depth++;
    if (!quoted && letter === ")") depth--;
    if (!quoted && depth === 0 && letter === ",") { parts.push(part.trim()); part = ""; } else part += letter;
  }
  return [...parts, part.trim()];
}

export const unquote = (text) => (text.startsWith('"') ? JSON.parse(text) : text);

export function readDefinition() {
  const elements = new Map(), common = [];
  let group = "";
  for (const line of definition.split("\n")) {
    const heading = /^\/\* ---- (.+?) ---- \*\/$/.exec(line);
    if (heading) group = heading[1];
    const macro = /^(ELEMENT|FIELD|WIDGET_FIELD)\((.+)\)\s*$/.exec(line);
    if (!macro) continue;
    const [kind, parts] = [macro[1], splitArguments(macro[2])];
    if (kind === "ELEMENT") {
      elements.set(parts[0], { name: parts[0], kind: parts[1], doc: unquote(parts[2]), group, fields: [] });
    } else if (kind === "WIDGET_FIELD") {
      common.push(readField(parts));
    } else {
      const element = elements.get(parts[0]);
      if (!element) throw new Error(`FIELD of an element that is not listed above it: ${line}`);
      element.fields.push(readField(parts.slice(1)));
    }
  }
  return { elements: [...elements.values()], common };
}

function readField([name, source, type, fallback, doc]) {
  if (doc === undefined) throw new Error(`a FIELD with too few parts: ${name}`);
  return { name, source, type, fallback, doc: unquote(doc) };
}

/* Words of a ONE_OF that name a kind of value. */
const KINDS = new Set(["true", "false", "number", "text", "bson"]);

export const wordsOf = (field) => /^(?:CHOICE|ONE_OF)\((.+)\)$/.exec(field.type)?.[1].split("|");
export const isKind = (field, word) => field.type.startsWith("ONE_OF") && KINDS.has(word);
export const pascal = (name) => name.replace(/(^|_)(.)/g, (_, __, letter) => letter.toUpperCase());

/** Arguments first, those of all widgets before its own. */
export function fieldsOf(element, common) {
  const shared = element.kind === "WIDGET" ? common : [];
  const order = (field) => (field.source === "ARG" ? 0 : 1);
  return [...shared, ...element.fields].sort((a, b) => order(a) - order(b));
}

export const ROOTS = new Set(["main", "sidebar", "event", "bottom"]);
