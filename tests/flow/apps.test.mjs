// What we show people works: every app of apps/, and every app in the README and the guide.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Moonlit, apps } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const root = dirname(apps)

/** Draw the app once, then press each of its buttons; no run may fail. */
async function tryOut(given) {
  const host = await Moonlit.start(given)
  try {
    const page = await Page.open(host)
    const check = async () => {
      await page.settled()
      const wrong = page.elements('exception').at(-1)?.props
      assert.equal(page.state, 'finished', `line ${wrong?.line}: ${wrong?.message}`)
    }
    await check()
    assert.ok(page.elements().length > 0, 'it draws something')
    for (const { props } of page.elements('button')) {
      page.press(props.label)
      await check()
    }
  } finally {
    assert.equal(await host.stop(), 0, host.log)
  }
}

for (const name of readdirSync(apps)) {
  test(`apps/${name} runs, and so does each of its buttons`, () => tryOut({ file: join(apps, name) }))
}

for (const page of ['README.md', 'docs/guide.md']) {
  const blocks = [...readFileSync(join(root, page), 'utf8').matchAll(/```lua\n(local ui[^]*?)```/g)]
  test(`${page} shows apps`, () => assert.ok(blocks.length > 0))
  blocks.forEach(([, script], i) => {
    test(`app ${i + 1} of ${page} runs, and so does each of its buttons`, () => tryOut({ script }))
  })
}
