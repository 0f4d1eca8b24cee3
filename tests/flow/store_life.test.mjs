// What ends a command, what survives the store's death, and what is written once though sent twice.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { Store, Wire, failure, Long, UUID } from '../support/store.mjs'

const point = (client, data, mode = 'alwaysOn') => client.db('admin').command({ configureFailPoint: 'failCommand', mode, data })
const status = async (client) => (await client.db('admin').command({ serverStatus: 1 })).moonlit

async function until(condition) {
  while (!(await condition())) await new Promise(setImmediate)
}

test('a retryable write that is sent twice happens once, and is answered twice', async () => {
  const store = await Store.start()
  const client = await store.connect()
  const db = client.db('shop')
  const lsid = { id: new UUID() }
  const wire = new Wire(store)
  await db.collection('items').insertOne({ _id: 1, n: 0 })
  const session = (number) => ({ $db: 'shop', lsid, txnNumber: Long.fromNumber(number) })
  const send = (number) => wire.command({ update: 'items', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }], ...session(number) })
  const modify = (number) =>
    wire.command({ findAndModify: 'items', query: { _id: 1 }, update: { $inc: { n: 1 } }, new: true, ...session(number) })
  const first = await send(1)
  assert.deepEqual(await send(1), first)
  assert.equal((await db.collection('items').findOne()).n, 1)
  assert.equal((await modify(2)).value.n, 2)
  await client.close()
  await store.kill()
  await store.launch()
  const again = await store.connect()
  assert.equal((await modify(2)).value.n, 2)
  assert.equal((await again.db('shop').collection('items').findOne()).n, 2)
  assert.equal((await failure(send(1))).code, 225)
  wire.close()
  await store.stop()
})

test('failCommand fails, closes, and counts down; without --test-commands it is unknown', async () => {
  const store = await Store.start()
  const client = await store.connect({ retryReads: false, retryWrites: false })
  const items = client.db('shop').collection('items')
  await point(client, { failCommands: ['find'], errorCode: 96 }, { times: 2 })
  assert.equal((await failure(items.findOne())).code, 96)
  assert.equal((await failure(items.findOne())).code, 96)
  assert.equal(await items.findOne(), null)
  await point(client, { failCommands: ['insert'], closeConnection: true }, { times: 1 })
  assert.match((await failure(items.insertOne({}))).name, /Network/)
  await items.insertOne({})
  await store.stop()

  const strict = await Store.start({ options: [] })
  const other = await strict.connect()
  assert.equal((await failure(point(other, { failCommands: ['find'], errorCode: 1 }))).code, 59)
  await strict.stop()
})

test('a driver repeats a write whose connection was lost, and it happens once', async () => {
  const store = await Store.start()
  const client = await store.connect()
  const items = client.db('shop').collection('items')
  await point(client, { failCommands: ['insert'], closeConnection: true }, { times: 1 })
  await items.insertOne({ _id: 1 })
  await point(client, { failCommands: ['update'], errorCode: 10107 }, { times: 1 })
  await items.updateOne({ _id: 1 }, { $inc: { n: 1 } })
  assert.deepEqual(await items.find().toArray(), [{ _id: 1, n: 1 }])
  await store.stop()
})

test('killSessions ends a find that waits, and the server says that nothing is left', async () => {
  const store = await Store.start()
  const client = await store.connect()
  const control = await store.connect()
  await point(control, { failCommands: ['find'], blockConnection: true, blockTimeMS: 600000 })
  const session = client.startSession()
  const find = failure(client.db('shop').collection('items').findOne({}, { session }))
  await until(async () => (await status(control)).active === 1)
  const before = (await status(control)).killed
  await control.db('admin').command({ killSessions: [{ id: session.id.id }] })
  assert.equal((await find).code, 11601)
  const after = await status(control)
  assert.deepEqual([after.active, after.killed], [0, before + 1])
  await session.endSession()
  await store.stop()
})

test('maxTimeMS ends a command that waits and one that works', async () => {
  const store = await Store.start()
  const client = await store.connect()
  const items = client.db('shop').collection('items')
  await point(client, { failCommands: ['find'], blockConnection: true, blockTimeMS: 600000 }, { times: 1 })
  assert.equal((await failure(items.findOne({}, { maxTimeMS: 5 }))).code, 50)
  await items.insertMany(Array.from({ length: 20000 }, (_, i) => ({ _id: i, s: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' })))
  assert.equal((await failure(items.find({ $nor: Array.from({ length: 50 }, (_, i) => ({ s: new RegExp(`a*b${i}`) })) })
    .maxTimeMS(1).toArray())).code, 50)
  await store.stop()
})

test('a closed socket ends the command that it asked for', async () => {
  const store = await Store.start()
  const control = await store.connect()
  const client = await store.connect()
  await point(control, { failCommands: ['find'], blockConnection: true, blockTimeMS: 600000 })
  const find = failure(client.db('shop').collection('items').findOne())
  await until(async () => (await status(control)).active === 1)
  await client.close(true)
  await find
  await until(async () => (await status(control)).active === 0)
  await store.stop()
})

test('a long read lets others have their turn', async () => {
  const store = await Store.start()
  const client = await store.connect()
  const other = await store.connect()
  const items = client.db('shop').collection('items')
  await items.insertMany(Array.from({ length: 20000 }, (_, i) => ({ _id: i, s: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' })))
  let turns = 0
  for (let round = 0; round < 10 && turns < 2; round++) { // one that was over before anybody looked says nothing
    let done = false
    const long = items.find({ $and: Array.from({ length: 30 }, (_, i) => ({ s: { $not: new RegExp(`a*b${i}`) } })) })
      .sort({ s: 1, _id: -1 }).limit(1).toArray().then((result) => { done = true; return result })
    await until(async () => (await status(other)).active === 1 || done)
    for (turns = 0; !done; turns++) await other.db('shop').collection('others').insertOne({})
    assert.equal((await long)[0]._id, 19999)
  }
  assert.ok(turns > 1, `others had ${turns} turns`)
  await store.stop()
})

test('a message that is not one closes its connection and no other', async () => {
  const store = await Store.start()
  const client = await store.connect()
  const broken = [
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), Buffer.alloc(16, 0xff),
    Buffer.from([21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0, 0, 0, 0, 0, 9]),
    Buffer.from([26, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0, 0, 0, 0, 0, 0, 50, 0, 0, 0, 0]),
  ]
  for (const bytes of broken) {
    const socket = net.connect(store.socket)
    socket.on('error', () => {})
    socket.write(bytes)
    socket.resume()
    await once(socket, 'close')
  }
  assert.equal((await client.db('a').command({ ping: 1 })).ok, 1)
  await store.stop()
})

test('unacknowledged writes are done and not answered', async () => {
  const store = await Store.start()
  const client = await store.connect({ maxPoolSize: 1 })
  const items = client.db('shop').collection('items')
  await items.insertOne({ _id: 1 }, { writeConcern: { w: 0 } })
  await items.insertOne({ _id: 2 })
  assert.equal(await items.countDocuments(), 2)
  await items.insertOne({ _id: 3 }, { writeConcern: { w: 'majority', j: true } })
  assert.equal(await items.countDocuments(), 3)
  await store.stop()
})

test('a second store on the same folder is refused with a sentence', async () => {
  const store = await Store.start()
  const second = new Store()
  Object.assign(second, { dir: store.dir, socket: `${store.socket}.2.sock`, options: [] })
  assert.match((await failure(second.launch())).message, /Another store is using/)
  await store.stop()
})

test('acknowledged writes survive kill -9, twenty times under four writers', async () => {
  const store = await Store.start()
  const writers = Array.from({ length: 4 }, (_, number) => ({ number, wire: new Wire(store), lsid: { id: new UUID() }, sent: 0, done: 0 }))
  const total = () => writers.reduce((sum, { done }) => sum + done, 0)
  let running = true
  // Sent until it is answered, under one number: however often it arrives, it is one write.
  const write = async (writer, command) => {
    const numbered = { ...command, $db: 'shop', lsid: writer.lsid, txnNumber: Long.fromNumber(++writer.sent) }
    for (;;) {
      try {
        const answer = await writer.wire.command(numbered)
        assert.equal(answer.writeErrors, undefined)
        return assert.equal(answer.n, 1)
      } catch (error) {
        if (error !== writer.wire.lost) throw error
      }
    }
  }
  const work = Promise.all(writers.map(async (writer) => {
    for (; running; writer.done++) {
      const _id = `${writer.number}:${writer.done}`
      await write(writer, { insert: 'inserts', documents: [{ _id, text: 'x'.repeat(500) }] })
      await write(writer, { update: 'sums', updates: [{ q: { _id: writer.number }, u: { $inc: { n: 1 } }, upsert: true }] })
    }
  }))
  for (let round = 0; round < 20; round++) {
    const before = total()
    await Promise.race([work, until(() => total() > before + 40)])
    await store.kill()
    await store.launch()
  }
  running = false
  await work
  const db = (await store.connect()).db('shop')
  const sums = Object.fromEntries((await db.collection('sums').find().toArray()).map(({ _id, n }) => [_id, n]))
  assert.deepEqual(sums, Object.fromEntries(writers.map(({ number, done }) => [number, done])))
  const ids = (await db.collection('inserts').find().toArray()).map(({ _id }) => _id).sort()
  assert.deepEqual(ids, writers.flatMap(({ number, done }) => Array.from({ length: done }, (_, i) => `${number}:${i}`)).sort())
  writers.forEach(({ wire }) => wire.close())
  await store.stop()
})
