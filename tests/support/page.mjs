// A page without a browser: speaks the protocol of docs/protocol.md and keeps the tree, so that flows
// and the model can say what the page shows.
import { require } from './moonlit.mjs'

const { BSON, Long } = require('bson')
const WebSocket = require('ws')

let loads = 0

export class Page {
  nodes = new Map()
  changed = new Map() // widget -> the last event in which the person changed it ...
  chosen = new Map() // ... and to what
  messages = []
  waiting = []
  seq = 0
  n = 0
  ev = 0
  ack = 0
  pending = []

  /** A page that was welcomed. What it shows may still be on its way: settled() or until() say when it is there. */
  static async open(host, { session, hello = {}, welcome = true } = {}) {
    const page = new Page()
    page.host = host
    page.session = session
    page.load = `load-${process.pid}-${++loads}`
    await page.connect(hello)
    if (welcome) await page.until(() => page.welcome)
    return page
  }

  connect(hello = {}) {
    this.welcome = undefined
    this.closed = undefined
    this.ws = new WebSocket(`ws://127.0.0.1:${this.host.port}/_moonlit/socket`, { origin: `http://127.0.0.1:${this.host.port}` })
    const ws = this.ws
    ws.binaryType = 'nodebuffer'
    ws.on('message', (bytes) => ws === this.ws && this.receive(bytes))
    ws.on('close', (code) => { if (ws === this.ws) { this.closed = code; this.notify() } })
    ws.on('error', () => {})
    return new Promise((done, fail) => {
      ws.on('open', () => {
        this.send({ t: 'hello', v: 1, session: this.session, load: this.load, seq: this.seq, event: this.n,
          locale: 'en', zone: 'UTC', theme: 'light', path: '/', query: '', ...hello })
        done()
      })
      ws.on('error', fail)
    })
  }

  /**
   * Cut the socket without a word and come back with the same session and load. What was not
   * acknowledged is sent at once, before the host can say that it has it already.
   */
  async reconnect(meanwhile = () => {}) {
    this.cut()
    meanwhile()
    await this.connect()
    for (const event of this.pending) this.send(event)
    await this.until(() => this.welcome)
  }

  /**
   * F5: the old load says goodbye, with everything it sent before; a new load of the same session,
   * which has the tree: only then is there something to press.
   */
  async reload() {
    this.close()
    await this.until(() => this.closed)
    const again = await Page.open(this.host, { session: this.session })
    await again.until(() => again.messages.some((message) => message.t === 'tree'))
    return again
  }

  cut() {
    const ws = this.ws
    this.ws = null
    ws?.terminate()
  }

  close() { this.ws?.close(1000) }

  send(message) {
    const fields = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined))
    this.ws.send(BSON.serialize(fields))
  }

  sendRaw(bytes) { this.ws.send(bytes) }

  /** What is sent in `things` reaches the host in one piece, before it looks at any of it. */
  atOnce(things) {
    const socket = this.ws._socket
    socket.cork()
    things()
    socket.uncork()
  }

  receive(bytes) {
    const message = BSON.deserialize(bytes, { promoteBuffers: true })
    this.messages.push(message)
    if (message.t === 'welcome') {
      this.welcome = message
      this.session = message.session
    }
    if (message.t === 'tree') this.nodes = new Map()
    if (message.t === 'patch' || message.t === 'tree') this.apply(message)
    if (message.t === 'ack') this.acknowledge(message.ev)
    if (message.t === 'refuse') this.refused = message.from
    if (message.t === 'alive' && this.answersAlive !== false) this.send({ t: 'taken' })
    this.notify()
  }

  acknowledge(ev) {
    this.ack = Math.max(this.ack, ev)
    this.pending = this.pending.filter((event) => event.n > this.ack)
  }

  apply(message) {
    if (message.t === 'patch' && message.seq !== this.seq + 1) throw new Error(`gap: patch ${message.seq} after ${this.seq}`)
    this.seq = message.seq
    this.ev = message.ev
    this.state = message.state
    this.acknowledge(message.ev)
    for (const op of message.ops) this[op.op](op)
  }

  unlink(id) {
    const list = this.children(this.nodes.get(id).in)
    list.splice(list.indexOf(id), 1)
  }

  children(id) {
    if (!this.nodes.has(id)) this.nodes.set(id, { id, children: [], props: {} })
    return this.nodes.get(id).children
  }

  /** The patch does not know yet what the person did with this widget since. */
  isOlder(id) { return (this.changed.get(id) ?? 0) > this.ev }

  insert(op) {
    if (this.nodes.has(op.id) && this.nodes.get(op.id).in !== undefined) this.unlink(op.id)
    this.nodes.set(op.id, { id: op.id, type: op.type, in: op.in, props: { ...op.props }, children: [] })
    const own = this.chosen.get(op.id)
    if (this.isOlder(op.id) && own.type === op.type) this.nodes.get(op.id).props.value = own.value
    this.place(op)
  }

  place(op) {
    const list = this.children(op.in)
    const at = op.after === 0 ? 0 : list.indexOf(op.after) + 1
    if (op.after !== 0 && at === 0) throw new Error(`insert after ${op.after}, which is not in ${op.in}`)
    list.splice(at, 0, op.id)
    this.nodes.get(op.id).in = op.in
  }

  update(op) {
    const node = this.nodes.get(op.id)
    if (!node) throw new Error(`update of ${op.id}, which is not there`)
    const set = { ...op.set }
    if (this.isOlder(op.id)) delete set.value
    Object.assign(node.props, set)
    for (const name of op.unset ?? []) delete node.props[name]
  }

  move(op) {
    const node = this.nodes.get(op.id)
    const list = this.children(node.in)
    list.splice(list.indexOf(op.id), 1)
    this.place(op)
  }

  remove(op) {
    const node = this.nodes.get(op.id)
    if (!node) throw new Error(`remove of ${op.id}, which is not there`)
    const list = this.children(node.in)
    list.splice(list.indexOf(op.id), 1)
    const forget = (id) => { for (const child of this.nodes.get(id).children) forget(child); this.nodes.delete(id) }
    forget(op.id)
  }

  /** All elements in the page's order, roots first. */
  elements(type) {
    const all = []
    const walk = (id) => { for (const child of this.nodes.get(id)?.children ?? []) { all.push(this.nodes.get(child)); walk(child) } }
    for (const root of [1, 2, 3, 4]) walk(root)
    return type ? all.filter((node) => node.type === type) : all
  }

  find(type, label) {
    return this.elements(type).find((node) => label === undefined || node.props.label === label || node.props.body === label)
  }

  /** The texts shown, in order: bodies of text elements, values of metrics. */
  texts() {
    return this.elements().map((node) => node.props.body ?? node.props.message ?? node.props.value).filter((text) => text !== undefined)
  }

  notify() { for (const check of [...this.waiting]) check() }

  /**
   * Wait for what a message brings; gives what `condition` gave. Other messages may have come before
   * the caller goes on: what is true for a while only is to be looked at in the condition itself.
   */
  until(condition, milliseconds = 20000) {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(check), 1)
        fail(new Error(`the page waited ${milliseconds} ms in vain for ${condition}\nshows: ${JSON.stringify(this.elements().map((node) => [node.type, node.props]))}\n` +
          `state ${this.state} ev ${this.ev} n ${this.n}\nlog:\n${this.host.log}`))
      }, milliseconds)
      const check = () => {
        let value
        try { value = condition() } catch (problem) { clearTimeout(timer); fail(problem); return }
        if (!value) return
        clearTimeout(timer)
        const at = this.waiting.indexOf(check)
        if (at >= 0) this.waiting.splice(at, 1)
        done(value)
      }
      this.waiting.push(check)
      check()
    })
  }

  event(values, press) {
    const event = { t: 'event', n: ++this.n, seen: this.seq, values, press: press && Long.fromNumber(press), path: '/', query: '' }
    for (const [id, value] of Object.entries(values)) {
      this.changed.set(Number(id), this.n)
      const node = this.nodes.get(Number(id))
      this.chosen.set(Number(id), { type: node?.type, value })
      if (node) node.props.value = value
    }
    this.pending.push(event)
    if (this.ws) this.send(event)
    return event.n
  }

  set(type, label, value) { return this.event({ [this.must(type, label).id]: value }) }
  press(label) { return this.event({}, this.must('button', label).id) }

  stop() {
    const message = { t: 'stop', n: ++this.n }
    this.pending.push(message)
    if (this.ws) this.send(message)
    return message.n
  }

  must(type, label) {
    const node = this.find(type, label)
    if (!node) throw new Error(`no ${type} "${label}" on the page: ${JSON.stringify(this.elements().map((n) => [n.type, n.props.label ?? n.props.body ?? n.props.message]))}`)
    return node
  }

  /** The run of the last event has ended (and none follows that the page knows of). */
  settled(n = this.n) {
    return this.until(() => this.ev >= n && this.state && this.state !== 'running' && this.state !== 'superseded')
  }
}
