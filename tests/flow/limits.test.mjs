// A script that misbehaves is ended with a sentence, and nobody else feels it.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const loops = {
  while: 'while true do end',
  repeat: 'repeat until false',
  goto: '::again:: goto again',
  'tail call': 'local function f() return f() end f()',
  pairs: 'while true do for _ in pairs({1,2,3}) do end end',
  __index: 'local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) while true do pcall(function() return t[1] end) end',
  sort: 'local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function() while true do end end)',
  gsub: '("aaa"):gsub(".", function() while true do end end)',
  'coroutine.wrap': 'coroutine.wrap(function() while true do end end)()',
  pcall: 'while true do pcall(error, "x") end',
  'xpcall with an endless handler': 'while true do xpcall(error, function() while true do end end) end',
  'loop of bad patterns': 'while true do pcall(string.find, ("a"):rep(400), ".-.-.-.-b") end',
  'loop of searches in much': 'local s = ("ab"):rep(1e6) while true do s:gsub("b", "") s:find("c%d") end',
  'loop of table.concat of much': 'local t = {} for i = 1, 2e6 do t[i] = "xyz" end while true do table.concat(t) end',
  'loop of table.insert before much': 'local t = {} for i = 1, 2e6 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t, 1) end',
  'loop of long documents': 'local doc = require("moonlit.bson").doc { { "t", ("x"):rep(5e5) } } while true do tostring(doc) end',
  'loop of load': 'local s = ("local x = 1 "):rep(150) while true do load(s) end',
  'loop of ui.state': 'while true do ui.state.x = ("x"):rep(1e6) end',
  'a loaded chunk without a counter': `local sum = "v1" for i = 2, 60 do sum = sum .. " + v" .. i end
    local locals = {} for i = 1, 60 do locals[i] = "local v" .. i .. " = 0 " end
    assert(load(table.concat(locals) .. "return function() local n = " .. sum .. " while true do n = n + 1 end end"))()()`,
  tostring: 'local o = setmetatable({}, { __tostring = function() while true do end end }) print(o)',
}

const script = (body) => `
local ui = require "moonlit"
ui.button "Good"
if ui.button "Bad" then
  ${body}
end
ui.state.n = (ui.state.n or 0) + 1
ui.text("run " .. ui.state.n)
`

for (const [name, body] of Object.entries(loops)) {
  test(`an endless ${name} ends with a message while another session stays quick`, async () => {
    const host = await Moonlit.start({ script: script(body), options: ['--cpu-limit', '0.8'] })
    try {
      const bad = await Page.open(host)
      const good = await Page.open(host)
      await bad.settled()
      await good.settled()
      bad.press('Bad')
      good.atOnce(() => { for (let i = 0; i < 5; i++) good.press('Good') })
      await good.settled()
      assert.equal(bad.find('exception'), undefined, 'the other session was served first')
      await bad.until(() => bad.find('exception'))
      assert.match(bad.find('exception').props.message, /CPU time|cannot pause/)
      bad.press('Good')
      await bad.settled()
    } finally {
      assert.equal(await host.stop(), 0, host.log)
    }
  })
}

const hogs = {
  'string doubling': 'local s = ("x"):rep(1024) ' + 's = s .. s '.repeat(24),
  'a memory hog': 'local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end',
  'a catastrophic pattern': 'local s = ("a"):rep(400) s:find(".-.-.-.-.-b")',
  'recursion without end': 'local function f(n) return 1 + f(n + 1) end f(1)',
}

for (const [name, body] of Object.entries(hogs)) {
  test(`${name} ends with a message, the session and all others alive`, async () => {
    const host = await Moonlit.start({ script: script(body), options: ['--memory-limit', '8', '--cpu-limit', '5'] })
    try {
      const bad = await Page.open(host)
      const good = await Page.open(host)
      await bad.settled()
      await good.settled()
      bad.press('Bad')
      good.press('Good')
      await good.settled()
      await bad.until(() => bad.find('exception'))
      bad.press('Good')
      await bad.until(() => !bad.find('exception'))
    } finally {
      assert.equal(await host.stop(), 0, host.log)
    }
  })
}

/** Press "Bad" and return the error's properties. */
async function failed(bad) {
  bad.press('Bad')
  await bad.settled()
  return bad.find('exception').props
}

test('a memory hog is told with the line it was in', () => withPages(`
  local t = {}
  for i = 1, 1e9 do
    t[i] = ("x"):rep(1000) .. i
  end`, ['--memory-limit', '8'], async (host, bad) => {
  const { kind, line, source, traceback } = await failed(bad)
  assert.equal(kind, 'Memory limit')
  assert.ok(line >= 7 && line <= 8, `line ${line}`)
  assert.match(source.find(([number]) => number === line)[1], /for i|t\[i\]|end/)
  assert.match(traceback[0], /app.lua:[78]: in the script/)
}))

test('a memory hog without a loop is told with the line it was in', () => withPages(
  `local s = ("x"):rep(1024)\n${'  s = s .. s\n'.repeat(24)}`, ['--memory-limit', '8'], async (host, bad) => {
    const { kind, line } = await failed(bad)
    assert.equal(kind, 'Memory limit')
    assert.ok(line >= 17 && line <= 20, `line ${line}`) // 8 to 64 MiB
  }))

test('of two branches the one that took the memory is told', () => withPages(`
  local function hog()
    local t = {}
    for i = 1, 1e9 do t[i] = { i } end
  end
  ui.together(hog, function() while true do ui.sleep(0) end end)`, ['--memory-limit', '16'], async (host, bad) => {
  for (let i = 0; i < 10; i++) {
    const { kind, line } = await failed(bad)
    assert.equal(kind, 'Memory limit')
    assert.equal(line, 8)
  }
}))

// LuaJIT may crash when the allocator refuses, in compiled code and in some functions.
const hot = {
  formats: 'for i = 1, 1e9 do t[i] = string.format("%020d", i) end',
  numbers: 'local function f(n) t[#t + 1] = tostring(n) .. "x" if n > 0 then f(n - 1) f(n - 1) end end while true do f(12) end',
  handlers: 'while true do xpcall(function() while true do t[#t + 1] = tostring(#t + 0.5) end end, function(e) return tostring(e):upper() .. #t end) end',
  doubling: 'for i = 1, 1e5 do t[1] = i end local s = "x" while true do s = s .. s end',
}

for (const [name, body] of Object.entries(hot)) {
  test(`a memory hog of ${name}, pressed again and again, never takes the host with it`, () => withPages(
    `local t, pad = {}, ("x"):rep((ui.state.n or 0) * 10007)\n ${body}`, ['--memory-limit', '8'], async (host, bad) => {
      for (let i = 0; i < 12; i++) assert.equal((await failed(bad)).kind, 'Memory limit')
    }))
}

test('a run that lives near its memory limit is not ended for what it has dropped', () => withPages(`
  local t = {}
  for i = 1, 3e5 do t[i] = { i } end
  local s = ("x"):rep(60000)
  for i = 1, 1e9 do local garbage = s .. i end`, ['--memory-limit', '32', '--cpu-limit', '0.5'], async (host, bad) => {
  assert.match((await failed(bad)).message, /CPU time/)
}))

async function withPages(body, options, then) {
  const host = await Moonlit.start({ script: script(body), options })
  try {
    const bad = await Page.open(host), good = await Page.open(host)
    await bad.settled()
    await good.settled()
    await then(host, bad, good)
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
}

test('what a run left behind that took much memory is collected when there is nothing to do', () => withPages(
  'local t = {} while true do t[#t + 1] = { #t } end', ['--memory-limit', '64'], async (host, bad) => {
    bad.press('Bad')
    await bad.until(() => bad.find('exception'))
    assert.match(bad.find('exception').props.message, /more than 64 MiB of memory/)
    await host.eventually(async () => await host.metric('moonlit_lua_heap_bytes') < 16e6)
  }))

test('what a callback kept alive goes when its widget has left the page', async () => {
  const host = await Moonlit.start({ script: `
local ui = require "moonlit"
local n = (ui.state.n or 0) + 1
ui.state.n = n
local big = ("x"):rep(1e6) .. n
ui.button("New", { key = "new" .. n, on_click = function() return big end })
local choice = n < 3 and ui.selectbox("Choice", { 1.5, 2.5 }, { key = "choice", index = 2, on_change = function() return big end })
ui.text(type(ui.state.choice) .. " " .. ui.state.choice)
` })
  try {
    const page = await Page.open(host)
    await page.settled()
    for (let i = 0; i < 60; i++) {
      page.press('New')
      await page.settled()
    }
    assert.ok(page.texts().includes('number 2.5'), 'a hidden choice still has its own values')
    await host.eventually(async () => {
      page.press('New')
      await page.settled()
      return await host.metric('moonlit_lua_heap_bytes') < 25e6
    })
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})

test('a run that takes too long by the clock on the wall is ended where it waits', () => withPages(
  'ui.text "before"\nui.sleep(60)', ['--wall-limit', '0.3'], async (host, bad, good) => {
    bad.press('Bad')
    await bad.until(() => bad.find('exception'))
    const { kind, message, line } = bad.find('exception').props
    assert.equal(kind, 'Time limit')
    assert.match(message, /took more than 0.3 s and was ended.*--wall-limit/)
    assert.equal(line, 6)
    assert.ok(bad.texts().includes('before'))
    good.press('Good')
    await good.settled()
    assert.equal(good.find('exception'), undefined)
  }))

test('a page that is full shows the error all the same', () => withPages(
  'for i = 1, 1e6 do ui.text("line " .. i) end', [], async (host, bad) => {
    bad.press('Bad')
    await bad.until(() => bad.find('exception'))
    assert.match(bad.find('exception').props.message, /at most 20000 elements/)
  }))

test('an error in containers as deep as can be is shown', () => withPages(
  'local function f(box) box(function() f(box:container()) end) end f(ui.container())', [], async (host, bad) => {
    bad.press('Bad')
    await bad.until(() => bad.find('exception'))
    assert.match(bad.find('exception').props.message, /too deep in each other/)
  }))

test('a run that prints without end does not fill the log', () => withPages(
  'while true do print(("x"):rep(1e6)) end', ['--cpu-limit', '0.5'], async (host, bad) => {
    bad.press('Bad')
    await bad.until(() => bad.find('exception'))
    await host.until(() => /has printed enough/.test(host.log))
    assert.ok(host.log.length < 2e6, `${host.log.length} bytes`)
  }))

test('nobody waits when the log is not read, and it says what is missing', () => withPages(
  'for i = 1, 5000 do print(("x"):rep(100)) end', [], async (host, bad, good) => {
    host.child.stderr.pause()
    for (let i = 0; i < 3; i++) {
      bad.press('Bad')
      await bad.settled()
      good.press('Good')
      await good.settled()
    }
    host.child.stderr.resume()
    bad.press('Bad')
    await host.until(() => /lines were not written/.test(host.log))
  }))

test('a branch that is ended takes its own branches with it, and the run goes on', async () => {
  const host = await Moonlit.start({ script: `
local ui = require "moonlit"
local late = 0
local function wait() ui.sleep(0.05) late = late + 1 end
local function two() ui.together(wait, function() ui.timeout(1, wait) end) end
ui.text(tostring(pcall(ui.together, two, function() ui.sleep(0.01) error "enough" end)))
ui.text(tostring(pcall(ui.timeout, 0.01, two)))
local function endless() ui.together(endless, endless) end
ui.text(select(2, pcall(endless)))
ui.sleep(0.1)
ui.text("late " .. late)
` })
  try {
    const page = await Page.open(host)
    await page.settled()
    assert.deepEqual(page.texts().filter((text) => !/at most 256 branches/.test(text)), ['false', 'false', 'late 0'])
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})

test('misspelt globals are named with the nearest one', async () => {
  const host = await Moonlit.start({ script: 'local ui = require "moonlit"\nui.text(tostrin(1))\n' })
  try {
    const page = await Page.open(host)
    await page.until(() => page.find('exception'))
    assert.match(page.find('exception').props.message, /tostring/)
    assert.equal(page.find('exception').props.line, 2)
  } finally {
    assert.equal(await host.stop(), 0)
  }
})

test('a stack that is full, whatever the frames on it, is an error and not the end of the host', async () => {
  const frames = Array.from({ length: 40 }, (_, count) => Array.from({ length: count }, (_, i) => `a${i}`).join(', '))
  const host = await Moonlit.start({ script: `
local ui = require "moonlit"
local kinds = {}
${frames.map((list, i) => `do local function f(${list}) return 1 + f(${list}) end kinds[${i + 1}] = f end`).join('\n')}
kinds[ui.slider("Kind", { min = 1, max = ${frames.length} })]()
` })
  try {
    const page = await Page.open(host)
    await page.settled()
    for (let kind = 1; kind <= frames.length; kind++) {
      page.set('slider', 'Kind', kind)
      await page.settled()
      assert.match(page.find('exception').props.message, /stack overflow/)
    }
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})

test('widgets that are set again and again without a wait: the error tells what is too much', async () => {
  const host = await Moonlit.start({ script: `
local ui = require "moonlit"
ui.slider("a", { key = "a" })
ui.slider("b", { key = "b" })
for i = 1, 1e5 do
  ui.state.a = i % 100
  ui.state.b = i % 100
end` })
  try {
    const page = await Page.open(host)
    await page.settled()
    assert.match(page.find('exception').props.message,
      /^ui.state.[ab]: the run draws too much at once: more than 80000 changes without a wait$/)
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})
