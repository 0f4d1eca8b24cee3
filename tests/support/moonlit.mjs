// Start the real binary on a private port with a script of its own, and stop it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync, rmSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRequire } from 'node:module'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
export const binary = resolve(root, process.env.MOONLIT_BINARY ?? 'build/moonlit')
export const apps = join(root, 'apps')
/** Packages of the browser client's folder, where the tests' packages live too. */
export const require = createRequire(join(root, 'web/package.json'))

process.setMaxListeners(0) // each host and folder has one for the end

/** A report of a sanitizer is a failure, whichever process wrote it and however that ended. */
export function assertNoReport(log) {
  if (/ERROR: \w+Sanitizer|: runtime error: /.test(log)) throw new Error(`a sanitizer reports:\n${log}`)
}

/** A new folder that goes when the process ends. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), 'moonlit-'))
  process.on('exit', () => rmSync(path, { recursive: true, force: true }))
  return path
}

export class Moonlit {
  /**
   * @param {{script?: string, file?: string, files?: Record<string, string>, options?: string[],
   *          env?: Record<string, string>, dir?: string, store?: boolean, ready?: boolean}} given
   *   A store of its own is named to it, unless `store` is false or the options name a database.
   */
  static async start(given = {}) {
    const host = new Moonlit()
    host.dir = given.dir ?? folder()
    for (const [name, text] of Object.entries(given.files ?? {})) host.write(name, text)
    if (given.script !== undefined) host.write('app.lua', given.script)
    const file = given.file ?? join(host.dir, 'app.lua')
    const options = given.options ?? []
    const isNamed = given.store === false || options.includes('--store') || options.includes('--database')
    const store = isNamed ? [] : ['--store', join(host.dir, 'store')]
    host.log = ''
    host.out = ''
    // Where the store's socket is: those who share a store share it.
    const shared = options[options.indexOf('--store') + 1]
    const runtime = options.includes('--store') ? shared : host.dir
    const env = { ...process.env, XDG_RUNTIME_DIR: runtime, ...given.env }
    if (!given.env?.MONGODB_URI) delete env.MONGODB_URI
    host.child = spawn(binary, ['run', file, '--port', String(given.port ?? 0), ...store, ...options], { env })
    host.child.stderr.on('data', (text) => { host.log += text; host.notify() })
    host.child.stdout.on('data', (text) => { host.out += text; host.notify() })
    host.exited = once(host.child, 'exit').then(([code, signal]) => {
      host.code = code ?? signal
      host.notify()
      return host.code
    })
    host.closed = once(host.child, 'close') // its store's last words included
    process.on('exit', () => host.child.exitCode === null && host.child.kill('SIGKILL'))
    if (given.ready === false) return host
    await host.until(() => /running: (http\S+)/.test(host.out) || host.code !== undefined)
    if (host.code !== undefined) throw new Error(`moonlit ended with ${host.code}: ${host.log}`)
    host.url = /running: (http\S+)/.exec(host.out)[1]
    host.port = Number(new URL(host.url).port)
    return host
  }

  waiting = []
  notify() { for (const check of [...this.waiting]) check() }

  /** Wait until `condition()` is true; it is looked at whenever the host writes something. */
  until(condition, milliseconds = 20000) {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(check), 1)
        fail(new Error(`waited ${milliseconds} ms in vain; log:\n${this.log}${this.out}`))
      }, milliseconds)
      const check = () => {
        if (!condition()) return
        clearTimeout(timer)
        const at = this.waiting.indexOf(check)
        if (at >= 0) this.waiting.splice(at, 1)
        done()
      }
      this.waiting.push(check)
      check()
    })
  }

  write(name, text) {
    const path = join(this.dir, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path + '.new', text) // as editors do, so that nobody reads half a file
    renameSync(path + '.new', path)
    return path
  }

  read(name) { return readFileSync(join(this.dir, name), 'utf8') }

  async get(path, headers = {}) {
    const answer = await fetch(this.url + path, { headers })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }

  /** One number of /_moonlit/metrics, or the sum of several at one moment; labels as in Prometheus text. */
  async metric(...names) {
    const { text } = await this.get('/_moonlit/metrics')
    return names.reduce((sum, name) => {
      const line = text.split('\n').find((line) => line.startsWith(name + ' '))
      if (!line) throw new Error(`no metric ${name}`)
      return sum + Number(line.slice(name.length + 1))
    }, 0)
  }

  /** Poll a condition that only the host knows (a metric), because nothing announces it. */
  async eventually(condition, milliseconds = 20000) {
    const end = Date.now() + milliseconds
    for (;;) {
      if (await condition()) return
      if (Date.now() > end) throw new Error(`not so after ${milliseconds} ms; log:\n${this.log}`)
      await new Promise((next) => setTimeout(next, 10))
    }
  }

  async stop(signal = 'SIGINT') {
    if (this.code === undefined) this.child.kill(signal)
    await this.closed
    assertNoReport(this.log)
    return this.exited
  }
}
