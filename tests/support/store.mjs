// Start the built-in store alone, on a socket of its own, and talk to it with the node driver.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { join } from 'node:path'
import { assertNoReport, binary, folder, require } from './moonlit.mjs'

const mongodb = require('mongodb')
const { BSON } = require('bson')
export const { MongoClient, Long, Double, Int32, Decimal128, ObjectId, Binary, Timestamp, MinKey, MaxKey, UUID } = mongodb

export class Store {
  /** @param {{dir?: string, options?: string[]}} given */
  static async start(given = {}) {
    const store = new Store()
    store.dir = given.dir ?? folder()
    store.socket = join(store.dir, 's.sock')
    store.options = given.options ?? ['--test-commands']
    await store.launch()
    return store
  }

  async launch() {
    this.log = ''
    this.child = spawn(binary, ['store', join(this.dir, 'data'), '--socket', this.socket, ...this.options])
    const child = this.child
    process.on('exit', () => child.exitCode === null && child.kill('SIGKILL'))
    child.stderr.on('data', (text) => { this.log += text })
    this.exited = once(child, 'close') // with its last words
    const ready = once(child.stdout, 'data').then(() => true)
    if (!(await Promise.race([ready, this.exited.then(() => false)]))) throw new Error(this.log)
    // A test that fails half-way must not be kept open by its store.
    for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref()
  }

  async end(signal) {
    const { child } = this
    for (const handle of [child, child.stdout, child.stderr]) handle.ref()
    child.kill(signal)
    return this.exited
  }

  /** A driver's client; several live side by side. */
  async connect(options = {}) {
    const uri = `mongodb://${encodeURIComponent(this.socket)}/?directConnection=true`
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10000, ...options })
    await client.connect()
    this.clients.push(client)
    return client
  }
  clients = []

  async kill() { await this.end('SIGKILL') }

  async stop() {
    await Promise.all(this.clients.map((client) => client.close()))
    const [code] = await this.end('SIGTERM')
    assertNoReport(this.log)
    return code
  }
}

/** The bytes of a command. */
export function message(document, lists = []) {
  const parts = [Buffer.alloc(20), Buffer.from([0]), Buffer.from(BSON.serialize(document))]
  for (const [name, documents] of lists) {
    const bytes = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((one) => BSON.serialize(one))])
    const head = Buffer.from([1, 0, 0, 0, 0])
    head.writeInt32LE(bytes.length + 4, 1)
    parts.push(head, bytes)
  }
  const whole = Buffer.concat(parts)
  whole.writeInt32LE(whole.length, 0)
  whole.writeInt32LE(1, 4)
  whole.writeInt32LE(2013, 12)
  return whole
}

/**
 * A connection without a driver: it sends what it is given, as it is, and says when it was lost;
 * the next command connects anew.
 */
export class Wire {
  lost = new Error('the connection was lost')
  constructor(store) { this.store = store }

  async connect() {
    const socket = net.connect(this.store.socket)
    socket.on('error', () => {})
    await once(socket, 'connect').catch(() => { throw this.lost })
    this.bytes = Buffer.alloc(0)
    socket.on('data', (bytes) => this.receive(bytes))
    socket.on('close', () => {
      if (this.socket === socket) this.socket = undefined
      this.reject?.(this.lost)
    })
    this.socket = socket
  }

  receive(bytes) {
    this.bytes = Buffer.concat([this.bytes, bytes])
    if (this.bytes.length < 4 || this.bytes.length < this.bytes.readInt32LE(0)) return
    const answer = BSON.deserialize(this.bytes.subarray(21))
    this.bytes = Buffer.alloc(0)
    if (answer.ok === 1) this.resolve(answer)
    else this.reject(Object.assign(new Error(answer.errmsg), { code: answer.code }))
  }

  /** @param {[name: string, documents: object[]][]} lists document sequences beside the body */
  async command(document, lists = []) {
    if (!this.socket) await this.connect()
    return new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
      this.socket.write(message(document, lists))
    })
  }

  close() { this.socket?.destroy() }
}

/** The error that a promise ends with. */
export async function failure(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}
