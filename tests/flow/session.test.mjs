// What a script knows of its session, keeps in it, and says to the log.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Page } from '../support/page.mjs'
import { withApp } from '../support/flow.mjs'

const facts = `
local ui = require "moonlit"
local s = ui.session
ui.button "Again"
ui.state.runs = (ui.state.runs or 0) + 1
ui.text(table.concat({ s.locale, s.time_zone, s.theme, "run " .. ui.state.runs }, " "))
ui.caption(s.id .. " " .. s.started)
ui.code(select(2, pcall(function() return s.colour end)))
`

test('ui.session says who the session is: its surroundings, its id and when it began', () => withApp(facts, async (host) => {
  const page = await Page.open(host, { hello: { locale: 'de-CH', zone: 'Europe/Zurich', theme: 'dark' } })
  await page.settled()
  assert.equal(page.find('text').props.body, 'de-CH Europe/Zurich dark run 1')
  const [id, started] = page.find('caption').props.body.split(' ')
  assert.equal(id, page.welcome.public)
  assert.ok(Math.abs(Date.now() / 1000 - Number(started)) < 600, started)
  assert.match(page.find('code').props.body, /has no field "colour"; it has id, started, locale/)
}))

test('when the surroundings change nothing runs, and the next run sees the new ones', () => withApp(facts, async (host, page) => {
  await page.settled()
  page.send({ t: 'context', locale: 'fr', zone: 'Asia/Tokyo', theme: 'dark' })
  page.press('Again')
  await page.settled()
  assert.equal(page.find('text').props.body, 'fr Asia/Tokyo dark run 2')
}))

test('what BSON cannot hold is refused by ui.state, which points to ui.session.live, where it is kept', () => withApp(`
local ui = require "moonlit"
ui.button "Again"
local live = ui.session.live
live.runs = (live.runs or 0) + 1
local made = live.runs
live.f = live.f or function() return "made in run " .. made end
for _, value in ipairs { live.f, { inner = live.f }, ui.empty() } do
  local ok, problem = pcall(function() ui.state.f = value end)
  ui.text(tostring(ok) .. " " .. tostring(problem))
end
ui.caption(live.f() .. ", seen in run " .. live.runs .. ", " .. tostring(ui.state.f))
`, async (host, page) => {
  await page.settled()
  page.press('Again')
  await page.settled()
  assert.equal(page.find('caption').props.body, 'made in run 1, seen in run 2, nil')
  const refused = page.elements('text').map((node) => node.props.body)
  assert.equal(refused.length, 3)
  for (const text of refused) assert.match(text, /^false \S*app\.lua:9: ui\.state\.f: .*ui\.session\.live\.f/)
}))

test('what is printed cannot look like another line of the log, and nothing of it is lost', () => withApp(
  `print("a\\0b\\27[31m", "red\\n10:00:00 error a lie")`, async (host) => {
    await host.until(() => /app\.lua:\d+: a\\0b\\27\[31m\tred\n {4}10:00:00 error a lie\n/.test(host.log))
  }))

test('print goes to the log, with the session and the line of the script', () => withApp(
  'local ui = require "moonlit"\nui.text "there"\nprint("one", 2, nil, true)\n', async (host, page) => {
    await page.settled()
    await host.until(() => /one.*\n/.test(host.log))
    const line = host.log.split('\n').find((text) => /one/.test(text))
    assert.match(line, /one\t2\tnil\ttrue$/)
    assert.match(line, /app\.lua:3/)
    assert.ok(line.includes(page.welcome.public), line)
  }))

test('ui.state has a maximum: beyond it the error names the key and the way out, and all it held stays', () => withApp(`
local ui = require "moonlit"
local mebibyte = ("x"):rep(2 ^ 20)
local function try(f) local ok, problem = pcall(f) ui.text(ok and "kept" or problem) end
if ui.button "Read" then
  ui.text(("list %s, part15 %d, more %d"):format(ui.state.list, #ui.state.part15, #ui.state.more))
  ui.stop()
end
for i = 1, 15 do ui.state["part" .. i] = mebibyte .. i end
try(function() ui.state.more = mebibyte .. "more" end)
ui.state.part1 = nil
try(function() ui.state.more = mebibyte end)
ui.state.list = { "a" }
ui.state.list[2] = mebibyte .. mebibyte
`, async (host, page) => {
  await page.settled()
  const [refused, kept] = page.texts()
  assert.match(refused, /app\.lua:10: ui\.state\.more: the state of this session would take 16\.1 MiB; 16 MiB are the most, so keep what is large in the database$/)
  assert.equal(kept, 'kept')
  await host.until(() => /ui\.state\.list was not kept: the state of this session would take 17\.1 MiB/.test(host.log))
  page.press('Read')
  await page.settled()
  assert.deepEqual(page.texts(), [`list nil, part15 ${2 ** 20 + 2}, more ${2 ** 20}`])
}))
