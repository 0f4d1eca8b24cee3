// Hot reload: what is saved is what every open page shows, and what does not compile changes nothing.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { appendFileSync, closeSync, copyFileSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Moonlit, folder } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

async function withApp(files, body, given = {}) {
  const host = await Moonlit.start({ files, ...given })
  try {
    await body(host, async () => {
      const page = await Page.open(host)
      await page.settled()
      return page
    })
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
}

const shows = (page, text) => page.until(() => page.texts().includes(text))
const broken = (page) => page.messages.filter((message) => message.t === 'broken')
const isMended = (page) => page.until(() => page.messages.findLastIndex((m) => m.t === 'mended') > page.messages.findLastIndex((m) => m.t === 'broken'))
const reloads = (host) => host.log.split('every page runs it anew').length - 1
const app = (text, more = '') => `
local ui = require "moonlit"
if ui.button "Add" then ui.state.n = (ui.state.n or 0) + 1 end
ui.text("n " .. (ui.state.n or 0))
ui.text("${text}")
${more}`

test('a saved script changes every open page, and each keeps its state', () => withApp({ 'app.lua': app('one') }, async (host, open) => {
  const first = await open(), second = await open()
  first.press('Add')
  await shows(first, 'n 1')
  host.write('app.lua', app('two'))
  for (const page of [first, second]) await shows(page, 'two')
  assert.ok(first.texts().includes('n 1') && second.texts().includes('n 0'))
}))

test('modules are watched: in folders, of modules, and those required late in a run', () => withApp({
  'app.lua': `
local ui = require "moonlit"
ui.text("top " .. require("parts.top").text)
if ui.button "Load" then ui.text("late " .. require "late") end
`,
  'parts/top.lua': 'return { text = require("parts.deep.leaf") .. "!" }',
  'parts/deep/leaf.lua': 'return "leaf"',
  'late.lua': 'return "1"',
}, async (host, open) => {
  const page = await open()
  await shows(page, 'top leaf!')
  host.write('parts/deep/leaf.lua', 'return "blade"')
  await shows(page, 'top blade!')
  host.write('parts/top.lua', 'return { text = require("parts.deep.leaf") .. "?" }')
  await shows(page, 'top blade?')
  page.press('Load')
  await shows(page, 'late 1')
  const before = reloads(host)
  host.write('late.lua', 'return "2"')
  await host.until(() => reloads(host) > before)
  await page.settled()
  page.press('Load')
  await shows(page, 'late 2')
}))

test('a script that does not compile leaves the running one and is shown until it is mended', () => withApp({ 'app.lua': app('one') }, async (host, open) => {
  const first = await open(), second = await open()
  host.write('app.lua', app('two', 'local x = = 1'))
  for (const page of [first, second]) await page.until(() => broken(page).length > 0)
  const { message, file, line, source } = broken(first)[0]
  assert.match(message, /unexpected symbol near '='/)
  assert.equal(file, join(host.dir, 'app.lua'))
  assert.equal(line, 6)
  assert.deepEqual(source.find(([number]) => number === 6), [6, 'local x = = 1'])
  first.press('Add')
  await shows(first, 'n 1')
  assert.ok(first.texts().includes('one'))
  const late = await open()
  assert.ok(late.texts().includes('one'))
  await late.until(() => broken(late).length === 1)
  host.write('app.lua', app('three'))
  for (const page of [first, second, late]) {
    await shows(page, 'three')
    await isMended(page)
  }
  assert.ok(first.texts().includes('n 1'))
}))

test('a mistake taken back without a change mends the page, and nothing reruns', () => withApp({ 'app.lua': app('one') }, async (host, open) => {
  const page = await open()
  host.write('app.lua', app('one', 'end'))
  await page.until(() => broken(page).length > 0)
  host.write('app.lua', app('one'))
  await isMended(page)
  assert.equal(reloads(host), 0)
}))

test('a module that does not compile is as a script that does not', () => withApp({
  'app.lua': app('one', 'ui.text("words " .. require "words")'), 'words.lua': 'return "a"',
}, async (host, open) => {
  const page = await open()
  await shows(page, 'words a')
  host.write('words.lua', '\nreturn (')
  await page.until(() => broken(page).length > 0)
  assert.equal(broken(page)[0].file, join(host.dir, 'words.lua'))
  assert.equal(broken(page)[0].line, 2)
  page.press('Add')
  await shows(page, 'n 1')
  assert.ok(page.texts().includes('words a'))
  host.write('words.lua', 'return "b"')
  await shows(page, 'words b')
  await isMended(page)
}))

test('an app whose module never compiled runs as soon as it does', () => withApp({
  'app.lua': app('one', 'ui.text("words " .. require "words")'), 'words.lua': 'return (',
}, async (host, open) => {
  const page = await open()
  await page.until(() => page.find('exception'))
  host.write('words.lua', 'return "whole"')
  await shows(page, 'words whole')
  assert.equal(page.find('exception'), undefined)
}))

test('a module that is written after it was missed is found', () => withApp({
  'app.lua': app('one', 'ui.text("words " .. require "some.words")'),
}, async (host, open) => {
  const page = await open()
  await page.until(() => page.find('exception'))
  host.write('some/words.lua', 'return "there"')
  await shows(page, 'words there')
}))

test('a module that fails shows its error, and is taken up again when it does not', () => withApp({
  'app.lua': app('one', 'ui.text("words " .. require "words")'), 'words.lua': 'return "a"',
}, async (host, open) => {
  const page = await open()
  await shows(page, 'words a')
  host.write('words.lua', '\n\nerror "no words today"')
  await page.until(() => page.find('exception'))
  const { message, file, line } = page.find('exception').props
  assert.deepEqual([message, file, line], ['no words today', join(host.dir, 'words.lua'), 3])
  host.write('words.lua', 'return "b"')
  await shows(page, 'words b')
  assert.equal(page.find('exception'), undefined)
}))

test('a module deleted and written again comes back', () => withApp({
  'app.lua': app('one', 'ui.text("words " .. require "words")'), 'words.lua': 'return "a"',
}, async (host, open) => {
  const page = await open()
  await shows(page, 'words a')
  rmSync(join(host.dir, 'words.lua'))
  await page.until(() => page.find('exception'))
  assert.match(page.find('exception').props.message, /there is no module "words"/)
  host.write('words.lua', 'return "b"')
  await shows(page, 'words b')
}))

test('a folder of modules taken away and put back comes back', () => withApp({
  'app.lua': app('one', 'ui.text("words " .. require "parts.of.words")'), 'parts/of/words.lua': 'return "a"',
}, async (host, open) => {
  const page = await open()
  await shows(page, 'words a')
  renameSync(join(host.dir, 'parts'), join(host.dir, 'away'))
  await page.until(() => page.find('exception'))
  rmSync(join(host.dir, 'away'), { recursive: true })
  host.write('parts/of/words.lua', 'return "b"')
  await shows(page, 'words b')
  host.write('parts/of/words.lua', 'return "c"')
  await shows(page, 'words c')
}))

test('a script deleted keeps running and says so, until it is there again', () => withApp({ 'app.lua': app('one') }, async (host, open) => {
  const page = await open()
  rmSync(join(host.dir, 'app.lua'))
  await page.until(() => broken(page).length > 0)
  page.press('Add')
  await shows(page, 'n 1')
  host.write('app.lua', app('two'))
  await shows(page, 'two')
  await isMended(page)
}))

/** What editors do, each from the text before to the text after. */
const editors = {
  'by rename': (host, text) => host.write('app.lua', text),
  'in several writes': (host, text) => {
    const file = openSync(join(host.dir, 'app.lua'), 'w')
    for (let at = 0; at < text.length; at += 16) writeSync(file, text.slice(at, at + 16))
    closeSync(file)
  },
  'with a backup beside it': (host, text) => {
    const path = join(host.dir, 'app.lua')
    renameSync(path, path + '~')
    writeFileSync(join(host.dir, '4913'), '')
    rmSync(join(host.dir, '4913'))
    writeFileSync(path, text)
    rmSync(path + '~')
  },
  'with a copy kept and the file emptied first': (host, text) => {
    const path = join(host.dir, 'app.lua')
    copyFileSync(path, path + '.bak')
    writeFileSync(path, '')
    appendFileSync(path, text)
  },
}

/** True when the save was one: where the machine stood still in it, there was quiet in between. */
const savesOnce = async (save, host, page) => {
  const before = page.messages.length
  const begin = performance.now()
  save(host, app('two'))
  if (performance.now() - begin > 40) return false
  await shows(page, 'two')
  await page.settled()
  host.write('app.lua', app('three'))
  await shows(page, 'three')
  await host.until(() => reloads(host) >= 2)
  assert.equal(reloads(host), 2)
  assert.deepEqual(page.messages.slice(before).filter((message) => message.t === 'broken'), [])
  return true
}

for (const [way, save] of Object.entries(editors)) {
  test(`a save ${way} is one reload`, async () => {
    let isDone = false
    while (!isDone) {
      await withApp({ 'app.lua': app('one') }, async (host, open) => { isDone = await savesOnce(save, host, await open()) })
    }
  })
}

test('a script that is written on and on is reloaded meanwhile', () => withApp({ 'app.lua': app('0') }, async (host, open) => {
  const page = await open()
  let n = 0
  while (n < 4000 && reloads(host) < 2) {
    host.write('app.lua', app(String(++n)))
    await new Promise((next) => setTimeout(next, 5)) // never quiet
  }
  assert.ok(reloads(host) >= 2, 'not only at its end')
  await shows(page, String(n))
}))

test('a reload supersedes a view', () => withApp({ 'app.lua': app('one', 'ui.sleep(60)') }, async (host) => {
  const page = await Page.open(host)
  await shows(page, 'one')
  host.write('app.lua', app('two'))
  await shows(page, 'two')
  assert.equal(await host.metric('moonlit_runs_total{outcome="superseded"}'), 1)
}))

test('a reload waits for an action', () => withApp({
  'app.lua': `
local ui = require "moonlit"
ui.text("steps " .. (ui.state.steps or 0))
if ui.button "Go" then
  ui.text "begun"
  ui.sleep(0.5)
  ui.state.steps = (ui.state.steps or 0) + 1
end
`,
}, async (host, open) => {
  const page = await open()
  page.press('Go')
  await shows(page, 'begun')
  host.write('app.lua', 'local ui = require "moonlit"\nui.text("new, steps " .. ui.state.steps)')
  await shows(page, 'new, steps 1')
  assert.equal(await host.metric('moonlit_runs_total{outcome="superseded"}'), 0)
}))

test('an app behind a link is watched where it lies', async () => {
  const real = folder(), shown = folder()
  writeFileSync(join(real, 'true.lua'), app('one'))
  symlinkSync(join(real, 'true.lua'), join(shown, 'app.lua'))
  await withApp({}, async (host, open) => {
    const page = await open()
    writeFileSync(join(real, 'true.lua'), app('two'))
    await shows(page, 'two')
    writeFileSync(join(real, 'other.lua'), app('three'))
    symlinkSync(join(real, 'other.lua'), join(shown, 'app.lua.new'))
    renameSync(join(shown, 'app.lua.new'), join(shown, 'app.lua'))
    await shows(page, 'three')
    writeFileSync(join(real, 'other.lua'), app('four'))
    await shows(page, 'four')
  }, { dir: shown })
})

test('bytecode and a script of 10 MB are refused as a script that does not compile', () => withApp({ 'app.lua': app('one') }, async (host, open) => {
  const page = await open()
  host.write('app.lua', '\x1bLJ\x02')
  await page.until(() => broken(page).some(({ message }) => /this is bytecode; Moonlit runs Lua source only/.test(message)))
  host.write('app.lua', app('two') + '-- '.padEnd(10 << 20, 'x'))
  await page.until(() => broken(page).some(({ message }) => /the file is larger than 1024 KiB/.test(message)))
  page.press('Add')
  await shows(page, 'n 1')
  host.write('app.lua', app('three'))
  await shows(page, 'three')
}))

test('bytes that are not UTF-8 in a broken script do not reach the page', () => withApp({ 'app.lua': app('one') }, async (host, open) => {
  const page = await open()
  writeFileSync(join(host.dir, 'app.lua'), Buffer.from('-- caf\xe9\nlocal caf\xe9 = "\xe9" 1\n', 'latin1'))
  await page.until(() => broken(page).length > 0)
  assert.equal(broken(page)[0].line, 2)
  page.press('Add')
  await shows(page, 'n 1')
}))
