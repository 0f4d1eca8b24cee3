// The store's file and folder: a full disk, a file from the future, folders that cannot be.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, openSync, closeSync, readSync, writeSync, readFileSync, writeFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import net from 'node:net'
import { once } from 'node:events'
import { Store, failure, message } from '../support/store.mjs'
import { command } from '../support/process.mjs'
import { folder } from '../support/moonlit.mjs'

/** Files of the store may grow to `bytes`, as if the disk were full then. */
const limit = (store, bytes) => execFileSync('prlimit', [`--fsize=${bytes}:`, '--pid', String(store.child.pid)])
const text = 'x'.repeat(20000)
const list = [1, 2, 3] // an index of it and the text is three times as large as the documents

test('a full disk is an error with a sentence, nothing is half there, and with room the store goes on', async () => {
  const store = await Store.start()
  const items = (await store.connect()).db('shop').collection('items')
  await items.createIndex({ n: 1 })
  await items.insertMany(Array.from({ length: 50 }, (_, _id) => ({ _id, n: _id, text, list })))
  limit(store, 3000000)
  let acknowledged = 50
  let error
  for (; !error && acknowledged < 5000; acknowledged += error ? 0 : 10) {
    const batch = Array.from({ length: 10 }, (_, i) => ({ _id: acknowledged + i, n: acknowledged + i, text, list }))
    error = await items.insertMany(batch).then(() => undefined, (failed) => failed)
  }
  assert.equal(error.code, 14031, error.message)
  assert.match(error.message, /could not .*; is the disk full\? Make room and try again/)
  assert.ok(acknowledged > 50)
  assert.equal(await items.countDocuments(), acknowledged)
  assert.equal(await items.estimatedDocumentCount(), acknowledged)
  assert.equal((await items.find({ n: { $gte: 0 } }).toArray()).length, acknowledged)
  assert.equal((await failure(items.updateMany({}, { $set: { other: text } }))).code, 14031)
  assert.equal(await items.countDocuments({ other: { $exists: true } }), 0)
  assert.equal((await failure(items.createIndex({ list: 1, text: 1 }))).code, 14031)
  assert.equal((await items.indexes()).length, 2)
  limit(store, 'unlimited')
  await items.insertOne({ _id: 'again', n: -1 })
  await items.createIndex({ list: 1, text: 1 })
  await store.kill()
  await store.launch()
  const back = (await store.connect()).db('shop').collection('items')
  assert.equal(await back.countDocuments(), acknowledged + 1)
  assert.equal((await back.find({ n: { $gte: 0 } }).toArray()).length, acknowledged)
  await back.insertOne({ n: -2 })
  assert.equal(await store.stop(), 0)
})

test('a file of a newer Moonlit, or of somebody else, is refused and stays as it is', async () => {
  const store = await Store.start()
  await (await store.connect()).db('shop').collection('items').insertOne({ _id: 1 })
  assert.equal(await store.stop(), 0)
  const path = join(store.dir, 'data/store.sqlite')
  const file = openSync(path, 'r+')
  const version = Buffer.alloc(4)
  readSync(file, version, 0, 4, 60) // SQLite keeps the version of a file there
  assert.equal(version.readUInt32BE(), 1)
  writeSync(file, Buffer.from([0, 0, 0, 9]), 0, 4, 60)
  closeSync(file)
  const before = readFileSync(path)
  assert.match((await failure(store.launch())).message, /has format 9, this Moonlit reads 1; use the Moonlit that wrote it/)
  assert.deepEqual(readFileSync(path), before)
  writeFileSync(path, 'Dear diary, today was a day like any other, and I wrote all of it down here.')
  assert.match((await failure(store.launch())).message, /store\.sqlite/)
})

test('a folder that cannot be made or locked, and a socket that cannot be, each end with one sentence', async () => {
  const dir = folder()
  writeFileSync(join(dir, 'file'), '')
  mkdirSync(join(dir, 'taken/store.lock'), { recursive: true })
  const cases = [
    [[join(dir, 'file/inside')], /cannot be made: Not a directory; name another with --store/],
    [['/proc/nowhere'], /cannot be made: .*; name another/],
    [[join(dir, 'taken')], /store\.lock cannot be opened: Is a directory; name another folder/],
    [[join(dir, 'x'.repeat(5000))], /too long/],
    [[join(dir, 'a'), '--socket', join(dir, `${'x'.repeat(120)}.sock`)], /107 is the most/],
    [[join(dir, 'a'), '--socket', join(dir, 'a')], /must end in \.sock/],
    [[join(dir, 'a'), '--socket', join(dir, 'nowhere/a.sock')], /cannot listen on/],
    [[join(dir, 'a'), '--listen', '192.168.0.1:0'], /this machine only/],
    [[join(dir, 'a'), '--listen', '127.0.0.1:x'], /HOST:PORT/],
  ]
  for (const [words, sentence] of cases) {
    const { code, err } = await command(['store', ...words])
    assert.match(err, sentence)
    assert.equal(err.trim().split('\n').length, 1, err)
    assert.ok(code === 1 || code === 2, `${words}: ${code}`)
  }
  const host = await command(['run', join(dir, 'file'), '--store', join(dir, 'file/inside')])
  assert.ok(host.code === 1 || host.code === 2)
})

test('a message cut in half, and one that announces more than it sends, leave nothing behind', async () => {
  const store = await Store.start()
  const client = await store.connect({ maxPoolSize: 1 })
  const db = client.db('shop')
  const current = async () => (await client.db('admin').command({ serverStatus: 1 })).connections.current
  const idle = await current()
  const whole = message({ insert: 'items', $db: 'shop' }, [['documents', [{ _id: 1, text }]]])
  for (const length of [1, 15, 16, 20, 21, 100, whole.length - 1]) {
    const socket = net.connect(store.socket)
    await once(socket, 'connect')
    await new Promise((done) => socket.write(whole.subarray(0, length), done))
    socket.destroy()
  }
  while ((await current()) > idle) await new Promise(setImmediate)
  assert.equal(await db.collection('items').countDocuments(), 0)
  assert.ok(statSync(join(store.dir, 'data/store.sqlite')).size > 0)
  assert.equal(await store.stop(), 0)
})
