// A page that takes its patches slower than they are made: the newest state wins, nothing piles up.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const PRESSES = 12
const SIZE = 3 * 512 * 1024 // of one patch: alone it is more than may wait unsent before patches are held back

test('a page that does not read for a while gets the newest state, not every one in between', async () => {
  const host = await Moonlit.start({ script: `
local ui = require "moonlit"
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
local n = ui.state.n or 0
ui.text(n .. (" "):rep(${SIZE}))
` })
  try {
    const page = await Page.open(host)
    const other = await Page.open(host)
    await page.settled()
    await other.settled()
    page.ws._socket.pause()
    // All at once: who is far behind is not listened to.
    page.atOnce(() => { for (let i = 0; i < PRESSES; i++) page.press('Press') })
    const ended = ['finished', 'superseded'].map((outcome) => `moonlit_runs_total{outcome="${outcome}"}`)
    await host.eventually(async () => await host.metric(...ended) === PRESSES + 2, 30000)
    other.press('Press')
    await other.until(() => other.find('text').props.body.startsWith('1 '))
    const before = page.messages.length
    page.ws._socket.resume()
    await page.until(() => page.find('text').props.body.startsWith(`${PRESSES} `))
    const news = page.messages.slice(before)
    assert.ok(news.length < PRESSES, `${news.length} messages for ${PRESSES} presses`)
    assert.equal(news.at(-1).t, 'tree')
    assert.equal(page.closed, undefined)
    page.press('Press')
    await page.until(() => page.find('text').props.body.startsWith(`${PRESSES + 1} `))
    assert.equal(page.messages.at(-1).t, 'patch', 'small differences again')
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})
