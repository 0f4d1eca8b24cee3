/*
 * BSON, both ways. The reader checks every length against the bytes there are, goes at most
 * MAXIMUM_DEPTH deep and throws BsonError on anything it does not know; it never loops.
 *
 * What JavaScript has becomes that: int32 and double a number, int64 a number where it is exact and
 * a bigint where not, a date a Date, null null. The rest are the classes of bson_values.ts, which
 * know how they are written. Documents are objects without a prototype; keysOf gives their fields in the
 * order of the bytes, which JavaScript does not keep where a name looks like an array's index.
 */

import {
  hexOf,
  Binary,
  BsonError,
  Code,
  Decimal128,
  isDocument,
  keysOf,
  MaxKey,
  MinKey,
  ObjectId,
  ORDER,
  Regex,
  Timestamp,
  type Value,
  type Document,
} from "./bson_values";

export * from "./bson_values";

const MAXIMUM_DEPTH = 200;
const textDecoder = new TextDecoder("utf-8", { fatal: true });
const SHORT_TEXT = 24;

class Reader {
  private readonly view: DataView;
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  document(limit: number, depth: number): Document {
    const end = this.enter(limit, depth);
    const document = Object.create(null) as Document;
    let names: string[] | undefined;
    let type = this.byte(end);
    while (type !== 0) {
      const name = this.name(end);
      const value = this.value(type, end, depth);
      if (!names && isIndex(name)) names = Object.keys(document);
      if (names && !(name in document)) names.push(name);
      document[name] = value;
      type = this.byte(end);
    }
    this.leave(end);
    if (names) Object.defineProperty(document, ORDER, { value: names });
    return document;
  }

  array(limit: number, depth: number): Value[] {
    const end = this.enter(limit, depth);
    const list: Value[] = [];
    let type = this.byte(end);
    while (type !== 0) {
      this.skipName(end);
      list.push(this.value(type, end, depth));
      type = this.byte(end);
    }
    this.leave(end);
    return list;
  }

  /** Step into a document; what is given back is where it ends. */
  private enter(limit: number, depth: number): number {
    if (depth > MAXIMUM_DEPTH) throw new BsonError("too deep");
    const start = this.at;
    const length = this.int32(limit);
    const end = start + length;
    if (length < 5 || end > limit) throw new BsonError("a document's length is wrong");
    return end;
  }

  private leave(end: number): void {
    if (this.at !== end) throw new BsonError("a document ends too early");
  }

  private value(type: number, limit: number, depth: number): Value {
    switch (type) {
      case 0x01:
        return this.view.getFloat64(this.take(8, limit), true);
      case 0x02:
        return this.text(limit);
      case 0x03:
        return this.document(limit, depth + 1);
      case 0x04:
        return this.array(limit, depth + 1);
      case 0x05:
        return this.binary(limit);
      case 0x06:
        return undefined;
      case 0x07:
        return new ObjectId(hexOf(this.slice(12, limit)));
      case 0x08:
        return this.boolean(limit);
      case 0x09:
        return new Date(Number(this.view.getBigInt64(this.take(8, limit), true)));
      case 0x0a:
        return null;
      case 0x0b:
        return new Regex(this.name(limit), this.name(limit));
      case 0x0d:
      case 0x0e:
        return new Code(this.text(limit));
      case 0x0f:
        return this.codeWithScope(limit, depth);
      case 0x10:
        return this.int32(limit);
      case 0x11:
        return this.timestamp(limit);
      case 0x12:
        return this.int64(limit);
      case 0x13:
        return new Decimal128(decimalText(this.slice(16, limit)));
      case 0x7f:
        return new MaxKey();
      case 0xff:
        return new MinKey();
      default:
        throw new BsonError(`unknown type ${type}`);
    }
  }

  /** Where the next `length` bytes begin; they are behind us afterwards. */
  private take(length: number, limit: number): number {
    const start = this.at;
    if (length < 0 || start + length > limit) throw new BsonError("a value is cut off");
    this.at = start + length;
    return start;
  }

  private slice(length: number, limit: number): Uint8Array {
    const start = this.take(length, limit);
    return this.bytes.subarray(start, start + length);
  }

  private byte(limit: number): number {
    return this.view.getUint8(this.take(1, limit));
  }
  private int32(limit: number): number {
    return this.view.getInt32(this.take(4, limit), true);
  }

  private int64(limit: number): number | bigint {
    const value = this.view.getBigInt64(this.take(8, limit), true);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  private boolean(limit: number): boolean {
    const value = this.byte(limit);
    if (value > 1) throw new BsonError("a boolean is neither 0 nor 1");
    return value === 1;
  }

  private timestamp(limit: number): Timestamp {
    const start = this.take(8, limit);
    return new Timestamp(this.view.getUint32(start + 4, true), this.view.getUint32(start, true));
  }

  private binary(limit: number): Binary {
    const length = this.int32(limit);
    const subtype = this.byte(limit);
    const bytes = this.slice(length, limit);
    if (subtype !== 2) return new Binary(bytes.slice(), subtype);
    if (length < 4) throw new BsonError("an old binary is too short");
    return new Binary(bytes.slice(4), subtype);
  }

  private codeWithScope(limit: number, depth: number): Code {
    const start = this.at;
    const end = start + this.int32(limit);
    if (end > limit || end < start + 14) throw new BsonError("a code's length is wrong");
    const text = this.text(end);
    const scope = this.document(end, depth + 1);
    this.leave(end);
    return new Code(text, scope);
  }

  private text(limit: number): string {
    const length = this.int32(limit);
    if (length < 1) throw new BsonError("a text's length is wrong");
    const start = this.take(length, limit);
    if (this.bytes[start + length - 1] !== 0) throw new BsonError("a text does not end");
    return this.decode(start, start + length - 1);
  }

  private name(limit: number): string {
    const start = this.at;
    this.skipName(limit);
    return this.decode(start, this.at - 1);
  }

  private skipName(limit: number): void {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0 || end >= limit) throw new BsonError("a name does not end");
    this.at = end + 1;
  }

  /** Short plain letters are quicker by hand than through the decoder. */
  private decode(start: number, end: number): string {
    if (end - start < SHORT_TEXT) {
      let text = "";
      for (let i = start; i < end; i++) {
        const letter = this.bytes[i]!;
        if (letter > 127) return this.decodeAny(start, end);
        text += String.fromCharCode(letter);
      }
      return text;
    }
    return this.decodeAny(start, end);
  }

  private decodeAny(start: number, end: number): string {
    try {
      return textDecoder.decode(this.bytes.subarray(start, end));
    } catch {
      throw new BsonError("a text is not UTF-8");
    }
  }
}

/** Read one document, which must fill the bytes. */
export function decode(bytes: Uint8Array): Document {
  if (
    bytes.length < 5 ||
    new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true) !== bytes.length
  ) {
    throw new BsonError("the length does not fit the bytes");
  }
  return new Reader(bytes).document(bytes.length, 0);
}

function isIndex(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 48 && first <= 57;
}

/* ---- Decimal128 as text: IEEE 754-2008 in its binary form, written as the standard says ---- */

const EXPONENT_BIAS = 6176;
const MAXIMUM_COEFFICIENT = 10n ** 34n - 1n;

function decimalText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const low = view.getBigUint64(0, true),
    high = view.getBigUint64(8, true);
  const sign = high >> 63n ? "-" : "";
  const kind = Number((high >> 58n) & 31n);
  if (kind === 31) return "NaN";
  if (kind === 30) return `${sign}Infinity`;
  const isWide = kind >> 3 === 3; /* such a coefficient is above the maximum: zero */
  const exponent = Number((high >> (isWide ? 47n : 49n)) & 0x3fffn) - EXPONENT_BIAS;
  const coefficient = isWide ? 0n : ((high & 0x1ffffffffffffn) << 64n) | low;
  return (
    sign + placePoint((coefficient > MAXIMUM_COEFFICIENT ? 0n : coefficient).toString(), exponent)
  );
}

function placePoint(digits: string, exponent: number): string {
  const scientific = exponent + digits.length - 1;
  if (exponent > 0 || scientific < -6) {
    const tail = digits.length > 1 ? `.${digits.slice(1)}` : "";
    return `${digits[0]}${tail}E${scientific < 0 ? "" : "+"}${scientific}`;
  }
  if (exponent === 0) return digits;
  const padded = digits.padStart(1 - exponent, "0");
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

/* ---- writing: only what a page sends ---- */

const textEncoder = new TextEncoder();

class Writer {
  private bytes = new Uint8Array(512);
  private view = new DataView(this.bytes.buffer);
  private at = 0;

  document(entries: Iterable<[string, Value]>): void {
    const start = this.reserve(4);
    for (const [name, value] of entries) {
      if (value !== undefined) this.field(name, value);
    }
    this.byte(0);
    this.view.setInt32(start, this.at - start, true);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.at);
  }

  private field(name: string, value: Exclude<Value, undefined>): void {
    const type = this.reserve(1);
    this.raw(textEncoder.encode(name));
    this.byte(0);
    const kind = this.value(value); /* first: it may replace the bytes */
    this.bytes[type] = kind;
  }

  private value(value: Exclude<Value, undefined>): number {
    if (value === null) return 0x0a;
    if (typeof value === "string") return this.text(value);
    if (typeof value === "boolean") {
      this.byte(value ? 1 : 0);
      return 0x08;
    }
    if (typeof value === "number") return this.number(value);
    if (typeof value === "bigint") {
      this.setInt64(value);
      return 0x12;
    }
    if (value instanceof Date) {
      this.setInt64(BigInt(value.getTime()));
      return 0x09;
    }
    if (Array.isArray(value)) {
      this.document(value.map((item, index): [string, Value] => [String(index), item]));
      return 0x04;
    }
    if (!isDocument(value)) throw new BsonError("a value that a page does not send");
    this.document(keysOf(value).map((name): [string, Value] => [name, value[name]]));
    return 0x03;
  }

  private number(value: number): number {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.setInt32(value);
      return 0x10;
    }
    if (Number.isSafeInteger(value) && value !== 0) {
      this.setInt64(BigInt(value));
      return 0x12;
    }
    const at = this.reserve(8);
    this.view.setFloat64(at, value, true);
    return 0x01;
  }

  private text(value: string): number {
    const encoded = textEncoder.encode(value);
    this.setInt32(encoded.length + 1);
    this.raw(encoded);
    this.byte(0);
    return 0x02;
  }

  /* `reserve` may replace the view: it goes first, on a line of its own. */
  private setInt32(value: number): void {
    const at = this.reserve(4);
    this.view.setInt32(at, value, true);
  }

  private setInt64(value: bigint): void {
    const at = this.reserve(8);
    this.view.setBigInt64(at, value, true);
  }

  private byte(value: number): void {
    const at = this.reserve(1);
    this.bytes[at] = value;
  }
  private raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
  }

  private reserve(length: number): number {
    const start = this.at;
    this.at += length;
    if (this.at > this.bytes.length) {
      const wider = new Uint8Array(Math.max(this.at, this.bytes.length * 2));
      wider.set(this.bytes);
      this.bytes = wider;
      this.view = new DataView(wider.buffer);
    }
    return start;
  }
}

export function encode(document: Document): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.document(keysOf(document).map((name): [string, Value] => [name, document[name]]));
  return writer.finish();
}
