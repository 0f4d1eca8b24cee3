// Hosts and the one store of a folder: started, restarted, shared, taken over, ended.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Moonlit, folder } from '../support/moonlit.mjs'

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

async function until(condition) {
  while (!condition()) await new Promise(setImmediate)
}

test('a store that is killed is started again, and ends with its host', async () => {
  const dir = join(folder(), 'store')
  const host = await Moonlit.start({ script, options: ['--store', dir] })
  await until(() => stores(dir).length === 1)
  const [first] = stores(dir)
  process.kill(first, 'SIGKILL')
  await until(() => stores(dir).some((pid) => pid !== first))
  assert.equal(readFileSync(`/proc/${stores(dir)[0]}/stat`, 'utf8').split(' ')[4], String(stores(dir)[0])) // its own group
  host.child.kill('SIGTERM')
  assert.equal(await host.exited, 0)
  assert.deepEqual(stores(dir), [])
})

test('a second host joins the store, and takes it over when the first is killed', async () => {
  const dir = join(folder(), 'store')
  const options = ['--store', dir]
  const first = await Moonlit.start({ script, options })
  await until(() => stores(dir).length === 1)
  const second = await Moonlit.start({ script, options })
  assert.match(second.log, /joining the built-in store/)
  const [old] = stores(dir)
  first.child.kill('SIGKILL')
  await until(() => /taking it over/.test(second.log))
  await until(() => stores(dir).length === 1 && stores(dir)[0] !== old)
  second.child.kill('SIGTERM')
  assert.equal(await second.exited, 0)
  assert.deepEqual(stores(dir), [])
})
