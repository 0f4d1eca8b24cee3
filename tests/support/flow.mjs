// What flows have in common: a script served by the real binary, a page of it, and where a test looks
// into the database or slows it down, a store of its own.
import assert from 'node:assert/strict'
import { Moonlit } from './moonlit.mjs'
import { Page } from './page.mjs'
import { Store } from './store.mjs'

/** Serve `script`, open a page, call `body(host, page)`; the host must end well. */
export async function withApp(script, body, given = {}) {
  const host = await Moonlit.start({ script, ...given })
  try {
    await body(host, await Page.open(host))
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
}

/** `body(page, host)` when a script has been drawn that has its `ui` in line 1 already. */
export function withDrawn(script, body) {
  return withApp('local ui = require "moonlit"\n' + script, async (host, page) => {
    await page.settled()
    await body(page, host)
  })
}

/** Serve `script` with a database: `body(host, page, database)`. */
export async function withDatabase(script, body, given = {}) {
  const database = await Database.start()
  const options = ['--database', database.uri, ...given.options ?? []]
  try {
    await withApp(script, (host, page) => body(host, page, database), { ...given, options })
  } finally {
    await database.stop()
  }
}

/** A built-in store with test commands, and a client of the test's own. */
export class Database {
  static async start() {
    const database = new Database()
    database.store = await Store.start()
    database.client = await database.store.connect()
    database.uri = `mongodb://${encodeURIComponent(database.store.socket)}/shop`
    return database
  }

  collection(name) { return this.client.db('shop').collection(name) }

  /** The numbers of documents, in the order of insertion. */
  async values(name, field = 'v') {
    return (await this.collection(name).find().toArray()).map((document) => document[field])
  }

  /** Let the host's commands of these names wait before they run: so many of them, or all until `delay([])`. */
  async delay(commands, milliseconds, times) {
    await this.client.db('admin').command(commands.length === 0
      ? { configureFailPoint: 'failCommand', mode: 'off' }
      : { configureFailPoint: 'failCommand', mode: times ? { times } : 'alwaysOn',
        data: { failCommands: commands, blockConnection: true, blockTimeMS: milliseconds, appName: 'moonlit' } })
  }

  /** How many commands are at work in the store now, this question not counted. */
  async active() { return (await this.client.db('admin').command({ serverStatus: 1 })).moonlit.active }

  async stop() { await this.store.stop() }
}
