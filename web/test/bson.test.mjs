import { test } from "node:test";
import assert from "node:assert/strict";
import { Binary, BSONRegExp, Decimal128, deserialize, Double, Int32, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp } from "bson";
import { load, makeRandom } from "./bundle.mjs";

const ours = await load("bson.ts");
const SEED = Number(process.env.SEED ?? 20261124);

function randomValue(random, depth) {
  const makers = [
    () => null, () => random.next() < 0.5, () => random.below(1e9) - 5e8, () => (random.next() - 0.5) * 1e12,
    () => Long.fromBits(random.below(2 ** 32) | 0, random.below(2 ** 32) | 0), () => randomText(random),
    () => new Date(random.below(4e12) - 2e12), () => new ObjectId(Buffer.from(Array.from({ length: 12 }, () => random.below(256)))),
    () => new Binary(Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256))), random.pick([0, 4, 5, 128])),
    () => randomDecimal(random), () => new Timestamp({ t: random.below(2 ** 32), i: random.below(2 ** 32) }),
    () => new BSONRegExp("^a.*" + random.below(100), "i"), () => new MinKey(), () => new MaxKey(),
  ];
  if (depth < 4 && random.next() < 0.3) return random.next() < 0.5 ? randomDocument(random, depth + 1) : Array.from({ length: random.below(5) }, () => randomValue(random, depth + 1));
  return random.pick(makers)();
}

function randomText(random) {
  const letters = ["a", "Z", "0", " ", "é", "木", "🌙", "\"", "\n", "\u0000"];
  return Array.from({ length: random.below(60) }, () => random.pick(letters)).join("");
}

function randomDecimal(random) {
  const bytes = Buffer.from(Array.from({ length: 16 }, () => random.below(256)));
  if (random.next() < 0.5) return Decimal128.fromString(`${random.below(1e9)}.${random.below(1e6)}`);
  return new Decimal128(bytes);
}

function randomDocument(random, depth = 0) {
  const document = {};
  for (let i = random.below(7); i > 0; i--) document[`f${random.below(50)}${random.next() < 0.2 ? "é" : ""}`] = randomValue(random, depth);
  return document;
}

/** What npm's reader gives, in the words of ours, to compare. */
function plain(value) {
  if (value instanceof ObjectId) return `id ${value.toHexString()}`;
  if (value instanceof Decimal128) return `decimal ${value.toString()}`;
  if (value instanceof Binary) return `binary ${value.sub_type} ${Buffer.from(value.buffer).toString("hex")}`;
  if (value instanceof Timestamp) return `timestamp ${value.t} ${value.i}`;
  if (value instanceof BSONRegExp) return `regex ${value.pattern} ${value.options}`;
  if (value instanceof MinKey) return "minkey";
  if (value instanceof MaxKey) return "maxkey";
  if (value instanceof Long) return plainLong(value.toBigInt());
  if (value instanceof Int32 || value instanceof Double) return value.value;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.entries(value).map(([name, item]) => [name, plain(item)]);
  return value;
}

const plainLong = (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : `int64 ${value}`);

function plainOurs(value) {
  if (value instanceof ours.ObjectId) return `id ${value.hex}`;
  if (value instanceof ours.Decimal128) return `decimal ${value.text}`;
  if (value instanceof ours.Binary) return `binary ${value.subtype} ${Buffer.from(value.bytes).toString("hex")}`;
  if (value instanceof ours.Timestamp) return `timestamp ${value.seconds} ${value.increment}`;
  if (value instanceof ours.Regex) return `regex ${value.pattern} ${value.options}`;
  if (value instanceof ours.MinKey) return "minkey";
  if (value instanceof ours.MaxKey) return "maxkey";
  if (typeof value === "bigint") return plainLong(value);
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (Array.isArray(value)) return value.map(plainOurs);
  if (value && typeof value === "object") return ours.keysOf(value).map((name) => [name, plainOurs(value[name])]);
  return value;
}

test(`random documents are read as npm's bson reads them (seed ${SEED})`, () => {
  const random = makeRandom(SEED);
  for (let i = 0; i < 1500; i++) {
    const bytes = serialize(randomDocument(random));
    const theirs = deserialize(bytes, { promoteValues: false, bsonRegExp: true });
    const want = plain(theirs);
    assert.deepEqual(plainOurs(ours.decode(bytes)), want, `document ${i}`);
  }
});

test("what the page writes is read by npm's bson as it was meant", () => {
  const document = {
    t: "event", n: 7, big: 2 ** 40 + 1, half: 0.5, minus: -0, zero: 0, none: null, yes: true, list: [1, "two", [3]],
    nested: { deep: { text: "🌙 é" } }, long: "x".repeat(5000), at: new Date(1700000000000),
  };
  const read = deserialize(ours.encode(document));
  assert.deepEqual(read, document);
});

test("a field that is undefined is not written", () => {
  assert.deepEqual(deserialize(ours.encode({ a: 1, press: undefined })), { a: 1 });
});

test("what is written is read back the same, at every size around the growing of the bytes", () => {
  for (let length = 480; length < 560; length++) {
    const document = { a: "x".repeat(length), b: length, c: { d: [length, "end"] } };
    assert.deepEqual(plainOurs(ours.decode(ours.encode(document))), plain(deserialize(ours.encode(document))));
  }
});

test("fields that look like an array's indices keep their order", () => {
  const bytes = ours.encode({ z: 1 });
  assert.deepEqual(ours.keysOf(ours.decode(bytes)), ["z"]);
  const parts = [["b", 1], ["10", 2], ["2", 3], ["__proto__", 4]];
  const body = Buffer.concat(parts.map(([name, value]) => { const part = Buffer.alloc(1 + Buffer.byteLength(name) + 1 + 4); part[0] = 0x10; part.write(name, 1); part.writeInt32LE(value, part.length - 4); return part; }));
  const whole = Buffer.concat([Buffer.alloc(4), body, Buffer.alloc(1)]);
  whole.writeInt32LE(whole.length, 0);
  assert.deepEqual(ours.keysOf(ours.decode(whole)), ["b", "10", "2", "__proto__"]);
});

test("decimals are written as the standard says", () => {
  for (const text of ["0", "-0", "1", "2.80", "0.001", "-1.5", "1E+3", "1.234E+10", "0.000001234", "1E-7", "NaN", "Infinity", "-Infinity", "9999999999999999999999999999999999", "1E-6176", "9.999E+6144"]) {
    const value = Decimal128.fromString(text);
    const read = ours.decode(serialize({ value })).value;
    assert.equal(read.text, value.toString());
  }
});

test(`hostile bytes throw an error and never loop (seed ${SEED})`, () => {
  const random = makeRandom(SEED + 1);
  let refused = 0;
  for (let i = 0; i < 4000; i++) {
    const bytes = Buffer.from(serialize(randomDocument(random)));
    for (let k = 1 + random.below(4); k > 0; k--) {
      const at = random.below(bytes.length);
      if (random.next() < 0.5) bytes[at] = random.pick([0, 1, 3, 4, 127, 128, 255, random.below(256)]);
      else if (at + 4 <= bytes.length) bytes.writeInt32LE(random.pick([-1, 0, 1, 4, 5, 0x7fffffff, -0x80000000, bytes.length, bytes.length + 1]), at);
    }
    const cut = random.next() < 0.3 ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
    try { ours.decode(cut); } catch (error) {
      assert.ok(error instanceof ours.BsonError, `${error.stack}\n${cut.toString("hex")}`);
      refused++;
    }
  }
  assert.ok(refused > 2000, `only ${refused} were refused`);
});

test("each document cut anywhere is refused", () => {
  const bytes = serialize({ a: "text", b: { c: [1, 2, { d: new ObjectId() }] }, e: new Binary(Buffer.alloc(9)), f: new BSONRegExp("a", "i") });
  for (let length = 0; length < bytes.length; length++) assert.throws(() => ours.decode(bytes.subarray(0, length)), ours.BsonError);
});

test("a document that is too deep is refused, not a full stack", () => {
  let deep = {};
  for (let i = 0; i < 500; i++) deep = { a: deep };
  assert.throws(() => ours.decode(serialize(deep)), ours.BsonError);
});
