// The model test: random interleavings of clicks, values, delays of the server, cut sockets, reloads of
// the page and of the script, and Stop, on small scripts, against an independent model (model.mjs) of
// what must have happened in the database and on the page. Nothing here knows how the host works.
//
// MODEL_ROUNDS sets how many walks (500), MODEL_SEED begins with one of them (1): the test walks the same
// ways each time, ./dev torture others.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'
import { Database } from '../support/flow.mjs'
import { Model, randomOf } from './model.mjs'
import { scripts } from './scripts.mjs'

const rounds = Number(process.env.MODEL_ROUNDS ?? 500)
const firstSeed = Number(process.env.MODEL_SEED ?? 1)
const sideBySide = 25 // walks at once on one host

const slowCommands = [[], ['find'], ['insert'], ['find', 'insert', 'getMore'], ['killSessions', 'find']]

// What the person, the network and the server do; each moves the model and the host alike. The numbers
// say how often.
const moves = [
  [10, (walk) => walk.press()],
  [5, (walk) => walk.set()],
  [3, (walk) => walk.atOnce(() => { walk.press(); walk.press(); walk.set() })],
  [3, (walk) => walk.atOnce(() => { walk.set(); walk.set(); walk.press() })],
  [2, (walk) => walk.page.reconnect()],
  [2, (walk) => walk.page.reconnect(() => { walk.press(); walk.set(); walk.press() })],
  [2, (walk) => walk.reloadPage()],
  [1, (walk) => walk.host.write('app.lua', walk.host.read('app.lua') + '\n')],
  [3, (walk) => walk.database.delay(walk.random.of(slowCommands), walk.random.below(8))],
  [2, (walk) => walk.stop()],
  [3, (walk) => walk.rest()],
]
const dice = moves.flatMap(([often, move]) => Array(often).fill(move))

/** One session's walk. */
class Walk {
  constructor(host, database, { steps, tellsChanges }, seed) {
    Object.assign(this, { host, database, tellsChanges, random: randomOf(seed), model: new Model(steps) })
  }

  press() {
    const name = this.random.of(['A', 'B'])
    this.model.press(name)
    this.page.press(name)
  }

  set(level = this.random.below(101)) {
    this.model.set(level)
    this.page.set('slider', 'Level', level)
  }

  stop() {
    this.model.stop()
    this.page.stop()
  }

  /** What the host reads in one go. */
  atOnce(things) {
    const socket = this.page.ws._socket
    socket.cork()
    things()
    socket.uncork()
  }

  /** F5. The first tree of the new page shows the slider as the person left it. */
  async reloadPage() {
    this.page = await this.page.reload()
    const tree = await this.page.until(() => this.page.messages.find(({ t }) => t === 'tree'))
    const { value } = tree.ops.find(({ type }) => type === 'slider').props
    const { level } = this.model
    if (value !== level) throw new Error(`after F5 the slider shows ${value}, the person left it at ${level}`)
  }

  async rest() {
    await this.page.until(() => this.page.pending.length === 0)
    this.set()
    await this.page.settled()
    this.model.settle()
  }

  async go() {
    this.page = await Page.open(this.host)
    await this.page.until(() => this.page.find('button', 'A') && this.page.find('button', 'B'))
    for (let left = 6 + this.random.below(14); left > 0; left--) await this.random.of(dice)(this)
    await this.rest()
  }

  /** A sentence when the database or the page is not as it must be. */
  async verdict() {
    const { page, model } = this
    const read = (name) => this.database.collection(name).find({ s: page.welcome.public }).toArray()
    const log = (await read('log')).map(({ step }) => step)
    const changes = (await read('changes')).map(({ v }) => v)
    if (this.tellsChanges && !model.allowsChanges(changes)) {
      return `moved to ${JSON.stringify(model.changes)}\n     on_change told ${changes}`
    }
    const exception = page.find('exception')
    if (exception) return `an exception: ${exception.props.message}`
    if (!model.allows(log)) return `pressed ${model}\n     the database has ${log.join(' ')}`
    const shown = page.elements('text').at(-1).props.body
    if (shown !== log.join(' ')) return `the database has ${log.join(' ')}\n     the page shows ${shown}`
    const { value } = page.find('slider').props
    if (value !== model.level) return `the slider shows ${value}, the person left it at ${model.level}`
    const done = page.find('metric', 'Done').props.value
    const isCounted = model.stops > 0 ? done <= model.presses : done === model.presses
    if (!isCounted) return `${model.presses} presses, ${done} in ui.state`
    const told = JSON.stringify(page.elements())
    const before = page.messages.length
    page.send({ t: 'whole' })
    await page.until(() => page.messages.length > before && page.messages.at(-1).t === 'tree')
    return JSON.stringify(page.elements()) === told ? undefined : 'the patches did not add up to the whole tree'
  }
}

async function explore(given, count, broken) {
  const database = await Database.start()
  const host = await Moonlit.start({ script: given.script, options: ['--database', database.uri] })
  const walk = async (seed) => {
    const one = new Walk(host, database, given, seed)
    const sentence = await one.go().then(() => one.verdict()).catch((error) => error.message)
    one.page?.close()
    if (sentence) broken.push(`MODEL_SEED=${seed}: ${sentence}`)
  }
  try {
    for (let done = 0; done < count; done += sideBySide) {
      const seeds = Array.from({ length: Math.min(sideBySide, count - done) }, (_, i) => firstSeed + done + i)
      await Promise.all(seeds.map(walk))
    }
  } finally {
    await host.stop()
    await database.stop()
  }
}

for (const [name, given] of Object.entries(scripts)) {
  test(`${name}: each press acts once, whole, in order, and the page shows it`, async (t) => {
    t.diagnostic(`seed ${firstSeed}`)
    const broken = []
    await explore(given, Math.ceil(rounds / Object.keys(scripts).length), broken)
    assert.deepEqual(broken, [])
  })
}
