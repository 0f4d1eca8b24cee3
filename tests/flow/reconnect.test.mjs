// A session outlives its socket: what a page gets when it comes back, and what nobody loses.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { withApp } from '../support/flow.mjs'
import { require } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'
import { frame } from '../support/raw.mjs'

const { BSON } = require('bson')

const counter = `
local ui = require "moonlit"
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
ui.metric("Count", ui.state.n or 0)
`
const LARGE = 7 * 1024 * 1024 // more than the kernel takes from us at once, for a page that has not read much before
const count = (page) => page.find('metric')?.props.value

const runsEnded = async (host) => {
  const { text } = await host.get('/_moonlit/metrics')
  return [...text.matchAll(/^moonlit_runs_total\{.*\} (\d+)$/gm)].reduce((sum, [, number]) => sum + Number(number), 0)
}

test('a socket cut in the middle of an event: the event is sent again and happens once', () => withApp(counter, async (host, page) => {
  await page.settled()
  const bytes = BSON.serialize({ t: 'event', n: 1, seen: page.seq, values: {}, press: page.must('button', 'Press').id, path: '/', query: '' })
  page.ws._socket.write(frame(Buffer.from(bytes)).subarray(0, bytes.length / 2))
  page.cut()
  page.press('Press')
  await page.reconnect()
  await page.settled()
  assert.equal(count(page), 1)
}))

test('a socket cut right after a press: it is sent again and happens once', () => withApp(counter, async (host, page) => {
  await page.settled()
  for (let i = 1; i <= 10; i++) {
    page.press('Press')
    await page.reconnect()
    await page.settled()
    assert.equal(count(page), i)
  }
}))

test('a socket cut in the middle of a patch: the page comes back to the whole of it, and nothing reruns', () => withApp(`
local ui = require "moonlit"
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text((ui.state.n or 0) .. (ui.state.n and (" "):rep(${LARGE}) or ""))
ui.metric("Count", ui.state.n or 0)
`, async (host, page) => {
  await page.settled()
  const before = await host.metric('moonlit_bytes_out_total')
  page.ws._socket.pause()
  page.press('Press')
  await host.eventually(async () => await runsEnded(host) === 2)
  assert.ok(await host.metric('moonlit_bytes_out_total') - before < LARGE, 'the patch is not all written')
  await page.reconnect()
  await page.until(() => count(page) === 1)
  assert.equal(page.find('text').props.body.length, LARGE + 1)
  assert.equal(page.welcome.resumed, true)
  assert.equal(await runsEnded(host), 2)
}))

test('an event sent twice happens once', () => withApp(counter, async (host, page) => {
  await page.settled()
  page.press('Press')
  const [event] = page.pending
  page.send(event)
  page.send(event)
  await page.settled()
  page.send(event)
  page.press('Press')
  await page.settled()
  assert.equal(count(page), 2)
}))

test('events pressed while the socket is away arrive in order when it is back', () => withApp(counter, async (host, page) => {
  await page.settled()
  page.cut()
  for (let i = 0; i < 5; i++) page.press('Press')
  await page.reconnect()
  await page.until(() => count(page) === 5)
}))

test('what was missed is sent again, without the whole tree, and nothing reruns', () => withApp(`
local ui = require "moonlit"
ui.text "first"
ui.sleep(0.3)
ui.text "second"
`, async (host, page) => {
  await page.until(() => page.texts().includes('first'))
  page.cut()
  await host.eventually(async () => await runsEnded(host) === 1)
  await page.reconnect()
  await page.until(() => page.texts().includes('second'))
  assert.equal(page.welcome.resumed, true)
  const since = page.messages.slice(page.messages.indexOf(page.welcome))
  assert.deepEqual(since.filter((message) => message.t === 'tree'), [])
  assert.equal(await runsEnded(host), 1)
}))

test('a page that knows less than what is kept gets the whole tree', () => withApp(counter, async (host, page) => {
  await page.settled()
  page.press('Press')
  await page.settled()
  page.seq = 100000
  page.cut()
  await page.connect()
  await page.until(() => page.messages.at(-1).t === 'tree')
  assert.equal(count(page), 1)
  assert.equal(await runsEnded(host), 2)
}))

test('a page that found a gap asks for the whole tree', () => withApp(counter, async (host, page) => {
  await page.settled()
  page.nodes = new Map()
  page.send({ t: 'whole' })
  await page.until(() => page.messages.at(-1).t === 'tree')
  assert.equal(count(page), 0)
}))

test('F5 comes back to the same session: the tree at once, then one rerun', () => withApp(counter, async (host, page) => {
  await page.settled()
  page.press('Press')
  await page.settled()
  page.close()
  await page.until(() => page.closed)
  const again = await Page.open(host, { session: page.session })
  await again.until(() => again.messages.some((message) => message.t === 'tree'))
  assert.equal(again.welcome.public, page.welcome.public)
  assert.equal(count(again), 1)
  await again.until(() => again.state === 'finished')
  await host.eventually(async () => await runsEnded(host) === 3)
  assert.equal(count(again), 1)
}))

test('F5 while the old socket still stands takes the session over', () => withApp(counter, async (host, page) => {
  await page.settled()
  page.answersAlive = false
  const again = await Page.open(host, { session: page.session })
  assert.equal(again.welcome.public, page.welcome.public)
  await page.until(() => page.closed)
  assert.equal(page.closed, 1000)
}))

test('a duplicated tab gets a session of its own, with nothing of the first', () => withApp(counter, async (host, page) => {
  await page.settled()
  page.press('Press')
  await page.settled()
  const copy = await Page.open(host, { session: page.session })
  assert.equal(copy.welcome.resumed, false)
  assert.notEqual(copy.session, page.session)
  await copy.until(() => count(copy) === 0)
  page.press('Press')
  await page.until(() => count(page) === 2)
}))

test('a session without a page expires', () => withApp(counter, async (host, page) => {
  await page.settled()
  page.close()
  await host.eventually(async () => await host.metric('moonlit_sessions') === 0)
  const again = await Page.open(host, { session: page.session })
  assert.equal(again.welcome.resumed, false)
}, { options: ['--session-timeout', '0.2'] }))

test('a session whose time is over at once waits for its run without holding up the loop', () => withApp(`
local ui = require "moonlit"
ui.text "first"
ui.sleep(0.5)
`, async (host, page) => {
  await page.until(() => page.texts().includes('first'))
  page.close()
  for (const what of ['moonlit_runs_alive', 'moonlit_sessions']) {
    await host.eventually(async () => await host.metric(what) === 0)
  }
}, { options: ['--session-timeout', '0.0001'] }))

const blocked = (name) => `mongo.database("admin"):command { { "configureFailPoint", "failCommand" }, { "mode", "alwaysOn" },
    { "data", { failCommands = { "${name}" }, blockConnection = true, blockTimeMS = 600000 } } }`
const waits = {
  sleep: 'ui.sleep(60)',
  together: 'ui.together(function() ui.sleep(60) end, function() ui.sleep(60) end)',
  timeout: 'ui.timeout(60, function() ui.sleep(60) end)',
  shield: 'ui.shield(function() ui.sleep(60) end)',
  once: 'ui.once("long", function() ui.sleep(60) end)',
  'a loop': 'while true do end',
  'a find': `${blocked('find')} things:find_one{}`,
  'an iteration': `${blocked('getMore')} for _ = 1, 300 do things:insert_one{ a = 1 } end for _ in things:find({}, { batch_size = 2 }) do end`,
  'an insert': `${blocked('insert')} things:insert_one{ a = 1 }`,
  'a sleep with an open cursor': 'for _ = 1, 9 do things:insert_one{ a = 1 } end local c = things:find({}, { batch_size = 2 }) c:next() ui.sleep(60)',
  'a find of a branch beside a write in a shield': `${blocked('find')}
    ui.together(function() things:find_one{} end, function() ui.shield(function() things:insert_one{ a = 1 } ui.sleep(60) end) end)`,
}

const nothing = ['moonlit_sessions', 'moonlit_runs_alive', 'moonlit_db_cursors_open',
  ...['waiting', 'running', 'ending'].map((state) => `moonlit_jobs{state="${state}"}`)]

for (const [name, wait] of Object.entries(waits)) {
  test(`the tab is closed in ${name}: the run ends in its time, and nothing is left of it`, () => withApp(`
local ui = require "moonlit"
local mongo = require "moonlit.mongo"
local things = mongo.database().things
ui.text "first"
ui.sleep(0)
${wait}
`, async (host, page) => {
    await page.until(() => page.texts().includes('first'))
    page.cut()
    for (const what of nothing) await host.eventually(async () => await host.metric(what) === 0)
    const next = await Page.open(host)
    await next.until(() => next.texts().includes('first'))
  }, { options: ['--wall-limit', '1', '--cpu-limit', '0.8', '--session-timeout', '0.2', '--test-commands'] }))
}
