// Superseding: a view gives way to something newer where it stands, its reads are cancelled, it leaves
// no trace; and a storm of values starves nothing.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { withApp, withDatabase } from '../support/flow.mjs'

const superseded = (host) => host.metric('moonlit_runs_total{outcome="superseded"}')

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
  if not ui.session.live.seen then ui.session.live.seen = true ui.sleep(60) end
  ui.state.rows = "read"
end
ui.text(tostring(ui.state.rows))
`, async (host, page) => {
  await page.until(() => page.find('button', 'Go'))
  page.press('Go')
  await page.until(() => page.find('text')?.props.body === 'read')
}))

test('a view superseded in its find: the next run reads again', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
ui.button "Go"
if ui.toggle "Read" and not ui.state.have then
  ui.state.have = true
  ui.text "reading"
  ui.state.rows = #things:find{}:list()
end
ui.metric("Rows", ui.state.rows)
`, async (host, page, database) => {
  await page.settled()
  await database.collection('things').insertMany([{ v: 1 }, { v: 2 }])
  await database.delay(['find'], 600000, 1)
  page.set('toggle', 'Read', true)
  await host.eventually(async () => await database.active() === 1) // the one find that waits
  page.press('Go')
  await page.settled()
  assert.equal(page.find('metric').props.value, 2)
  assert.equal(await superseded(host), 1)
}))

test('a branch of ui.together that ends is no commit: a view superseded behind it leaves no trace', () => withApp(`
local ui = require "moonlit"
ui.button "Go"
if not ui.state.begun then
  ui.state.begun = true
  ui.together(function() ui.sleep(0) end, function() end)
  ui.text "waiting"
  if not ui.session.live.seen then ui.session.live.seen = true ui.sleep(60) end
  ui.state.done = true
end
ui.text(tostring(ui.state.done))
`, async (host, page) => {
  await page.until(() => page.find('text', 'waiting'))
  page.press('Go')
  await page.until(() => page.find('text', 'true') || page.find('text', 'nil'))
  assert.deepEqual(page.texts(), ['waiting', 'true'])
}))

test('a view superseded before ui.once begins nothing', () => withApp(`
local ui = require "moonlit"
local live = ui.session.live
if ui.button "Go" then
  live.presses = (live.presses or 0) + 1
  if live.presses == 1 then
    ui.text "acting"
    ui.sleep(1)
  end
end
if live.presses == 1 then ui.once("never", function() print "begun" return 1 end) end
ui.text "end"
`, async (host, page) => {
  await page.settled()
  page.press('Go')
  await page.until(() => page.find('text', 'acting'))
  page.press('Go')
  await page.settled()
  assert.equal(await superseded(host), 1)
  assert.doesNotMatch(host.log, /begun/)
}))

test('what a superseded view set in a widget is undone, on the page too', () => withApp(`
local ui = require "moonlit"
if ui.session.live.reset then
  ui.session.live.reset = nil
  ui.state.level = 0
end
ui.slider("Level", { key = "level", min = 0, max = 10 })
ui.text("level " .. ui.state.level)
if ui.button "Reset" then ui.session.live.reset = true end
if ui.button "Go" then ui.caption "went" end
if ui.state.level == 0 and ui.session.live.was then ui.sleep(60) end
ui.session.live.was = true
`, async (host, page) => {
  await page.settled()
  page.set('slider', 'Level', 6)
  await page.settled()
  page.press('Reset')
  await page.settled()
  page.set('slider', 'Level', 7)
  await page.until(() => page.find('text').props.body === 'level 0')
  page.press('Go')
  await page.until(() => page.find('caption'))
  assert.equal(page.find('text').props.body, 'level 7')
  assert.equal(page.find('slider').props.value, 7)
}))

test('a slider event every 50 ms for 10 s over a 100 ms read: results on the way, fewer than ten kills', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
local level = ui.slider("Level", { min = 0, max = 1000 })
things:find_one{}
ui.text("level " .. level)
`, async (host, page, database) => {
  await page.settled()
  await database.delay(['find'], 100)
  let shown = 0
  for (let level = 1; level <= 200; level++) {
    const before = page.find('text').props.body
    page.set('slider', 'Level', level)
    await new Promise((next) => setTimeout(next, 50)) // the pace of the hand is the test
    shown += page.find('text').props.body !== before
  }
  await page.settled()
  assert.equal(page.find('text').props.body, 'level 200')
  assert.ok(shown > 5, `${shown} results during the drag`)
  const cancelled = await host.metric('moonlit_operations_cancelled_total')
  assert.ok(cancelled < 10, `${cancelled} kills`)
}))

test('a slider dragged without end over a view of half a second shows results on the way', () => withApp(`
local ui = require "moonlit"
local level = ui.slider("Level", { min = 0, max = 1000 })
ui.sleep(level > 0 and 0.5 or 0)
ui.text("level " .. level)
`, async (host, page) => {
  await page.settled()
  let level = 0
  const hand = setInterval(() => page.set('slider', 'Level', ++level), 20)
  await page.until(() => page.find('text').props.body !== 'level 0').finally(() => clearInterval(hand))
  assert.ok(level > 1, 'the hand was still moving')
  const count = await superseded(host)
  assert.ok(count >= 1 && count < 6, `${count} superseded on the way: the patience doubles`)
}))

test('a superseded view that computes ends at its next look at the clock', () => withApp(`
local ui = require "moonlit"
if ui.button "Go" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text("n " .. (ui.state.n or 0))
if ui.state.n == nil then ui.sleep(0) while true do end end
`, async (host, page) => {
  await page.until(() => page.find('text'))
  page.press('Go')
  await page.until(() => page.find('text').props.body === 'n 1')
  assert.equal(await superseded(host), 1)
}))

test('the next run begins no operation before the reads of the one before are gone from the server', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
ui.button "Go"
ui.text "reading"
ui.metric("Rows", #things:find{}:list())
`, async (host, page, database) => {
  await page.settled()
  const rows = () => page.find('metric').props.value
  let waited = false
  for (let round = 1; round <= 10 && !waited; round++) { // the wait is short: where nobody looked in time, again
    await database.collection('things').insertOne({ v: 1 })
    await database.delay(['find'], 600000)
    page.press('Go')
    await host.eventually(async () => await database.active() === 1)
    await database.delay(['killSessions'], 300)
    page.press('Go')
    await host.eventually(async () => {
      const before = rows()
      waited = await host.metric('moonlit_jobs{state="waiting"}') === 1 && before < round
      return waited || rows() === round
    })
    await page.until(() => rows() === round)
    assert.equal(await database.active(), 0)
  }
  assert.ok(waited, 'it was seen to wait')
}))

test('old elements stay while a view runs, and go only when one has come to its end', () => withApp(`
local ui = require "moonlit"
ui.state.runs = (ui.state.runs or 0) + 1
local slow = ui.toggle "Slow"
ui.text("run " .. ui.state.runs)
if slow then ui.sleep(60) end
if ui.state.runs < 3 then ui.caption "old" end
ui.button "Go"
`, async (host, page) => {
  await page.settled()
  page.set('toggle', 'Slow', true)
  await page.until(() => page.find('text').props.body === 'run 2')
  assert.ok(page.find('caption', 'old') && page.find('button', 'Go'), 'not drawn yet, still there')
  page.stop()
  await page.until(() => page.state === 'stopped')
  assert.ok(page.find('caption', 'old') && page.find('button', 'Go'), 'stopped: nothing is removed')
  page.set('toggle', 'Slow', false)
  await page.settled()
  assert.deepEqual(page.texts().filter((text) => typeof text === 'string'), ['run 3'])
}))
