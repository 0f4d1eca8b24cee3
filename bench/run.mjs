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

  'a superseded read, gone from the server after': cancelLatency,

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

/** Ten finds that hang, each superseded by a press; the store is asked until it runs none. */
async function cancelLatency() {
  const dir = folder()
  const store = spawn(binary, ['store', dir, '--listen', '127.0.0.1:0', '--test-commands'])
  let said = ''
  store.stdout.on('data', (text) => { said += text })
  store.stderr.on('data', (text) => { said += text })
  while (!/127\.0\.0\.1:(\d+)/.test(said)) await Promise.race([once(store.stdout, 'data'), once(store.stderr, 'data')])
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(said)[1])
  const client = await StoreClient.connect(port)
  await client.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data: { failCommands: ['find'], blockConnection: true, blockTimeMS: 60000 } })
  const script = 'local ui = require "moonlit"\nlocal mongo = require "moonlit.mongo"\nui.button "Again"\nmongo.database("bench").things:find_one{}\n'
  const times = []
  await withHost({ script, options: ['--database', `mongodb://127.0.0.1:${port}/bench`] }, async (host) => {
    const page = await Page.open(host)
    const status = async () => (await client.command({ serverStatus: 1 })).moonlit
    await page.until(() => page.find('button'))
    for (let i = 0; i < 20; i++) {
      let before
      await host.eventually(async () => (before = await status()).active >= 1)
      const begin = performance.now()
      page.press('Again')
      while ((await status()).killed === before.killed) { /* ask again */ }
      times.push(performance.now() - begin)
    }
  })
  client.close()
  store.kill('SIGTERM')
  return { target: '50 ms', measured: `${ms(median(times))} (longest ${ms(Math.max(...times))})`, beside: 'nothing', missed: Math.max(...times) > 50 }
}

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
