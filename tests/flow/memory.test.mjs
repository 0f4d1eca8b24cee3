// What a run used is given back, however it ended.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const waits = {
  'ui.together': 'ui.together(function() ui.sleep(0) return #big end, function() end)',
  'ui.timeout': 'ui.timeout(5, function() ui.sleep(0) return #big end)',
  'ui.once': 'ui.once("name" .. tostring(n), function() return #big end)',
  'ui.sleep': 'ui.sleep(0) ui.session.live.length = #big',
}

for (const [name, wait] of Object.entries(waits)) {
  test(`views superseded as they begin ${name} leave nothing behind`, async () => {
    const host = await Moonlit.start({ script: `
local ui = require "moonlit"
local n = ui.state.n or 0
local big = ("x"):rep(200000) .. n
if ui.button "More" then ui.state.n = n + 1 end
${wait}
` })
    try {
      const page = await Page.open(host)
      await page.settled()
      for (let i = 0; i < 500; i++) page.press('More')
      await page.settled()
      const heap = await host.metric('moonlit_lua_heap_bytes')
      assert.ok(heap < 50e6, `${heap} bytes, of 500 runs with 200,000 each`)
    } finally {
      assert.equal(await host.stop(), 0, host.log)
    }
  })
}

test('ui.once keeps so many names and no more, and says what it is for', async () => {
  const host = await Moonlit.start({ script: `
local ui = require "moonlit"
for i = 1, 10001 do ui.once("name " .. i, function() return i end) end
`, options: ['--cpu-limit', '60'] })
  try {
    const page = await Page.open(host)
    await page.until(() => page.find('exception'))
    assert.match(page.find('exception').props.message, /10000 names: it is for what is done once per process/)
    assert.equal(page.find('exception').props.line, 3)
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})
