// Stopping while pages wait for the database, whatever it does: exit 0 within two seconds, and the
// port is free at once.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit, folder } from '../support/moonlit.mjs'
import { childrenOf, isAlive, mute, socketFiles } from '../support/process.mjs'
import { launch, openTab, says, until } from '../support/browser.mjs'

let browser

before(async () => { browser = await launch() })
after(() => browser.close())

const head = `
local ui = require "moonlit"
local mongo = require "moonlit.mongo"
ui.text "first"
`

const hanging = `${head}
ui.once("hang", function()
  mongo.database("admin"):command { { "configureFailPoint", "failCommand" }, { "mode", "alwaysOn" },
    { "data", { failCommands = { "find", "getMore" }, blockConnection = true, blockTimeMS = 600000 } } }
end)
mongo.database().things:find_one{}
ui.text "never"
`

const asking = `${head}
ui.button "Press"
mongo.database().things:find_one{}
ui.text "answered"
`

/** A context with tabs that all show "first". When the host stops they lose it, which is no problem. */
async function openTabs(host, count) {
  const context = await browser.newContext()
  const tabs = await Promise.all(Array.from({ length: count }, () => openTab(browser, host.url, { context })))
  await Promise.all(tabs.map((tab) => says(tab, 'first')))
  for (const tab of tabs) {
    assert.deepEqual(tab.problems, [])
    tab.mayLose = true
  }
  return { context, tabs }
}

async function assertGoodEnd(host, signal) {
  const children = childrenOf(host.child.pid)
  const begin = process.hrtime.bigint()
  assert.equal(await host.stop(signal), 0, host.log)
  const took = Number(process.hrtime.bigint() - begin) / 1e6
  assert.ok(took < 2000, `it took ${took} ms`)
  assert.deepEqual(children.filter(isAlive), [], 'children live on')
  assert.deepEqual(socketFiles(host.dir), [])
}

const seesTheEnd = (tab) => until(tab, () => /connection/i.test(document.body.innerText))

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal} with five pages in queries that hang for ever; the pages say that the connection is lost`, async () => {
    const host = await Moonlit.start({ script: hanging, options: ['--test-commands'] })
    const { context, tabs } = await openTabs(host, 5)
    await host.eventually(async () => await host.metric('moonlit_jobs{state="running"}') === 5)
    await assertGoodEnd(host, signal)
    await Promise.all(tabs.map(seesTheEnd))
    await context.close()
  })
}

for (const [what, options, clients] of [
  ['', '', 5],
  [', while the TLS handshake with it hangs', '&tls=true', 5],
  [', while a pool of one client makes the others wait', '&maxPoolSize=1', 1],
]) {
  test(`stopping with five pages that wait for a server that accepts and never answers${what}`, async () => {
    const silent = await mute()
    try {
      const host = await Moonlit.start({ script: asking, options: ['--database', `mongodb://127.0.0.1:${silent.port}/shop?directConnection=true${options}`] })
      const { context, tabs } = await openTabs(host, 5)
      await silent.heard(clients)
      await assertGoodEnd(host)
      await Promise.all(tabs.map(seesTheEnd))
      await context.close()
    } finally {
      silent.close()
    }
  })
}

test('ten starts and stops on the same port, with a page that is used in between', async () => {
  const dir = folder()
  let port = 0
  for (let i = 0; i < 10; i++) {
    const host = await Moonlit.start({ dir, script: asking, port })
    port = port || host.port
    assert.equal(host.port, port)
    const { context, tabs: [tab] } = await openTabs(host, 1)
    await says(tab, 'answered')
    await tab.getByRole('button', { name: 'Press' }).click()
    await host.eventually(async () => await host.metric('moonlit_runs_total{outcome="finished"}') >= 2)
    await assertGoodEnd(host)
    await context.close()
  }
})
