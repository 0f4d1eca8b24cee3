// What a script can rely on in one run: what it draws becomes the page, it waits without async words,
// it starts over and stops.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Page } from '../support/page.mjs'
import { withApp, withDatabase } from '../support/flow.mjs'

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

test('what is drawn before a wait is shown while the run waits, and only then', () => withApp(`
local ui = require "moonlit"
if ui.button "Go" then
  ui.caption "one"
  ui.caption "two"
  ui.sleep(0.05)
  ui.caption "three"
end
`, async (host, page) => {
  await page.settled()
  const before = page.messages.length
  page.press('Go')
  await page.settled()
  const inserted = page.messages.slice(before).filter(({ ops }) => ops?.length > 0)
    .map(({ state, ops }) => [state, ops.map(({ props }) => props.body)])
  assert.deepEqual(inserted, [['running', ['one', 'two']], ['finished', ['three']]])
}))

test('drawn elements keep the order of the script; old ones stay behind their last drawn predecessor', () => withApp(`
local ui = require "moonlit"
if ui.toggle "New" then
  ui.caption "b"
  ui.text("x", { key = "x" })
  ui.sleep(0.2)
  ui.text("c", { key = "c" })
else
  for _, name in ipairs { "a", "b", "c" } do ui.text(name, { key = name }) end
end
`, async (host, page) => {
  await page.settled()
  page.set('toggle', 'New', true)
  const shown = () => page.texts().filter((text) => typeof text === 'string')
  assert.deepEqual(await page.until(() => page.find('text', 'x') && shown()), ['b', 'x', 'a', 'b', 'c'])
  await page.settled()
  assert.deepEqual(shown(), ['b', 'x', 'c'])
}))

const endings = {
  'ui.stop()': ['finished', [], 'ui.stop()'],
  'an error': ['failed', ['no'], 'error("no", 0)'],
  'its time limit': ['limited', ['old'], 'ui.sleep(60)'],
}
for (const [name, [state, shown, how]] of Object.entries(endings)) {
  test(`what a run that ends by ${name} has not drawn ${shown.includes('old') ? 'stays' : 'goes'}`, () => withApp(`
local ui = require "moonlit"
if ui.toggle "End" then ${how} end
ui.caption "old"
`, async (host, page) => {
    await page.settled()
    page.set('toggle', 'End', true)
    await page.until(() => page.ev === page.n && page.state === state)
    assert.deepEqual(page.texts().filter((text) => shown.concat('old').includes(text)), shown)
  }, { options: ['--wall-limit', '0.5'] }))
}

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

test('misuse of what waits raises at its own line, with a sentence', () => withApp(`
local ui = require "moonlit"
local cases = {
  function() ui.sleep(-1) end, function() ui.sleep(0 / 0) end, function() ui.sleep "1" end,
  function() ui.timeout(math.huge, print) end, function() ui.timeout(1) end,
  function() ui.together(print, nil, print) end, function() ui.shield() end,
  function() ui.once("name") end, function() ui.once(nil, print) end,
}
for _, case in ipairs(cases) do ui.text(select(2, pcall(case))) end
ui.text(tostring(pcall(ui.timeout, 0, ui.sleep, 60)))
`, async (host, page) => {
  await page.settled()
  const expected = [
    /app.lua:4: ui.sleep: expected a number of seconds from 0 to 86400, got -1/, /:4: .*got -?nan/, /:4: .*got 1/,
    /:5: ui.timeout: .*got inf/, /:5: ui.timeout: argument 2 is a function, got a nil/,
    /:6: ui.together: argument 2 is a function, got a nil/, /:6: ui.shield: argument 1/,
    /:7: ui.once: argument 2/, /:7: ui.once: the first argument is a name/, /^false/]
  page.texts().forEach((text, i) => assert.match(text, expected[i]))
  assert.equal(page.texts().length, expected.length)
}))

test('when the time is over inside a shield, nothing behind the shield begins, whether it waits or not', () => withApp(`
local ui = require "moonlit"
local behind = "nothing"
local ok, problem = pcall(ui.timeout, 0.05, function()
  ui.shield(function() ui.sleep(0.2) ui.text "shielded" end)
  behind = "something"
  ui.text "behind"
end)
ui.text(behind .. ": " .. tostring(problem))
`, async (host, page) => {
  await page.settled()
  assert.deepEqual(page.texts(), ['shielded', 'nothing: ui.timeout: not finished after 0.05 s'])
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

test('what ui.once gives is one value for twenty first runs', () => withApp(`
local ui = require "moonlit"
local n = ui.once("count", function() ui.sleep(0.05) return math.random() end)
ui.text(tostring(n))
`, async (host, page) => {
  const pages = await Promise.all(Array.from({ length: 20 }, () => Page.open(host)))
  for (const one of [page, ...pages]) await one.until(() => one.find('text'))
  assert.equal(new Set([page, ...pages].map((one) => one.find('text').props.body)).size, 1)
}))

test('a host that ends while ui.once is under way finishes its write, and nothing behind it begins', () => withDatabase(`
local ui = require "moonlit"
local things = require "moonlit.mongo".database().things
ui.text "first"
ui.once("long", function() things:insert_one{ v = 1 } things:insert_one{ v = 2 } end)
`, async (host, page, database) => {
  await page.settled()
  assert.deepEqual(await database.values('things'), [1, 2])
  await database.delay(['insert'], 500, 1) // in the middle of the second that the host waits for a write
  host.write('app.lua', host.read('app.lua').replace('long', 'longer'))
  await host.eventually(async () => await database.active() === 1)
  assert.equal(await host.stop(), 0, host.log)
  assert.deepEqual(await database.values('things'), [1, 2, 1])
}))

test('once cannot touch a session, and a failure is not remembered', () => withApp(`
local ui = require "moonlit"
ui.button "Again"
local ok, problem = pcall(ui.once, "draws", function() ui.text "no" end)
ui.caption(tostring(problem))
ui.state.tries = (ui.state.tries or 0) + 1
local tries, calls = ui.state.tries, 0
local function try()
  return tostring(select(2, pcall(ui.once, "fails", function()
    calls = calls + 1
    ui.sleep(0)
    if tries == 1 then error("bad luck", 0) end
    return "well"
  end)))
end
ui.text(table.concat({ ui.together(try, try) }, ", ") .. ", called " .. calls)
`, async (host, page) => {
  await page.settled()
  assert.match(page.find('caption').props.body, /^\S*app\.lua:4: ui\.text: ui\.once runs for the whole process, without a session/)
  assert.equal(page.find('text').props.body, 'bad luck, bad luck, called 1', 'who waits gets the error too')
  page.press('Again')
  await page.settled()
  assert.equal(page.find('text').props.body, 'well, well, called 1')
}))
