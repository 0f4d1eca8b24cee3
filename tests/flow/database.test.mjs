// The database from scripts: few connections, superseded reads gone from the server, and a database
// that is away.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import * as flow from '../support/flow.mjs'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const block = (ms) => `mongo.database("admin"):command{
  { "configureFailPoint", "failCommand" },
  { "mode", "alwaysOn" },
  { "data", { failCommands = { "find" }, blockConnection = true, blockTimeMS = ${ms}, appName = "moonlit" } },
}`

const withApp = (script, body, given = {}) => flow.withApp(script, body, { options: ['--test-commands'], ...given })

const products = `
local ui = require "moonlit"
local mongo = require "moonlit.mongo"
local products = mongo.database("shop").products
`

/* What is going on in the database, at one moment. */
const atWork = ['moonlit_jobs{state="waiting"}', 'moonlit_jobs{state="running"}', 'moonlit_jobs{state="ending"}']

test('two hundred reruns in one session and in twenty use few connections', () => withApp(`${products}
ui.once("seed", function() for i = 1, 10 do products:insert_one{ n = i } end end)
if ui.button "Again" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text(tostring(#products:find{}:list()) .. " " .. (ui.state.n or 0))
`, async (host, page) => {
  await page.settled()
  for (let i = 0; i < 200; i++) { page.press('Again'); await page.settled() }
  assert.equal(page.find('text').props.body, '10 200')
  const alone = await host.metric('moonlit_db_connections_created_total')
  const pages = await Promise.all(Array.from({ length: 20 }, () => Page.open(host)))
  await Promise.all(pages.map(async (one) => {
    await one.settled()
    for (let i = 0; i < 10; i++) { one.press('Again'); await one.settled() }
  }))
  const created = await host.metric('moonlit_db_connections_created_total')
  assert.ok(alone <= 4, `${alone} connections for one session`)
  assert.ok(created <= 101, `${created} connections`)
  const before = created
  for (let i = 0; i < 50; i++) { page.press('Again'); await page.settled() }
  assert.equal(await host.metric('moonlit_db_connections_created_total'), before)
}))

test('a query below the button, ten clicks: all counted, the superseded reads gone from the server', () => withApp(`${products}
ui.once("block", function() ${block(1500)} end)
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
ui.metric("Count", ui.state.n or 0)
local n = #products:find{}:list()
ui.text("result " .. (ui.state.n or 0))
`, async (host, page) => {
  await page.until(() => page.find('metric'))
  for (let i = 0; i < 10; i++) page.press('Press')
  await page.until(() => page.find('text')?.props.body === 'result 10')
  const shown = page.messages.flatMap((m) => m.ops ?? []).filter((op) => (op.props ?? op.set)?.body?.startsWith('result'))
  assert.equal(shown.length, 1)
  assert.equal(page.find('exception'), undefined)
  await host.eventually(async () => await host.metric(...atWork) === 0)
  assert.ok(await host.metric('moonlit_db_connections_created_total') <= 12)
}))

test('a second session keeps its pace while a query hangs in the first', () => withApp(`${products}
ui.once("block", function() ${block(60000)} end)
if ui.checkbox("Slow") then products:find{}:list() end
ui.button "Again"
ui.text "here"
`, async (host, page) => {
  const other = await Page.open(host)
  await page.settled()
  await other.settled()
  page.set('checkbox', 'Slow', true)
  for (let i = 0; i < 50; i++) { other.press('Again'); await other.settled() }
  assert.equal(page.state === 'finished' && page.ev === page.n, false, 'the first session still waits')
}))

test('the database away: one readable error, and the session lives on', async () => {
  const dir = (await import('../support/moonlit.mjs')).folder()
  const host = await Moonlit.start({
    dir,
    script: `${products}
ui.button "Again"
ui.text "alive"
ui.text(tostring(products:count_documents{}))
`,
    options: ['--database', 'mongodb://127.0.0.1:9/shop?serverSelectionTimeoutMS=300'],
  })
  try {
    const page = await Page.open(host)
    await page.until(() => page.find('exception'))
    assert.match(page.find('exception').props.message, /could not be reached|127\.0\.0\.1/)
    assert.equal(page.find('text').props.body, 'alive')
    page.press('Again')
    await page.settled()
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})

/** In each of these the call marked "here" fails. */
const failing = `${products}
local helper = require "helper"
products:drop()
products:insert_one{ _id = 1 }
local lines = {}
local function caught(f)
  local ok, err = pcall(f)
  local file, line = tostring(err):match("([%w_]+)%.lua:(%d+): ")
  lines[#lines + 1] = file .. " " .. line .. " " .. tostring(err.line) .. " " .. tostring(err.code)
end
caught(function()
  products:insert_one{ _id = 1 } -- here
end)
caught(function()
  for _ in products:find{ x = { ["$bad"] = 1 } } do -- here
    lines = nil
  end
end)
caught(coroutine.wrap(function()
  products:find_one{ x = { ["$bad"] = 1 } } -- here
end))
caught(function()
  ui.together(function() return 1 end, function()
    products:insert_one{ _id = 1 } -- here
  end)
end)
caught(function()
  table.sort({ 2, 1 }, function()
    products:insert_one{ _id = 1 } -- here
  end)
end)
caught(function()
  ui.once("fails", function()
    products:insert_one{ _id = 1 } -- here
  end)
end)
caught(setmetatable({}, { __call = function()
  products:insert_one{ _id = 1 } -- here
end }))
caught(function() helper(products) end)
ui.text(table.concat(lines, "\\n"))
`

test('an error of the database names the line of the script that called, wherever that is', () => withApp(failing, async (host, page) => {
  await page.settled()
  const wanted = failing.split('\n').flatMap((text, i) => text.endsWith('-- here') ? [`app ${i + 1} ${i + 1} `] : [])
  assert.deepEqual(page.find('text').props.body.split('\n').map((line) => line.replace(/\d+$/, '')), [...wanted, 'helper 2 2 '])
  assert.equal(wanted.length, 7)
}, { files: { 'helper.lua': 'return function(products)\n  products:insert_one{ _id = 1 }\nend\n' } }))

test('what a run leaves open ends with it: cursors at the server, and the cursor in the next run', () => withApp(`${products}
ui.once("seed", function() for i = 1, 9 do products:insert_one{ n = i } end end)
local live = ui.session.live
if live.cursor then
  ui.text(tostring(select(2, pcall(function() for _ in live.cursor do end end))))
else
  live.cursor = products:find({}, { batch_size = 2 })
  live.cursor:next()
  ui.text("open " .. mongo.database("admin"):command{ serverStatus = 1 }.metrics.cursor.open.total)
end
ui.button "Again"
`, async (host, page) => {
  await page.settled()
  assert.equal(page.find('text').props.body, 'open 1')
  await host.eventually(async () => await host.metric(...atWork) === 0)
  page.press('Again')
  await page.settled()
  assert.match(page.find('text').props.body, /app\.lua:9: .*the cursor is closed/)
  const other = await Page.open(host)
  await other.settled()
  assert.equal(other.find('text').props.body, 'open 1', 'that of the first run is gone')
}))

test('more than the memory of a run can be written and gone over, and not be kept', () => withApp(`${products}
local text = ("x"):rep(1024 * 1024)
for i = 1, 60 do products:insert_one{ _id = i, text = text } end
local length = 0
for product in products:find{} do length = length + #product.text end
ui.text("length " .. length)
local all = products:find{}:list()
ui.text("kept " .. #all)
`, async (host, page) => {
  await page.until(() => page.find('exception'), 60000)
  assert.equal(page.find('text').props.body, `length ${60 * 1024 * 1024}`)
  assert.match(page.find('exception').props.message, /more than 40 MiB of memory/)
  assert.equal(page.find('exception').props.line, 11)
}, { options: ['--test-commands', '--memory-limit', '40'] }))

test('twenty first runs at once seed exactly ten documents', () => withApp(`${products}
ui.once("seed", function()
  if products:count_documents{} == 0 then
    for i = 1, 10 do products:insert_one{ n = i } end
  end
end)
ui.text(tostring(products:count_documents{}))
`, async (host, page) => {
  const pages = await Promise.all(Array.from({ length: 20 }, () => Page.open(host)))
  for (const one of [page, ...pages]) {
    await one.until(() => one.find('text'))
    assert.equal(one.find('text').props.body, '10')
  }
}))

test('stopping with a query that hangs takes less than two seconds', async () => {
  const host = await Moonlit.start({ script: `${products}
ui.once("block", function() ${block(60000)} end)
ui.text "before"
products:find{}:list()
`, options: ['--test-commands'] })
  const pages = await Promise.all(Array.from({ length: 5 }, () => Page.open(host)))
  for (const page of pages) await page.until(() => page.find('text'))
  const start = process.hrtime.bigint()
  assert.equal(await host.stop(), 0, host.log)
  assert.ok(process.hrtime.bigint() - start < 2_000_000_000n, 'the promise of the program itself: two seconds')
})
