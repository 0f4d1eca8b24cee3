// Commands of the binary that end by themselves, and what a process leaves behind.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import net from 'node:net'
import http from 'node:http'
import { assertNoReport, binary } from './moonlit.mjs'

/** Run `moonlit ...words` to its end. */
export async function command(words, { env = {}, cwd } = {}) {
  const child = spawn(binary, words, { cwd, env: { ...process.env, ...env } })
  const result = { out: '', err: '' }
  child.stdout.on('data', (text) => { result.out += text })
  child.stderr.on('data', (text) => { result.err += text })
  const [code, signal] = await once(child, 'close')
  result.code = code ?? signal
  assertNoReport(result.err)
  return result
}

/** The child processes of a process, at this moment. */
export function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
    } catch {
      return [] // the thread has ended meanwhile
    }
  })
}

export function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** The paths of all sockets below a folder. */
export function socketFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isSocket()).map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

/** A free port that the kernel gives to nobody who asks for any: nobody else has it between two hosts. */
export async function lonelyPort() {
  const given = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t')[0])
  for (;;) {
    const port = 1024 + Math.floor(Math.random() * Math.max(given - 1024, 4096))
    const server = net.createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(() => true, () => false)
    if (!isFree) continue
    await new Promise((done) => server.close(done))
    return port
  }
}

/** A server that accepts and never answers. `first` resolves at the first connection, `heard(count)` when so many have said something. */
export async function mute() {
  const sockets = []
  let heard = 0
  const server = net.createServer((socket) => {
    sockets.push(socket.on('error', () => {}).resume())
    socket.once('data', () => { heard++; server.emit('heard') })
  })
  const first = once(server, 'connection')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: server.address().port,
    first,
    async heard(count) { while (heard < count) await once(server, 'heard') },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** One request with any head fields. */
export function request(port, path, headers = {}) {
  return new Promise((done, fail) => {
    http.get({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (bytes) => { text += bytes })
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, text }))
    }).on('error', fail)
  })
}
