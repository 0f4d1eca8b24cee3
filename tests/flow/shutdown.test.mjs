// The end: within two seconds, whatever hangs, and nothing is left.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { Moonlit, folder } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'
import { childrenOf, isAlive, lonelyPort, mute, socketFiles } from '../support/process.mjs'

const waits = 'local ui = require "moonlit"\nui.text "first"\nui.sleep(600)\n'

/** The database's command `name` hangs for ten minutes; each page waits in it. */
const hangs = (name, call) => `
local ui = require "moonlit"
local mongo = require "moonlit.mongo"
local things = mongo.database().things
ui.once("hang", function()
  mongo.database("admin"):command { { "configureFailPoint", "failCommand" }, { "mode", "alwaysOn" },
    { "data", { failCommands = { "${name}" }, blockConnection = true, blockTimeMS = 600000 } } }
end)
ui.text "first"
${call}
ui.text "never"
`

/** Stop, insist on two seconds and exit code 0, and on nothing being left. */
async function assertGoodEnd(host, signal = 'SIGINT') {
  const children = childrenOf(host.child.pid)
  const begin = process.hrtime.bigint()
  const code = await host.stop(signal)
  const took = Number(process.hrtime.bigint() - begin) / 1e6
  assert.equal(code, 0, host.log)
  assert.ok(took < 2000, `it took ${took} ms`)
  assert.deepEqual(children.filter(isAlive), [], 'children live on')
  assert.deepEqual(socketFiles(host.dir), [])
  assert.doesNotMatch(host.log, /Sanitizer|Assertion/)
}

async function openPages(host, count, shows = 'first') {
  const pages = await Promise.all(Array.from({ length: count }, () => Page.open(host)))
  for (const page of pages) await page.until(() => page.texts().includes(shows))
  return pages
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal} ends an idle host; the sockets are told that it goes`, async () => {
    const host = await Moonlit.start({ script: 'require("moonlit").text "first"' })
    const [page] = await openPages(host, 1)
    await page.settled()
    await assertGoodEnd(host, signal)
    await page.until(() => page.closed)
    assert.equal(page.closed, 1001)
  })
}

test('a host that serves has a socket file, so that its absence afterwards says something', async () => {
  const host = await Moonlit.start({ script: waits })
  assert.equal(socketFiles(host.dir).length, 1)
  await assertGoodEnd(host)
})

test('five runs that sleep do not hold it', async () => {
  const host = await Moonlit.start({ script: waits })
  await openPages(host, 5)
  await assertGoodEnd(host)
})

test('five runs in a query that hangs for ever do not hold it', async () => {
  const host = await Moonlit.start({ script: hangs('find', 'things:find_one{}'), options: ['--test-commands'] })
  await openPages(host, 5)
  await host.eventually(async () => await host.metric('moonlit_jobs{state="running"}') >= 5)
  await assertGoodEnd(host)
})

test('a write that hangs for ever does not hold it', async () => {
  const host = await Moonlit.start({ script: hangs('insert', 'things:insert_one{ a = 1 }'), options: ['--test-commands'] })
  await openPages(host, 1)
  await host.eventually(async () => await host.metric('moonlit_jobs{state="running"}') >= 1)
  await assertGoodEnd(host)
})

test('a server that accepts and never answers does not hold it', async () => {
  const silent = await mute()
  try {
    const host = await Moonlit.start({
      script: 'local ui = require "moonlit"\nlocal mongo = require "moonlit.mongo"\nui.text "first"\nmongo.database("shop").things:find_one{}\n',
      options: ['--database', `mongodb://127.0.0.1:${silent.port}/shop?directConnection=true`],
    })
    await openPages(host, 5)
    await silent.first
    await assertGoodEnd(host)
  } finally {
    silent.close()
  }
})

test('an endless loop does not hold it', async () => {
  const host = await Moonlit.start({ script: 'local ui = require "moonlit"\nui.text "first"\nui.sleep(0)\nwhile true do end\n' })
  await openPages(host, 1)
  await assertGoodEnd(host)
})

test('ten starts and stops on the same port', async () => {
  const port = await lonelyPort()
  const dir = folder()
  for (let i = 0; i < 10; i++) {
    const host = await Moonlit.start({ script: waits, dir, port })
    assert.equal(host.port, port)
    await openPages(host, 1)
    await assertGoodEnd(host)
  }
})

test('a second signal ends at once, and the store goes too', async () => {
  const host = await Moonlit.start({ script: hangs('insert', 'things:insert_one{ a = 1 }'), options: ['--test-commands'] })
  await openPages(host, 1)
  await host.eventually(async () => await host.metric('moonlit_jobs{state="running"}') >= 1)
  const children = childrenOf(host.child.pid)
  assert.equal(children.length, 1)
  host.child.kill('SIGINT')
  await host.until(() => /stopping/.test(host.log))
  host.child.kill('SIGINT')
  assert.equal(await host.exited, 130)
  await host.eventually(() => !children.some(isAlive))
  assert.deepEqual(socketFiles(host.dir), [])
})

test('the store goes when the host is killed outright, and nothing is left in memory that others share', async () => {
  const host = await Moonlit.start({ script: waits })
  const children = childrenOf(host.child.pid)
  host.child.kill('SIGKILL')
  await host.exited
  await host.eventually(() => !children.some(isAlive))
  const shared = [host.child.pid, ...children].filter((pid) => existsSync(`/dev/shm/mongoc-${pid}`))
  assert.deepEqual(shared, [], 'nothing is left in shared memory')
})

test('a host that never became ready leaves nothing', async () => {
  const one = await Moonlit.start({ script: waits })
  const two = await Moonlit.start({ script: waits, port: one.port, ready: false })
  assert.equal(await two.exited, 1)
  assert.deepEqual(socketFiles(two.dir), [])
  await assertGoodEnd(one)
})
