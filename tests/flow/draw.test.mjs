// What a script can rely on when it draws: values of widgets, containers, handles, and sentences for
// what makes no sense.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { withDrawn as withApp } from '../support/flow.mjs'

const shown = (page) => page.elements('text').map((node) => node.props.body)

test('a value that no longer fits falls back to the default', () => withApp(`
local few = ui.toggle "Few"
local n = ui.slider("n", { min = 1, max = few and 10 or 50, value = 5 })
local c = ui.selectbox("c", few and { "a" } or { "a", "b" })
local m = ui.multiselect("m", few and { "x" } or { "x", "y" })
ui.text(n .. " " .. tostring(c) .. " " .. table.concat(m, ","))
`, async (page) => {
  assert.deepEqual(shown(page), ['5 a '])
  page.set('slider', 'n', 40)
  page.set('selectbox', 'c', 'b')
  page.set('multiselect', 'm', ['y', 'x'])
  await page.settled()
  assert.deepEqual(shown(page), ['40 b y,x'])
  page.set('toggle', 'Few', true)
  await page.settled()
  assert.deepEqual(shown(page), ['5 a x'])
  assert.equal(page.find('slider').props.value, 5)
}))

test('a choice gives back the option itself, and ui.state knows it too', () => withApp(`
local moons = { { name = "Io", id = 1 }, { name = "Titan", id = 2 } }
local names = function(moon) return moon.name end
local one = ui.selectbox("one", moons, { format_func = names, key = "one" })
local none = ui.radio("none", { 1, 2 }, { index = false })
local many = ui.multiselect("many", { 10, 20, 30 }, { default = { 30, 10 }, key = "many" })
ui.text(one.id .. " " .. tostring(none) .. " " .. many[1] + many[2] .. " " .. ui.state.one.name .. " " .. #ui.state.many)
if ui.button "Set" then ui.state.many = { 20 } end
`, async (page) => {
  assert.deepEqual(shown(page), ['1 nil 40 Io 2'])
  page.set('selectbox', 'one', 'Titan')
  page.set('radio', 'none', '2')
  await page.settled()
  assert.deepEqual(shown(page), ['2 2 40 Titan 2'])
  page.press('Set')
  await page.settled()
  assert.deepEqual(page.find('multiselect').props.value, ['20'])
}))

test('the script sets a widget before and after it draws it, and the page shows it', () => withApp(`
if ui.state.name == nil then ui.state.name = "first" end
local name = ui.text_input("Name", { key = "name" })
ui.text(name .. "/" .. ui.state.name)
if ui.button "Clear" then ui.state.name = "" end
`, async (page) => {
  assert.deepEqual(shown(page), ['first/first'])
  page.set('text_input', 'Name', 'typed')
  await page.settled()
  assert.deepEqual(shown(page), ['typed/typed'])
  page.press('Clear')
  await page.settled()
  assert.equal(page.find('text_input').props.value, '')
  const update = page.messages.flatMap((message) => message.ops ?? []).filter((op) => op.op === 'update' && op.set?.value === '')
  assert.equal(update[0].by, 'script')
}))

test('a hidden widget keeps its value, and moving it does not lose it', () => withApp(`
local hide = ui.toggle "Hide"
if not hide then ui.text(ui.slider("n", { max = 10 })) end
ui.text "end"
`, async (page) => {
  page.set('slider', 'n', 7)
  await page.settled()
  page.set('toggle', 'Hide', true)
  await page.settled()
  assert.deepEqual(shown(page), ['end'])
  page.set('toggle', 'Hide', false)
  await page.settled()
  assert.deepEqual(shown(page), ['7', 'end'])
}))

test('whole numbers give whole numbers, others do not', () => withApp(`
ui.text(ui.slider("a") .. " " .. ui.slider("b", { min = 0, max = 1 }) .. " " .. ui.slider("c", { max = 1, step = 0.1, value = 0.5 }))
ui.text(ui.number_input("d") .. " " .. tostring(ui.number_input("e", { value = false })) .. " " .. ui.number_input("f", { min = 3, max = 2^40 }))
local r = ui.slider("r", { value = { 20, 30 } })
ui.text(r[1] .. "-" .. r[2])
`, async (page) => {
  assert.deepEqual(shown(page), ['0 0 0.5', '0 nil 3', '20-30'])
  page.set('slider', 'a', 2.5)
  page.set('number_input', 'e', 4)
  page.set('slider', 'r', [1, 2])
  await page.settled()
  assert.deepEqual(shown(page), ['0 0 0.5', '0 4 3', '1-2'])
}))

test('a fraction typed where whole numbers are asked for is rounded, on the page and in ui.state', () => withApp(`
local n = ui.number_input("n", { value = 7, key = "n", max = 10 })
ui.text(n .. " " .. ui.state.n)
`, async (page) => {
  page.set('number_input', 'n', 3.7)
  await page.settled()
  assert.deepEqual(shown(page), ['4 4'])
  assert.equal(page.find('number_input').props.value, 4)
}))

test('an empty multiselect is a list, not a document, wherever it goes', () => withApp(`
local bson = require "moonlit.bson"
local saved = bson.doc { { "tags", bson.array { "a" } } }
local one = ui.multiselect("one", { "a", "b" })
local two = ui.multiselect("two", { "a", "b" }, { default = saved.tags, key = "two" })
if ui.button "None" then ui.state.two = bson.doc { { "tags", bson.array {} } }.tags end
ui.text(bson.json { one = one, two = two, three = ui.state.two })
`, async (page) => {
  assert.match(shown(page)[0], /"one" : \[ *\]/)
  assert.match(shown(page)[0], /"two" : \[ "a" \]/)
  page.press('None')
  await page.settled()
  page.press('None')
  await page.settled()
  assert.match(shown(page)[0], /"two" : \[ *\]/)
  assert.match(shown(page)[0], /"three" : \[ *\]/)
}))

test('a button holds nothing in ui.state, and may be emptied with the others', () => withApp(`
ui.button("b", { key = "b" })
ui.state.b = nil
ui.text(tostring(ui.state.b))
local ok, problem = pcall(function() ui.state.b = true end)
ui.text(problem)
`, async (page) => {
  const [value, problem] = shown(page)
  assert.equal(value, 'nil')
  assert.match(problem, /ui\.state\.b is a button, which only the user presses/)
}))

test('misuse raises at the line of the script, with a sentence', async () => {
  const cases = [
    ['ui.metric("Orders", 12, { delta = 2 })', /delta is an argument, not an option; write ui\.metric\(label, value, delta\)/],
    ['ui.slider("n", { mn = 1 })', /there is no option "mn"; did you mean "min"\?/],
    ['ui.title()', /ui\.title: body is missing; write ui\.title\(body\)/],
    ['ui.title({ 1 })', /body is a text .*, got a table/],
    ['ui.button("b", { type = "loud" })', /type is one of primary\|secondary\|tertiary; got loud/],
    ['ui.button("b", true)', /the last argument is a table of options/],
    ['ui.divider(12)', /the last argument is a table of options, \{ width = \.\.\. \}, not a number/],
    ['ui.empty(true)', /the last argument is a table of options, \{ key = \.\.\. \}, not a boolean/],
    ['ui.checkbox("c", { value = 1 })', /value is true or false/],
    ['ui.slider("n", { min = 2, max = 1 })', /min is 2, which is above max, 1/],
    ['ui.selectbox("s", { "a", "a" })', /the options 1 and 2 have the same label "a"/],
    ['ui.selectbox("s")', /options is a list, got nil; write ui\.selectbox\("label"/],
    ['ui.selectbox("s", { "a" }, { index = 2 })', /index is 2, but there are 1 options/],
    ['ui.text_input("t", { max_chars = -1 })', /max_chars is a whole number from 1 on, got -1/],
    ['ui.multiselect("m", { "a" }, { default = { a = true } })', /default is a list of options, got a table with names/],
    ['ui.multiselect("m", { "a" }, { max_selections = 1.5 })', /max_selections is a whole number from 1 on, got 1\.5/],
    ['ui.columns(0)', /how many is a whole number/],
    ['ui.progress(101)', /value is 0\.0 to 1\.0/],
    ['ui.json("{ nonsense")', /ui\.json: /],
    ['ui.table(5)', /rows is a list/],
    ['ui.text("a\\255")', /body is not UTF-8/],
    ['ui.selectbox("s", { a = "Apple" })', /options is a list, got a table with names; write ui\.selectbox\("label"/],
    ['ui.dataframe({})', /there is no "dataframe" in moonlit; did you mean "table"\?/],
    ['ui.camera_input("c")', /there is no "camera_input" in moonlit$/],
    ['table.insert(require("moonlit.bson").doc({ { "a", 1 } }), 2)', /table\.insert: a document from the database cannot be changed: make a table of it first/],
    ['table.sort(require("moonlit.bson").doc({ { "a", { 2, 1 } } }).a)', /table\.sort: a document .* cannot be changed/],
    ['ui:write("a")', /the calls of ui are no methods; write ui\.write\(\.\.\.\), with a dot/],
    ['ui:columns(2)', /with a dot/],
    ['ui.button("b", { key = ui.sidebar })', /key is a name, \{ key = tostring\(\.\.\.\) \}, got an object/],
    ['require("moonlit.bson").oid("12")', /bson\.oid: an ObjectId is made of 24 hexadecimal digits/],
    ['ui.text("x"):button("b")', /only an element that shows something/],
    ['ui.sidebar:nothing()', /has no method "nothing"/],
    ['ui.txt("a")', /there is no "txt" in moonlit; did you mean "text"\?/],
    ['ui.sidebar.text("a")', /a method is called with a colon; write box:text\(\.\.\.\)/],
    ['ui.sidebar.table({})', /a method is called with a colon; write box:table\(\.\.\.\)/],
    ['ui:text("a")', /this is no method; write ui\.text\(\.\.\.\), with a dot/],
    ['ui.metric("m", 0 / 0)', /value is a finite number, got nan/],
    ['ui.number_input("n", { max = 1 / 0 })', /max is a finite number, got an infinite one/],
    ['ui.state.box = ui.sidebar', /this element of the page cannot be written as BSON/],
    ['ui.json({ f = print })', /ui\.json: .*f/],
    ['ui.spinner("s")', /the last argument is what is done/],
    ['ui.once("x", function() ui.text("no") end)', /ui\.once runs for the whole process/],
  ]
  const script = cases.map(([code], i) => `elseif case == ${i} then ${code}`).join('\n')
  await withApp(`local case = ui.number_input("case", { value = -1, max = 1000 })\nif case == -1 then\n${script}\nend`, async (page) => {
    for (let i = 0; i < cases.length; i++) {
      page.set('number_input', 'case', i)
      await page.settled()
      const failure = page.find('exception')
      assert.ok(failure, `nothing raised by ${cases[i][0]}`)
      assert.match(failure.props.message, cases[i][1])
      assert.equal(failure.props.line, i + 4, cases[i][0] + ': ' + failure.props.message)
    }
  })
})

test('two equal widgets are an error that names both lines, and a key tells them apart', () => withApp(`
ui.button "same"
ui.sidebar:button "same"
ui.button("same", { key = "other" })
ui.button "same"
`, async (page) => {
  assert.match(page.find('exception').props.message, /label "same", at lines 3 and 6/)
}))

test('containers are filled from anywhere, and calling one draws inside', () => withApp(`
local box = ui.container()
ui.text "below"
local left, right = ui.columns { 1, 2 }
box:text "in the box"
left(function()
  ui.text "left"
  ui.sidebar:text "aside"
  pcall(ui.expander, "e", function() error "out" end)
  ui.text "left again"
end)
right:text "right"
local first, second = ui.tabs { "One", "Two" }
second:text "two"
local place = ui.empty()
place:text "gone"
place:text "stays"
local other = ui.empty()
other:text "cleared"
other:empty()
local one = ui.text "before"
one:text "after"
`, async (page) => {
  const where = (body) => page.elements('text').find((node) => node.props.body === body).in
  assert.deepEqual(shown(page), ['in the box', 'below', 'left', 'left again', 'right', 'two', 'stays', 'after', 'aside'])
  assert.equal(where('left'), where('left again'))
  assert.equal(where('aside'), 2)
}))

test('ui.write shows anything', () => withApp(`
local bson = require "moonlit.bson"
ui.write("a", "b", 3, nil, true, bson.int64 "9007199254740993")
ui.write({ { a = 1, b = 2 }, { a = 3, c = 4 } })
ui.write({ a = 1 }, "and", bson.oid "65a1b2c3d4e5f60718293a4b", print)
ui.write({ 1, 2, 3 })
ui.table({})
ui.json('[1, {"a": null}]')
ui.write(bson.doc { { "z", 1 }, { "a", 2 } })
`, async (page) => {
  assert.deepEqual(page.elements().map((node) => node.type), ['markdown', 'table', 'json', 'markdown', 'json', 'table', 'json', 'json'])
  assert.equal(page.elements('markdown')[0].props.body, 'a b `3` `nil` `true` `9007199254740993`')
  assert.deepEqual(page.elements('table')[0].props.columns, ['a', 'b', 'c'])
  assert.equal(page.elements('markdown')[1].props.body, 'and `65a1b2c3d4e5f60718293a4b` `function`')
  assert.deepEqual(page.elements('json')[2].props.body, [1, { a: null }])
  assert.deepEqual(page.elements('table')[1].props.rows, [])
}))

test('a status tells how its function ended, a spinner goes, and waits are allowed inside', () => withApp(`
local count = ui.spinner("working", function() ui.sleep(0.01) ui.text "kept" return 7 end)
ui.text(count)
ui.status("good", function() ui.sleep(0.01) ui.text "step" end)
local ok, problem = pcall(ui.status, "bad", { expanded = true }, function() error("broken", 0) end)
ui.text(problem)
ui.text "outside"
`, async (page) => {
  assert.deepEqual(shown(page), ['kept', '7', 'step', 'broken', 'outside'])
  assert.equal(page.find('spinner'), undefined)
  assert.equal(page.find('status', 'good').props.state, 'complete')
  assert.equal(page.find('status', 'bad').props.state, 'error')
  assert.equal(page.find('text', 'outside').in, 1)
}))

test('a toast of each run is a new one', () => withApp(`
ui.button "Again"
ui.toast "Saved"
`, async (page) => {
  const first = page.find('toast').id
  page.press('Again')
  await page.settled()
  assert.notEqual(page.find('toast').id, first)
}))

test('a choice takes a cursor, and gives back the document', () => withApp(`
local moons = require("moonlit.mongo").database().moons
ui.once("seed", function() moons:insert_many { { _id = 1, name = "Io" }, { _id = 2, name = "Titan" } } end)
local moon = ui.selectbox("moon", moons:find({}, { sort = { _id = 1 } }), { format_func = function(moon) return moon.name end })
ui.text(moon._id)
local ok, problem = pcall(ui.radio, "r", moons:find())
ui.text(problem)
`, async (page) => {
  assert.deepEqual(page.find('selectbox').props.options, ['Io', 'Titan'])
  const [id, problem] = shown(page)
  assert.equal(id, '1')
  assert.match(problem, /an option is a document: say how it reads with \{ format_func/)
  page.set('selectbox', 'moon', 'Titan')
  await page.settled()
  assert.equal(shown(page)[0], '2')
}))

test('ui.table and ui.write take a cursor, and an error of the database', () => withApp(`
local ui = require "moonlit"
local moons = require("moonlit.mongo").database().moons
local function moon(name, size) return require("moonlit.bson").doc { { "name", name }, { "size", size } } end
if moons:count_documents{} == 0 then moons:insert_many{ moon("Io", 1), moon("Europa", 2) } end
ui.table(moons:find({}, { sort = { size = -1 }, projection = { _id = 0 } }))
ui.write(moons:aggregate{ { ["$group"] = { _id = "$name" } }, { ["$sort"] = { _id = 1 } } })
local ok, problem = pcall(moons.find_one, moons, { ["$no"] = 1 })
ui.write(problem)
`, async (page) => {
  await page.settled()
  assert.equal(page.state, 'finished', JSON.stringify(page.texts()))
  const [found, grouped] = page.elements('table').map((node) => node.props)
  assert.deepEqual(found.columns, ['name', 'size'])
  assert.deepEqual(Object.values(found.rows).map((row) => row.name), ['Europa', 'Io'])
  assert.deepEqual(Object.values(grouped.rows).map((row) => row._id), ['Europa', 'Io'])
  assert.match(page.find('exception').props.message, /\$no/)
}))

test('a page may ask what a run has not drawn yet; what was drawn again as it was is not among it', () => withApp(`
ui.text "as it was"
local box = ui.container()
box:text "inside"
local slow = ui.toggle "Slow"
if slow then ui.sleep(600) end
box:text "late inside"
ui.container():text "in an old container"
ui.caption "late"
`, async (page) => {
  const old = async () => {
    const before = page.messages.length
    page.send({ t: 'old' })
    const { ids } = await page.until(() => page.messages.slice(before).find((message) => message.t === 'old'))
    return ids.map((id) => page.nodes.get(id)).map(({ type, props }) => props.body ?? type)
  }
  await page.settled()
  assert.deepEqual(await old(), [], 'no run, nothing old')
  page.set('toggle', 'Slow', true)
  let answer = []
  while (answer.length === 0 || answer.includes('toggle')) answer = await old() // until the run waits
  assert.deepEqual(answer, ['late inside', 'container', 'late'])
}))
