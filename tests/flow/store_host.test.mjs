// Hosts and the one store of a folder: started, restarted, shared, taken over, ended.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Moonlit, folder } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const script = 'local ui = require "moonlit"\nui.title "Nothing"\n'

/** The processes that serve the store in a folder. */
const stores = (dir) => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return words[1] === 'store' && words[2] === dir
  } catch {
    return false
  }
}).map(Number)

/** Wait until one store alone, another than `old`, serves the folder; its process. */
async function newStore(host, dir, old) {
  let found
  await host.eventually(() => (found = stores(dir)).length === 1 && found[0] !== old)
  return found[0]
}

test('a store that is killed is started again, and ends with its host', async () => {
  const dir = join(folder(), 'store')
  const host = await Moonlit.start({ script, options: ['--store', dir] })
  const first = await newStore(host, dir)
  process.kill(first, 'SIGKILL')
  const second = await newStore(host, dir, first)
  assert.equal(readFileSync(`/proc/${second}/stat`, 'utf8').split(' ')[4], String(second)) // its own group
  assert.equal(await host.stop('SIGTERM'), 0)
  assert.deepEqual(stores(dir), [])
})

test('a second host joins the store, and takes it over when the first is killed', async () => {
  const dir = join(folder(), 'store')
  const options = ['--store', dir]
  const first = await Moonlit.start({ script, options })
  const old = await newStore(first, dir)
  const second = await Moonlit.start({ script, options })
  await second.until(() => /joining the built-in store/.test(second.log))
  first.child.kill('SIGKILL')
  await second.until(() => /taking it over/.test(second.log))
  await newStore(second, dir, old)
  assert.equal(await second.stop('SIGTERM'), 0)
  assert.deepEqual(stores(dir), [])
})

/** Four writers side by side in one run; what they have done, and what the store has in the end. */
const writers = (rounds) => `
local ui = require "moonlit"
local db = require("moonlit.mongo").database("shop")
local function writer(name)
  return function()
    local shown = ui.empty()
    for i = 1, ${rounds} do
      db.inserts:insert_one{ _id = name .. ":" .. i }
      db.sums:update_one({ _id = name }, { ["$inc"] = { n = 1 } }, { upsert = true })
      shown:text(name .. " wrote " .. i)
    end
  end
end
if ui.button "Write" then
  ui.together(writer "a", writer "b", writer "c", writer "d")
  local sums = {}
  for document in db.sums:find({}, { sort = { _id = 1 } }) do sums[#sums + 1] = document._id .. document.n end
  ui.markdown("inserts " .. db.inserts:count_documents{} .. ", sums " .. table.concat(sums, " "))
end
`
/** What the slowest of the four has written. */
function wrote(page) {
  const counts = [...page.nodes.values()].map(({ props }) => /^[a-d] wrote (\d+)/.exec(props?.body ?? '')).filter(Boolean)
  return counts.length === 4 ? Math.min(...counts.map((found) => Number(found[1]))) : 0
}

async function end(host, page, words) {
  await page.until(() => page.find('markdown') ?? page.find('exception'))
  assert.equal(page.find('exception'), undefined, host.log)
  assert.equal(page.find('markdown').props.body, words)
  assert.equal(await host.stop('SIGTERM'), 0)
}

test('a script writes on while the store is killed twenty times, and every write is there once', async () => {
  const dir = join(folder(), 'store')
  const host = await Moonlit.start({ script: writers(250), options: ['--store', dir] })
  const page = await Page.open(host)
  await page.settled()
  page.press('Write')
  let killed
  for (let round = 0; round < 20; round++) {
    const serving = await newStore(host, dir, killed)
    page.ws.ping()
    await once(page.ws, 'pong') // what was written before that death is shown by now
    const before = wrote(page)
    await page.until(() => wrote(page) > before + 5 || page.find('markdown') || page.find('exception'))
    process.kill(serving, 'SIGKILL')
    killed = serving
  }
  await end(host, page, 'inserts 1000, sums a250 b250 c250 d250')
})

test('a script writes on while the host that owns the store ends, and the other one takes it over', async () => {
  const dir = join(folder(), 'store')
  const options = ['--store', dir]
  const first = await Moonlit.start({ script, options })
  const second = await Moonlit.start({ script: writers(100), options })
  await second.until(() => /joining the built-in store/.test(second.log))
  const page = await Page.open(second)
  await page.settled()
  page.press('Write')
  await page.until(() => wrote(page) > 10)
  assert.equal(await first.stop('SIGTERM'), 0)
  await end(second, page, 'inserts 400, sums a100 b100 c100 d100')
  assert.match(second.log, /taking it over/)
  assert.deepEqual(stores(dir), [])
})

test('a host that would look for the socket elsewhere joins the store all the same', async () => {
  const dir = join(folder(), 'store')
  const first = await Moonlit.start({ script, options: ['--store', dir], env: { XDG_RUNTIME_DIR: folder() } })
  const second = await Moonlit.start({ script: writers(5), options: ['--store', dir], env: { XDG_RUNTIME_DIR: folder() } })
  const page = await Page.open(second)
  await page.settled()
  page.press('Write')
  await end(second, page, 'inserts 20, sums a5 b5 c5 d5')
  assert.equal(await first.stop('SIGTERM'), 0)
})
