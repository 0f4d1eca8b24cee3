// The whole path: apps/products.lua in a browser, from the click to the database and back.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Moonlit, apps } from '../support/moonlit.mjs'
import { launch, openTab, until } from '../support/browser.mjs'

const products = readFileSync(join(apps, 'products.lua'), 'utf8')
let browser

before(async () => { browser = await launch() })
after(() => browser.close())

async function withProducts(body) {
  const host = await Moonlit.start({ script: products })
  const tabs = []
  const open = async (options) => {
    const tab = await openTab(browser, host.url, options)
    tabs.push(tab)
    return tab
  }
  try {
    await body(host, open)
    for (const tab of tabs) assert.deepEqual(tab.problems, [])
  } finally {
    for (const tab of tabs) await tab.context().close()
    assert.equal(await host.stop(), 0, host.log)
  }
}

/** The names of the products shown, from the top. */
const names = (tab) => tab.evaluate(() => document.querySelector('main').innerText.match(/test \d+|new \w+|"new"/g) ?? [])

const shows = (tab, count) => until(tab, (count) => {
  return (document.querySelector('main')?.innerText.match(/test \d+|new \w+|"new"/g) ?? []).length === count
}, count)

const showsText = (tab, text) => until(tab, (text) => document.body.innerText.includes(text), text)

/** Move the slider by keys, as a person without a mouse does. */
async function slide(tab, steps) {
  const slider = tab.getByRole('slider', { name: 'How many' })
  await slider.focus()
  for (let i = 0; i < Math.abs(steps); i++) await tab.keyboard.press(steps < 0 ? 'ArrowLeft' : 'ArrowRight')
}

test('ten products, read from the built-in store', () => withProducts(async (host, open) => {
  const tab = await open()
  await shows(tab, 10)
  assert.deepEqual(await names(tab), Array.from({ length: 10 }, (_, i) => `test ${10 - i}`))
  assert.ok(await tab.getByRole('heading', { name: 'Products', level: 1 }).isVisible())
}))

test('the slider narrows the list at once', () => withProducts(async (host, open) => {
  const tab = await open()
  await shows(tab, 10)
  await slide(tab, -7)
  await shows(tab, 3)
  assert.deepEqual(await names(tab), ['test 10', 'test 9', 'test 8'])
}))

test('"Add one" shows the new one on top; a second tab sees it at its next rerun', () => withProducts(async (host, open) => {
  const [first, second] = [await open(), await open()]
  await shows(first, 10)
  await shows(second, 10)
  await first.getByLabel('Name').fill('new moon')
  await first.getByRole('button', { name: 'Add one' }).click()
  await until(first, () => /new moon/.test(document.querySelector('main').innerText))
  assert.deepEqual((await names(first)).slice(0, 2), ['new moon', 'test 10'])
  assert.deepEqual((await names(second)).slice(0, 1), ['test 10'])
  await slide(second, -1)
  await shows(second, 9)
  assert.deepEqual((await names(second)).slice(0, 2), ['new moon', 'test 10'])
}))

test('a press takes the half-typed name with it', () => withProducts(async (host, open) => {
  const tab = await open()
  await shows(tab, 10)
  await tab.getByLabel('Name').fill('')
  await tab.getByLabel('Name').pressSequentially('new star')
  await tab.getByRole('button', { name: 'Add one' }).click()
  await until(tab, () => /new star/.test(document.querySelector('main').innerText))
}))

test('saving a change to the file changes both pages, and both keep their state', () => withProducts(async (host, open) => {
  const [first, second] = [await open(), await open()]
  await shows(first, 10)
  await shows(second, 10)
  await slide(first, -5)
  await shows(first, 5)
  host.write('app.lua', products.replace('ui.title "Products"', 'ui.title "All products"'))
  for (const tab of [first, second]) await tab.getByRole('heading', { name: 'All products' }).waitFor()
  await shows(first, 5)
  await shows(second, 10)
  assert.equal(await first.getByRole('slider', { name: 'How many' }).inputValue(), '5')
}))

test('a save that does not compile shows the error over the page; the mend removes it', () => withProducts(async (host, open) => {
  const tab = await open()
  await shows(tab, 10)
  host.write('app.lua', products + '\nif then\n')
  await showsText(tab, "unexpected symbol near 'then'")
  await until(tab, () => /app\.lua/.test(document.body.innerText))
  assert.equal((await names(tab)).length, 10, 'the running version stays in place')
  host.write('app.lua', products.replace('ui.title "Products"', 'ui.title "Mended"'))
  await tab.getByRole('heading', { name: 'Mended' }).waitFor()
  await until(tab, () => !document.body.innerText.includes('unexpected symbol'))
}))

test('ten clicks add ten products, each once', () => withProducts(async (host, open) => {
  const tab = await open()
  await shows(tab, 10)
  await slide(tab, 30)
  const button = tab.getByRole('button', { name: 'Add one' })
  for (let i = 0; i < 10; i++) await button.click({ noWaitAfter: true })
  await shows(tab, 20)
  assert.equal((await names(tab)).filter((name) => name === '"new"').length, 10)
}))

test('the app works at 390 px: the sidebar is a drawer', () => withProducts(async (host, open) => {
  const tab = await open({ viewport: { width: 390, height: 844 } })
  await shows(tab, 10)
  const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(overflow <= 0, `the page is ${overflow} px too wide`)
  await tab.getByRole('button', { name: /sidebar|menu/i }).first().click()
  await tab.getByRole('slider', { name: 'How many' }).waitFor()
  await slide(tab, -6)
  await shows(tab, 4)
}))
