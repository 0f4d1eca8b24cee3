// What a script can rely on: runs, events, presses, superseding.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

async function withApp(script, body, given = {}) {
  const host = await Moonlit.start({ script, ...given })
  try {
    await body(host, await Page.open(host))
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
}

test('a script becomes a page, and an unchanged rerun sends no operation', () => withApp(`
local ui = require "moonlit"
ui.title "Hello"
ui.text_input("Name", { key = "name" })
ui.button "Again"
`, async (host, page) => {
  await page.settled()
  assert.deepEqual(page.elements().map((node) => node.type), ['title', 'text_input', 'button'])
  page.press('Again')
  await page.settled()
  const last = page.messages.at(-1)
  assert.equal(last.t, 'patch')
  assert.deepEqual(last.ops, [])
}))

test('one changed metric is a patch of less than 300 bytes', () => withApp(`
local ui = require "moonlit"
ui.state.n = (ui.state.n or 0)
if ui.button "Add" then ui.state.n = ui.state.n + 1 end
ui.metric("Count", ui.state.n)
for i = 1, 20 do ui.text("line " .. i) end
`, async (host, page) => {
  await page.settled()
  let size = 0
  page.ws.on('message', (bytes) => { size = bytes.length })
  page.press('Add')
  await page.until(() => page.find('metric').props.value === 1)
  assert.ok(size < 300, `${size} bytes`)
}))

test('a press is true in exactly one run', () => withApp(`
local ui = require "moonlit"
local pressed = ui.button "Press"
if pressed then ui.state.n = (ui.state.n or 0) + 1 end
ui.slider("Other", { min = 0, max = 10 })
ui.metric("Count", ui.state.n or 0)
`, async (host, page) => {
  await page.settled()
  page.press('Press')
  await page.settled()
  page.set('slider', 'Other', 4)
  await page.settled()
  assert.equal(page.find('metric').props.value, 1)
}))

test('a thousand clicks in a second are a thousand presses', () => withApp(`
local ui = require "moonlit"
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
ui.metric("Count", ui.state.n or 0)
`, async (host, page) => {
  await page.settled()
  for (let i = 0; i < 1000; i++) page.press('Press')
  await page.until(() => page.find('metric').props.value === 1000)
}))

test('a queue that is full refuses from a number on, and nothing is lost when the page sends again', () => withApp(`
local ui = require "moonlit"
if ui.button "Press" then ui.sleep(0.001) ui.state.n = (ui.state.n or 0) + 1 end
ui.metric("Count", ui.state.n or 0)
`, async (host, page) => {
  await page.settled()
  for (let i = 0; i < 1500; i++) page.press('Press')
  await page.until(() => page.refused)
  while (page.pending.length > 0) {
    const from = page.refused
    page.refused = undefined
    if (from) await page.until(() => page.ev >= from - 1)
    for (const event of page.pending.filter((event) => event.n >= (from ?? 0))) page.send(event)
    await page.until(() => page.refused || page.pending.length === 0, 60000)
  }
  await page.until(() => page.find('metric').props.value === 1500, 60000)
}))

test('ten clicks over a slow view: all counted, one visible result, from the newest state', () => withApp(`
local ui = require "moonlit"
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
ui.sleep(0.5)
ui.text("result " .. (ui.state.n or 0))
`, async (host, page) => {
  await page.settled()
  for (let i = 0; i < 10; i++) page.press('Press')
  await page.until(() => page.find('text').props.body === 'result 10')
  const shown = page.messages.flatMap((m) => m.ops ?? []).filter((op) => op.set?.body?.startsWith('result'))
  assert.equal(shown.length, 1)
  assert.ok(await host.metric('moonlit_runs_total{outcome="superseded"}') >= 9)
}))

test('with the slow part above the button, ten presses act once each, in order', () => withApp(`
local ui = require "moonlit"
ui.sleep(0.05)
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text("result " .. (ui.state.n or 0))
`, async (host, page) => {
  await page.settled()
  for (let i = 0; i < 10; i++) page.press('Press')
  await page.until(() => page.find('text').props.body === 'result 10')
}))

test('a superseded view leaves no trace in the state', () => withApp(`
local ui = require "moonlit"
ui.button "Go"
if not ui.state.have then
  ui.state.have = true
  ui.sleep(0.3)
  ui.state.rows = "read"
end
ui.text(tostring(ui.state.rows))
`, async (host, page) => {
  await page.until(() => page.find('button', 'Go'))
  page.press('Go')
  await page.until(() => page.find('text')?.props.body === 'read')
}))

test('a press in a local tested twice, double-clicked: both parts happen twice', () => withApp(`
local ui = require "moonlit"
ui.state.a, ui.state.b = ui.state.a or 0, ui.state.b or 0
local pressed = ui.button "Press"
if pressed then ui.state.a = ui.state.a + 1 end
ui.sleep(0.05)
if pressed then ui.state.b = ui.state.b + 1 end
ui.text(ui.state.a .. " " .. ui.state.b)
`, async (host, page) => {
  await page.settled()
  page.press('Press')
  page.press('Press')
  await page.until(() => page.find('text').props.body === '2 2')
}))

test('on_click and an if both see the press; the callback comes first', () => withApp(`
local ui = require "moonlit"
local function add(n) ui.state.log = (ui.state.log or "") .. "callback" .. n .. " " end
if ui.button("Press", { on_click = add, args = { 7 } }) then ui.state.log = ui.state.log .. "if " end
ui.text(ui.state.log or "")
`, async (host, page) => {
  await page.settled()
  page.press('Press')
  page.press('Press')
  await page.until(() => page.find('text').props.body === 'callback7 if callback7 if ')
}))

test('on_change fires once with the newest value', () => withApp(`
local ui = require "moonlit"
local function changed() ui.state.log = (ui.state.log or "") .. ui.state.level .. ";" end
ui.slider("Level", { key = "level", min = 0, max = 10, on_change = changed })
ui.text(ui.state.log or "")
`, async (host, page) => {
  await page.settled()
  page.set('slider', 'Level', 3)
  await page.until(() => page.find('text').props.body === '3;')
}))

test('Stop ends a view, drops queued presses, and keeps values', () => withApp(`
local ui = require "moonlit"
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 ui.caption "working" ui.sleep(30) end
local level = ui.slider("Level", { min = 0, max = 10 })
ui.text("level " .. level .. " n " .. (ui.state.n or 0))
`, async (host, page) => {
  await page.settled()
  page.press('Press')
  await page.until(() => page.find('caption', 'working'))
  page.press('Press')
  page.set('slider', 'Level', 5)
  page.stop()
  await page.until(() => page.messages.some((m) => m.t === 'notice' && m.kind === 'press_dropped'))
  await page.until(() => page.find('text').props.body === 'level 5 n 1')
}))

test('ui.rerun starts again at once, a hundred times at most', () => withApp(`
local ui = require "moonlit"
ui.button "Go"
ui.state.n = (ui.state.n or 0) + 1
if ui.state.n < 5 then ui.rerun() end
ui.text("n " .. ui.state.n)
`, async (host, page) => {
  await page.until(() => page.find('text')?.props.body === 'n 5')
}))

test('an endless ui.rerun is an error at its line', () => withApp(`
local ui = require "moonlit"
ui.rerun()
`, async (host, page) => {
  await page.until(() => page.find('exception'))
  assert.equal(page.find('exception').props.line, 3)
}))

test('ui.stop passes through pcall and keeps what was drawn', () => withApp(`
local ui = require "moonlit"
ui.text "before"
pcall(function() coroutine.wrap(function() ui.stop() end)() end)
ui.text "after"
`, async (host, page) => {
  await page.settled()
  assert.deepEqual(page.texts(), ['before'])
}))

test('together: results in order, each draws in its own place, the first error ends the rest', () => withApp(`
local ui = require "moonlit"
local a, b = ui.together(
  function() ui.sleep(0.1) ui.text "first" return 1 end,
  function() ui.text "second" return 2 end)
ui.text(a .. " " .. b)
local ok, problem = pcall(ui.together,
  function() error("no", 0) end,
  function() ui.sleep(60) end)
ui.text(tostring(ok) .. " " .. tostring(problem))
`, async (host, page) => {
  await page.settled()
  assert.deepEqual(page.texts(), ['first', 'second', '1 2', 'false no'])
}))

test('timeout raises, and the rest of the script goes on', () => withApp(`
local ui = require "moonlit"
local ok, problem = pcall(ui.timeout, 0.05, function() ui.sleep(60) end)
ui.text(tostring(ok))
ui.text(ui.timeout(5, function() ui.sleep(0.01) return "value" end))
`, async (host, page) => {
  await page.settled()
  assert.deepEqual(page.texts(), ['false', 'value'])
}))

test('what is drawn after a wait lands in the right session and container', () => withApp(`
local ui = require "moonlit"
local box = ui.container()
ui.text "below"
box(function() ui.sleep(0.05) ui.text("in the box of " .. ui.session.id) end)
`, async (host, page) => {
  const other = await Page.open(host)
  await page.settled()
  await other.settled()
  for (const one of [page, other]) {
    const box = one.find('container')
    assert.equal(one.nodes.get(box.children[0]).props.body, `in the box of ${one.welcome.public}`)
  }
}))

test('two tabs have states of their own; a counter of once is one after twenty first runs', () => withApp(`
local ui = require "moonlit"
local n = ui.once("count", function() ui.sleep(0.05) return math.random() end)
ui.text(tostring(n))
`, async (host, page) => {
  const pages = await Promise.all(Array.from({ length: 20 }, () => Page.open(host)))
  for (const one of [page, ...pages]) await one.until(() => one.find('text'))
  assert.equal(new Set([page, ...pages].map((one) => one.find('text').props.body)).size, 1)
}))

test('once cannot touch a session, and a failure is not remembered', () => withApp(`
local ui = require "moonlit"
local ok, problem = pcall(ui.once, "draws", function() ui.text "no" end)
ui.text(tostring(problem))
ui.state.tries = (ui.state.tries or 0) + 1
local good = pcall(ui.once, "fails", function() ui.sleep(0) error "once" end)
ui.text(tostring(good))
`, async (host, page) => {
  await page.until(() => page.find('exception') || page.elements('text').length === 2)
  assert.match(JSON.stringify(page.texts()), /ui\.once/)
}))
