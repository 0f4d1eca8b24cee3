-- A page that is another at each step. The step alone says what is drawn, so that two sessions at the
-- same step must show the same, however they came there. See pages.test.mjs.
local ui = require "moonlit"

local step = ui.sidebar:number_input("step", { key = "step" })
if step == 0 then ui.stop() end

local seed = step * 7919 % 2147483646 + 1
local function random(n)
  seed = seed * 16807 % 2147483647
  return math.floor(seed / 8) % n + 1
end
for _ = 1, 5 do random(2) end

local function maybe(value) return random(2) == 1 and value or nil end

local keys = {} -- used in this run
local function key(prefix, count)
  local name = prefix .. random(count)
  if keys[name] then return nil end
  keys[name] = true
  return name
end

local labels = 0
local function label()
  labels = labels + 1
  return "label " .. labels
end

local boxes, handles = { ui.main }, {}
local draw

local function fill(box, depth)
  boxes[#boxes + 1] = box
  if depth < 4 then for _ = 1, random(4) - 1 do draw(box, depth + 1) end end
end

local function fill_all(depth, ...)
  for _, box in ipairs { ... } do fill(box, depth) end
end

local function draw_in_own(depth) draw(ui.container(), depth + 1) end

local kinds = {
  function(box) handles[#handles + 1] = box:text("text " .. random(3)) end,
  function(box) box:markdown("mark " .. random(3), { key = key("t", 6) }) end,
  function(box) handles[#handles + 1] = box:text("keyed " .. random(3), { key = key("t", 6) }) end,
  function(box) box:metric("m", random(5), maybe(1)) end,
  function(box) box:table { { a = random(2), b = "x" } } end,
  function(box) box:json { random(3), { x = random(2) } } end,
  function(box) box:progress(random(4) * 10, maybe "so far") end,
  function(box)
    local name = key("toggle", 4)
    if name then box:toggle(name, { key = name, help = maybe "help" }) end
  end,
  function(box)
    local name = key("input", 4)
    if name then box:text_input(name, { key = name, value = "d" }) end
  end,
  function(box)
    local name = key("slider", 3)
    if name then box:slider(name, { key = name, min = 0, max = 10, value = 5 }) end
  end,
  function(box) box:button(label(), { disabled = random(2) == 1 }) end,
  function(box) box:checkbox(label()) end,
  function(box, depth) fill(box:container { border = random(2) == 1, key = maybe(key("c", 5)) }, depth) end,
  function(box, depth) fill(box:expander("expander " .. random(2)), depth) end,
  function(box, depth) fill_all(depth, box:columns(random(3))) end,
  function(box, depth) fill_all(depth, box:tabs(maybe { "a", "b" } or { "b", "c", "a" })) end,
  function(box, depth)
    local place = box:empty()
    boxes[#boxes + 1] = place
    for _ = 1, random(4) - 1 do
      if random(3) == 1 then fill(place:container(), depth) else draw(place, depth + 1) end
      if random(4) == 1 then ui.sleep(0.001) end
      if random(5) == 1 then place:empty() end
    end
  end,
  function(box, depth)
    box(function()
      ui.together(
        function() ui.text "left" draw_in_own(depth) end,
        function() ui.text "right" ui.sleep(0.002) ui.markdown "right too" end)
    end)
  end,
  function() local one = handles[random(#handles + 1)] if one then one:caption("over " .. random(4)) end end,
  function() local one = handles[random(#handles + 1)] if one then one:empty() end end,
  function(_, depth) draw(boxes[random(#boxes)], depth + 1) end,
  function() ui.sleep(0.001) end,
  function(box, depth) box:status("status", function() draw_in_own(depth) ui.sleep(0.001) end) end,
  function(box) box(function() ui.spinner("spin", function() ui.sleep(0.002) ui.text "spun" end) end) end,
  function() ui.sidebar:caption("side " .. random(2)) end,
}

function draw(box, depth)
  if depth > 6 then return end
  kinds[random(#kinds)](box, depth)
  local chance = random(240)
  if chance < 3 then ui.stop() elseif chance < 5 then error "planned" end
end

for _ = 1, 5 + random(15) do draw(ui.main, 0) end
for name in pairs(keys) do
  if name:find "^toggle" or name:find "^input" or name:find "^slider" then
    ui.bottom:text("says " .. name .. "=" .. tostring(ui.state[name]), { key = "says " .. name })
  end
end
