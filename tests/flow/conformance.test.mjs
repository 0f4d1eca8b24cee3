// RFC 6455 as an independent client (the package ws) speaks it. What the pieces of this file mean
// to a session is told elsewhere; here the two must only understand each other.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { withDrawn } from '../support/flow.mjs'
import { require } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const { BSON } = require('bson')

const script = `
local text = ui.text_area("Text")
ui.metric("Length", #text)
ui.text(text)
`

const withPage = (body) => withDrawn(script, body)

const textEvent = (page, text) => BSON.serialize({
  t: 'event', n: ++page.n, seen: page.seq, values: { [page.must('text_area', 'Text').id]: text }, path: '/', query: '' })
const shows = (page, text) => page.until(() => page.find('text').props.body === text)

test('no extension is taken, whatever is offered', () => withPage((page) => {
  assert.equal(page.ws.extensions, '')
}))

test('a message in fragments with pings between them is one message, and each ping is answered first', () => withPage(async (page) => {
  const bytes = textEvent(page, 'in many pieces')
  const answers = []
  page.ws.on('pong', (payload) => answers.push(payload.toString()))
  for (let at = 0; at < bytes.length; at += 10) {
    page.ws.send(bytes.subarray(at, at + 10), { fin: at + 10 >= bytes.length })
    page.ws.ping(`ping ${at}`)
  }
  await shows(page, 'in many pieces')
  await page.until(() => page.ev === page.n)
  const expected = []
  for (let at = 0; at < bytes.length; at += 10) expected.push(`ping ${at}`)
  page.ws.ping('last')
  while (answers.at(-1) !== 'last') await once(page.ws, 'pong')
  assert.deepEqual(answers, [...expected, 'last'])
}))

test('empty fragments and an empty ping are fine', () => withPage(async (page) => {
  const bytes = textEvent(page, 'x')
  page.ws.send(Buffer.alloc(0), { fin: false, binary: true })
  page.ws.ping()
  page.ws.send(bytes, { fin: false })
  page.ws.send(Buffer.alloc(0), { fin: true })
  await shows(page, 'x')
}))

for (const length of [1, 40, 100, 200, 65000, 65500, 66000, 900000]) {
  test(`a message of about ${length} bytes goes there and back, whole`, () => withPage(async (page) => {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(97 + i % 26)).join('')
    page.ws.send(textEvent(page, text))
    await shows(page, text)
    assert.equal(page.find('metric').props.value, length)
  }))
}

test('many small messages in one piece of TCP come in order', () => withPage(async (page) => {
  page.atOnce(() => { for (let i = 0; i < 500; i++) page.ws.send(textEvent(page, `number ${i}`)) })
  await shows(page, 'number 499')
}))

test('an empty message is no BSON, and is answered as such', () => withPage(async (page) => {
  page.ws.send(Buffer.alloc(0))
  await page.until(() => page.closed)
  assert.equal(page.closed, 1008)
}))

test('a message over the maximum is 1009, also when it comes in fragments', () => withPage(async (page, host) => {
  const whole = await Page.open(host)
  whole.ws.send(Buffer.alloc(1024 * 1024 + 1))
  await whole.until(() => whole.closed)
  assert.equal(whole.closed, 1009)
  for (let i = 0; i < 17; i++) page.ws.send(Buffer.alloc(64 * 1024), { fin: false })
  await page.until(() => page.closed)
  assert.equal(page.closed, 1009)
}))

for (const [name, sent, answered] of [
  ['1000', [1000, 'bye'], 1000],
  ['a code of the application', [4321, 'own'], 4321],
  ['no code', [], 1005],
]) {
  test(`a close with ${name} is answered with the same`, () => withPage(async (page) => {
    page.ws.close(...sent)
    await page.until(() => page.closed)
    assert.equal(page.closed, answered)
  }))
}
