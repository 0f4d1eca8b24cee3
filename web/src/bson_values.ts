/* The values of BSON that JavaScript has no type for, and documents in their order. */

export class BsonError extends Error {}

export class ObjectId {
  constructor(readonly hex: string) {}
  toString() {
    return this.hex;
  }
}
export class Binary {
  constructor(
    readonly bytes: Uint8Array,
    readonly subtype: number,
  ) {}
  toString() {
    return this.subtype === 4 ? uuidText(this.bytes) : `${this.bytes.length} bytes`;
  }
}
export class Regex {
  constructor(
    readonly pattern: string,
    readonly options: string,
  ) {}
  toString() {
    return `/${this.pattern}/${this.options}`;
  }
}
export class Timestamp {
  constructor(
    readonly seconds: number,
    readonly increment: number,
  ) {}
  toString() {
    return `${this.seconds}, ${this.increment}`;
  }
}
export class Decimal128 {
  constructor(readonly text: string) {}
  toString() {
    return this.text;
  }
}
export class Code {
  constructor(
    readonly text: string,
    readonly scope?: Document,
  ) {}
  toString() {
    return this.text;
  }
}
export class MinKey {
  toString() {
    return "MinKey";
  }
}
export class MaxKey {
  toString() {
    return "MaxKey";
  }
}

export type Value =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Date
  | Value[]
  | Document
  | ObjectId
  | Binary
  | Regex
  | Timestamp
  | Decimal128
  | Code
  | MinKey
  | MaxKey;
export interface Document {
  [name: string]: Value;
}

export const ORDER = Symbol("order of the fields");

/** The fields of a document in their own order. */
export function keysOf(document: Document): string[] {
  return (document as { [ORDER]?: string[] })[ORDER] ?? Object.keys(document);
}

export function isDocument(value: Value): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value) && isPlain(value);
}

export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/* ---- reading ---- */

export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += (byte < 16 ? "0" : "") + byte.toString(16);
  return text;
}

function uuidText(bytes: Uint8Array): string {
  return hexOf(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
