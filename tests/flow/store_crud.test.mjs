// What drivers do all day, against the built-in store.
import { test, before, after, beforeEach } from 'node:test'
import assert from 'node:assert/strict'
import { Store, failure, Long, Double, Int32, Decimal128, ObjectId, Binary, Timestamp, MinKey, MaxKey } from '../support/store.mjs'

let store, client, db, items

before(async () => {
  store = await Store.start()
  client = await store.connect()
  db = client.db('shop')
})
after(async () => assert.equal(await store.stop(), 0))
beforeEach(async () => {
  items = db.collection('items')
  await items.drop().catch(() => {})
})

test('a document comes back byte for byte, whatever types it holds', async () => {
  const raw = db.collection('items', { promoteValues: false, raw: false })
  const document = {
    _id: new ObjectId(), int: new Int32(3), long: Long.fromString('9007199254740993'), double: new Double(3),
    decimal: Decimal128.fromString('1.10'), date: new Date(-5), binary: new Binary(Buffer.from([1, 2]), 6),
    nothing: null, list: [], empty: {}, pattern: /a.b/i, time: new Timestamp({ t: 5, i: 6 }), low: new MinKey(),
    high: new MaxKey(), text: 'zwölf\0', z: { b: 1, a: 2 },
  }
  const { BSON } = await import('../support/moonlit.mjs').then(({ require }) => require('bson'))
  await raw.insertOne(document)
  const back = await db.collection('items', { raw: true }).findOne({ _id: document._id })
  assert.deepEqual(Buffer.from(back), Buffer.from(BSON.serialize(document)))
})

test('inserts, finds, sorts, skips, limits and projects', async () => {
  await items.insertMany(Array.from({ length: 300 }, (_, i) => ({ _id: i, price: i % 10, name: `n${i}` })))
  const found = await items.find({ price: { $gte: 8 }, _id: { $lt: 50 } }, { projection: { name: 1, _id: 0 } })
    .sort({ price: -1, _id: -1 }).skip(1).limit(3).toArray()
  assert.deepEqual(found, [{ name: 'n39' }, { name: 'n29' }, { name: 'n19' }])
  assert.equal(await items.countDocuments({ price: 3 }), 30)
  assert.deepEqual(await items.distinct('price', { _id: { $lt: 4 } }), [0, 1, 2, 3])
})

test('a cursor gives everything in batches and is gone afterwards', async () => {
  await items.insertMany(Array.from({ length: 250 }, (_, i) => ({ _id: i })))
  const cursor = items.find({}, { batchSize: 7 })
  const ids = []
  for await (const { _id } of cursor) ids.push(_id)
  assert.deepEqual(ids, Array.from({ length: 250 }, (_, i) => i))
  const error = await failure(db.command({ getMore: Long.fromNumber(12345), collection: 'items' }))
  assert.equal(error.code, 43)
})

test('a cursor goes on behind its last document while others write and delete', async () => {
  await items.insertMany(Array.from({ length: 60 }, (_, i) => ({ _id: i })))
  const cursor = items.find({}, { batchSize: 10 })
  for (let i = 0; i < 10; i++) await cursor.next()
  await items.deleteMany({ _id: { $lt: 30 } })
  await items.insertOne({ _id: 1000 })
  const rest = (await cursor.toArray()).map(({ _id }) => _id)
  assert.deepEqual(rest, [...Array.from({ length: 30 }, (_, i) => i + 30), 1000])
})

test('updates change what they name and tell how many', async () => {
  await items.insertMany([{ _id: 1, n: 1, tags: ['a'] }, { _id: 2, n: 2 }, { _id: 3, n: 3 }])
  const one = await items.updateOne({ _id: 1 }, { $inc: { n: 4 }, $push: { tags: 'b' }, $set: { 'deep.er': true } })
  assert.deepEqual([one.matchedCount, one.modifiedCount], [1, 1])
  assert.deepEqual(await items.findOne({ _id: 1 }), { _id: 1, n: 5, tags: ['a', 'b'], deep: { er: true } })
  const many = await items.updateMany({ n: { $gte: 3 } }, { $set: { n: 3 } })
  assert.deepEqual([many.matchedCount, many.modifiedCount], [2, 1])
  const replaced = await items.replaceOne({ _id: 2 }, { x: 1 })
  assert.equal(replaced.modifiedCount, 1)
  assert.deepEqual(await items.findOne({ _id: 2 }), { _id: 2, x: 1 })
})

test('an upsert inserts what the filter and the update say', async () => {
  const result = await items.updateOne({ sku: 'a', n: { $gt: 1 } }, { $inc: { hits: 1 }, $setOnInsert: { made: 1 } }, { upsert: true })
  assert.equal(result.upsertedCount, 1)
  const { _id, ...rest } = await items.findOne({ sku: 'a' })
  assert.ok(_id.equals(result.upsertedId))
  assert.deepEqual(rest, { sku: 'a', hits: 1, made: 1 })
})

test('findAndModify gives the old or the new document, in the order asked for', async () => {
  await items.insertMany([{ _id: 1, n: 5 }, { _id: 2, n: 9 }, { _id: 3, n: 7 }])
  assert.equal((await items.findOneAndUpdate({}, { $inc: { n: 1 } }, { sort: { n: -1 } }))._id, 2)
  const after = await items.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { returnDocument: 'after' })
  assert.equal(after.n, 6)
  assert.equal((await items.findOneAndDelete({ n: 7 }))._id, 3)
  assert.equal(await items.findOneAndUpdate({ _id: 99 }, { $set: { a: 1 } }), null)
})

test('_id cannot be changed, and a document without one gets one, in front', async () => {
  await items.insertOne({ _id: 1 })
  assert.equal((await failure(items.updateOne({ _id: 1 }, { $set: { _id: 2 } }))).code, 66)
  await db.command({ insert: 'items', documents: [{ b: 1 }, { c: 1, _id: 'x' }] })
  assert.deepEqual(Object.keys(await items.findOne({ b: 1 })), ['_id', 'b'])
  assert.deepEqual(Object.keys(await items.findOne({ _id: 'x' })), ['_id', 'c'])
})

test('an ordered insert stops at the first double, an unordered one goes on', async () => {
  const documents = [{ _id: 1 }, { _id: 1.0 }, { _id: 2 }]
  const first = await failure(items.insertMany(documents))
  assert.equal(first.code, 11000)
  assert.equal(await items.countDocuments(), 1)
  const second = await failure(items.insertMany(documents, { ordered: false }))
  assert.equal(second.writeErrors.length, 2)
  assert.equal(await items.countDocuments(), 2)
})

test('a pipeline matches, groups and sorts', async () => {
  await items.insertMany(Array.from({ length: 100 }, (_, i) => ({ kind: i % 3, n: i })))
  const groups = await items.aggregate([
    { $match: { n: { $lt: 90 } } }, { $group: { _id: '$kind', sum: { $sum: '$n' }, count: { $sum: 1 } } }, { $sort: { _id: 1 } },
  ]).toArray()
  assert.deepEqual(groups, [0, 1, 2].map((kind) => ({ _id: kind, sum: 1305 + 30 * kind, count: 30 })))
})

test('what the store lacks it refuses with the code and the way out', async () => {
  assert.equal((await failure(db.command({ sing: 1 }))).code, 59)
  const where = await failure(items.find({ $where: 'true' }).toArray())
  assert.equal(where.code, 115)
  assert.match(where.message, /works on MongoDB.*--database/)
  assert.equal((await failure(db.command({ find: 'items', sideways: 1 }))).code, 40415)
  assert.equal((await failure(items.find({ a: { $near: 1 } }).toArray())).code > 0, true)
  assert.equal((await failure(db.createCollection('c', { capped: true, size: 100 }))).code, 115)
  const session = client.startSession()
  session.startTransaction()
  assert.equal((await failure(items.insertOne({}, { session }))).code, 115)
  await session.abortTransaction().catch(() => {})
  await session.endSession()
})

test('a document too deep or too large is refused, and the connection lives', async () => {
  let deep = {}
  for (let i = 0; i < 101; i++) deep = { a: deep }
  assert.equal((await failure(items.insertOne(deep))).code, 15)
  const large = await db.command({ insert: 'items', documents: [{ a: 'x'.repeat(16 * 1024 * 1024) }] })
  assert.equal(large.writeErrors[0].code, 10334)
  await items.insertOne({ a: 'x'.repeat(16 * 1024 * 1024 - 100) })
  assert.equal((await items.findOne()).a.length, 16 * 1024 * 1024 - 100)
})

test('collections and databases are listed, dropped and renamed', async () => {
  const other = client.db('other')
  await other.createCollection('one')
  await other.collection('two').insertOne({})
  assert.deepEqual((await other.listCollections().toArray()).map(({ name }) => name), ['one', 'two'])
  assert.equal((await failure(other.createCollection('one'))).code, 48)
  await other.collection('two').rename('three')
  assert.deepEqual((await other.listCollections({ name: /^t/ }).toArray()).map(({ name }) => name), ['three'])
  assert.ok((await client.db().admin().listDatabases()).databases.some(({ name }) => name === 'other'))
  await other.dropDatabase()
  assert.deepEqual(await other.listCollections().toArray(), [])
})
