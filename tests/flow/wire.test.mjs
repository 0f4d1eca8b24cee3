// What comes from the street: hostile frames and messages are refused clearly, and the session and
// all others live on.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import net from 'node:net'
import { once } from 'node:events'
import { Moonlit, require } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'
import { Raw, frame } from '../support/raw.mjs'

const { Long } = require('bson')

const script = `
local ui = require "moonlit"
if ui.button "Press" then ui.state.n = (ui.state.n or 0) + 1 end
local level = ui.slider("Level", { min = 0, max = 10, value = 3 })
local colour = ui.selectbox("Colour", { "red", "green" })
local name = ui.text_input("Name", { max_chars = 5 })
local count = ui.number_input("Count", { min = 1, max = 9, value = 2 })
ui.text(table.concat({ ui.state.n or 0, level, tostring(colour), name, count }, " "))
`
const first = '0 3 red  2'
const shown = (page) => page.find('text')?.props.body

/** A host with a page that must not feel anything of what `body` does. */
async function withWitness(body, given = {}) {
  const host = await Moonlit.start({ script, ...given })
  try {
    const witness = await Page.open(host)
    await witness.settled()
    await body(host)
    witness.press('Press')
    await witness.until(() => shown(witness)?.startsWith('1 '))
    assert.equal(witness.closed, undefined)
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
}

const letters = Buffer.from('hello')
for (const [name, bytes, code] of [
  ['an unmasked frame', frame(letters, { masked: false }), 1002],
  ['a frame with reserved bits', frame(letters, { reserved: 4 }), 1002],
  ['a frame with an unknown opcode', frame(letters, { opcode: 5 }), 1002],
  ['a fragmented control frame', frame(letters, { opcode: 9, fin: false }), 1002],
  ['a control frame above 125 bytes', frame(Buffer.alloc(126), { opcode: 9 }), 1002],
  ['a continuation of nothing', frame(letters, { opcode: 0 }), 1002],
  ['a text that is not UTF-8', frame(Buffer.from([0xc3, 0x28]), { opcode: 1 }), 1007],
  ['a frame that claims two gigabytes', frame(letters, { length: 2 ** 31 }), 1009],
  ['a text where the protocol is binary', frame(letters, { opcode: 1 }), 1003],
  ['a message that is not BSON', frame(letters), 1008],
]) {
  test(`${name} is answered with close code ${code}`, () => withWitness(async (host) => {
    const raw = await Raw.open(host)
    assert.equal(raw.status, 101)
    raw.write(bytes)
    raw.write(frame(Buffer.from([3, 232]), { opcode: 8 }))
    assert.equal(await raw.closeCode(), code)
  }))
}

test('a frame that is cut, and a socket that says nothing, disturb nobody', () => withWitness(async (host) => {
  const cut = await Raw.open(host)
  cut.write(frame(Buffer.alloc(1000)).subarray(0, 500))
  cut.socket.destroy()
  const silent = await Raw.open(host)
  await cut.ended
  silent.socket.destroy()
}))

test('a foreign Origin gets no socket', () => withWitness(async (host) => {
  assert.equal((await Raw.open(host, { Origin: 'http://evil.example' })).status, 403)
  assert.equal((await Raw.open(host, { Host: 'evil.example', Origin: 'http://evil.example' })).status, 403)
  assert.equal((await Raw.open(host, { Origin: undefined })).status, 403)
}))

async function answerTo(host, head) {
  const socket = net.connect(host.port, '127.0.0.1')
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (bytes) => { text += bytes })
  socket.write(head)
  await once(socket, 'close')
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])
}

for (const [name, head, status] of [
  ['with both lengths', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ['with a blank before the colon', 'GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n', 400],
  ['that is too long', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20000)}\r\n\r\n`, 431],
  ['without a Host', 'GET / HTTP/1.1\r\n\r\n', 400],
]) {
  test(`a head ${name} is refused with ${status}`, () => withWitness(async (host) => {
    assert.equal(await answerTo(host, head), status)
  }))
}

test('the preface of HTTP/2 is closed without a word', () => withWitness(async (host) => {
  assert.ok(Number.isNaN(await answerTo(host, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')))
}))

test('a head that comes too slowly is refused with 408, and its visitor with it', () => withWitness(async (host) => {
  const begin = net.connect(host.port, '127.0.0.1')
  begin.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n')
  const drip = setInterval(() => begin.write('X: x\r\n'), 500)
  begin.on('error', () => {})
  const [bytes] = await once(begin, 'data')
  clearInterval(drip)
  assert.match(bytes.toString(), /^HTTP\/1\.1 408 /)
  begin.resume()
  await once(begin, 'close')
}))

/** The page sends something wrong, is told so, and comes back to its session as it was. */
function refuses(name, send, pattern) {
  test(`${name} is refused with a sentence; the session is there afterwards`, () => withWitness(async (host) => {
    const page = await Page.open(host)
    await page.settled()
    page.press('Press')
    await page.settled()
    send(page)
    await page.until(() => page.closed)
    assert.equal(page.closed, 1008)
    assert.match(page.messages.findLast((message) => message.t === 'error').message, pattern)
    const again = await Page.open(host, { session: page.session })
    assert.equal(again.welcome.resumed, true)
    await again.until(() => shown(again)?.startsWith('1 '))
  }))
}

/** A document in a document in a document: 6 bytes before and 1 behind each. */
function nested(levels) {
  const bytes = Buffer.alloc(levels * 7 + 5)
  for (let level = 0; level <= levels; level++) {
    bytes.writeInt32LE(bytes.length - level * 7, level * 6)
    bytes[level * 6 + 4] = level < levels ? 3 : 0
  }
  return bytes
}

const event = (page, fields) => page.send({ t: 'event', n: page.n + 1, seen: page.seq, path: '/', query: '', values: {}, ...fields })
const value = (page, type, label, it) => event(page, { values: { [page.must(type, label).id]: it } })

refuses('an unknown kind', (page) => page.send({ t: 'dance' }), /kind/)
refuses('a message without a kind', (page) => page.send({ n: 1 }), /kind/)
refuses('bytes that are not BSON', (page) => page.sendRaw(Buffer.from('not BSON at all')), /BSON/)
refuses('BSON nested a hundred thousand deep', (page) => page.sendRaw(nested(100000)), /too deep/)
refuses('BSON that is cut', (page) => page.sendRaw(Buffer.from([12, 0, 0, 0, 2, 116, 0])), /BSON/)
refuses('a second hello', (page) => page.send({ t: 'hello', v: 1, load: 'x', seq: 0, event: 0 }), /hello/)
refuses('an event without a number', (page) => page.send({ t: 'event', values: {} }), /number/)
refuses('a number that is a text', (page) => event(page, { seen: 'many' }), /type/)
refuses('values that are a list of texts', (page) => event(page, { values: 'x' }), /values/)
refuses('a value for a widget never drawn', (page) => event(page, { values: { 123456: 1 } }), /widget/)
refuses('a value under a name that is no id', (page) => event(page, { values: { Level: 1 } }), /widget/)
refuses('a press of a widget never drawn', (page) => event(page, { press: Long.fromNumber(123456) }), /widget|button/)
refuses('a press of what is no button', (page) => event(page, { press: Long.fromNumber(page.must('slider').id) }), /pressed a slider/)
refuses('a text for a slider', (page) => value(page, 'slider', 'Level', 'high'), /./)
refuses('a document for a text', (page) => value(page, 'text_input', 'Name', { $gt: '' }), /./)
refuses('a boolean for a choice', (page) => value(page, 'selectbox', 'Colour', true), /./)
refuses('a list of numbers for a number', (page) => value(page, 'number_input', 'Count', [1, 2]), /./)

for (const [name, type, label, it] of [
  ['a slider above its maximum', 'slider', 'Level', 99],
  ['a choice that is not offered', 'selectbox', 'Colour', 'violet'],
  ['a number below its minimum', 'number_input', 'Count', -4],
  ['a number that is none', 'slider', 'Level', NaN],
]) {
  test(`${name} falls back to the default, without an error in the page`, () => withWitness(async (host) => {
    const page = await Page.open(host)
    await page.settled()
    page.set(type, label, it)
    await page.settled()
    assert.equal(shown(page), first)
    assert.equal(page.find('exception'), undefined)
  }))
}

test('the first message must be hello, and of a known version', () => withWitness(async (host) => {
  const early = await Page.open(host, { welcome: false, hello: { t: 'event', n: 1 } })
  await early.until(() => early.closed)
  assert.equal(early.closed, 1008)
  const future = await Page.open(host, { welcome: false, hello: { v: 99 } })
  await future.until(() => future.closed)
  assert.match(future.messages[0].message, /version/)
}))

test('a secret that nobody has opens a new session', () => withWitness(async (host) => {
  const page = await Page.open(host, { session: 'x'.repeat(43) })
  assert.equal(page.welcome.resumed, false)
  assert.notEqual(page.session, 'x'.repeat(43))
}))
