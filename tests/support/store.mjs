// Start the built-in store alone, on a socket of its own, and talk to it with the node driver.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { binary, folder, require } from './moonlit.mjs'

const mongodb = require('mongodb')
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
    this.exited = once(child, 'exit')
    const ready = once(child.stdout, 'data').then(() => true)
    if (!(await Promise.race([ready, this.exited.then(() => false)]))) throw new Error(this.log)
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

  async kill() {
    this.child.kill('SIGKILL')
    await this.exited
  }

  async stop() {
    await Promise.all(this.clients.map((client) => client.close()))
    this.child.kill('SIGTERM')
    const [code] = await this.exited
    return code
  }
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
