// A tab and its session: F5, duplicates, a cut cable, half-typed text, and a page that fills while
// its script waits.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Cable, launch, openTab, rests, until, watch, withApp as withHost } from '../support/browser.mjs'

let browser

before(async () => { browser = await launch() })
after(() => browser.close())

const counter = `
local ui = require "moonlit"
local name = ui.text_input("Name", { key = "name" })
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
ui.metric("Count", ui.state.n or 0)
ui.text("I am " .. ui.session.id .. " for " .. name .. ".")
`

const withApp = (script, body, given = {}) => withHost(browser, { script, ...given }, body)

const text = (tab, words) => tab.getByText(words, { exact: true }).waitFor()
const press = (tab) => tab.getByRole('button', { name: 'Press' }).click()
const counts = (tab, n) => until(tab, (n) => new RegExp(`Count\\s+${n}\\b`).test(document.querySelector('main')?.innerText ?? ''), n)
const isLost = (tab) => until(tab, () => /connection/i.test(document.body.innerText))
const isBack = (tab) => until(tab, () => !/connection/i.test(document.body.innerText))
const who = (tab) => tab.evaluate(() => /I am (\S+) for/.exec(document.querySelector('main').innerText)[1])

test('F5 comes back to the same session, with its state and its values', () => withApp(counter, async (host, open) => {
  const tab = await open()
  await counts(tab, 0)
  await tab.getByLabel('Name').fill('Selene')
  await press(tab)
  await counts(tab, 1)
  const before = await who(tab)
  await tab.reload()
  await counts(tab, 1)
  assert.equal(await who(tab), before)
  assert.equal(await tab.getByLabel('Name').inputValue(), 'Selene')
  assert.equal(await host.metric('moonlit_sessions'), 1)
}))

test('a duplicated tab gets a session of its own', () => withApp(counter, async (host, open) => {
  const tab = await open()
  await counts(tab, 0)
  await press(tab)
  await counts(tab, 1)
  const opened = tab.waitForEvent('popup')
  await tab.evaluate(() => { window.open(location.href) })
  const copy = watch(await opened)
  await copy.waitForLoadState()
  await counts(copy, 0)
  assert.notEqual(await who(copy), await who(tab))
  await press(tab)
  await counts(tab, 2)
  await counts(copy, 0)
}))

test('two tabs have states of their own', () => withApp(counter, async (host, open) => {
  const [one, two] = [await open(), await open()]
  await counts(one, 0)
  await counts(two, 0)
  await press(one)
  await counts(one, 1)
  assert.notEqual(await who(one), await who(two))
  await counts(two, 0)
}))

test('after the socket was cut the page comes back by itself, with everything in place', () => withApp(counter, async (host, open) => {
  const cable = await Cable.to(host)
  try {
    const tab = await open(cable.url)
    await counts(tab, 0)
    await press(tab)
    await counts(tab, 1)
    const before = await who(tab)
    tab.mayLose = true
    cable.cut()
    await host.eventually(async () => await host.metric('moonlit_sockets') === 0)
    await isLost(tab) // until it is back, which the host knows before it, its controls wait
    cable.mend()
    await isBack(tab)
    await press(tab)
    await counts(tab, 2)
    assert.equal(await who(tab), before)
  } finally {
    cable.close()
  }
}))

test('while the connection is lost the page says so calmly, and the banner goes when it is back', () => withApp(counter, async (host, open) => {
  const cable = await Cable.to(host)
  try {
    const tab = await open(cable.url)
    await counts(tab, 0)
    tab.mayLose = true
    cable.cut()
    await isLost(tab)
    assert.ok(await tab.getByText('Count').isVisible(), 'the page stays readable')
    cable.mend()
    await isBack(tab)
    await press(tab)
    await counts(tab, 1)
  } finally {
    cable.close()
  }
}))

test('the banner is there when the host has stopped', async () => {
  const host = await Moonlit.start({ script: counter })
  const tab = await openTab(browser, host.url)
  await counts(tab, 0)
  tab.mayLose = true
  assert.equal(await host.stop(), 0, host.log)
  await isLost(tab)
  await tab.context().close()
})

test('half-typed text, the focus and the caret survive a patch', () => withApp(counter, async (host, open) => {
  const tab = await open()
  await counts(tab, 0)
  const field = tab.getByLabel('Name')
  await field.pressSequentially('half typed')
  await tab.keyboard.press('ArrowLeft')
  await tab.keyboard.press('ArrowLeft')
  host.write('app.lua', counter.replace('local name', 'ui.title "Above"\nlocal name') + 'ui.text "Below"\n')
  await tab.getByRole('heading', { name: 'Above' }).waitFor()
  await text(tab, 'Below')
  assert.deepEqual(await tab.evaluate(() => [document.activeElement.value, document.activeElement.selectionStart]), ['half typed', 8])
  await tab.keyboard.type('!')
  await tab.keyboard.press('Enter')
  await until(tab, () => document.querySelector('main').innerText.includes('for half typ!ed.'))
}))

test('the first element is visible while a slow find is still blocked', () => withApp(`
local ui = require "moonlit"
local mongo = require "moonlit.mongo"
ui.once("slow", function()
  mongo.database("admin"):command { { "configureFailPoint", "failCommand" }, { "mode", "alwaysOn" },
    { "data", { failCommands = { "find" }, blockConnection = true, blockTimeMS = 600000 } } }
end)
ui.text "first"
mongo.database().things:find_one{}
ui.text "second"
`, async (host, open) => {
  const tab = await open()
  await text(tab, 'first')
  await host.eventually(async () => await host.metric('moonlit_jobs{state="running"}') === 1)
  assert.equal(await tab.getByText('second').count(), 0)
}, { options: ['--test-commands'] }))

test('a long run shows Stop, and Stop ends it', () => withApp(`
local ui = require "moonlit"
ui.text "first"
if not ui.state.seen then
  ui.state.seen = true
  ui.sleep(600)
end
ui.text "second"
`, async (host, open) => {
  const tab = await open()
  await text(tab, 'first')
  await tab.getByRole('button', { name: 'Stop' }).click()
  await host.eventually(async () => await host.metric('moonlit_runs_total{outcome="stopped"}') === 1)
}))

test('an error stands in its place, with line, source and traceback; the rest stays', () => withApp(`
local ui = require "moonlit"
ui.text "before"
local function deep() error("the moon is down") end
local function high() deep() ui.text("ne" .. "ver") end
high()
`, async (host, open) => {
  const tab = await open()
  await text(tab, 'before')
  await until(tab, () => document.querySelector('main').innerText.includes('the moon is down'))
  const words = await tab.evaluate(() => document.querySelector('main').innerText)
  assert.match(words, /app\.lua/)
  assert.match(words, /local function deep\(\)/)
  assert.match(words, /line 4/)
  await tab.getByText('Traceback').click()
  const calls = await tab.locator('.trace li').allInnerTexts()
  assert.match(calls.join('\n'), /app\.lua:4[^]*app\.lua:5[^]*app\.lua:6/)
  assert.equal(await tab.getByText('never').count(), 0)
}))

test('the storm of a dragged slider ends at its last value', () => withApp(`
local ui = require "moonlit"
local level = ui.slider("Level", { min = 0, max = 1000 })
ui.text("level " .. level)
`, async (host, open) => {
  const tab = await open()
  await text(tab, 'level 0')
  await rests(tab)
  const box = await tab.getByRole('slider').boundingBox()
  await tab.mouse.move(box.x + 8, box.y + box.height / 2)
  await tab.mouse.down()
  for (let i = 0; i <= 100; i++) await tab.mouse.move(box.x + 8 + (box.width - 8) * i / 100, box.y + box.height / 2)
  await tab.mouse.up()
  const value = await tab.getByRole('slider').inputValue()
  await text(tab, `level ${value}`)
  assert.ok(Number(value) > 900, value)
}))
