// A command that works without end is ended by killSessions, maxTimeMS and a closed socket, wherever it works,
// and others get their turn meanwhile.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { Store, Wire, failure, Long, UUID } from '../support/store.mjs'

let store, client, control

before(async () => {
  store = await Store.start()
  client = await store.connect()
  control = await store.connect()
  await client.db('shop').collection('items').insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 2 }])
})
after(async () => assert.equal(await store.stop(), 0))

const status = async () => (await control.db('admin').command({ serverStatus: 1 })).moonlit
async function until(condition) {
  while (!(await condition())) await new Promise(setImmediate)
}

/** Ten to the sixteenth steps. */
const loop = (body, depth) => (depth === 0 ? body
  : { $reduce: { input: { $range: [0, 10000] }, initialValue: 0, in: loop(body, depth - 1) } })
const endless = { $gt: [loop('$$this', 4), -1] }
const mapped = { $size: { $map: { input: { $range: [0, 10000] }, in: loop('$$this', 3) } } }
const filtered = { $size: { $filter: { input: { $range: [0, 10000] }, cond: loop('$$this', 3) } } }
const pipeline = (...stages) => ({ aggregate: 'items', pipeline: stages, cursor: {} })

const commands = {
  'a find': { find: 'items', filter: { $expr: endless } },
  'a find by ids': { find: 'items', filter: { _id: { $in: [1, 2] }, $expr: endless } },
  'a find with a sort': { find: 'items', filter: { $expr: endless }, sort: { n: 1 } },
  'a projection': { find: 'items', projection: { x: mapped } },
  'a count': { count: 'items', query: { $expr: endless } },
  'a distinct': { distinct: 'items', key: 'n', query: { $expr: endless } },
  'a $match': pipeline({ $skip: 0 }, { $match: { $expr: endless } }),
  'an $addFields': pipeline({ $addFields: { x: filtered } }),
  'a $group by an expression': pipeline({ $group: { _id: endless } }),
  'a $sum of an expression': pipeline({ $group: { _id: null, x: { $sum: mapped } } }),
  'a $sort of what takes long': pipeline({ $addFields: { x: endless } }, { $sort: { x: 1 } }),
  'an update whose filter takes long': { update: 'items', updates: [{ q: { $expr: endless }, u: { $set: { x: 1 } } }] },
  'an update by a pipeline': { update: 'items', updates: [{ q: {}, u: [{ $set: { x: endless } }], multi: true }] },
  'a delete': { delete: 'items', deletes: [{ q: { $expr: endless }, limit: 0 }] },
  'a findAndModify': { findAndModify: 'items', query: { $expr: endless }, sort: { n: 1 }, remove: true },
  'a findAndModify by a pipeline': { findAndModify: 'items', query: {}, update: [{ $set: { x: endless } }] },
}

for (const [name, command] of Object.entries(commands)) {
  test(`killSessions ends ${name}, and nothing is left of it`, async () => {
    const wire = new Wire(store)
    const lsid = { id: new UUID() }
    const answer = failure(wire.command({ ...command, lsid, $db: 'shop' }))
    await until(async () => (await status()).active === 1)
    await control.db('admin').command({ killSessions: [lsid] })
    assert.equal((await answer).code, 11601)
    assert.equal((await status()).active, 0)
    assert.deepEqual(await client.db('shop').collection('items').find().toArray(), [{ _id: 1, n: 1 }, { _id: 2, n: 2 }])
    wire.close()
  })
}

test('maxTimeMS ends each of them', async () => {
  for (const [name, command] of Object.entries(commands)) {
    const error = await failure(client.db('shop').command({ ...command, maxTimeMS: 20 }))
    assert.equal(error.code, 50, name)
  }
})

test('a closed socket ends each of them', async () => {
  for (const command of Object.values(commands)) {
    const wire = new Wire(store)
    const answer = failure(wire.command({ ...command, $db: 'shop' }))
    await until(async () => (await status()).active === 1)
    wire.close()
    assert.equal(await answer, wire.lost)
    await until(async () => (await status()).active === 0)
  }
})

test('a cursor that works in its next batch is ended as well, and closed', async () => {
  const wire = new Wire(store)
  const lsid = { id: new UUID() }
  const filter = { $expr: { $or: [{ $eq: ['$n', 1] }, endless] } }
  const { cursor } = await wire.command({ find: 'items', filter, batchSize: 1, lsid, $db: 'shop' })
  const more = { getMore: cursor.id, collection: 'items', lsid, $db: 'shop' }
  const answer = failure(wire.command(more))
  await until(async () => (await status()).active === 1)
  await control.db('admin').command({ killSessions: [lsid] })
  assert.equal((await answer).code, 11601)
  assert.equal((await failure(wire.command(more))).code, 43)
  wire.close()
})

test('there are only so many cursors, and one more is refused with a sentence', async () => {
  const wire = new Wire(store)
  const open = () => wire.command({ find: 'items', batchSize: 1, $db: 'shop' })
  const ids = []
  for (let i = 0; i < 1000; i++) ids.push((await open()).cursor.id)
  assert.match((await failure(open())).message, /no room for more than 1000 open cursors/)
  await wire.command({ killCursors: 'items', cursors: ids.map((id) => Long.fromNumber(Number(id))), $db: 'shop' })
  assert.notEqual((await open()).cursor.id, 0)
  wire.close()
})

test('a command that would take all memory fails alone', async () => {
  const many = client.db('shop').collection('many')
  await many.insertMany(Array.from({ length: 40 }, (_, _id) => ({ _id, text: 'x'.repeat(4000000) })))
  for (const stage of [{ $sort: { text: 1 } }, { $group: { _id: null, all: { $push: '$text' } } },
    { $group: { _id: '$_id', one: { $first: '$text' } } }, { $sample: { size: 40 } }]) {
    const error = await failure(many.aggregate([{ $addFields: { text: { $concat: ['$text', { $toString: '$_id' }] } } }, stage]).toArray())
    assert.equal(error.code, 292, JSON.stringify(stage))
  }
  assert.equal(await many.countDocuments(), 40)
})
