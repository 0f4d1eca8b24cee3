// The scripts that the model test walks over: two buttons whose actions write one or several steps, a
// slider whose value each step tells, and a view that reads all steps of the session back.

const head = `
local ui = require "moonlit"
local log = require "moonlit.mongo".database().log
local level = ui.slider("Level", { key = "level", min = 0, max = 100 })
local function note(name, step)
  log:insert_one{ s = ui.session.id, step = name .. level .. "." .. step }
end
`
const tail = `
local steps = {}
for found in log:find({ s = ui.session.id }, { batch_size = 3 }) do steps[#steps + 1] = found.step end
ui.text(table.concat(steps, " "))
ui.metric("Done", ui.state.done or 0)
`
const done = 'ui.state.done = (ui.state.done or 0) + 1'
const steps = (count) => (name, level) => Array.from({ length: count }, (_, i) => `${name}${level}.${i + 1}`)

/** name: { script, steps(name, level): what one press leaves, tellsChanges: on_change writes the value } */
export const scripts = {
  'one step': {
    steps: steps(1),
    script: `${head}
if ui.button "A" then note("A", 1) ${done} end
if ui.button "B" then note("B", 1) ${done} end
${tail}`,
  },
  'several steps with waits and reads': {
    steps: steps(3),
    script: `${head}
if ui.button "A" then
  note("A", 1) ui.text "half way" log:find_one{ s = ui.session.id } note("A", 2) ui.sleep(0.003) note("A", 3) ${done}
end
ui.sleep(0.001)
if ui.button "B" then note("B", 1) ui.sleep(0.002) note("B", 2) note("B", 3) ${done} end
${tail}`,
  },
  'a press in a local, tested twice': {
    steps: steps(2),
    script: `${head}
local a = ui.button "A"
local b = ui.button "B"
if a then note("A", 1) end
if b then note("B", 1) end
log:find_one{ s = ui.session.id }
if a then note("A", 2) ${done} end
ui.sleep(0.001)
if b then note("B", 2) ${done} end
${tail}`,
  },
  callbacks: {
    steps: steps(2),
    tellsChanges: true,
    script: `${head.replace('max = 100', 'max = 100, on_change = changed').replace('local level', `
local function changed()
  require "moonlit.mongo".database().changes:insert_one{ s = ui.session.id, v = ui.state.level }
end
local level`)}
local function act(name)
  level = ui.state.level
  note(name, 1) ui.sleep(0.002) note(name, 2) ${done}
end
ui.button("A", { on_click = act, args = { "A" } })
ui.button("B", { on_click = act, args = { "B" } })
${tail}`,
  },
  'reruns before and behind the buttons': {
    steps: steps(2),
    script: `${head}
if ui.state.again then ui.state.again = nil ui.rerun() end
if ui.button "A" then note("A", 1) ui.state.again = true note("A", 2) ${done} ui.rerun() end
log:find_one{ s = ui.session.id }
if ui.button "B" then
  ui.timeout(10, function() note("B", 1) ui.sleep(0.001) note("B", 2) end) ${done} ui.state.again = true
end
${tail}`,
  },
  'elseif, together and shield': {
    steps: steps(2),
    script: `${head}
ui.together(function() log:find_one{ s = ui.session.id } end, function() ui.text "side" end)
local a, b = ui.button "A", ui.button "B"
if a then note("A", 1) ui.shield(function() ui.sleep(0.002) end) note("A", 2) ${done}
elseif b then note("B", 1) ui.together(function() ui.sleep(0.002) end, function() note("B", 2) end) ${done} end
${tail}`,
  },
}
