// Random pages: a script that draws something else at each step, with keys that change places, handles,
// waits, stops and errors. A page that has followed the steps by patches, with steps that superseded each
// other, cut sockets and F5, must show what the host thinks it shows, and what a new page shows at the last step.
//
// MODEL_SEED begins with one seed (1), PAGE_ROUNDS sets how many rounds of up to five steps (80).
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'
import { randomOf } from './model.mjs'

const script = readFileSync(new URL('pages.lua', import.meta.url), 'utf8')
const rounds = Number(process.env.PAGE_ROUNDS ?? 80)
const seed = Number(process.env.MODEL_SEED ?? 1)
const initial = { toggle: false, text_input: 'd', slider: 5 } // as the script says
const isSaid = (node) => node.props.body?.startsWith?.('says ')

/** What the page shows below its roots; without what the person chose, for comparing two people's pages. */
function picture(page, { choices }) {
  const draw = ({ id, type, props: { value, ...rest }, children }) => {
    const isChoice = type in initial
    return [Number(id), type, isChoice && !choices ? rest : { value, ...rest }, childrenOf(children)]
  }
  const childrenOf = (ids) => ids.map((id) => page.nodes.get(id)).filter((node) => choices || !isSaid(node)).map(draw)
  return [1, 2, 3, 4].map((root) => childrenOf(page.nodes.get(root)?.children ?? []))
}

async function wholeTree(page) {
  const before = page.messages.length
  page.send({ t: 'whole' })
  await page.until(() => page.messages.slice(before).some((message) => message.t === 'tree'))
}

async function check(page, host, step, trail) {
  const patched = picture(page, { choices: true })
  await wholeTree(page)
  assert.deepEqual(patched, picture(page, { choices: true }), `the patches left another page: ${trail}`)
  const other = await Page.open(host)
  await other.settled()
  other.set('number_input', 'step', step)
  await other.settled()
  assert.deepEqual(picture(page, { choices: false }), picture(other, { choices: false }), `a new page shows something else: ${trail}`)
  other.close()
  for (const [, key, said] of page.elements('text').filter(isSaid).map((node) => /^says (.*?)=(.*)$/.exec(node.props.body))) {
    const widget = page.elements().find((node) => node.props.label === key)
    if (widget) assert.equal(String(widget.props.value ?? initial[widget.type]), said, `the script reads another value of ${key}: ${trail}`)
  }
}

/** What a person does besides: change a widget, press a button. */
function touch(page, random) {
  const widgets = page.elements().filter((node) => node.type in initial)
  if (widgets.length > 0 && random.below(2)) {
    const { id, type } = random.of(widgets)
    page.event({ [id]: { toggle: random.below(2) === 1, text_input: `v${random.below(3)}`, slider: random.below(11) }[type] })
  }
  const buttons = page.elements('button').filter((node) => !node.props.disabled)
  if (buttons.length > 0 && random.below(3) === 0) page.event({}, random.of(buttons).id)
}

async function walk(host, random) {
  let page = await Page.open(host)
  await page.settled()
  for (let round = 0; round < rounds; round++) {
    const trail = [`round ${round} of seed ${seed}, steps`]
    let step
    for (let left = random.below(5); left >= 0; left--) {
      step = 1 + random.below(100000)
      trail.push(step)
      page.set('number_input', 'step', step)
      touch(page, random)
      const next = random.of(['settle', 'settle', 'cut', 'F5', '', '', '', ''])
      if (next === 'settle') await page.settled()
      if (next === 'cut') await page.reconnect()
      if (next === 'F5') {
        page = await page.reload()
        await page.until(() => page.find('number_input'))
      }
      trail.push(next)
    }
    page.set('number_input', 'step', step) // the last event: those of an earlier load may still wait before it
    await page.settled()
    await check(page, host, step, trail.join(' '))
  }
}

test(`a page that followed random steps shows what a new page shows (seed ${seed})`, async () => {
  const host = await Moonlit.start({ script })
  try {
    await walk(host, randomOf(seed))
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
})
