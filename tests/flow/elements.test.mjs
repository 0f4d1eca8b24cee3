// Every element takes every option of its list, each of the right kind only; and what one writes into a
// page that is there already lands where it belongs.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withDrawn as withApp } from '../support/flow.mjs'
import { apps, require } from '../support/moonlit.mjs'

/* ---- the list ---- */

const definition = readFileSync(join(apps, '../runtime/ui/elements.def'), 'utf8')
const common = [...definition.matchAll(/^WIDGET_FIELD\((\w+), OPTION, (\w+)(?:\(([^)]*)\))?, ([^,]+),/gm)]
  .map(([, name, type, words, fallback]) => ({ name, type, words: words?.split('|'), fallback }))
const fields = [...definition.matchAll(/^FIELD\((\w+), (\w+), OPTION, (\w+)(?:\(([^)]*)\))?, ([^,]+),/gm)]
  .map(([, element, name, type, words, fallback]) => ({ element, name, type, words: words?.split('|'), fallback }))
const widgets = [...definition.matchAll(/^ELEMENT\((\w+), WIDGET,/gm)].map(([, name]) => name)
for (const element of widgets) fields.push(...common.map((field) => ({ element, ...field })))

/* What stands before the options. */
const CALLS = { json: '{ a = 1 }', table: '{ { a = 1 } }', metric: '"l", 1', progress: '0.5', divider: '', container: '',
  radio: '"l", { "a", "b" }', selectbox: '"l", { "a", "b" }', multiselect: '"l", { "a", "b" }', columns: '2', tabs: '{ "a", "b" }' }
const call = (element, options) => {
  const before = [CALLS[element] ?? '"l"', options].filter((part) => part !== '').join(', ')
  return element === 'spinner' ? `ui.spinner(${before}, function() ui.text "inside" ui.stop() end)` : `ui.${element}(${before})`
}

const isWord = (word) => !['true', 'false', 'number', 'text', 'bson'].includes(word)
const lua = (value) => (Array.isArray(value) ? `{ ${value.map(lua).join(', ')} }` : JSON.stringify(value))

/* Values that an option takes, none of them its default. */
function samples({ name, type, words, fallback }) {
  switch (type) {
    case 'TEXT': return [name === 'default' ? 'b' : 'x'] // one of the tabs
    case 'BOOLEAN': return [fallback !== 'true']
    case 'NUMBER': case 'INTEGER': return [7]
    case 'NUMBERS': return [[1, 2]]
    case 'TEXTS': return [['a']]
    case 'SIZE': return ['stretch', 'content', 120]
    case 'CHOICE': return words.filter((word) => word !== fallback)
    case 'ONE_OF': return words.filter((word) => word !== fallback && word !== 'bson')
      .map((word) => (isWord(word) ? word : { true: true, false: false, number: 12, text: 'words' }[word]))
    default: return []
  }
}

/* What it does not take. */
const BAD = { TEXT: 'print', BOOLEAN: '"yes"', NUMBER: '"x"', INTEGER: '1.5', NUMBERS: '{ "x" }', TEXTS: '{ {} }', SIZE: '"huge"', CHOICE: '"nonsense"', ONE_OF: 'print' }

const counter = (cases) => `
local case = ui.state.case or 0
if ui.button "Next" then case = case + 1 ui.state.case = case end
${cases.map((code, i) => `${i === 0 ? 'if' : 'elseif'} case == ${i} then ${code}`).join('\n')}
end`

test('every option of every element is taken and reaches the page', async () => {
  const cases = fields.flatMap((field) => samples(field).map((value) => ({ ...field, value })))
  assert.ok(cases.length > 150, String(cases.length))
  await withApp(counter(cases.map(({ element, name, value }) => call(element, `{ ${name} = ${lua(value)} }`))), async (page) => {
    for (const { element, name, value } of cases) {
      const what = `${element} { ${name} = ${lua(value)} }`
      if (element !== 'exception') assert.equal(page.find('exception')?.props.message, undefined, what)
      const node = page.elements(element).find((one) => one.props.label !== 'Next')
      if (element !== 'spinner') assert.deepEqual(node?.props[name], value, what)
      page.press('Next')
      await page.settled()
    }
  })
})

test('an option of the wrong kind raises, and the sentence names it', async () => {
  const cases = fields.filter(({ type }) => BAD[type])
  await withApp(counter(cases.map(({ element, name, type }) => call(element, `{ ${name} = ${BAD[type]} }`))), async (page) => {
    for (const { element, name, type } of cases) {
      const what = `${element} { ${name} = ${BAD[type]} }`
      const message = page.find('exception')?.props.message ?? ''
      assert.match(message, new RegExp(`^ui\\.${element}: ${name}\\b`), what)
      page.press('Next')
      await page.settled()
    }
  })
})

/* ---- particular ones ---- */

test('an editor knows every drawing call, as a function of ui and as a method', () => withApp(`
local names = {}
for name, value in pairs(ui) do if type(value) == "function" then names[#names + 1] = name end end
ui.text(table.concat(names, " "))
`, async (page) => {
  const named = (file, call) => [...readFileSync(new URL(`../../lua/${file}.lua`, import.meta.url), 'utf8').matchAll(call)].map(([, name]) => name)
  const drawing = named('meta/moonlit', /^function ui\.(\w+)\(.*\) end$/gm)
  const others = ['init', 'wait'].flatMap((file) => named(`moonlit/${file}`, /^function (?:moonlit|wait)\.(\w+)\(/gm))
  assert.deepEqual(page.find('text').props.body.split(' ').sort(), [...drawing, ...others, 'write'].sort())
  assert.deepEqual(named('meta/moonlit', /^function handle:(\w+)\(.*\) end$/gm), drawing)
  for (const { element, name } of fields) {
    const type = element.replace(/(^|_)(.)/g, (_, __, letter) => letter.toUpperCase())
    const [options] = named('meta/moonlit', new RegExp(`^---@class moonlit\\.${type}Options\\n((?:---@field .*\\n)+)`, 'gm'))
    assert.match(options ?? '', new RegExp(`^---@field ${name}\\? `, 'm'), `${element}.${name}`)
  }
}))

test('the names that other houses give to options lead to ours', async () => {
  const cases = [['ui.slider("n", { min_value = 1 })', 'min'], ['ui.number_input("n", { max_value = 1 })', 'max'], ['ui.radio("r", { 1 }, { format = tostring })', 'format_func']]
  await withApp(counter(cases.map(([code]) => code)), async (page) => {
    for (const [code, name] of cases) {
      assert.match(page.find('exception')?.props.message ?? '', new RegExp(`did you mean "${name}"\\?`), code)
      page.press('Next')
      await page.settled()
    }
  })
})

test('a metric shows numbers, texts and BSON numbers, and nothing else', async () => {
  const cases = ['ui.metric("m", 1)', 'ui.metric("m", "1 kg", "-2")', 'ui.metric("m", bson.decimal "1.50", bson.int64 "9007199254740993")', 'ui.metric("m")']
  await withApp('local bson = require "moonlit.bson"\n' + counter([...cases, 'ui.metric("m", { 1 })', 'ui.metric("m", print)']), async (page) => {
    for (const code of cases) {
      assert.equal(page.find('exception')?.props.message, undefined, code)
      assert.equal(page.elements('metric').length, 1)
      page.press('Next')
      await page.settled()
    }
    assert.match(page.find('exception').props.message, /ui\.metric/)
    page.press('Next')
    await page.settled()
    assert.match(page.find('exception').props.message, /value is one of number\|text\|bson; got a function/)
  })
})

test('a toast is changed in place by its handle', () => withApp(`
local note = ui.toast "Saving"
note:toast("Saved", { icon = "check" })
`, async (page) => {
  assert.deepEqual(page.elements('toast').map(({ props }) => props), [{ body: 'Saved', icon: 'check' }])
}))

test('handles are drawn over: a metric by a metric, a text by a note, a status by its update', () => withApp(`
local one = ui.metric("Orders", 1)
local two = ui.text "soon"
one:metric("Orders", 2, 1)
two:success "done"
local box = ui.status("Task", { type = "compact" })
box:update { label = "Task done", state = "complete", expanded = true }
`, async (page) => {
  assert.deepEqual(page.elements().map(({ type }) => type), ['metric', 'success', 'status'])
  assert.deepEqual(page.find('metric').props, { label: 'Orders', value: 2, delta: 1 })
  assert.deepEqual(page.find('status').props, { label: 'Task done', state: 'complete', expanded: true, type: 'compact' })
}))

test('an element is cleared by its handle, and shown again in its place', () => withApp(`
local one, two = ui.text "one", ui.text "two"
local step = ui.state.step or 0
one:empty()
if step > 0 then one:info "again" end
if ui.button "Next" then ui.state.step = step + 1 ui.rerun() end
ui.sleep(0.01)
two:empty()
`, async (page) => {
  assert.deepEqual(page.elements().map(({ type }) => type), ['empty', 'empty', 'button'])
  page.press('Next')
  await page.settled()
  assert.deepEqual(page.elements().map(({ type }) => type), ['info', 'empty', 'button'])
}))

test('an empty place holds one element; a write of several into it says what to do', () => withApp(`
local place = ui.empty()
place:write("one", "text")
place:container():write("a", { 1 }, "b")
place:write("a", { 1 })
`, async (page) => {
  assert.deepEqual(page.elements().map(({ type }) => type), ['empty', 'container', 'markdown', 'json', 'markdown', 'exception'])
  assert.match(page.find('exception').props.message, /an empty place holds one element, and these are 2; put a container in it/)
  assert.equal(page.find('exception').props.line, 6)
}))

test('a change that is ignored reaches the script with the next run', () => withApp(`
local word = ui.text_input("Word", { on_change = "ignore" })
ui.text(word)
ui.button "Go"
`, async (page) => {
  assert.equal(page.find('text_input').props.ignores, true)
  page.event({ [page.find('text_input').id]: 'typed' }, page.find('button').id)
  await page.settled()
  assert.equal(page.find('text').props.body, 'typed')
}))

test('an expander and tabs tell the script what is open, and the script may open them', () => withApp(`
local more = ui.expander("More", { on_change = "rerun", key = "more" })
local first, second = ui.tabs({ "First", "Second" }, { on_change = "rerun", key = "page", default = "Second" })
local still = ui.expander "Still"
if more.open then more:text "read" end
ui.text(("%s %s %s %s %s"):format(more.open, first.open, second.open, still.open, ui.state.page))
if ui.button "Open" then ui.state.more, ui.state.page = true, "First" end
`, async (page) => {
  assert.deepEqual([page.find('expander', 'More').props.value, page.find('tabs').props.value, page.find('expander', 'Still').props.value], [false, 'Second', undefined])
  assert.deepEqual(page.elements('text').map(({ props }) => props.body), ['false false true nil Second'])
  page.set('expander', 'More', true)
  await page.settled()
  assert.deepEqual(page.elements('text').map(({ props }) => props.body), ['read', 'true false true nil Second'])
  page.event({ [page.find('tabs').id]: 'First' })
  page.set('expander', 'More', false)
  await page.settled()
  assert.deepEqual(page.elements('text').map(({ props }) => props.body), ['false true false nil First'])
  page.event({ [page.find('tabs').id]: 'Second' })
  page.press('Open')
  await page.settled()
  assert.deepEqual([page.find('expander', 'More').props.value, page.find('tabs').props.value], [true, 'First'])
}))

test('a callback of tabs runs before the body, and a tab that is gone falls back to the first', () => withApp(`
local few = ui.toggle "Few"
local function told(word) ui.state.told = (ui.state.told or "") .. word end
local tabs = few and { "One" } or { "One", "Two" }
local one, two = ui.tabs(tabs, { on_change = told, args = { "!" }, key = "page" })
ui.text(tostring(ui.state.told) .. " " .. ui.state.page .. " " .. tostring(one.open))
`, async (page) => {
  page.event({ [page.find('tabs').id]: 'Two' })
  await page.settled()
  assert.equal(page.find('text').props.body, '! Two false')
  page.set('toggle', 'Few', true)
  await page.settled()
  assert.equal(page.find('text').props.body, '! One true')
}))

test('tabs that make no sense say so', async () => {
  const cases = [['ui.tabs("one")', /labels is a list of names/], ['ui.tabs({ "a" }, { default = "b" })', /default is "b", but no tab has that name/],
    ['ui.tabs({ "a" }, { on_change = 1 })', /on_change is a function, got a number/]]
  await withApp(counter(cases.map(([code]) => code)), async (page) => {
    for (const [code, words] of cases) {
      assert.match(page.find('exception')?.props.message ?? '', words, code)
      page.press('Next')
      await page.settled()
    }
  })
})

test('a value for an expander that does not tell is refused', () => withApp('ui.expander "Still"\nui.text "lives"', async (page) => {
  page.set('expander', 'Still', true)
  await page.until(() => page.messages.some(({ t }) => t === 'error'))
  assert.equal(page.find('text').props.body, 'lives')
}))

test('a slider goes over dates as over numbers, one or two of them', () => withApp(`
local bson = require "moonlit.bson"
local first, last = bson.date "2026-01-01", bson.date "2026-12-31"
local day = ui.slider("Day", { min = first, max = last, value = bson.date "2026-06-01", key = "day" })
local two = ui.slider("Days", { min = first, max = last, value = { first, bson.date "2026-02-01" } })
local hour = ui.slider("Hour", { min = first, max = bson.date "2026-01-02", key = "hour" })
ui.text(("%s %s %s %s"):format(day, two[1], two[2], hour))
if ui.button "Set" then ui.state.day = last ui.state.hour = bson.date "2027-01-01" end
`, async (page) => {
  const day = (text) => new Date(`${text}T00:00:00Z`)
  assert.deepEqual(page.elements('slider').map(({ props }) => props.value), [day('2026-06-01'), [day('2026-01-01'), day('2026-02-01')], day('2026-01-01')])
  assert.deepEqual(page.elements('slider').map(({ props }) => props.step), [86400, 86400, 900])
  page.set('slider', 'Day', day('2026-03-04'))
  page.set('slider', 'Days', [day('2026-03-01'), day('2026-04-01')])
  page.set('slider', 'Hour', 12)
  await page.settled()
  assert.equal(page.find('text').props.body, '2026-03-04T00:00:00Z 2026-03-01T00:00:00Z 2026-04-01T00:00:00Z 2026-01-01T00:00:00Z')
  page.press('Set')
  await page.settled()
  page.event({})
  await page.settled()
  assert.deepEqual(page.find('slider', 'Day').props.value, day('2026-12-31'))
  assert.deepEqual(page.find('slider', 'Hour').props.value, day('2026-01-01'), 'out of range falls back')
}))

test('a slider of what is no number and no date says what it wants', async () => {
  const cases = [['ui.slider("s", { min = bson.date "2026-01-01" })', /min, max and value are numbers, or all three are dates/],
    ['ui.slider("s", { value = bson.date() })', /min, max and value are numbers, or all three are dates/],
    ['ui.slider("s", { min = bson.date "2026-02-01", max = bson.date "2026-01-01" })', /min is a later date than max/],
    ['ui.slider("s", { min = bson.oid() })', /min is a finite number or a date, got an object/],
    ['ui.slider("s", { max = bson.date(1152921504606846976LL) })', /max is a finite number or a date, got an object/],
    ['ui.slider("s", { value = bson.doc { { "l", { true, true } } }.l })', /value is a number or a date, or a list of two/],
    ['ui.slider("s", { value = bson.doc { { "l", { 1 / 0, 1 / 0 } } }.l })', /value is a number or a date, or a list of two/],
    ['ui.slider("s", { min = bson.date "2026-01-01", max = bson.date "2026-02-01", step = -1 })', /step is above 0/]]
  await withApp('local bson = require "moonlit.bson"\n' + counter(cases.map(([code]) => code)), async (page) => {
    for (const [code, words] of cases) {
      assert.match(page.find('exception')?.props.message ?? '', words, code)
      page.press('Next')
      await page.settled()
    }
  })
})

test('a rerun that changes nothing sends no operation, one changed metric less than 300 bytes', () => withApp(`
ui.title "Orders"
ui.state.n = ui.state.n or 1
local left, right = ui.columns(2)
left:metric("Orders", ui.state.n, ui.state.n - 1, { help = "All of them, since the beginning of the year.", border = true })
right:table({ { name = "Luna", km = 3474, tags = { "a", "b" } }, { name = "Titan", km = 5149 } })
right:json({ b = 1, a = { d = 1, c = 2 } })
ui.tabs({ "One", "Two" }, { on_change = "rerun" })
ui.slider("Range", { value = { 10, 20 } })
if ui.button "More" then ui.state.n = ui.state.n + 1 ui.rerun() end
ui.button "Again"
`, async (page) => {
  const { BSON } = require('bson')
  const said = (from) => page.messages.slice(from).filter(({ ops }) => ops?.length > 0)
  let from = page.messages.length
  page.press('Again')
  await page.settled()
  assert.deepEqual(said(from), [])
  from = page.messages.length
  page.press('More')
  await page.settled()
  const [patch, ...more] = said(from)
  assert.deepEqual([patch.ops.length, patch.ops[0].set, more], [1, { value: 2, delta: 1 }, []])
  const size = BSON.calculateObjectSize(patch)
  assert.ok(size < 300, `${size} bytes`)
}))

test('a plain table is shown with its names sorted, a document in its own order', () => withApp(`
local bson = require "moonlit.bson"
local shared = { z = 1, b = { 2, { y = 1, c = 2 } }, a = {} }
ui.write({ q = shared, d = shared, list = { {}, { n = 1, m = 2 } } })
ui.json(bson.doc { { "z", 1 }, { "a", 2 } })
local circle = { x = 1 }
circle.me, circle.too = circle, circle
ui.text(select(2, pcall(ui.json, circle)))
ui.text(select(2, pcall(ui.json, { 1, 2, f = 3 })))
`, async (page) => {
  const [sorted, own] = page.elements('json').map(({ props }) => JSON.stringify(props.body))
  const shared = '{"a":{},"b":[2,{"c":2,"y":1}],"z":1}'
  assert.equal(sorted, `{"d":${shared},"list":[{},{"m":2,"n":1}],"q":${shared}}`)
  assert.equal(own, '{"z":1,"a":2}')
  const [circle, mixed] = page.elements('text').map(({ props }) => props.body)
  assert.match(circle, /itself|circle|cycle|deep/)
  assert.match(mixed, /f/)
}))

test('on_change takes a function or a word', () => withApp(`
ui.text_input("Word", { on_change = "rerun" })
ui.text_input("Other", { on_change = "sometimes" })
`, async (page) => {
  assert.match(page.find('exception').props.message, /on_change is a function, "rerun" or "ignore"; got "sometimes"/)
  assert.equal(page.find('text_input', 'Word').props.ignores, undefined)
}))
