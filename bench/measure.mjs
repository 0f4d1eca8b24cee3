// Tools of the measures: percentiles, processes and what they use, the person's template.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { require } from '../tests/support/moonlit.mjs'
import { frame } from '../tests/support/raw.mjs'

const { BSON, Long } = require('bson')

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const build = join(root, 'build')
const scratch = mkdtempSync(join(tmpdir(), 'moonlit-bench-'))

export function percentile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
}
export const median = (numbers) => percentile(numbers, 0.5)

/** Run a program of the build to its end and give its output. */
export async function run(program, words) {
  const child = spawn(join(build, program), words.map(String), { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (text) => { out += text })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
  return out
}

/** The bytes of a masked frame of mask 0, so that they can be changed in place. */
function plainFrame(message) {
  const bytes = frame(Buffer.from(BSON.serialize(message)))
  const payload = Buffer.from(BSON.serialize(message))
  const head = bytes.length - payload.length
  bytes.fill(0, head - 4, head)
  payload.copy(bytes, head)
  return bytes
}

/** Files with which bench_ping speaks to a host: how to begin, and one event. */
export function template(port, press) {
  const hello = plainFrame({ t: 'hello', v: 1, load: 'bench', seq: 0, event: 0, locale: 'en', zone: 'UTC', theme: 'light', path: '/', query: '' })
  const upgrade = `GET /_moonlit/socket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: http://127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
    'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  const marker = Long.fromString('1234567890123456')
  const event = plainFrame({ t: 'event', n: marker, seen: 0, values: {}, press: Long.fromNumber(press), path: '/', query: '' })
  const offset = event.indexOf(Buffer.from(marker.toBytesLE()))
  const files = { setup: join(scratch, 'setup'), event: join(scratch, 'event'), offset, length: event.length }
  writeFileSync(files.setup, Buffer.concat([Buffer.from(upgrade), hello]))
  writeFileSync(files.event, event)
  return files
}

/** Latencies in microseconds of `count` events of `clients` sessions. */
export async function ping(port, files, { clients, count, pause = 0 }) {
  const out = await run('bench_ping', [port, clients, count, pause, files.setup, files.event, files.offset])
  return out.trim().split('\n').map(Number).slice(Math.floor(count / 10))
}

/** The same against the bare echo of as many bytes. */
export async function pingEcho(request, reply, { clients, count, pause = 0 }) {
  const child = spawn(join(build, 'bench_echo'), [String(request), String(reply)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [first] = await once(child.stdout, 'data')
  const out = await run('bench_ping', [parseInt(String(first)), clients, count, pause, '-', join(scratch, 'event'), -reply])
  child.stdin.end()
  await once(child, 'exit')
  return out.trim().split('\n').map(Number).slice(Math.floor(count / 10))
}

/** Private memory of a process, in bytes. */
export function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return [...text.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)].reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0)
}
