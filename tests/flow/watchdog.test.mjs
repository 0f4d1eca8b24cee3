// The last resort: a loop that is stuck for good. No script can do that, so the binary is given a
// Lua library with a call that blocks in C and never comes back.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Moonlit, folder, root } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const script = `
local ui = require "moonlit"
ui.text "first"
if ui.button "Stick" then
  ui.stick()
end
`

/** The folder lua/, with ui.stick(). */
function stickyLibrary() {
  const lua = join(folder(), 'lua')
  cpSync(join(root, 'lua'), lua, { recursive: true })
  const file = join(lua, 'moonlit/init.lua')
  const text = readFileSync(file, 'utf8')
  const ends = text.lastIndexOf('return moonlit')
  assert.ok(ends > 0)
  writeFileSync(file, `${text.slice(0, ends)}
local ffi = require "ffi"
ffi.cdef "int pause(void);"
function moonlit.stick() while true do ffi.C.pause() end end
${text.slice(ends)}`)
  return lua
}

test('a loop stuck in a call that never returns ends the process with 70, and the log names the line', async () => {
  const host = await Moonlit.start({ script, env: { MOONLIT_LUA: stickyLibrary(), MOONLIT_WATCHDOG_MS: '1500' } })
  const page = await Page.open(host)
  await page.settled()
  page.press('Stick')
  await host.until(() => host.code !== undefined)
  assert.equal(host.code, 70, host.log)
  await host.closed
  assert.match(host.log, /the loop has been stuck/)
  assert.match(host.log, /the script stood at \S*app\.lua:5\n/)
})

test('a signal from outside does not sound the alarm', async () => {
  const host = await Moonlit.start({ script })
  host.child.kill('SIGUSR2')
  const page = await Page.open(host)
  await page.settled()
  assert.equal(await host.stop(), 0, host.log)
})
