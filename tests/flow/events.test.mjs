// Events: an ordered queue in which a press is a barrier. Nothing is lost, nothing happens twice, and
// page and session agree on every value in the end.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { withApp, withDatabase } from '../support/flow.mjs'

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
  page.atOnce(() => { for (let i = 0; i < 1500; i++) page.press('Press') })
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

test('a press acts with the values that stood when it was pressed', () => withApp(`
local ui = require "moonlit"
local level = ui.slider("Level", { min = 0, max = 10 })
if ui.button "Note" then ui.sleep(0.05) ui.state.log = (ui.state.log or "") .. level .. ";" end
ui.text(ui.state.log or "")
`, async (host, page) => {
  await page.settled()
  for (const level of [1, 2, 3]) {
    page.set('slider', 'Level', level + 5)
    page.set('slider', 'Level', level)
    page.press('Note')
  }
  page.set('slider', 'Level', 9)
  await page.settled()
  assert.equal(page.find('text').props.body, '1;2;3;')
  assert.equal(page.find('slider').props.value, 9)
}))

test('values that a script set stand beside those that the person changed before a press', () => withApp(`
local ui = require "moonlit"
if ui.button "Both" then ui.state.log = ui.state.a .. " " .. ui.state.b end
local a = ui.slider("A", { key = "a", min = 0, max = 10 })
ui.slider("B", { key = "b", min = 0, max = 10 })
if a == 3 then ui.state.b = 7 end
ui.text(ui.state.log or "")
`, async (host, page) => {
  await page.settled()
  page.set('slider', 'A', 3)
  await page.settled()
  page.set('slider', 'A', 4)
  page.press('Both')
  await page.settled()
  assert.equal(page.find('text').props.body, '4 7')
}))

test('a key that names another widget by now: the value on its way is left out, the press beside it counts', () => withApp(`
local ui = require "moonlit"
ui.state.n = ui.state.n or 0
if ui.state.changed then ui.slider("x", { key = "x" }) else ui.text_input("x", { key = "x" }) end
if ui.state.changed then ui.slider("y", { key = "y" }) else ui.button("y", { key = "y" }) end
if ui.button "Change" then ui.state.changed = true ui.rerun() end
if ui.button "Count" then ui.state.n = ui.state.n + 1 end
ui.text("count " .. ui.state.n)
`, async (host, page) => {
  await page.settled()
  const [typed, button, count] = [page.find('text_input').id, page.find('button', 'y').id, page.find('button', 'Count').id]
  page.press('Change')
  await page.settled()
  page.event({ [typed]: 'hello' }, count)
  page.event({}, button)
  await page.settled()
  assert.deepEqual(page.elements('text').map((node) => node.props.body), ['count 1'])
  assert.equal(page.closed, undefined)
  await host.until(() => /a press was dropped: its key names no button any more/.test(host.log))
  page.event({ [typed]: true })
  await page.until(() => page.closed === 1008)
}))

test('Stop behind refused events loses no value of theirs', () => withApp(`
local ui = require "moonlit"
local level = ui.slider("Level", { min = 0, max = 10 })
if ui.button "Long" then ui.caption "working" ui.sleep(60) end
ui.text("level " .. level)
`, async (host, page) => {
  await page.settled()
  page.press('Long')
  await page.until(() => page.find('caption'))
  for (let i = 0; i < 1030; i++) page.press('Long')
  page.set('slider', 'Level', 5)
  page.stop()
  await page.until(() => page.refused)
  await page.until(() => page.messages.some((message) => message.kind === 'press_dropped' && /1024 presses/.test(message.text)))
  assert.ok(page.pending.some((event) => event.values?.[page.find('slider').id] === 5), 'the page still has it')
  for (const event of page.pending) page.send(event)
  await page.until(() => page.pending.length === 0 && page.find('text').props.body === 'level 5')
  assert.equal(page.find('slider').props.value, 5)
}))

test('Stop and nothing waits: the page is told, and no run follows', () => withApp(`
local ui = require "moonlit"
ui.state.runs = (ui.state.runs or 0) + 1
ui.button "Press"
ui.text("run " .. ui.state.runs)
ui.sleep(ui.state.runs == 1 and 60 or 0)
`, async (host, page) => {
  await page.until(() => page.find('text'))
  page.stop()
  await page.until(() => page.state === 'stopped' && page.pending.length === 0)
  page.stop()
  await page.until(() => page.pending.length === 0)
  page.press('Press')
  await page.settled()
  assert.equal(page.find('text').props.body, 'run 2')
}))

const add = `
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
local level = ui.slider("Level", { min = 0, max = 10, value = 1 })
if ui.button "Add" then
  ui.caption "adding"
  things:insert_one{ v = level }
  things:insert_one{ v = -level }
end
ui.text("level " .. level)
`

test('Add, slider moved, Stop during the write: page and session agree, and the next press uses it', () => withDatabase(add, async (host, page, database) => {
  await page.settled()
  await database.delay(['insert'], 1000, 1)
  page.press('Add')
  await page.until(() => page.find('caption'))
  page.set('slider', 'Level', 6)
  page.stop()
  await page.until(() => page.find('text').props.body === 'level 6')
  assert.equal(page.find('slider').props.value, 6)
  assert.deepEqual(await database.values('things'), [1], 'the write under way is finished, the next does not begin')
  page.send({ t: 'whole' })
  await page.until(() => page.messages.at(-1).t === 'tree')
  assert.equal(page.find('slider').props.value, 6)
  page.press('Add')
  await page.settled()
  assert.deepEqual(await database.values('things'), [1, 6, -6])
}))

test('Stop gives a write up after two seconds, and says that its outcome is unknown', () => withDatabase(add, async (host, page, database) => {
  await page.settled()
  await database.delay(['insert'], 600000)
  page.press('Add')
  await page.until(() => page.find('caption'))
  page.stop()
  await page.until(() => page.state === 'stopped')
  assert.ok(page.messages.some((message) => message.kind === 'unknown_outcome'))
  await database.delay([])
  page.press('Add')
  await page.settled()
  assert.deepEqual(await database.values('things'), [1, -1])
}))

test('a limit that ends a run in a write says that its outcome is unknown, and ends nothing else', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
local level = ui.slider("Level", { min = 0, max = 10 })
if ui.button "Add" then
  ui.together(function() things:insert_one{ v = 1 } end, function() while true do end end)
end
ui.text("level " .. level)
`, async (host, page, database) => {
  await page.settled()
  await database.delay(['insert'], 600000)
  page.press('Add')
  page.press('Add')
  page.set('slider', 'Level', 3)
  await page.until(() => page.messages.filter((message) => message.kind === 'unknown_outcome').length === 2)
  await page.until(() => page.find('text').props.body === 'level 3')
  assert.equal(page.messages.filter((message) => message.state === 'limited').length, 2)
}, { options: ['--cpu-limit', '0.1'] }))

test('Stop that comes while a write is finished before ui.rerun ends the rerun too', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
ui.state.runs = (ui.state.runs or 0) + 1
if ui.button "Go" then
  ui.together(
    function() things:insert_one{ v = 1 } end,
    function() ui.sleep(0.01) ui.caption "leaving" ui.sleep(0.01) ui.rerun() end)
end
ui.text("run " .. ui.state.runs)
`, async (host, page, database) => {
  await page.settled()
  await database.delay(['insert'], 1000, 1)
  page.press('Go')
  await page.until(() => page.find('caption'))
  await host.eventually(async () => await database.active() === 1)
  page.stop()
  await page.until(() => page.state === 'stopped')
  assert.deepEqual(await database.values('things'), [1])
  assert.equal(page.find('text').props.body, 'run 1')
}))

test('Stop ends a callback, a shield and what they wait for at once', () => withApp(`
local ui = require "moonlit"
local function act() ui.caption "acting" ui.shield(function() ui.sleep(60) end) end
ui.button("Act", { on_click = act })
ui.text "body"
`, async (host, page) => {
  await page.settled()
  page.press('Act')
  await page.until(() => page.find('caption'))
  page.stop()
  await page.until(() => page.state === 'stopped')
  assert.equal(page.messages.find((message) => message.state === 'stopped').ms < 2000, true)
}))

test('click, F5, click: two inserts', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
if ui.button "Add" then things:insert_one{ v = 1 } things:insert_one{ v = 2 } end
ui.text(tostring(#things:find{}:list()))
`, async (host, page, database) => {
  await page.settled()
  await database.delay(['insert', 'find'], 50)
  page.press('Add')
  const again = await page.reload()
  again.press('Add')
  await again.settled()
  assert.deepEqual(await database.values('things'), [1, 2, 1, 2])
  assert.equal(again.find('text').props.body, '4')
}))

test('F5 during an action: the tree has the values that wait, and both sides end equal', () => withApp(`
local ui = require "moonlit"
if ui.button "Act" then ui.caption "acting" ui.sleep(0.5) end
local level = ui.slider("Level", { min = 0, max = 10 })
ui.text("level " .. level)
`, async (host, page) => {
  await page.settled()
  page.press('Act')
  await page.until(() => page.find('caption'))
  page.set('slider', 'Level', 7)
  const shown = (tree) => tree.ops.find((op) => op.type === 'slider').props.value
  page.send({ t: 'whole' })
  assert.equal(shown(await page.until(() => page.messages.filter((message) => message.t === 'tree')[1])), 7)
  const again = await page.reload()
  assert.equal(shown(await again.until(() => again.messages.find((message) => message.t === 'tree'))), 7)
  await again.until(() => again.state === 'finished' && again.find('text').props.body === 'level 7')
  assert.equal(again.find('slider').props.value, 7)
}))

test('F5 replaces a view that still waits', () => withApp(`
local ui = require "moonlit"
ui.state.runs = (ui.state.runs or 0) + 1
ui.text "first"
if not ui.session.live.seen then ui.session.live.seen = true ui.sleep(60) end
ui.text("run " .. ui.state.runs)
`, async (host, page) => {
  await page.until(() => page.find('text', 'first'))
  const again = await page.reload()
  await again.settled()
  assert.deepEqual(again.texts(), ['first', 'run 1'], 'the view that was replaced left no trace')
}))

test('a slider that the script resets while it is dragged ends equal on both sides', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
if (ui.state.level or 0) > 5 then ui.state.level = 5 end
local level = ui.slider("Level", { key = "level", min = 0, max = 10 })
things:find_one{}
ui.text("level " .. level)
`, async (host, page, database) => {
  await page.settled()
  await database.delay(['find'], 20)
  for (let round = 0; round < 5; round++) {
    for (let level = 1; level <= 10; level++) {
      page.set('slider', 'Level', level)
      if (level % 3 === 0) await page.until(() => page.ev >= page.n - 2)
    }
    await page.until(() => page.ev === page.n && page.state === 'finished')
    assert.equal(page.find('slider').props.value, 5)
    assert.equal(page.find('text').props.body, 'level 5')
  }
}))

test('a session with presses that wait does not expire', () => withApp(`
local ui = require "moonlit"
if ui.button "Act" then ui.sleep(0.6) ui.state.n = (ui.state.n or 0) + 1 end
ui.text("n " .. (ui.state.n or 0))
`, async (host, page) => {
  await page.settled()
  for (let i = 0; i < 4; i++) page.press('Act')
  page.close()
  await page.until(() => page.closed)
  // Its time is over since the second press; the fourth is at work.
  await host.eventually(async () => await host.metric('moonlit_runs_total{outcome="finished"}') === 4)
  await page.connect()
  await page.until(() => page.find('text').props.body === 'n 4')
  assert.equal(page.welcome.resumed, true)
}, { options: ['--session-timeout', '1'] }))
