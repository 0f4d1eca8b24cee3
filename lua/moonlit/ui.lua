-- Drawing: what `require "moonlit"` returns as far as the page goes. Most calls are C functions
-- made of runtime/ui/elements.def; those that call the script's functions or look into values are
-- in choose.lua, show.lua and layout.lua.
--
-- ui.metric(...) draws at the current place, box:metric(...) in a container, one:metric(...) over
-- an element.

local core = require "moonlit.core.ui"
local choose = require "moonlit.choose"
local show = require "moonlit.show"
local layout = require "moonlit.layout"

---An element on the page: its methods draw over it.
---@class moonlit.Handle
---@field write fun(handle: moonlit.Handle, ...: any) as ui.write

---A container: its methods draw inside, and so does calling it with a function.
---@class moonlit.Container: moonlit.Handle
---@field open boolean? of an expander or a tab drawn with on_change: whether it is open
---@field update fun(box: moonlit.Container, change: table) of a status: { state = "complete" }
---@overload fun(f: fun()): any

local ui = {}

local PLAIN = {
  "markdown", "title", "header", "subheader", "caption", "text", "code", "divider", "badge",
  "metric", "success", "info", "warning", "error", "toast", "button", "checkbox", "toggle",
  "slider", "number_input", "text_input", "text_area",
}
for _, name in ipairs(PLAIN) do ui[name] = core.elements[name] end
-- no drawing calls
local INNER = { within = true, update = true, slot = true, open = true, is_cursor = true }
for _, module in ipairs { choose, show, layout } do
  for name, f in next, module do
    if not INNER[name] then ui[name] = f end
  end
end

-- 1 is all of it: a whole number counts hundredths from 2 on.
local function fraction_of(value)
  if type(value) ~= "number" then return value end
  if not (value >= 0 and value <= 100) or (value > 1 and value % 1 ~= 0) then
    core.fail("ui.progress: value is 0.0 to 1.0, or a whole number to 100, got " .. tostring(value))
  end
  return value > 1 and value / 100 or value
end

---A bar that fills.
---@param value number 0.0 to 1.0, or a whole number to 100
---@param text? string a line above the bar
---@param options? moonlit.ProgressOptions
---@return moonlit.Handle
function ui.progress(value, text, options, ...)
  if core.type(value) then return core.elements.progress(value, fraction_of(text), options, ...) end
  return core.elements.progress(fraction_of(value), text, options)
end

-- ---- handles ----

local methods = { update = layout.update }

-- box.table(rows) would draw at the current place.
local function method(name, f)
  return function(box, ...)
    if not core.type(box) then
      core.fail(("ui.%s: a method is called with a colon; write box:%s(...)"):format(name, name))
    end
    return f(box, ...)
  end
end

for name, f in next, ui do
  methods[name] = f == core.elements[name] and core.methods[name] or method(name, f)
end

local metatable = core.metatable
metatable.__handle = "element of the page"
metatable.__metatable = false

function metatable.__index(handle, name)
  if name == "open" then return layout.open(handle) end
  local method = methods[name]
  if method == nil then
    core.fail(("an element of the page has no method %q; it has the drawing calls, such as %s")
      :format(tostring(name), "box:write(...)"))
  end
  return method
end

function metatable.__newindex()
  core.fail("an element of the page cannot be written to")
end

function metatable.__call(handle, f)
  local name, is_container = core.type(handle)
  if not is_container then core.fail(("a %s is not a container"):format(name)) end
  if type(f) ~= "function" then
    core.fail(("%s is called with a function that draws in it: %s(function() ... end)"):format(name,
      name == "sidebar" and "ui.sidebar" or "box"))
  end
  return layout.within(handle, f)
end

function metatable.__tostring(handle)
  return "ui." .. core.type(handle)
end

for _, name in ipairs { "main", "sidebar", "bottom" } do ui[name] = core.roots[name] end

-- A widget that was never drawn may have been given its value in ui.state.
core.on_first_draw(function(key)
  return require("moonlit.state").state[key]
end)

return ui
