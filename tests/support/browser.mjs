// Headless Chromium on the real binary: tabs that note every problem, and a cable that can be cut.
import assert from 'node:assert/strict'
import net from 'node:net'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { Moonlit, require } from './moonlit.mjs'

const { chromium } = require('playwright-core')
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path))

/** One browser for a test file; give its `close` to `after`. */
export const launch = () => chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'], timeout: 120000 })

/** How long anything is waited for; a machine may be slow, a test says nothing of that. */
const PATIENCE = 60000 // ms

/** A new tab, with a context of its own unless one is given. Its `problems` must stay empty. */
export async function openTab(browser, url, { context, ...options } = {}) {
  const own = context ?? await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/London', ...options })
  const tab = await own.newPage()
  watch(tab)
  await tab.goto(url)
  return tab
}

/** Note errors and warnings on the console, exceptions, and what the security policy refused. */
export function watch(tab) {
  tab.problems = []
  tab.setDefaultTimeout(PATIENCE)
  tab.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !tab.mayLose) tab.problems.push(message.text())
  })
  tab.on('pageerror', (error) => tab.problems.push(String(error)))
  tab.on('requestfailed', (request) => { if (!tab.mayLose) tab.problems.push(`${request.url()}: ${request.failure()?.errorText}`) })
  return tab
}

/** Look at the page frame by frame until `look` is true there. (Playwright's own way needs eval.) */
export async function until(tab, look, argument, milliseconds = PATIENCE) {
  const end = Date.now() + milliseconds
  for (;;) {
    if (await tab.evaluate(look, argument)) return
    if (Date.now() > end) throw new Error(`not so after ${milliseconds} ms: ${look}\nthe page shows:\n${await tab.innerText('body')}`)
    await tab.evaluate(() => new Promise((next) => requestAnimationFrame(next)))
  }
}

/** Wait until the page rests: nothing keeps its place free, the fonts are there, and what moves to an end has come to it. */
export async function rests(tab) {
  await until(tab, () => !document.querySelector('[aria-busy=true]'))
  await tab.evaluate(async () => {
    await document.fonts.ready
    const moving = () => document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity)
    while (moving().length > 0) await Promise.all(moving().map(({ finished }) => finished.catch(() => {})))
  })
}

/** What axe finds on a page that rests, as readable lines. */
export async function findings(tab) {
  await rests(tab)
  await tab.evaluate(axe)
  const { violations } = await tab.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  return violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(' ')}: ${node.failureSummary.replaceAll('\n', ' ')}`))
}

/** A cable between browser and host that can be cut and mended. */
export class Cable {
  static async to(host) {
    const cable = new Cable()
    cable.ends = new Set()
    cable.server = net.createServer((near) => cable.join(near, net.connect(host.port, '127.0.0.1')))
    cable.server.listen(0, '127.0.0.1')
    await once(cable.server, 'listening')
    cable.url = `http://127.0.0.1:${cable.server.address().port}`
    return cable
  }

  join(near, far) {
    for (const [from, to] of [[near, far], [far, near]]) {
      this.ends.add(from)
      from.on('error', () => {}).on('close', () => { this.ends.delete(from); to.destroy() })
      from.pipe(to)
    }
    if (this.isCut) near.destroy()
  }

  cut() {
    this.isCut = true
    for (const end of this.ends) end.destroy()
  }

  mend() { this.isCut = false }

  close() {
    this.cut()
    this.server.close()
  }
}

/** Do `body(host, open)` with a host of its own; `open` opens a tab, of which nothing may be wrong at the end. */
export async function withApp(browser, given, body) {
  const host = await Moonlit.start(given)
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/London' })
  try {
    await body(host, (url = host.url) => openTab(browser, url, { context }))
    for (const tab of context.pages()) assert.deepEqual(tab.problems ?? [], [])
  } finally {
    await context.close()
    assert.equal(await host.stop(), 0, host.log)
  }
}

/** The words of the page's main part. */
export const words = (tab) => tab.evaluate(() => document.querySelector('main')?.innerText ?? '')

/** Wait until the main part says so. */
export const says = (tab, text, milliseconds) => until(tab, (text) => document.querySelector('main')?.innerText.includes(text), text, milliseconds)

/** Press a button `times` times, each as soon as the page says `${after} ${n}` of the one before; in the page itself, which is quick. */
export function pressInTurn(tab, name, times, after) {
  return tab.evaluate(([name, times, after]) => new Promise((done) => {
    const main = document.querySelector('main')
    const button = () => [...document.querySelectorAll('button')].find((one) => one.innerText.trim() === name)
    const count = () => Number(new RegExp(`${after} (\\d+)`).exec(main.innerText)?.[1])
    const last = count() + times
    let next = count()
    const look = () => {
      if (count() !== next) return
      if (next === last) { watcher.disconnect(); done(); return }
      next++
      button().click()
    }
    const watcher = new MutationObserver(look)
    watcher.observe(main, { childList: true, subtree: true, characterData: true })
    look()
  }), [name, times, after])
}
