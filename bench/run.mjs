// Measures every row of the table, each beside its limit, and writes bench/results.md. Words on the
// command line choose rows by a part of their name.
import { gzipSync } from 'node:zlib'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Moonlit, binary, folder } from '../tests/support/moonlit.mjs'
import { Page } from '../tests/support/page.mjs'
import { command } from '../tests/support/process.mjs'
import { memoryOf, median, percentile, ping, pingEcho, root, run, template } from './measure.mjs'
import { StoreClient } from './store_client.mjs'

const twenty = readFileSync(join(root, 'bench/twenty.lua'), 'utf8')
const us = (number) => number >= 1000 ? `${(number / 1000).toFixed(2)} ms` : `${number.toFixed(1)} us`
const ms = (number) => `${number.toFixed(1)} ms`
const far = ['--database', 'mongodb://127.0.0.1:1/none'] // never asked: no store is started

async function withHost(given, body) {
  const host = await Moonlit.start(given)
  try {
    return await body(host)
  } finally {
    await host.stop()
  }
}

/** A page's files for bench_ping, and the sizes of an event and its answer. */
async function prepare(host, label) {
  const page = await Page.open(host)
  await page.settled()
  const files = template(host.port, page.must('button', label).id)
  let bytes = 0
  page.ws.on('message', (message) => { bytes += message.length + 4 })
  page.press(label)
  await page.settled()
  files.reply = bytes
  page.close()
  return files
}

const rows = {
  async 'rerun of 20 elements, server CPU'() {
    const [rerun, limit] = (await run('bench_rerun', ['bench/twenty.lua', 20000])).trim().split(' ').map(Number)
    return { target: '15 us', measured: us(rerun), beside: `bare script and memcmp ${us(limit)}`, ratio: rerun / limit, missed: rerun > 15 }
  },

  'event to patch, 20 elements, 1 session': () => withHost({ script: twenty, options: far }, async (host) => {
    const files = await prepare(host, 'Refresh')
    const load = { clients: 1, count: 20000 }
    const [moonlit, echo] = [await ping(host.port, files, load), await pingEcho(files.length, files.reply, load)]
    const ratio = median(moonlit) / median(echo)
    return { target: '1.5x', measured: `${us(median(moonlit))} (p99 ${us(percentile(moonlit, 0.99))})`,
      beside: `libuv echo ${us(median(echo))} (p99 ${us(percentile(echo, 0.99))})`, ratio, missed: ratio > 1.5 }
  }),

  'the same with 100 sessions, each 10 events a second, p99': () => withHost({ script: twenty, options: far }, async (host) => {
    const files = await prepare(host, 'Refresh')
    const load = { clients: 100, count: 10000, pause: 100000 }
    const [moonlit, echo] = [await ping(host.port, files, load), await pingEcho(files.length, files.reply, load)]
    const [ours, bare] = [percentile(moonlit, 0.99), percentile(echo, 0.99)]
    return { target: '2 ms', measured: us(ours), beside: `libuv echo ${us(bare)}`, ratio: ours / bare, missed: ours > 2000 }
  }),

  'memory per idle session': () => withHost({ file: join(root, 'apps/hello.lua'), options: far }, async (host) => {
    const open = async (count) => {
      const pages = await Promise.all(Array.from({ length: count }, () => Page.open(host)))
      for (const page of pages) await page.settled()
      return pages
    }
    await open(100)
    const before = memoryOf(host.child.pid)
    for (let i = 0; i < 10; i++) await open(100)
    const each = (memoryOf(host.child.pid) - before) / 1000 / 1024
    return { target: '16 KB', measured: `${each.toFixed(1)} KB`, beside: 'own transport 0.9 KB', ratio: each / 0.9, missed: each > 16 }
  }),

  'exec to first patch, without a store': () => firstPatch(far, 40),
  'exec to first patch, with the store': () => firstPatch([], 80),

  async 'an endless loop beside a quiet session, p99'() {
    const script = twenty + '\nif ui.button "Loop" then while true do end end\n'
    return withHost({ script, options: [...far, '--cpu-limit', '60'] }, async (host) => {
      const files = await prepare(host, 'Refresh')
      const load = { clients: 1, count: 1000, pause: 1000 }
      const alone = percentile(await ping(host.port, files, load), 0.99)
      const bad = await Page.open(host)
      await bad.settled()
      bad.press('Loop')
      await host.eventually(async () => await host.metric('moonlit_runs_alive') === 1)
      const beside = percentile(await ping(host.port, files, load), 0.99)
      return { target: '10 ms', measured: us(beside), beside: `alone ${us(alone)}`, ratio: beside / alone, missed: beside > 10000 }
    })
  },

  async "the counter in loops, geometric mean of twelve"() {
    const folder = join(root, 'bench/loops')
    const files = readdirSync(folder).sort().map((name) => join(folder, name))
    const ratios = (await run('bench_counter', files)).trim().split('\n').map((line) => line.split(' '))
    const mean = Math.exp(ratios.reduce((sum, [, ratio]) => sum + Math.log(Number(ratio)), 0) / ratios.length)
    const [worst, most] = ratios.reduce((a, b) => Number(b[1]) > Number(a[1]) ? b : a)
    return { target: '1.3x', measured: `${mean.toFixed(2)}x (most in ${worst.replace('.lua', '')}, ${Number(most).toFixed(2)}x)`,
      beside: 'the same without it', ratio: mean, missed: mean > 1.3 }
  },

  'find_one from a script': () => withThings(async (page, uri) => {
    const count = 2000
    const script = median(await times(9, () => pressed(page, 'One'))) / count * 1000
    const straight = Number(await run('bench_driver', [uri, 'one', 5 * count]))
    return { target: '+20 us', measured: us(script), beside: `straight libmongoc ${us(straight)}`, ratio: script / straight, missed: script > straight + 20 }
  }),

  'find 100,000 documents, read two fields': () => withThings(async (page, uri) => {
    const script = median(await times(9, () => pressed(page, 'All')))
    const straight = median((await run('bench_driver', [uri, 'all', 9])).trim().split('\n').map(Number))
    return { target: '1.2x', measured: ms(script), beside: `libmongoc and bson_iter ${ms(straight)}`, ratio: script / straight, missed: script > 1.2 * straight }
  }),

  '1,000 sessions, each in a query of 1 s, pool of 100': () => thousandSessions(),

  'built-in store: insert_one': () => storeCall('insert_one', 80),
  'built-in store: find by _id': () => storeCall('find by _id', 60),

  async 'built-in store: group 1,000,000 documents by a field'() {
    const [, scan, group] = /scan ([\d.]+) s, group ([\d.]+) s/.exec(await storeNumbers()).map(Number)
    return { target: '1.5 s', measured: `${group} s`, beside: `scan alone ${scan} s`, ratio: group / scan, missed: group > 1.5 }
  },

  'a superseded read, gone from the server after': () => cancelLatency(),

  async 'client entry, gzip'() {
    const dist = join(root, 'web/dist')
    const page = readFileSync(join(dist, 'index.html'), 'utf8')
    const names = readdirSync(dist, { recursive: true }).filter((name) => page.includes(String(name)) && /\.(js|css)$/.test(String(name)))
    const bytes = names.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, String(name))), { level: 9 }).length, 0) / 1024
    return { target: '60 KB', measured: `${bytes.toFixed(1)} KB`, beside: "Streamlit's main chunk 824 KB", ratio: bytes / 824, missed: bytes > 60 }
  },
}

/** From spawn to the first tree that has the script's title; beside it, the binary that does nothing. */
async function firstPatch(options, target) {
  const times = [], bare = []
  for (let i = 0; i < 15; i++) {
    const begin = performance.now()
    const host = await Moonlit.start({ file: join(root, 'apps/hello.lua'), dir: folder(), options })
    const page = await Page.open(host)
    await page.until(() => page.find('title'))
    times.push(performance.now() - begin)
    await host.stop()
    const start = performance.now()
    await command(['version'])
    bare.push(performance.now() - start)
  }
  const took = median(times)
  return { target: `${target} ms`, measured: ms(took), beside: `\`moonlit version\` ${ms(median(bare))}`, ratio: took / median(bare), missed: took > target }
}

// ---- the database ----

/** A built-in store of its own on loopback. */
async function withStore(body) {
  const store = spawn(binary, ['store', folder(), '--listen', '127.0.0.1:0', '--test-commands'])
  let said = ''
  store.stdout.on('data', (text) => { said += text })
  store.stderr.on('data', (text) => { said += text })
  while (!/127\.0\.0\.1:(\d+)/.test(said)) await Promise.race([once(store.stdout, 'data'), once(store.stderr, 'data')])
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(said)[1])
  try {
    return await body(port)
  } finally {
    store.kill('SIGTERM')
    await once(store, 'exit')
  }
}

async function times(count, body) {
  const took = []
  for (let i = 0; i < count; i++) {
    const begin = performance.now()
    await body()
    took.push(performance.now() - begin)
  }
  return took
}

const pressed = (page, label) => { page.press(label); return page.settled() }

/** 100,000 documents, and a page whose buttons read them. */
const withThings = (body) => withStore(async (port) => {
  const uri = `mongodb://127.0.0.1:${port}/bench`
  await run('bench_driver', [uri, 'fill', 100000])
  const script = `
local ui = require "moonlit"
local things = require("moonlit.mongo").database("bench").things
if ui.button "One" then
  for i = 1, 2000 do things:find_one{ _id = i } end
end
if ui.button "All" then
  local sum = 0
  for thing in things:find{} do sum = sum + thing.price + thing.stock end
  ui.text(sum)
end
`
  return withHost({ script, options: ['--database', uri] }, async (host) => {
    const page = await Page.open(host)
    await page.settled()
    for (const label of ['One', 'All']) await pressed(page, label)
    return body(page, uri)
  })
})

const hang = (client, milliseconds) => client.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn',
  data: { failCommands: ['find'], blockConnection: true, blockTimeMS: milliseconds } })

/** Each session's first run finds something; the store takes a second for each, a hundred at a time. */
const thousandSessions = () => withStore(async (port) => {
  const client = await StoreClient.connect(port)
  await hang(client, 1000)
  const script = 'local ui = require "moonlit"\nrequire("moonlit.mongo").database().things:find_one{}\nui.text "there"\n'
  const uri = `mongodb://127.0.0.1:${port}/bench?maxPoolSize=100&waitQueueTimeoutMS=60000`
  return withHost({ script, options: ['--database', uri] }, async (host) => {
    const begin = performance.now()
    const pages = await Promise.all(Array.from({ length: 1000 }, () => Page.open(host)))
    await Promise.all(pages.map((page) => page.until(() => page.find('text'), 60000)))
    const took = (performance.now() - begin) / 1000
    client.close()
    return { target: '10 s +5 %', measured: `${took.toFixed(2)} s`, beside: 'arithmetic 10 s', ratio: took / 10, missed: took > 10.5 }
  })
})

let numbersOfTheStore
/** What bench_store prints; it runs once. */
function storeNumbers() {
  numbersOfTheStore ??= run('bench_store', [binary, 20000])
  return numbersOfTheStore
}

async function storeCall(name, target) {
  const each = (line) => Number(new RegExp(`^${line} +([\\d.]+) us`, 'm').exec(numbers)[1])
  const numbers = await storeNumbers()
  const [call, ping] = [each(name), each('ping')]
  return { target: `${target} us`, measured: us(call), beside: `ping ${us(ping)}`, ratio: call / ping, missed: call > target }
}

/** Finds that hang, each superseded by a press; the store is asked until it has killed it. */
const cancelLatency = () => withStore(async (port) => {
  const client = await StoreClient.connect(port)
  await hang(client, 60000)
  const script = 'local ui = require "moonlit"\nlocal mongo = require "moonlit.mongo"\nui.button "Again"\nmongo.database("bench").things:find_one{}\n'
  return withHost({ script, options: ['--database', `mongodb://127.0.0.1:${port}/bench`] }, async (host) => {
    const page = await Page.open(host)
    const status = async () => (await client.command({ serverStatus: 1 })).moonlit
    const took = []
    await page.until(() => page.find('button'))
    for (let i = 0; i < 20; i++) {
      let before
      await host.eventually(async () => (before = await status()).active >= 1)
      took.push(...await times(1, async () => {
        page.press('Again')
        while ((await status()).killed === before.killed) { /* ask again */ }
      }))
    }
    const begin = performance.now()
    for (let i = 0; i < 100; i++) await status()
    const asking = (performance.now() - begin) / 100
    client.close()
    return { target: '50 ms', measured: `${ms(median(took))} (longest ${ms(Math.max(...took))})`, beside: `one command ${ms(asking)}`, ratio: median(took) / asking, missed: Math.max(...took) > 50 }
  })
})

// ---- the table ----

const chosen = Object.keys(rows).filter((name) => process.argv.length === 2 || process.argv.slice(2).some((word) => name.includes(word)))
const lines = []
for (const name of chosen) {
  const row = await rows[name]().catch((problem) => ({ target: '', measured: `not measured: ${problem.message.split('\n')[0]}`, beside: '', missed: true }))
  const ratio = row.ratio ? `${row.ratio.toFixed(2)}x` : ''
  console.log(`${name.padEnd(56)} ${row.measured.padEnd(28)} ${row.beside} ${ratio}${row.missed ? '   (target ' + row.target + ')' : ''}`)
  lines.push(`| ${name} | ${row.target} | ${row.measured} | ${row.beside} | ${ratio} | ${row.missed ? 'missed' : 'met'} |`)
}
if (chosen.length === Object.keys(rows).length) {
  writeFileSync(join(root, 'bench/results.md'), ['# Measures', '', '<!-- Written by ./dev bench. -->', '',
    `On ${cpus().length} cores (${cpus()[0].model.trim()}), ${new Date().toISOString().slice(0, 10)}. Each row ran beside its limit in the same run; the`,
    'person (`bench/ping.c`) is part of both sides. Trust the ratios, not the absolute numbers.', '',
    '| what | target | measured | beside it | ratio | |', '| --- | --- | --- | --- | --- | --- |', ...lines, ''].join('\n'))
}
process.exit(0)
