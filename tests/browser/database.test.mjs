// The database under pages in a real browser, watched from the database's own side: connections,
// operations, and what was written.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { Store, Wire } from '../support/store.mjs'
import { launch, pressInTurn, says, until, withApp, words } from '../support/browser.mjs'

let browser

before(async () => { browser = await launch() })
after(() => browser.close())

const head = `
local ui = require "moonlit"
local mongo = require "moonlit.mongo"
local things = mongo.database().things
`

/** What the database can be asked, over a connection that is none of the host's. */
class Server {
  static async start() {
    const server = new Server()
    server.store = await Store.start()
    server.wire = new Wire(server.store)
    await server.wire.command({ ping: 1, $db: 'admin' })
    server.own = (await server.status()).connections.totalCreated
    return server
  }

  uri(options = '') { return `mongodb://${encodeURIComponent(this.store.socket)}/shop${options}` }

  status() { return this.wire.command({ serverStatus: 1, $db: 'admin' }) }

  /** Connections that the host has made so far. */
  async created() { return Number((await this.status()).connections.totalCreated) - Number(this.own) }

  /** Operations under way, and how many were killed so far. */
  async operations() { return (await this.status()).moonlit }

  /** Ask until it is so; nothing announces it. */
  async until(isSo) {
    const end = Date.now() + 60000
    for (;;) {
      const found = await this.operations()
      if (isSo(found)) return
      if (Date.now() > end) throw new Error(`not so after 60 s: ${isSo}: ${JSON.stringify(found)}`)
    }
  }

  /** From now on these commands of the host take so long. */
  block(milliseconds, ...names) {
    const data = { failCommands: names, blockConnection: true, blockTimeMS: milliseconds, appName: 'moonlit' }
    return this.wire.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data, $db: 'admin' })
  }

  unblock() { return this.wire.command({ configureFailPoint: 'failCommand', mode: 'off', $db: 'admin' }) }

  async all(collection) {
    const answer = await this.wire.command({ find: collection, filter: {}, sort: { _id: 1 }, $db: 'shop' })
    return answer.cursor.firstBatch
  }

  async stop() {
    this.wire.close()
    await this.store.stop()
  }
}

async function withDatabase({ script, uri, prepare }, body) {
  const server = await Server.start()
  try {
    await prepare?.(server)
    await withApp(browser, { script: head + script, options: ['--database', server.uri(uri)] }, (host, open) => body({ host, open, server }))
  } finally {
    await server.stop()
  }
}

const press = (tab, name) => tab.getByRole('button', { name, exact: true }).click()
const openAll = (open, count) => Promise.all(Array.from({ length: count }, () => open()))

test('two hundred reruns in one session, then two hundred in twenty: no more connections than the pool and one', () => withDatabase({
  uri: '?maxPoolSize=4',
  script: `
ui.once("seed", function() for i = 1, 10 do things:insert_one{ n = i } end end)
if ui.button "Again" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text(#things:find{}:list() .. " things, rerun " .. (ui.state.n or 0))
`,
}, async ({ host, open, server }) => {
  const tab = await open()
  await says(tab, '10 things, rerun 0')
  await pressInTurn(tab, 'Again', 200, 'rerun')
  const alone = await server.created()
  assert.ok(alone <= 5, `${alone} connections for one session`)

  const tabs = await openAll(open, 20)
  await Promise.all(tabs.map((one) => says(one, 'rerun 0')))
  await Promise.all(tabs.map((one) => pressInTurn(one, 'Again', 10, 'rerun')))
  const shared = await server.created()
  assert.ok(shared <= 5, `${shared} connections for 21 sessions`)

  await pressInTurn(tab, 'Again', 50, 'rerun')
  assert.equal(await server.created(), shared, 'they grow with the reruns')
  assert.equal(await host.metric('moonlit_db_connections_created_total'), shared)
  assert.equal(await host.metric('moonlit_runs_total{outcome="failed"}'), 0)
}))

test('a handle of the first run works in later ones, after the idle time-outs, and for others when its tab is gone', () => withDatabase({
  uri: '?maxIdleTimeMS=50&serverSelectionTimeoutMS=60000',
  script: `
local live = ui.session.live
live.things = live.things or mongo.database().things
local shared = ui.once("handle", function() return { things = mongo.database().things } end)
if ui.button "Add" then live.things:insert_one{ by = "live" } shared.things:insert_one{ by = "shared" } end
ui.text("count " .. live.things:count_documents{} .. " and " .. shared.things:count_documents{})
`,
}, async ({ host, open }) => {
  const first = await open()
  await says(first, 'count 0 and 0')
  await press(first, 'Add')
  await says(first, 'count 2 and 2')
  const closed = async () => await host.metric('moonlit_db_connections_open') === 0
  await host.eventually(closed)
  await press(first, 'Add')
  await says(first, 'count 4 and 4')

  await first.close()
  await host.eventually(async () => await host.metric('moonlit_sockets') === 0)
  await host.eventually(closed)
  const second = await open()
  await says(second, 'count 4 and 4')
  await press(second, 'Add')
  await says(second, 'count 6 and 6')
}))

test('handles are shared by sessions: one made once for all, and equal ones made by each', () => withDatabase({
  script: `
local db = ui.once("db", function() return mongo.database "shop" end)
local same = db.things == mongo.database("shop"):collection "things"
if ui.button "Add" then db.things:insert_one{} end
ui.text("count " .. db.things:count_documents{} .. " same " .. tostring(same))
`,
}, async ({ open, server }) => {
  const tabs = await openAll(open, 5)
  await Promise.all(tabs.map((tab) => says(tab, 'count 0 same true')))
  await Promise.all(tabs.map((tab) => press(tab, 'Add')))
  await Promise.all(tabs.map((tab) => until(tab, () => /count [1-5] same true/.test(document.querySelector('main').innerText))))
  assert.equal((await server.all('things')).length, 5)
  await press(tabs[0], 'Add')
  await says(tabs[0], 'count 6 same true')
}))

/** Every text beginning with "result" that the page has shown, in order. */
const watchResults = (tab) => tab.evaluate(() => {
  window.results = []
  const look = () => {
    const found = /result \d+/.exec(document.querySelector('main').innerText)?.[0]
    if (found && window.results.at(-1) !== found) window.results.push(found)
  }
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true })
  look()
})

test('a five-second query below the button, ten clicks in two seconds: all count, and one result shows, the newest', () => withDatabase({
  uri: '?maxPoolSize=4',
  prepare: (server) => server.block(5000, 'find'),
  script: `
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text("pressed " .. (ui.state.n or 0))
things:find_one{}
ui.text("result " .. (ui.state.n or 0))
`,
}, async ({ host, open, server }) => {
  const tab = await open()
  await says(tab, 'pressed 0')
  await watchResults(tab)
  const button = tab.getByRole('button', { name: 'Press' })
  const gone = []
  const first = Date.now()
  for (let i = 1; i <= 10; i++) {
    await server.until(({ active }) => active === 1) // a view superseded before its read has nothing to kill
    await button.dispatchEvent('click')
    await host.eventually(async () => await host.metric('moonlit_runs_total{outcome="superseded"}') === i)
    const superseded = Date.now()
    await server.until(({ active, killed }) => killed === i && active <= 1)
    gone.push(Date.now() - superseded)
  }
  const last = Date.now()
  assert.ok(last - first < 2000, `the clicks took ${last - first} ms`)
  gone.sort((a, b) => a - b)
  assert.ok(gone[5] < 100, `superseded reads were gone from the server after ${gone} ms`)

  await says(tab, 'pressed 10')
  await says(tab, 'result 10', 7000 - (Date.now() - last))
  assert.deepEqual(await tab.evaluate(() => window.results), ['result 10'])
  assert.equal(await tab.getByRole('alert').count(), 0)
  assert.equal(await host.metric('moonlit_runs_total{outcome="superseded"}'), 10)
  assert.equal(await host.metric('moonlit_jobs{state="running"}'), 0)
  assert.equal(await host.metric('moonlit_jobs{state="ending"}'), 0)
  assert.ok(await server.created() <= 5, 'the clients came back into the pool')

  await server.unblock() // and the pool works
  await press(tab, 'Press')
  await says(tab, 'result 11')
  assert.ok(await server.created() <= 5)
}))

test('a query above the button: ten presses act once each, in their order', () => withDatabase({
  prepare: (server) => server.block(200, 'find'),
  script: `
things:find_one{}
if ui.button "Press" then
  local n = things:count_documents{}
  things:insert_one{ _id = n + 1, before = n }
  ui.state.n = (ui.state.n or 0) + 1
end
ui.text("pressed " .. (ui.state.n or 0))
`,
}, async ({ open, server }) => {
  const tab = await open()
  await says(tab, 'pressed 0')
  for (let i = 0; i < 10; i++) await press(tab, 'Press')
  await says(tab, 'pressed 10')
  assert.deepEqual(await server.all('things'), Array.from({ length: 10 }, (_, i) => ({ _id: i + 1, before: i })))
}))

test('while a query hangs in one session, another one goes on at its own pace', () => withDatabase({
  prepare: (server) => server.block(600000, 'find'),
  script: `
if ui.button "Again" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text("rerun " .. (ui.state.n or 0) .. " of " .. things:count_documents{})
if ui.checkbox "Slow" then things:find_one{} ui.text "never" end
`,
}, async ({ open, server }) => {
  const [slow, other] = await openAll(open, 2)
  await Promise.all([says(slow, 'rerun 0'), says(other, 'rerun 0')])
  const pace = async () => { // the best of ten, for a busy machine holds up some
    const paces = []
    for (let i = 0; i < 10; i++) {
      const begin = process.hrtime.bigint()
      await pressInTurn(other, 'Again', 4, 'rerun')
      paces.push(Number(process.hrtime.bigint() - begin) / 1e6 / 4)
    }
    return Math.min(...paces)
  }
  const alone = await pace()
  await slow.getByRole('checkbox', { name: 'Slow' }).check({ noWaitAfter: true })
  await server.until(({ active }) => active === 1)
  const beside = await pace()
  assert.equal((await server.operations()).active, 1, 'the first session still waits')
  assert.ok(beside < alone * 3 + 20, `a rerun took ${beside} ms, and ${alone} ms alone`)
  await slow.getByRole('checkbox', { name: 'Slow' }).uncheck({ noWaitAfter: true })
  await server.until(({ active }) => active === 0)
}))

test('twenty first runs at the same moment seed exactly ten documents', () => withDatabase({
  script: `
ui.once("seed", function()
  if things:count_documents{} == 0 then
    for i = 1, 10 do things:insert_one{ n = i } end
  end
end)
ui.text("count " .. things:count_documents{})
`,
}, async ({ open, server }) => {
  const tabs = await openAll(open, 20)
  await Promise.all(tabs.map((tab) => says(tab, 'count 10')))
  assert.equal((await server.all('things')).length, 10)
}))

test('a superseded run starts no new operation', () => withDatabase({
  script: `
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text("pressed " .. (ui.state.n or 0))
pcall(function() things:find_one{} end)
mongo.database().written:insert_one{ n = ui.state.n or 0 }
ui.text("result " .. (ui.state.n or 0))
`,
  prepare: (server) => server.block(600000, 'find'),
}, async ({ open, server }) => {
  const tab = await open()
  await says(tab, 'pressed 0')
  for (let i = 1; i <= 5; i++) {
    await server.until(({ active }) => active === 1)
    await press(tab, 'Press')
    await server.until(({ killed }) => killed === i)
  }
  await server.until(({ active }) => active === 1)
  await server.unblock()
  await press(tab, 'Press')
  await says(tab, 'result 6')
  assert.deepEqual((await server.all('written')).map(({ n }) => n), [6])
}))

test('the database goes away and comes back: one error that can be read, other sessions live, and the next rerun works', () => withDatabase({
  uri: '?serverSelectionTimeoutMS=3000',
  script: `
if ui.button "Again" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text("rerun " .. (ui.state.n or 0))
if ui.checkbox "Read" then ui.text("count " .. things:count_documents{}) end
`,
}, async ({ open, server }) => {
  const [reader, other] = await openAll(open, 2)
  await Promise.all([says(reader, 'rerun 0'), says(other, 'rerun 0')])
  await reader.getByRole('checkbox', { name: 'Read' }).check()
  await says(reader, 'count 0')

  await server.store.kill()
  const begin = Date.now()
  await press(reader, 'Again')
  await reader.getByRole('alert').waitFor()
  const took = Date.now() - begin
  assert.ok(took < 3000 + 3000, `the error came after ${took} ms`) // with the time that a busy browser needs
  assert.equal(await reader.getByRole('alert').count(), 1)
  assert.match(await words(reader), /could not be reached within 3 s/)
  assert.match(await words(reader), /rerun 1/)
  await pressInTurn(other, 'Again', 5, 'rerun')

  await server.store.launch()
  await press(reader, 'Again')
  await says(reader, 'count 0')
  assert.equal(await reader.getByRole('alert').count(), 0)
}))

test('a database that is away from the start is found when it comes', async () => {
  const store = await Store.start()
  await store.kill()
  await withApp(browser, {
    script: `${head}ui.button "Again"\nui.text("count " .. things:count_documents{})`,
    options: ['--database', `mongodb://${encodeURIComponent(store.socket)}/shop?serverSelectionTimeoutMS=3000`],
  }, async (host, open) => {
    const tab = await open()
    await tab.getByRole('alert').waitFor()
    assert.match(await words(tab), /could not be reached/)
    await store.launch()
    await press(tab, 'Again')
    await says(tab, 'count 0')
  })
  await store.stop()
})
