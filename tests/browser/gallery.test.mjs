// Every element, in both themes, wide and narrow: nothing for axe to find, nothing on the console.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Moonlit, apps } from '../support/moonlit.mjs'
import { findings, launch, openTab, rests, until } from '../support/browser.mjs'

let browser, host

before(async () => {
  browser = await launch()
  host = await Moonlit.start({ file: join(apps, 'gallery.lua') })
})
after(async () => {
  await browser.close()
  assert.equal(await host.stop(), 0, host.log)
})

/** Drawn to the last element, and the formulas with the letters of their own fonts. */
async function isDrawn(tab) {
  await tab.getByText('and only the last one stays', { exact: false }).waitFor()
  await tab.locator('.maths.is-box .katex').waitFor()
  await tab.getByText('🚀', { exact: false }).waitFor()
  await rests(tab)
}

async function withGallery(options, body) {
  const tab = await openTab(browser, host.url, options)
  try {
    await isDrawn(tab)
    await body(tab)
    assert.deepEqual(tab.problems, [])
  } finally {
    await tab.context().close()
  }
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing in the ${colorScheme} theme at 1280 px`, () => withGallery({ colorScheme, viewport: { width: 1280, height: 900 } }, async (tab) => {
    assert.deepEqual(await findings(tab), [])
  }))

  test(`axe finds nothing in the ${colorScheme} theme at 390 px, with the drawer open and closed`, () => withGallery({ colorScheme, viewport: { width: 390, height: 844 } }, async (tab) => {
    assert.deepEqual(await findings(tab), [])
    await tab.getByRole('button', { name: /sidebar|menu/i }).first().click()
    await tab.getByRole('slider', { name: 'Amount' }).waitFor()
    assert.deepEqual(await findings(tab), [])
  }))
}

test('nothing is wider than the page, from 390 px to 1920', () => withGallery({}, async (tab) => {
  for (const width of [390, 600, 900, 1280, 1920]) {
    await tab.setViewportSize({ width, height: 900 })
    await rests(tab)
    const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(overflow <= 0, `at ${width} px the page is ${overflow} px too wide`)
  }
}))

test('every element of the list is in the gallery', async () => {
  const definition = readFileSync(join(apps, '../runtime/ui/elements.def'), 'utf8')
  const source = readFileSync(join(apps, 'gallery.lua'), 'utf8')
  const made = new Set(['main', 'event', 'bottom', 'column', 'tab'])
  const names = [...definition.matchAll(/^ELEMENT\((\w+),/gm)].map(([, name]) => name)
  const missing = names.filter((name) => !made.has(name) && !new RegExp(`[.:]${name}\\b`).test(source))
  assert.deepEqual(missing, [])
  assert.ok(names.length > 30)
})

test('every widget can be reached and used by keys alone', () => withGallery({ viewport: { width: 1280, height: 900 } }, async (tab) => {
  const seen = new Set()
  for (let i = 0; i < 120; i++) {
    await tab.keyboard.press('Tab')
    const name = await tab.evaluate(() => {
      const it = document.activeElement
      return it === document.body ? '' : `${it.tagName} ${it.getAttribute('aria-label') ?? it.labels?.[0]?.innerText ?? it.innerText}`
    })
    seen.add(name.trim())
  }
  const all = [...seen].join('\n')
  for (const label of ['Your name', 'Amount', 'Quiet', 'A box to tick', 'A switch', 'One of many', 'Any number', 'A line of text', 'Several lines',
    'Add one', 'Add ten', 'Say it', 'More words']) {
    assert.ok(all.includes(label), `${label} is not reached:\n${all}`)
  }
}))

test('a shortcut presses its button, and a toast says what happened', () => withGallery({ viewport: { width: 1280, height: 900 } }, async (tab) => {
  await tab.keyboard.press('Control+K')
  await until(tab, () => document.body.innerText.includes('Presses so far: 10'))
  await tab.getByRole('button', { name: 'Say it' }).click()
  await tab.getByText('There are 10 presses.').waitFor()
}))

test('what the page loads comes from the host alone', async () => {
  const context = await browser.newContext()
  const tab = await context.newPage()
  const outside = []
  tab.on('request', (request) => { if (!request.url().startsWith(host.url) && !/^(data|blob):/.test(request.url())) outside.push(request.url()) })
  await tab.goto(host.url)
  await isDrawn(tab)
  assert.deepEqual(outside, [])
  await context.close()
})
