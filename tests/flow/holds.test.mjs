// Holds: what makes a run an action, which is never cut, and where each of them ends.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { withApp, withDatabase } from '../support/flow.mjs'

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

const noted = (page) => page.find('text').props.body
const superseded = (host) => host.metric('moonlit_runs_total{outcome="superseded"}')

// ---- the press ----

test('an action of several steps is whole, whatever is pressed and moved meanwhile', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
local level = ui.slider("Level", { min = 0, max = 10 })
if ui.button "Act" then
  things:insert_one{ v = level }
  ui.caption "half way"
  ui.sleep(0.02)
  things:count_documents{}
  things:insert_one{ v = -level }
end
ui.text(tostring(things:count_documents{}))
`, async (host, page, database) => {
  await page.settled()
  await database.delay(['insert', 'aggregate', 'count'], 10)
  for (let level = 1; level <= 5; level++) {
    page.set('slider', 'Level', level)
    page.press('Act')
  }
  page.set('slider', 'Level', 9)
  await page.settled()
  assert.deepEqual(await database.values('things'), [1, -1, 2, -2, 3, -3, 4, -4, 5, -5])
}))

for (const order of ['A, B', 'B, A']) {
  test(`together(${order}): a slow read in B's condition while A's button is received: A's writes are whole`, () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
local function A()
  ui.sleep(0.02)
  if ui.button "A" then
    things:insert_one{ v = 1 }
    ui.sleep(0.05)
    things:insert_one{ v = 2 }
  end
end
local function B()
  local function asked() things:find_one{} return ui.button "B" end
  if asked() then things:insert_one{ v = 10 } end
  ui.sleep(0.01)
end
ui.button "Other"
ui.together(${order})
ui.text "done"
`, async (host, page, database) => {
    await page.settled()
    await database.delay(['find'], 40)
    page.press('A')
    page.press('Other')
    page.press('B')
    page.press('A')
    await page.settled()
    assert.deepEqual(await database.values('things'), [1, 2, 10, 1, 2])
  }))
}

test('a press that is thrown away holds nothing', () => withApp(`
local ui = require "moonlit"
ui.button "Thrown"
local unused = ui.button "Unused"
if ui.button "Kept" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text(tostring(ui.state.n))
if not ui.state.n then ui.sleep(60) end
`, async (host, page) => {
  await page.until(() => page.find('text'))
  page.press('Thrown')
  page.press('Unused')
  page.press('Kept')
  await page.until(() => noted(page) === '1')
}))

test('where nobody can tell where an action ends it is the whole run, with a hint that names the line', () => withApp(`
local ui = require "moonlit"
local pressed = ui.button "Press"
local function act() if pressed then ui.state.n = (ui.state.n or 0) + 1 end end
act()
ui.sleep(0.1)
act()
ui.text(tostring(ui.state.n))
`, async (host, page) => {
  await page.settled()
  page.press('Press')
  page.press('Press')
  await page.until(() => noted(page) === '4')
  const hints = () => host.log.match(/line 3: the local that received a press is used outside of conditions, so newer events wait/g)
  await host.until(() => hints()?.length >= 2)
  assert.equal(hints().length, 2, 'once a run')
}))

test('a run that ends without the button drops its press, with a line in the log', () => withApp(`
local ui = require "moonlit"
if not ui.state.gone and ui.button "Once" then ui.state.gone = true end
ui.text(tostring(ui.state.gone))
`, async (host, page) => {
  await page.settled()
  page.press('Once')
  page.press('Once')
  await page.settled()
  assert.equal(noted(page), 'true')
  await host.until(() => /a press was dropped: its button was not drawn by the run it belongs to/.test(host.log))
}))

test('a double click on a button that vanishes into a sleep loop: the next event is served within the bound', () => withApp(`
local ui = require "moonlit"
local level = ui.slider("Level", { min = 0, max = 10 })
ui.text("level " .. level)
if not ui.state.gone then
  if ui.button "Once" then ui.state.gone = true end
else
  while true do ui.sleep(0.01) end
end
`, async (host, page) => {
  await page.settled()
  page.press('Once')
  page.press('Once')
  page.set('slider', 'Level', 3)
  await page.until(() => noted(page) === 'level 3')
  assert.ok(page.messages.some((message) => message.kind === 'press_dropped'))
  await host.until(() => /not drawn within 0\.2 s while newer events waited/.test(host.log))
}, { options: ['--press-limit', '0.2'] }))

test('a press above which a read takes long is not dropped as long as nothing newer waits', () => withApp(`
local ui = require "moonlit"
ui.sleep(0.5)
if ui.button "Late" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text("n " .. (ui.state.n or 0))
`, async (host, page) => {
  await page.settled()
  page.press('Late')
  await page.settled()
  assert.equal(noted(page), 'n 1')
}, { options: ['--press-limit', '0.1'] }))

// ---- ui.rerun and ui.stop ----

test('ui.rerun before the button hands the press on; its callback is not called again', () => withApp(`
local ui = require "moonlit"
local function clicked() ui.state.log = (ui.state.log or "") .. "callback " end
if ui.state.again then ui.state.again = nil ui.rerun() end
if ui.button("Press", { on_click = clicked }) then ui.state.log = ui.state.log .. "press " end
if ui.button "Again" then ui.state.again = true end
ui.text(ui.state.log or "")
`, async (host, page) => {
  await page.settled()
  page.press('Again')
  await page.settled()
  page.press('Press')
  await page.settled()
  assert.equal(noted(page), 'callback press ')
}))

test('ui.stop and ui.rerun leave through ui.together, ui.shield and coroutines', () => withApp(`
local ui = require "moonlit"
ui.state.runs = (ui.state.runs or 0) + 1
ui.text("run " .. ui.state.runs)
local leave = ui.state.runs == 1 and ui.rerun or ui.stop
ui.shield(function()
  ui.together(
    function() pcall(function() coroutine.wrap(function() leave() end)() end) end,
    function() ui.sleep(60) end)
end)
ui.text "never"
`, async (host, page) => {
  await page.until(() => page.state === 'finished' || page.find('exception'))
  assert.deepEqual(page.texts(), ['run 2'])
}))

test('ui.stop, ui.rerun and ui.state inside ui.once are errors', () => withApp(`
local ui = require "moonlit"
for _, name in ipairs { "stop", "rerun" } do
  local ok, problem = pcall(ui.once, name, function() pcall(ui[name]) ui[name]() end)
  ui.text(tostring(ok) .. " " .. tostring(problem))
end
ui.text(tostring(select(2, pcall(ui.once, "state", function() ui.state.x = 1 end))))
`, async (host, page) => {
  await page.settled()
  const [stop, rerun, state] = page.texts()
  assert.match(stop, /false .*ui\.stop\(\) cannot be used inside ui\.once/)
  assert.match(rerun, /false .*ui\.rerun\(\) cannot be used inside ui\.once/)
  assert.match(state, /ui\.state cannot be used inside ui\.once/)
}))

// ---- callbacks ----

test('a callback is called although a press follows at once', () => withApp(`
local ui = require "moonlit"
local function changed() ui.sleep(0.02) ui.state.log = (ui.state.log or "") .. ui.state.level .. " " end
ui.slider("Level", { key = "level", min = 0, max = 10, on_change = changed })
ui.toggle("Two", { key = "two", on_change = changed })
if ui.button "Press" then ui.state.log = (ui.state.log or "") .. "press " end
ui.text(ui.state.log or "")
`, async (host, page) => {
  await page.settled()
  page.atOnce(() => { // before the run of the first has begun
    page.event({ [page.find('slider').id]: 4, [page.find('toggle').id]: true })
    page.press('Press')
  })
  await page.settled()
  assert.equal(noted(page), '4 4 press ')
}))

test('an error in a callback is shown with its line, and the other callbacks and the body go on', () => withApp(`
local ui = require "moonlit"
local function bad()
  error("no good")
end
local function good() ui.state.log = "good " end
ui.toggle("Bad", { on_change = bad })
ui.toggle("Good", { on_change = good })
if ui.button("Press", { on_click = bad }) then ui.state.log = ui.state.log .. "press" end
ui.text(ui.state.log or "")
`, async (host, page) => {
  await page.settled()
  const [first, second] = page.elements('toggle')
  page.event({ [first.id]: true, [second.id]: true }, page.find('button').id)
  await page.settled()
  assert.equal(noted(page), 'good press')
  const exceptions = page.elements('exception')
  assert.deepEqual(exceptions.map((node) => [node.props.message, node.props.line]), [['no good', 4], ['no good', 4]])
  assert.equal(page.state, 'finished')
  await host.until(() => /app\.lua:4: no good/.test(host.log))
  page.set('toggle', 'Good', false)
  await page.settled()
  assert.deepEqual(page.elements('exception'), [])
}))

test('ui.rerun in a callback acts after the rest', () => withApp(`
local ui = require "moonlit"
local function again() ui.rerun() ui.state.log = (ui.state.log or "") .. "callback " end
ui.state.runs = (ui.state.runs or 0) + 1
if ui.button("Press", { on_click = again }) then ui.state.log = ui.state.log .. "press " end
ui.text(ui.state.runs .. " " .. (ui.state.log or ""))
`, async (host, page) => {
  await page.settled()
  page.press('Press')
  await page.settled()
  assert.equal(noted(page), '3 callback press ')
}))

test('a press calls the callback of the page on which it was pressed', () => withApp(`
local ui = require "moonlit"
local level = ui.slider("Level", { min = 0, max = 10 })
ui.button("Press", { on_click = function() ui.state.log = (ui.state.log or "") .. level .. " " end })
ui.text(ui.state.log or "")
`, async (host, page) => {
  await page.settled()
  page.set('slider', 'Level', 1)
  await page.settled()
  const seen = page.seq
  page.set('slider', 'Level', 2)
  await page.settled()
  page.seq = seen // what a page says that has not applied the newest patch yet
  page.press('Press')
  page.seq = seen + 1
  page.press('Press')
  await page.until(() => noted(page) === '1 2 ')
}))

// ---- shields and rows of writes ----

test('a shield in a view is not cut, and what it did to the state stays, even if it failed', () => withApp(`
local ui = require "moonlit"
ui.button "Go"
if not ui.state.begun then
  ui.text "shielded"
  pcall(ui.shield, function()
    ui.sleep(0.1)
    ui.state.begun = true
    error "afterwards"
  end)
  ui.state.trace = true
  ui.sleep(60)
end
ui.text(tostring(ui.state.begun) .. " " .. tostring(ui.state.trace))
`, async (host, page) => {
  await page.until(() => page.find('text'))
  page.press('Go')
  await page.settled()
  assert.equal(page.texts().at(-1), 'true nil')
  assert.equal(await superseded(host), 1)
}))

test('a row of writes in a view is finished and never repeated; the draw that ends it ends the view', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
ui.button "Go"
if ui.toggle "Write" and not ui.session.live.begun then
  ui.session.live.begun = true
  things:insert_one{ v = 1 }
  things:insert_one{ v = 2 }
  ui.text "never shown"
  things:insert_one{ v = 3 }
end
ui.text(tostring(things:count_documents{}))
`, async (host, page, database) => {
  await page.settled()
  await database.delay(['insert'], 1000, 1)
  page.set('toggle', 'Write', true)
  await host.eventually(async () => await database.active() === 1)
  page.press('Go')
  await page.settled()
  assert.deepEqual(await database.values('things'), [1, 2])
  assert.deepEqual(page.elements('text').map((node) => node.props.body), ['2'])
}))

test('one branch of ui.together in a row of writes is finished, the others are not waited for', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
ui.button "Go"
if ui.toggle "Write" and not ui.session.live.begun then
  ui.session.live.begun = true
  ui.together(
    function() things:insert_one{ v = 1 } things:insert_one{ v = 2 } things:find_one{} end,
    function() ui.sleep(60) end)
end
ui.text(tostring(things:count_documents{}))
`, async (host, page, database) => {
  await page.settled()
  await database.delay(['insert'], 1000, 1)
  page.set('toggle', 'Write', true)
  await host.eventually(async () => await database.active() === 1)
  page.press('Go')
  await page.settled()
  assert.deepEqual(await database.values('things'), [1, 2])
  assert.equal(page.find('text').props.body, '2')
}))

// ---- what ends a branch ----

const ended = (name, call, left) => test(`${name}: what is under way is finished, nothing behind it begins`, () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
local function insert(...) for _, v in ipairs { ... } do things:insert_one{ v = v } end end
local ok, problem = pcall(function() ${call} end)
ui.text(tostring(problem))
ui.button "Go"
`, async (host, page, database) => {
  await page.settled()
  await database.collection('things').deleteMany({})
  await database.delay(['insert'], 400)
  page.press('Go')
  await page.settled()
  assert.equal(page.state, 'finished')
  assert.match(page.find('text').props.body, /not finished after 0\.05 s|app.lua:5: no/)
  assert.deepEqual(await database.values('things'), left)
}, { options: ['--wall-limit', '5'] }))

ended('ui.timeout in a write', 'ui.timeout(0.05, function() insert(1) ui.sleep(60) end)', [1])
ended('ui.timeout in a row of writes', 'ui.timeout(0.05, insert, 1, 2)', [1])
ended('ui.timeout in a shield', 'ui.timeout(0.05, function() ui.shield(insert, 1, 2) ui.sleep(60) end)', [1, 2])
ended('ui.timeout around ui.together', `ui.timeout(0.05, function()
  ui.together(function() insert(1, 2) end, function() ui.sleep(60) end) insert(3) end)`, [1])
ended('ui.timeout around a shield around ui.together', `ui.timeout(0.05, function() ui.shield(function()
  ui.together(function() insert(1, 2) end, function() ui.sleep(0.2) end) insert(3) end) insert(4) end)`, [1, 2, 3])
ended('ui.timeout around two branches, one in a shield that ends by itself', `ui.timeout(0.05, function() ui.together(
  function() ui.shield(insert, 1, 2) end, function() ui.sleep(0.1) insert(3) end) end)`, [1, 2])
ended('an error beside a write', 'ui.together(function() ui.sleep(0.02) error "no" end, function() insert(1) ui.sleep(60) end)', [1])
