// Indexes: unique means unique, and an index never changes an answer.
import { test, before, after, beforeEach } from 'node:test'
import assert from 'node:assert/strict'
import { Store, failure, Decimal128, Long } from '../support/store.mjs'

let store, db, items

before(async () => {
  store = await Store.start()
  db = (await store.connect()).db('shop')
})
after(async () => assert.equal(await store.stop(), 0))
beforeEach(async () => {
  items = db.collection('items')
  await items.drop().catch(() => {})
})

const plan = async (filter, options = {}) => {
  let stage = (await items.find(filter, options).explain()).queryPlanner.winningPlan
  while (stage.inputStage) stage = stage.inputStage
  return stage.indexName ?? stage.stage
}

test('_id is always found through its index, a list of them too', async () => {
  await items.insertMany(Array.from({ length: 50 }, (_, i) => ({ _id: i })))
  assert.equal(await plan({ _id: 7 }), 'IDHACK')
  assert.equal(await plan({ _id: { $in: [3, 4] }, a: null }), 'IDHACK')
  assert.deepEqual(await items.find({ _id: { $in: [4, 3, 99] } }).sort({ _id: 1 }).toArray(), [{ _id: 3 }, { _id: 4 }])
})

test('a unique index refuses doubles, whatever their number type, and says which', async () => {
  await items.createIndex({ n: 1 }, { unique: true })
  await items.insertOne({ n: 1 })
  for (const n of [1.0, Long.fromNumber(1), Decimal128.fromString('1.00')]) {
    const error = await failure(items.insertOne({ n }))
    assert.equal(error.code, 11000)
    assert.deepEqual(error.keyPattern, { n: 1 })
  }
  await items.insertOne({ n: 2 })
  assert.equal((await failure(items.updateOne({ n: 2 }, { $set: { n: 1 } }))).code, 11000)
  await items.insertOne({})
  assert.equal((await failure(items.insertOne({ n: null }))).code, 11000)
})

test('a unique index over doubles is not made', async () => {
  await items.insertMany([{ n: 1 }, { n: 1 }])
  assert.equal((await failure(items.createIndex({ n: 1 }, { unique: true }))).code, 11000)
  assert.equal((await items.indexes()).length, 1)
  await items.insertOne({ n: 1 })
})

test('an index that could not be made ends no cursor of other collections', async () => {
  const others = db.collection('others')
  await others.drop().catch(() => {})
  await others.insertMany(Array.from({ length: 30 }, (_, i) => ({ _id: i })))
  const cursor = others.find({}, { batchSize: 10 })
  await cursor.next()
  await items.insertMany([{ n: 1 }, { n: 1 }])
  assert.equal((await failure(items.createIndex({ n: 1 }, { unique: true }))).code, 11000)
  assert.equal((await cursor.toArray()).length, 29)
})

test('indexes are listed, found again, and dropped', async () => {
  await items.createIndexes([{ key: { a: 1, b: -1 } }, { key: { c: 1 }, sparse: true, name: 'sparse_c' }])
  assert.deepEqual((await items.indexes()).map(({ name }) => name), ['_id_', 'a_1_b_-1', 'sparse_c'])
  assert.equal((await failure(items.createIndex({ c: 1 }, { name: 'other' }))).code, 85)
  await items.dropIndex('a_1_b_-1')
  assert.equal((await failure(items.dropIndex('_id_'))).code, 72)
  assert.equal((await failure(items.dropIndex('nothing'))).code, 27)
  assert.deepEqual((await items.indexes()).map(({ name }) => name), ['_id_', 'sparse_c'])
  assert.match((await failure(items.createIndex({ t: 'text' }))).message, /works on MongoDB/)
})

test('a sort through an index is not sorted again', async () => {
  await items.createIndex({ a: 1, b: -1 })
  assert.equal(await plan({}, { sort: { a: 1, b: -1 } }), 'a_1_b_-1')
  assert.equal(await plan({}, { sort: { a: -1, b: 1 } }), 'a_1_b_-1')
  assert.equal(await plan({}, { sort: { a: 1, b: 1 } }), 'COLLSCAN')
  assert.equal(await plan({ a: 5 }, { sort: { b: 1 } }), 'a_1_b_-1')
})

// A small deterministic generator; the seed is in the message of what fails.
const generator = (seed) => () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648

test('with and without indexes the answers are the same', async () => {
  const seed = Number(process.env.SEED ?? 7)
  const random = generator(seed)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const scalar = () => pick([
    () => Math.floor(random() * 5), () => random() * 5, () => Long.fromNumber(Math.floor(random() * 5)), () => null,
    () => pick(['a', 'b', 'ba', '']), () => new Date(Math.floor(random() * 3)), () => random() < 0.5,
    () => Decimal128.fromString(String(Math.floor(random() * 5))),
  ])()
  const value = () => pick([scalar, scalar, scalar, () => [scalar(), scalar()], () => [], () => ({ c: scalar() }),
    () => [{ c: scalar() }, { c: scalar() }]])()
  const condition = () => pick([
    () => scalar(), () => ({ $gt: scalar() }), () => ({ $lte: scalar() }), () => ({ $in: [scalar(), scalar()] }),
    () => ({ $gte: scalar(), $lt: scalar() }), () => ({ $ne: scalar() }), () => ({ $exists: random() < 0.5 }),
  ])()
  const plain = db.collection('plain')
  await plain.drop().catch(() => {})
  const documents = Array.from({ length: 300 }, (_, i) => {
    const document = { _id: i }
    for (const name of ['a', 'b']) if (random() < 0.9) document[name] = value()
    return document
  })
  await items.insertMany(documents)
  await plain.insertMany(documents)
  for (const key of [{ a: 1 }, { b: -1, _id: 1 }, { 'a.c': 1 }]) await items.createIndex(key)
  for (let i = 0; i < 300; i++) {
    const filter = { [pick(['a', 'a.c', 'b'])]: condition() }
    if (random() < 0.5) filter[pick(['a', 'b', 'b.c'])] = condition()
    const sort = pick([{ _id: 1 }, { a: 1, _id: 1 }, { b: -1, _id: 1 }])
    const ids = async (collection) => (await collection.find(filter).sort(sort).toArray()).map(({ _id }) => _id)
    const words = `seed ${seed}, ${JSON.stringify(filter)} ${JSON.stringify(sort)}`
    assert.deepEqual(await ids(items), await ids(plain), words)
    if (i % 10 === 0) {
      const change = { $set: { [pick(['a', 'b'])]: value() } }
      const id = Math.floor(random() * 300)
      for (const collection of [items, plain]) await collection.updateOne({ _id: id }, change)
    }
  }
})
