// One session's script cannot reach into another's, whatever it tries; and what it is given to work
// with stays as it is.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const app = `
local ui = require "moonlit"
local mongo = require "moonlit.mongo"
local things = mongo.database("isolation").things
local code = ui.text_area("Code", { key = "code" })
if ui.button "Run" then
  local f, problem = load(code, "=code")
  local ok, result = pcall(f or error, problem)
  ui.text(tostring(ok) .. " " .. tostring(result))
end
`
let host

before(async () => {
  host = await Moonlit.start({ files: { 'app.lua': app, 'module.lua': 'return { value = 1 }',
    'failing.lua': 'error "not today"', 'left.lua': 'require("moonlit").sleep(0.02) return require "right"',
    'right.lua': 'require("moonlit").sleep(0.02) return require "left"', 'self.lua': 'return coroutine.wrap(function() return require "self" end)()' } })
})
after(async () => assert.equal(await host.stop(), 0, host.log))

async function open() {
  const page = await Page.open(host)
  await page.settled()
  return page
}

/** Run Lua in the page's session; what it returns, or its error, as text. */
async function run(page, code) {
  page.set('text_area', 'Code', code)
  await page.settled()
  page.press('Run')
  await page.settled()
  return page.find('text').props.body
}

/** What another session finds as it was. */
const probe = `
local ui, mongo, bson = require "moonlit", require "moonlit.mongo", require "moonlit.bson"
local things = mongo.database("isolation").things
assert(("a"):upper() == "A" and string.rep("ab", 2) == "abab" and ("abc"):find("b") == 2)
assert(rawget(_G, "leak") == nil and not pcall(function() return leak end))
for _, library in ipairs { string, table, math, os, coroutine, bit } do assert(library.leak == nil) end
for _, library in ipairs { ui, mongo, bson } do
  local ok, problem = pcall(function() return library.leak end)
  assert(not ok and problem:find "leak")
end
assert(type(math.random()) == "number" and type(os.time()) == "number" and type(ui.text) == "function")
assert(require("module").value == 1)
assert(tostring(things) == "collection isolation.things" and rawget(things, "leak") == nil)
things:delete_many {}
things:insert_one { _id = 1, n = 2 }
local cursor = things:find {}
assert(cursor:next().n == 2 and tostring(cursor) == "cursor of find")
local ok, problem = pcall(things.insert_one, things, { _id = 1 })
assert(not ok and problem.code == 11000 and tostring(problem):find "duplicate key" and problem.leak == nil)
assert(tostring(bson.null) == "null" and bson.null.leak == nil)
ui.session.live.count = (ui.session.live.count or 0) + 1
assert(ui.session.live.count == 1 and ui.state.leak == nil)
return "as it was"
`

const attempts = [
  'string.upper = function() return "leak" end', 'rawset(string, "leak", 1)', 'getmetatable("").__index = {}',
  'getmetatable("").__index.upper = nil', 'setmetatable(string, {})', 'for k in pairs(string) do string[k] = nil end',
  'local _, t = pairs(string) t.upper = nil', 'table.insert(string, 1)', '_G.leak = 1', 'rawset(_G, "leak", 1)',
  'getmetatable(_G).__index = {}', 'setmetatable(_G, nil)', 'load("leak = 1")()', 'loadstring("leak = 1")()', 'setfenv(1, {})',
  'getfenv(0).leak = 1', 'debug.getregistry().leak = 1', 'package.loaded.moonlit = {}', 'require("moonlit.sandbox").names = nil',
  'require("moonlit.core.script")', 'require("ffi").cdef "int x;"', 'require "jit".off()', 'newproxy(true)', 'string.dump(load("return 1"))',
  'load("\\27LJ\\2")()', 'local ui = require "moonlit" ui.text = 1', 'rawset(require "moonlit", "leak", 1)', 'require("moonlit").state = {}',
  'require("moonlit").session.id = "x"', 'require("moonlit").session.live = 1', 'require("moonlit").session.live.count = 5',
  'require("moonlit").state.leak = 1', 'require("moonlit").sidebar.text = 1', 'getmetatable(require("moonlit").sidebar).__index = nil',
  'getmetatable(require("moonlit").text "x").__index = {}', 'getmetatable(require("moonlit").state).__index = {}',
  'require("moonlit.mongo").database = 1', 'require("moonlit.bson").null = 1', 'getmetatable(require("moonlit.bson").null).__index = {}',
  'require("module").value = 2', 'rawset(require("moonlit.mongo").database "isolation", "things", 1)',
  'rawset(require("moonlit.mongo").database("isolation").things, "leak", 1)',
  'require("moonlit.mongo").database("isolation").things.leak = 1', 'getmetatable(require("moonlit.mongo").database()).__index = {}',
  'local c = require("moonlit.mongo").database("isolation").things:find {} c.__index.next = function() return { n = 7 } end',
  'local c = require("moonlit.mongo").database("isolation").things:find {} getmetatable(c).__tostring = nil',
  'local _, e = pcall(require("moonlit.mongo").database("isolation").command, require("moonlit.mongo").database("isolation"), { nope = 1 }) e.__index.leak = 1',
  'local _, e = pcall(require("moonlit.mongo").database("isolation").command, require("moonlit.mongo").database("isolation"), { nope = 1 }) getmetatable(e).__tostring = function() return "leak" end',
  'local _, e = pcall(require("moonlit.mongo").database("isolation").command, require("moonlit.mongo").database("isolation"), { nope = 1 }) getmetatable(e).__index = { leak = 1 }',
  'coroutine.resume(coroutine.running())', 'coroutine.yield = nil', 'coroutine.wrap(function() leak = 1 end)()', 'os.exit()', 'os.execute "true"',
  'io.open("leak", "w")', 'return _ml_T()', '_ml_P = 1', 'load("_ml_n = 1")()',
  'load("return require", "=x", "t", setmetatable({}, { is_environment = true }))()("module").value = 2',
]

test('nothing that a session tries reaches another one', async () => {
  const page = await open()
  for (const attempt of attempts) {
    await run(page, attempt)
    const other = await open()
    assert.equal(await run(other, probe), 'true as it was', attempt)
    other.close()
  }
})

test('a seed makes the numbers of its own run, and of no other', async () => {
  const one = await open(), two = await open()
  const seeded = 'math.randomseed(7) local t = {} for i = 1, 5 do t[i] = math.random(1000) end return table.concat(t, " ")'
  const numbers = await run(one, seeded)
  assert.equal(await run(two, seeded), numbers)
  const free = 'local t = {} for i = 1, 5 do t[i] = math.random(1000) end return table.concat(t, " ")'
  await run(one, 'math.randomseed(7)')
  assert.notEqual(await run(two, free), numbers)
  assert.notEqual(await run(one, free), numbers, 'the next run has a seed of its own')
  assert.match(await run(one, 'math.randomseed(1) for i = 1, 1e4 do local a, b, c = math.random(), math.random(3), math.random(-2, 2) assert(a >= 0 and a < 1 and b >= 1 and b <= 3 and c >= -2 and c <= 2) end'), /^true/)
})

test('two processes do not draw the same numbers', async () => {
  const numbers = []
  for (let i = 0; i < 2; i++) {
    const other = await Moonlit.start({ script: 'require("moonlit").text(tostring(math.random(1e9)))' })
    const page = await Page.open(other)
    await page.settled()
    numbers.push(page.find('text').props.body)
    assert.equal(await other.stop(), 0)
  }
  assert.notEqual(numbers[0], numbers[1])
})

test('modules that require one another in a circle say so, also across branches and coroutines', async () => {
  const page = await open()
  assert.match(await run(page, 'return require "self"'), /circle: self -> self/)
  assert.match(await run(page, 'local ui = require "moonlit" return ui.together(function() return require "left" end, function() return require "right" end)'),
    /circle: (left -> right -> left|right -> left -> right)/)
})

test('a module that failed is tried again, also by a branch', async () => {
  const page = await open()
  const result = await run(page, `
local ui = require "moonlit"
local _, first = pcall(require, "failing")
local _, second = pcall(ui.together, function() require "failing" end)
return first .. " " .. second`)
  assert.equal(result.match(/failing.lua:1: not today/g)?.length, 2, result)
})

test('what is absent says so, and what to do instead', async () => {
  const page = await open()
  for (const [code, words] of [
    ['io.open("x")', /'io' is not there in Moonlit: files cannot be read or written/], ['os.execute("x")', /os.execute is not there in Moonlit: programs/],
    ['os.exit()', /os.exit is not there in Moonlit: use ui.stop\(\)/], ['os.remove("x")', /os.remove is not there/], ['os.rename("x", "y")', /os.rename is not there/],
    ['return prnt', /no global 'prnt'; did you mean 'print'\?/], ['(function() made = 1 end)()', /assigned inside a function but not declared/],
  ]) assert.match(await run(page, code), words)
})
