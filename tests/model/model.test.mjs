// The model test: random interleavings of clicks, values, waits, cut sockets and reloads on small
// scripts, against an independent model of what must have happened. Nothing here knows how the host
// works; the model knows the promises alone: each press acts exactly once and whole, in order, with
// the values that stood when it was pressed.
//
// MODEL_ROUNDS sets how many (500), MODEL_SEED repeats one.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const rounds = Number(process.env.MODEL_ROUNDS ?? 500)
const firstSeed = Number(process.env.MODEL_SEED ?? Date.now() % 1000000)
const together = 25

/** A small random generator: the same seed gives the same walk. (mulberry32) */
function randomOf(seed) {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

// Each script appends "begin:<name><level>" and "end" around the steps of its action, so that a cut,
// a double, a loss or a stale value shows.
const head = `
local ui = require "moonlit"
ui.state.log = ui.state.log or ""
local function note(words) ui.state.log = ui.state.log .. words .. " " end
local level = ui.slider("Level", { key = "level", min = 0, max = 100 })
`
const tail = `
ui.sleep(0.002 * (level % 4))
ui.text(ui.state.log)
`
const scripts = {
  'one step': `${head}
if ui.button "A" then note("A" .. level) note("end") end
if ui.button "B" then note("B" .. level) note("end") end
${tail}`,
  'several steps with waits': `${head}
if ui.button "A" then note("A" .. level) ui.sleep(0.003) note("end") end
ui.sleep(0.001)
if ui.button "B" then note("B" .. level) ui.sleep(0.002) ui.sleep(0.001) note("end") end
${tail}`,
  'a press in a local, tested twice': `${head}
local a = ui.button "A"
local b = ui.button "B"
if a then note("A" .. level) end
if b then note("B" .. level) end
ui.sleep(0.003)
if a then note("end") end
ui.sleep(0.001)
if b then note("end") end
${tail}`,
  callbacks: `${head}
local function act(name) note(name .. ui.state.level) ui.sleep(0.002) note("end") end
ui.button("A", { on_click = act, args = { "A" } })
ui.button("B", { on_click = act, args = { "B" } })
${tail}`,
  'elseif and together': `${head}
ui.together(function() ui.sleep(0.002) end, function() ui.text "side" end)
local a, b = ui.button "A", ui.button "B"
if a then note("A" .. level) ui.shield(function() ui.sleep(0.002) end) note("end")
elseif b then note("B" .. level) ui.sleep(0.002) note("end") end
${tail}`,
}

// Each fault is done behind the model's back, which expects one whole press of A; it must notice.
const faults = {
  twice: {
    words: 'a press received twice',
    plant: (page) => { page.press('A'); page.press('A') },
  },
  dropped: {
    words: 'a press dropped',
    plant: () => {},
  },
  cut: {
    words: 'an action cut',
    plant: async (page) => {
      await page.settled()
      page.press('A')
      page.stop()
    },
  },
}

/** One session's walk; resolves to a sentence when a promise was broken. */
async function walk(host, seed, fault) {
  const random = randomOf(seed)
  const page = await Page.open(host)
  await page.until(() => page.find('button', 'A') && page.find('button', 'B'))
  const expected = []
  let level = 0
  let reloads = 0
  const steps = 6 + Math.floor(random() * 14)
  const at = Math.floor(steps / 2)
  for (let i = 0; i < steps; i++) {
    const dice = random()
    if (fault && i === at) {
      expected.push(`A${level}`, 'end')
      await faults[fault].plant(page)
      continue
    }
    if (dice < 0.5) {
      const name = random() < 0.5 ? 'A' : 'B'
      expected.push(`${name}${level}`, 'end')
      page.press(name)
    } else if (dice < 0.75) {
      level = Math.floor(random() * 100)
      page.set('slider', 'Level', level)
    } else if (dice < 0.85) {
      await page.reconnect()
    } else if (dice < 0.9 && reloads++ < 1) {
      host.write('app.lua', host.read('app.lua') + '\n')
    } else {
      await page.settled().catch(() => {})
    }
  }
  const want = expected.join(' ')
  await page.settled()
  const got = String(page.find('text', undefined) && page.elements('text').at(-1).props.body).trim()
  const shown = page.find('slider').props.value
  page.close()
  if (page.find('exception')) return `an exception: ${page.find('exception').props.message}`
  if (got !== want) return `expected ${want}\n     got ${got}`
  if (shown !== level) return `the slider shows ${shown}, the person left it at ${level}`
  return undefined
}

async function explore(script, count, fault) {
  const host = await Moonlit.start({ script })
  const broken = []
  try {
    for (let done = 0; done < count; done += together) {
      const seeds = Array.from({ length: Math.min(together, count - done) }, (_, i) => firstSeed + done + i)
      const results = await Promise.all(seeds.map(async (seed) => [seed, await walk(host, seed, fault)]))
      broken.push(...results.filter(([, sentence]) => sentence))
    }
  } finally {
    await host.stop()
  }
  return broken
}

for (const [name, script] of Object.entries(scripts)) {
  test(`${name}: each press acts once, whole and in order`, async (t) => {
    t.diagnostic(`seed ${firstSeed}`)
    const broken = await explore(script, Math.ceil(rounds / Object.keys(scripts).length))
    assert.deepEqual(broken.map(([seed, sentence]) => `MODEL_SEED=${seed}: ${sentence}`), [])
  })
}

for (const [fault, { words }] of Object.entries(faults)) {
  test(`the model notices ${words}`, async () => {
    const broken = await explore(scripts['several steps with waits'], 3, fault)
    assert.equal(broken.length, 3, 'every walk with the fault is found out')
  })
}
