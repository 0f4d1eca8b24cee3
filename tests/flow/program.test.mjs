// The command line: what it prints, how it fails, how it ends.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import net from 'node:net'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { Moonlit, binary, folder } from '../support/moonlit.mjs'
import { Database } from '../support/flow.mjs'
import { Page } from '../support/page.mjs'
import { childrenOf, command, request } from '../support/process.mjs'

const hello = 'local ui = require "moonlit"\nui.title "Hello"\n'

function scriptIn(name, text) {
  const path = join(folder(), name)
  writeFileSync(path, text)
  return path
}

/** One sentence that names the thing, no traceback, nothing on standard output. */
function assertRefusal(result, code, pattern) {
  assert.equal(result.code, code, result.err)
  assert.match(result.err, pattern)
  assert.equal(result.err.trim().split('\n').length, 1, result.err)
  assert.doesNotMatch(result.err, /traceback|Assertion|runtime error/)
  assert.equal(result.out, '')
}

async function withHost(given, body) {
  const host = await Moonlit.start({ script: hello, ...given })
  try {
    await body(host)
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
}

test('version prints the version', async () => {
  const { code, out } = await command(['version'])
  assert.equal(code, 0)
  assert.match(out, /^moonlit \d+\.\d+\.\d+\n$/)
})

test('what a killed process of the same number has left in shared memory is no word in the log', async () => {
  const child = spawn('sh', ['-c', 'touch "/dev/shm/mongoc-$$" && exec "$0" version', binary])
  let err = ''
  child.stderr.on('data', (text) => { err += text })
  const [code] = await once(child, 'close')
  assert.deepEqual([code, err], [0, ''])
  assert.equal(existsSync(`/dev/shm/mongoc-${child.pid}`), false)
})

test('help lists the commands, and help of each tells its options', async () => {
  const overview = await command(['help'])
  assert.equal(overview.code, 0)
  for (const name of ['run', 'store', 'check', 'version', 'help']) assert.match(overview.out, new RegExp(`moonlit ${name}`))
  const run = await command(['help', 'run'])
  for (const option of ['--host', '--allow-host', '--port', '--database', '--store', '--open', '--no-open',
    '--cpu-limit', '--wall-limit', '--memory-limit', '--session-timeout']) {
    assert.ok(run.out.includes(option), option)
  }
  for (const [option, value, standard] of [['--host', 'ADDRESS', '127\\.0\\.0\\.1'], ['--port', 'NUMBER', '8501'],
    ['--database', 'URI', 'the built-in store'], ['--store', 'DIR', '\\.moonlit/store beside the app'], ['--cpu-limit', 'SECONDS', '10'],
    ['--wall-limit', 'SECONDS', '120'], ['--memory-limit', 'MIB', '128'], ['--press-limit', 'SECONDS', '30'],
    ['--session-timeout', 'SECONDS', '600'], ['--session-limit', 'NUMBER', '10000']]) {
    assert.match(run.out, new RegExp(`${option} ${value}.*\\(${standard}\\)`), option)
  }
  const store = await command(['help', 'store'])
  for (const option of ['--socket', '--listen', '--test-commands']) assert.ok(store.out.includes(option), option)
})

test('--help behind a command is help of that command', async () => {
  assert.deepEqual(await command(['run', '--help']), await command(['help', 'run']))
  assert.deepEqual(await command(['store', '-h']), await command(['help', 'store']))
})

test('no command prints the overview and is wrong use', async () => {
  const { code, out } = await command([])
  assert.equal(code, 2)
  assert.match(out, /moonlit run/)
})

for (const [name, words, pattern] of [
  ['an unknown command', ['dance'], /"dance".*help/],
  ['help of an unknown command', ['help', 'dance'], /"dance".*help/],
  ['an unknown option', ['run', '--speed', '9'], /--speed.*help run/],
  ['an option without its value', ['run', '--port'], /--port needs a value/],
  ['a port that is no number', ['run', '--port', 'many'], /--port.*"many"/],
  ['a limit that is no number', ['run', '--cpu-limit', '-1'], /--cpu-limit.*"-1"/],
  ['a limit that is not a whole number', ['run', '--session-limit', '1.5'], /--session-limit.*whole.*"1\.5"/],
  ['a value for an option without one', ['run', '--open=yes'], /--open takes no value/],
  ['two scripts', ['run', 'a.lua', 'b.lua'], /a\.lua.*b\.lua/],
  ['an unknown option of store', ['store', '--speed'], /--speed/],
]) {
  test(`${name} is one sentence and exit code 2`, async () => assertRefusal(await command(words), 2, pattern))
}

test('a missing file is one sentence with its name and exit code 1', async () => {
  assertRefusal(await command(['run', join(folder(), 'nowhere.lua'), '--port', '0']), 1, /nowhere\.lua/)
})

test('a folder without an app says which file it looks for', async () => {
  assertRefusal(await command(['run', folder(), '--port', '0']), 1, /app\.lua/)
})

test('a name that no host can have is one sentence', async () => {
  const result = await command(['run', scriptIn('app.lua', hello), '--allow-host', 'a b', '--port', '0'])
  assertRefusal(result, 1, /"a b".*--allow-host/)
})

test('an address that is not of this machine is one sentence', async () => {
  const result = await command(['run', scriptIn('app.lua', hello), '--host', '192.0.2.1', '--port', '0'])
  assertRefusal(result, 1, /192\.0\.2\.1.*--host/)
})

test('a store that would listen to other machines is one sentence with the way out', async () => {
  assertRefusal(await command(['store', folder(), '--listen', '0.0.0.0:0']), 1, /this machine only.*127\.0\.0\.1/)
})

test('a port in use is one sentence with the port and the way out, exit code 1', async () => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  const result = await command(['run', scriptIn('app.lua', hello), '--port', String(port)])
  server.close()
  assertRefusal(result, 1, new RegExp(`${port}.*--port`))
})

for (const [name, uri, pattern] of [
  ['without a scheme', 'localhost:27017', /mongodb:\/\//],
  ['with an unknown option', 'mongodb://127.0.0.1/?maxPoolSise=3', /maxPoolSise/i],
  ['with a wrong value', 'mongodb://127.0.0.1/?maxPoolSize=many', /maxPoolSize/i],
  ['with a bad port', 'mongodb://127.0.0.1:99999/', /99999/],
]) {
  test(`a database URI ${name} is one sentence`, async () => {
    const result = await command(['run', scriptIn('app.lua', hello), '--port', '0', '--database', uri])
    assert.ok(result.code === 1 || result.code === 2, result.err)
    assertRefusal(result, result.code, pattern)
  })
}

test('a password in a URI is never printed', async () => {
  const result = await command(['run', scriptIn('app.lua', hello), '--port', '0', '--database',
    'mongodb://anna:geheim@127.0.0.1/?nonsense=1'])
  assert.doesNotMatch(result.err + result.out, /geheim/)
})

for (const [name, text, pattern] of [
  ['a syntax error', 'local x = 1\nlocal y = = 2\n', /app\.lua:2: unexpected symbol near '='/],
  ['bytecode', '\x1bLJ\x02', /app\.lua: this is bytecode; Moonlit runs Lua source only/],
  ['10 MB', '-- '.padEnd(10 << 20, 'x'), /app\.lua: the file is larger than 1024 KiB/],
  ['brackets in one another without end', 'return ' + '('.repeat(1e5), /app\.lua:1: /],
]) {
  test(`a script of ${name} is refused in one sentence, by run and by check`, async () => {
    const path = scriptIn('app.lua', text)
    assertRefusal(await command(['run', path, '--port', '0']), 1, pattern)
    const { code, out, err } = await command(['check', path])
    assert.equal(code, 1)
    assert.match(out + err, pattern)
  })
}

test('check finds a misspelt global without running', async () => {
  const path = scriptIn('app.lua', 'local ui = require "moonlit"\nui.title(tostrin(1))\nerror "not run"\n')
  const { code, out, err } = await command(['check', path])
  assert.equal(code, 1)
  assert.match(out + err, /app\.lua:2: .*tostrin/)
  assert.doesNotMatch(out + err, /not run/)
})

test('check finds a syntax error with its line', async () => {
  const { code, out, err } = await command(['check', scriptIn('app.lua', 'local x = 1\nlocal = 2\n')])
  assert.equal(code, 1)
  assert.match(out + err, /app\.lua:2: /)
})

test('check says nothing about a good script and ends with 0', async () => {
  const { code, out, err } = await command(['check', scriptIn('app.lua', hello)])
  assert.deepEqual({ code, out, err }, { code: 0, out: '', err: '' })
})

test('check wants exactly one file', async () => assertRefusal(await command(['check']), 2, /one file/))

test('when ready it prints the address and which database is in use and where', () => withHost({}, async (host) => {
  assert.match(host.out, /^Moonlit is running: http:\/\/127\.0\.0\.1:\d+\n/)
  assert.ok(host.out.includes(join(host.dir, 'store')), host.out)
}))

const notes = `
local ui = require "moonlit"
local notes = require("moonlit.mongo").database().notes
if notes:count_documents{} == 0 then notes:insert_one{ text = "here" } end
ui.text(notes:find_one{}.text)
`

async function showsNote(host) {
  const page = await Page.open(host)
  await page.settled()
  assert.deepEqual(page.texts(), ['here'])
}

test('a folder is served by its app.lua, and the store stands beside it in .moonlit/store', async () => {
  const dir = folder()
  writeFileSync(join(dir, 'app.lua'), notes)
  await withHost({ script: undefined, dir, file: dir, store: false }, async (host) => {
    await showsNote(host)
    assert.ok(host.out.includes(join(dir, '.moonlit/store')), host.out)
    assert.ok(readdirSync(join(dir, '.moonlit/store')).length > 0)
  })
})

test('MONGODB_URI names the database, and --database and --store are stronger', async () => {
  const database = await Database.start()
  try {
    await withHost({ script: notes, store: false, env: { MONGODB_URI: database.uri } }, async (host) => {
      await showsNote(host)
      assert.ok(host.out.includes(`shop on ${database.store.socket}`), host.out)
      assert.equal(existsSync(join(host.dir, '.moonlit')), false, 'no store is started')
    })
    assert.equal(await database.collection('notes').countDocuments(), 1)
    const given = { options: ['--database', database.uri], env: { MONGODB_URI: 'mongodb://127.0.0.1:1/' } }
    await withHost({ script: notes, ...given }, showsNote)
    await withHost({ script: notes, env: { MONGODB_URI: 'mongodb://127.0.0.1:1/' } }, showsNote)
  } finally {
    await database.stop()
  }
})

test('health answers ok', () => withHost({}, async (host) => {
  const { status, text } = await host.get('/_moonlit/health')
  assert.deepEqual([status, text], [200, 'ok'])
}))

test('metrics are Prometheus text with every number promised', () => withHost({}, async (host) => {
  const page = await Page.open(host)
  await page.settled()
  const { status, headers, text } = await host.get('/_moonlit/metrics')
  assert.equal(status, 200)
  assert.match(headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  for (const line of text.trimEnd().split('\n')) assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? [\d.e+-]+|\w+\{le="\+Inf"\} \d+)$/)
  for (const name of ['moonlit_sessions 1', 'moonlit_sockets 1', 'moonlit_runs_total{outcome="finished"} 1',
    'moonlit_run_seconds_bucket{le="+Inf"} 1', 'moonlit_run_seconds_count 1', 'moonlit_jobs{state="running"}',
    'moonlit_db_connections_created_total', 'moonlit_db_connections_open', 'moonlit_db_cursors_open', 'moonlit_operations_cancelled_total',
    'moonlit_bytes_in_total', 'moonlit_bytes_out_total', 'moonlit_lua_heap_bytes']) {
    assert.ok(text.includes('\n' + name), name)
  }
}))

test('a foreign Host is refused, an allowed one is served', () => withHost({ options: ['--allow-host', 'moon.example'] }, async (host) => {
  assert.equal((await request(host.port, '/_moonlit/health', { host: 'evil.example' })).status, 403)
  assert.equal((await request(host.port, '/_moonlit/health', { host: 'moon.example' })).status, 200)
  assert.equal((await request(host.port, '/_moonlit/health', { host: `localhost:${host.port}` })).status, 200)
}))

test('the page comes with a policy that allows no inline script, and an unknown path is 404', () => withHost({}, async (host) => {
  const { status, headers, text } = await host.get('/')
  assert.equal(status, 200)
  const policy = headers.get('content-security-policy')
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe-|https?:|\*/)
  for (const [, script] of text.matchAll(/<script>(.*?)<\/script>/gs)) {
    assert.ok(policy.includes(`'sha256-${createHash('sha256').update(script).digest('base64')}'`), 'an inline script by its hash')
  }
  for (const [name, value] of [['x-content-type-options', 'nosniff'], ['referrer-policy', 'no-referrer'],
    ['cross-origin-opener-policy', 'same-origin'], ['cross-origin-resource-policy', 'same-origin'], ['cache-control', 'no-cache']]) {
    assert.equal(headers.get(name), value, name)
  }
  assert.equal((await host.get('/nowhere.png')).status, 404)
}))

test('what the page names is relative, compressed as the browser likes, and kept for ever', () => withHost({}, async (host) => {
  const { text } = await host.get('/')
  const names = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, name]) => name)
  assert.ok(names.length >= 3)
  for (const name of names) assert.match(name, /^\.\/assets\/[\w.-]+$/, 'behind a proxy the page may have another path')
  const script = names.find((name) => name.endsWith('.js')).slice(1)
  const tags = new Set()
  for (const [accepted, encoding] of [['br, gzip', 'br'], ['gzip', 'gzip'], ['br;q=0, gzip;q=0', undefined]]) {
    const answer = await request(host.port, script, { 'accept-encoding': accepted })
    assert.equal(answer.headers['content-encoding'], encoding)
    assert.match(answer.headers['cache-control'], /max-age=31536000, immutable/)
    assert.match(answer.headers.vary, /accept-encoding/i)
    tags.add(answer.headers.etag)
    const again = await request(host.port, script, { 'accept-encoding': accepted, 'if-none-match': answer.headers.etag })
    assert.deepEqual([again.status, again.text], [304, ''])
  }
  assert.equal(tags.size, 3, 'a tag for each encoding')
}))

test('--open hands the address to xdg-open, once, and waits for nothing', async () => {
  const tools = folder()
  const told = join(tools, 'told')
  writeFileSync(join(tools, 'xdg-open'), `#!/bin/sh\necho "$$" > ${told}.pid; echo "$@" >> ${told}.new; mv ${told}.new ${told}; exec sleep 600\n`, { mode: 0o755 })
  await withHost({ options: ['--open'], env: { PATH: `${tools}:${process.env.PATH}` } }, async (host) => {
    await host.eventually(() => existsSync(told))
    assert.equal(readFileSync(told, 'utf8'), `${host.url}\n`)
    await host.eventually(() => childrenOf(host.child.pid).length === 1) // the store alone
    process.kill(Number(readFileSync(`${told}.pid`, 'utf8')))
  })
})

test('without a browser to open, the log says so and the app is served', () => withHost(
  { options: ['--open'], env: { PATH: folder() } }, async (host) => {
    await host.until(() => /no browser can be opened/.test(host.log))
    assert.equal((await host.get('/_moonlit/health')).text, 'ok')
  }))

test('there is an upper bound on sessions; a page more is told so, until one goes', () => withHost(
  { options: ['--session-limit', '2'] }, async (host) => {
    const [one] = [await Page.open(host), await Page.open(host)]
    const third = await Page.open(host, { welcome: false })
    await third.until(() => third.closed)
    assert.equal(third.closed, 1013)
    assert.match(third.messages.at(-1).message, /2 pages already.*--session-limit/)
    one.close()
    await host.eventually(async () => await host.metric('moonlit_sockets') === 1)
    const fourth = await Page.open(host)
    await fourth.settled()
    assert.equal(await host.metric('moonlit_sessions'), 2, 'the one without a page made room')
  }))
