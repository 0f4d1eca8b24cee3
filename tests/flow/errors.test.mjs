// An error that nobody caught is shown where the script had come to, with its line, the lines around
// it and the way there, and is written to the log once.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Moonlit, folder } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const modules = {
  'parts/deep.lua': 'local deep = {}\nlocal function inner()\n  error "in module"\nend\nfunction deep.fail()\n  inner()\n  return 1\nend\nreturn deep',
  'raises.lua': 'local x = 1\nlocal function f()\n  return x.y.z\nend\nlocal y = f()\nreturn y',
  'broken.lua': 'local x = 1\nlocal y = = 2',
}

/** name: [script, place, message, traceback]; the last two as patterns. */
const cases = {
  'an operation on nil': ['\nlocal x = nil + 1', 'app.lua:2', /arithmetic on a nil value/, /^app.lua:2: in the script$/],
  'a function of a module': ['local deep = require "parts.deep"\ndeep.fail()', 'parts/deep.lua:3', /^in module$/, /^parts\/deep.lua:3: in inner, parts\/deep.lua:6: in fail, app.lua:2: in the script$/],
  'a module that is loaded': ['\nrequire "raises"', 'raises.lua:3', /index upvalue 'x'/, /^raises.lua:3: in f, raises.lua:5: in the script, app.lua:2: in the script$/],
  'a module that does not compile': ['\nrequire "broken"', 'broken.lua:2', /^unexpected symbol near '='$/, /^app.lua:2: in the script$/],
  'a missing module': ['\nrequire "parts.none"', 'app.lua:2', /there is no module "parts.none": neither .*parts\/none.lua nor .*parts\/none\/init.lua is there/, /app.lua:2/],
  'ui.once': ['ui.once("x", function()\n  local t\n  return t.x\nend)', 'app.lua:3', /index local 't'/, /app.lua:1: in the script/],
  'a branch': ['ui.together(function()\n  ui.sleep(0.01)\n  local function inner()\n    error "in branch"\n  end\n  inner()\nend, function() ui.sleep(60) end)', 'app.lua:4', /^in branch$/, /^app.lua:4: in inner, app.lua:6: in a function, app.lua:1: in the script$/],
  'a time that is over': ['\nui.timeout(0.01, function() ui.sleep(60) end)', 'app.lua:2', /^ui.timeout: not finished after 0.01 s$/, /app.lua:2/],
  'a time without end': ['\nui.timeout(math.huge, function() end)', 'app.lua:2', /^ui.timeout: expected a number of seconds from 0 to 86400, got inf$/, /app.lua:2/],
  'a time that is no number': ['\nui.sleep(0/0)', 'app.lua:2', /^ui.sleep: expected a number of seconds from 0 to 86400, got -?nan$/, /app.lua:2/],
  'too many branches': ['local many = {} for i = 1, 300 do many[i] = function() end end\nui.together(unpack(many))', 'app.lua:2', /at most 256 branches/, /^app.lua:2: in the script$/],
  'coroutine.wrap': ['local f = coroutine.wrap(function()\n  error "inside"\nend)\nf()', 'app.lua:2', /^inside$/, /app.lua:4: in the script/],
  'a metamethod': ['local t = setmetatable({}, { __index = function(_, k)\n  error("no " .. k)\nend })\nlocal x = t.y', 'app.lua:2', /^no y$/, /^app.lua:2: in __index, app.lua:4: in the script$/],
  __tostring: ['local t = setmetatable({}, { __tostring = function()\n  error "no words"\nend })\nprint(t)', 'app.lua:2', /^no words$/, /app.lua:4/],
  'a comparison': ['table.sort({ 2, 1 }, function(a, b)\n  return a.x < b.x\nend)', 'app.lua:2', /index local 'a'/, /^app.lua:2: in less, app.lua:1: in the script$/],
  'a sort that cannot be': ['\ntable.sort { 1, "x" }', 'app.lua:2', /cannot compare a number with a string/, /app.lua:2/],
  'a replacement': ['("x"):gsub(".", function()\n  error "in gsub"\nend)', 'app.lua:2', /^in gsub$/, /app.lua:1: in the script/],
  'a bad pattern': ['\nstring.find("x", "[")', 'app.lua:2', /malformed pattern/, /app.lua:2/],
  'a pattern that takes too long': ['local s = ("a"):rep(400)\nlocal at = s:find ".-.-.-.-b"', 'app.lua:2', /takes too long/, /app.lua:2/],
  'a library function': ['\ntable.concat { 1, {} }', 'app.lua:2', /invalid value \(table\) at index 2/, /app.lua:2/],
  'a function inside a container': ['ui.expander("More", function()\n  error "in box"\nend)', 'app.lua:2', /^in box$/, /app.lua:1/],
  'a status': ['ui.status("Steps", function()\n  error "in status"\nend)', 'app.lua:2', /^in status$/, /app.lua:1/],
  'a wrong argument': ['\nui.slider("How many", { min = 5, max = 1 })', 'app.lua:2', /min is 5, which is above max, 1/, /app.lua:2/],
  'a loaded text': ['local f = load "local x = nil\\nreturn x.y"\nf()', 'app.lua:2', /index local 'x'/, /app.lua:2/],
  'a table with a message': ['\nerror { message = "own words", code = 7 }', 'app.lua:2', /^own words$/, /app.lua:2/],
  'a table without': ['\nerror {}', 'app.lua:2', /a table that has no message: write error\(/, /app.lua:2/],
  nil: ['\nerror()', 'app.lua:2', /raised with a nil/, /app.lua:2/],
  'a number': ['\nerror(42)', 'app.lua:2', /^42$/, /app.lua:2/],
  'a userdata': ['\nerror(string)', 'app.lua:2', /raised with a userdata/, /app.lua:2/],
  'bytes that are not UTF-8': ['\nerror "caf\\233!"', 'app.lua:2', /^caf\?!$/, /app.lua:2/],
  'words that look like a place': ['\nerror("connect 127.0.0.1:27017: refused", 0)', 'app.lua:2', /^connect 127.0.0.1:27017: refused$/, /app.lua:2/],
  'a very long text': ['\nerror(("long "):rep(1e5))', 'app.lua:2', /^long long/, /app.lua:2/],
  'recursion without end': ['local function f()\n  return 1 + f()\nend\nf()', 'app.lua:1', /stack overflow/, /^app.lua:1: in f, (app.lua:2: in f, ){20}/],
}

for (const [name, [script, place, message, traceback]] of Object.entries(cases)) {
  test(`an error of ${name} names the script's line, once`, async () => {
    const dir = join(folder(), 'a-folder-with-a-name-that-is-longer-than-what-lua-shows-of-it')
    mkdirSync(dir)
    const host = await Moonlit.start({ dir, files: { 'app.lua': 'local ui = require "moonlit" ui.text "before"; ' + script + '\nui.text "after"', ...modules },
      options: ['--database', 'mongodb://127.0.0.1:1/none'] })
    try {
      const page = await Page.open(host)
      await page.settled()
      const short = (text) => text.replaceAll(dir + '/', '')
      const shown = page.elements().filter((node) => node.type === 'exception')
      assert.equal(shown.length, 1)
      const { file, line, source, message: words, traceback: way } = shown[0].props
      assert.equal(short(file) + ':' + line, place)
      assert.match(words, message)
      assert.match(short(way.join(', ')), traceback)
      const text = place.startsWith('app') ? host.read('app.lua') : modules[place.split(':')[0]]
      assert.deepEqual(source.find(([number]) => number === line), [line, text.split('\n')[line - 1]])
      assert.ok(page.texts().includes('before') && !page.texts().includes('after'))
      await host.until(() => host.log.includes(short(place.split(':')[0]) + ':' + line))
      assert.equal(host.log.match(/^\S+ error /gm).length, 1, host.log)
    } finally {
      assert.equal(await host.stop(), 0, host.log)
    }
  })
}

test('an error whose own place is no file is shown without the lines there', async () => {
  const host = await Moonlit.start({ script: `
local ui = require "moonlit"
error { message = "own words", file = "/dev/zero", line = 5 }` })
  try {
    const page = await Page.open(host)
    await page.settled()
    const { message, file, line, source } = page.find('exception').props
    assert.deepEqual([message, file, line, source], ['own words', '/dev/zero', 5, []])
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})

test('an error whose own line no file can have is shown where it was raised', async () => {
  const host = await Moonlit.start({ script: `
local ui = require "moonlit"
error { message = "own words", file = "app.lua", line = 2147483647 }` })
  try {
    const page = await Page.open(host)
    await page.settled()
    const { message, line, source } = page.find('exception').props
    assert.deepEqual([message, line, source.length], ['own words', 3, 3])
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})

test('an error of a callback names its line, and the script goes on', async () => {
  const host = await Moonlit.start({ script: `
local ui = require "moonlit"
ui.button("Go", { on_click = function()
  error "in callback"
end })
ui.text "after"
` })
  try {
    const page = await Page.open(host)
    await page.settled()
    page.press('Go')
    await page.until(() => page.find('exception'))
    await page.settled()
    assert.equal(page.find('exception').props.line, 4)
    assert.equal(page.find('exception').props.message, 'in callback')
    assert.ok(page.texts().includes('after'))
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})
