/* How one BSON value looks in a table's cell or a leaf of the tree: its type, its text. */
import {
  Binary,
  Code,
  Decimal128,
  isDocument,
  keysOf,
  MaxKey,
  MinKey,
  ObjectId,
  Regex,
  Timestamp,
  type Value,
} from "../bson";
import { formatDate } from "../format";

export type Kind =
  | "empty"
  | "text"
  | "number"
  | "boolean"
  | "date"
  | "id"
  | "other"
  | "list"
  | "document";

export function kindOf(value: Value): Kind {
  if (value === null || value === undefined) return "empty";
  if (typeof value === "string") return "text";
  if (typeof value === "number" || typeof value === "bigint" || value instanceof Decimal128)
    return "number";
  if (typeof value === "boolean") return "boolean";
  if (value instanceof Date) return "date";
  if (value instanceof ObjectId) return "id";
  if (Array.isArray(value)) return "list";
  return isDocument(value) ? "document" : "other";
}

/** The name of a BSON type that plain JSON has no word for. */
export function typeName(value: Value): string | undefined {
  if (typeof value === "bigint") return "int64";
  if (value instanceof Date) return "date";
  if (value instanceof ObjectId) return "ObjectId";
  if (value instanceof Decimal128) return "decimal";
  if (value instanceof Binary) return value.subtype === 4 ? "uuid" : `binary ${value.subtype}`;
  if (value instanceof Regex) return "regex";
  if (value instanceof Timestamp) return "timestamp";
  if (value instanceof Code) return "code";
  if (value instanceof MinKey) return "minKey";
  if (value instanceof MaxKey) return "maxKey";
  return undefined;
}

const PREVIEW = 80; /* letters of a nested value in a cell */

/** A value in one line. */
export function lineOf(value: Value): string {
  switch (kindOf(value)) {
    case "empty":
      return "–";
    case "date":
      return formatDate(value as Date);
    case "list":
    case "document":
      return shorten(preview(value, PREVIEW));
    default:
      return String(value);
  }
}

function shorten(text: string): string {
  return text.length > PREVIEW ? `${text.slice(0, PREVIEW - 1)}…` : text;
}

function preview(value: Value, room: number): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${previewAll(
      value.map((item) => () => preview(item, room - 2)),
      room,
    )}]`;
  if (isDocument(value)) {
    return `{ ${previewAll(
      keysOf(value).map((name) => () => `${name}: ${preview(value[name], room - 2)}`),
      room,
    )} }`;
  }
  return value === undefined ? "undefined" : lineOf(value);
}

/** Only as many parts as there is room for, however many there are. */
function previewAll(parts: (() => string)[], room: number): string {
  let text = "";
  for (const part of parts) {
    if (text.length >= room) return `${text}, …`;
    text += (text ? ", " : "") + part();
  }
  return text;
}

/** Exact text of a value that is no list and no document. */
export function exactText(value: Value): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? "out of range" : value.toISOString();
  return String(value);
}
