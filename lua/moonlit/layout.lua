-- Containers: where drawing happens. A container is a handle with all drawing methods; calling it
-- with a function draws inside while that runs.

local core = require "moonlit.core.ui"
local bson = require "moonlit.core.bson"

local layout = {}

local elements, raw = core.elements, core.raw
local shared = core.shared() -- [2]: the handle of where the script draws; nil for the page itself

local function back(outer, ...)
  shared[2] = outer
  return ...
end

---Call f while what it draws lands in the container. An error passes as it is: the script's pcall
---puts back where it drew.
---@private
---@param handle moonlit.Container
---@param f function
---@param ... any its arguments
---@return any ... what f returns
function layout.within(handle, f, ...)
  local outer = shared[2]
  shared[2] = handle
  return back(outer, f(...))
end

-- A function as the last argument, and the others.
local function split(...)
  local count = select("#", ...)
  local last = count > 0 and (select(count, ...)) or nil
  if type(last) ~= "function" then return nil, ... end
  local others = { ... }
  return last, unpack(others, 1, count - 1)
end

local function block(name)
  local element = elements[name]
  local function draw(f, ...)
    local handle = element(...)
    if f then layout.within(handle, f) end
    return handle
  end
  return function(...)
    return draw(split(...))
  end
end

---An invisible box that may be filled later and out of order.
---@type fun(options?: moonlit.ContainerOptions, f?: fun()): moonlit.Container
layout.container = block "container"

---A box that folds. With on_change, `open` of its handle and ui.state[key] say whether it is open.
---@type fun(label: string, options?: moonlit.ExpanderOptions, f?: fun()): moonlit.Container
layout.expander = block "expander"

-- The argument behind the handle, if there is one.
local function first_of(first, second)
  if core.type(first) then return second end
  return first
end

local function weights_of(spec)
  if type(spec) == "number" then
    if spec < 1 or spec > 100 or spec % 1 ~= 0 then
      core.fail("ui.columns: how many is a whole number from 1 to 100, got " .. tostring(spec))
    end
    local weights = {}
    for i = 1, spec do weights[i] = 1 end
    return weights
  end
  if type(spec) ~= "table" or #spec == 0 then
    core.fail("ui.columns: say how many, ui.columns(2), or a list of weights, ui.columns({ 3, 2 })")
  end
  for _, weight in ipairs(spec) do
    if type(weight) ~= "number" or not (weight > 0 and weight < math.huge) then
      core.fail("ui.columns: weights are numbers above 0, got " .. tostring(weight))
    end
  end
  return spec
end

---Columns side by side: local left, right = ui.columns(2)
---@param spec integer|number[] how many, or a list of weights
---@param options? moonlit.ColumnsOptions
---@return moonlit.Container ... one a column
function layout.columns(spec, options, ...)
  local weights = weights_of(first_of(spec, options))
  local row = elements.columns(spec, options, ...)
  local columns = {}
  for i, weight in ipairs(weights) do columns[i] = raw.column(row, { weight = weight }) end
  return unpack(columns)
end

local pages = setmetatable({}, { __mode = "k" }) -- the group and the name of a tab, by its handle

local function names_of(labels, options)
  if bson.is_view(labels) then labels = bson.totable(labels) end
  if type(labels) ~= "table" or #labels == 0 then
    core.fail("ui.tabs: labels is a list of names, ui.tabs { \"First\", \"Second\" }")
  end
  local names, has_default = {}, type(options) ~= "table" or options.default == nil
  for i, label in ipairs(labels) do
    names[i] = type(label) == "number" and tostring(label) or label
    has_default = has_default or names[i] == options.default
  end
  if not has_default then
    core.fail(("ui.tabs: default is %q, but no tab has that name")
      :format(tostring(options.default)))
  end
  return names
end

local function draw_tabs(group, names)
  local tabs = {}
  for i, name in ipairs(names) do
    tabs[i] = raw.tab(group, { label = name })
    pages[tabs[i]] = { group = group, name = name }
  end
  return unpack(tabs)
end

---Pages behind each other: local first, second = ui.tabs { "First", "Second" }
---With on_change, `first.open` says whether it is the one chosen, and ui.state[key] its name.
---@param labels string[]
---@param options? moonlit.TabsOptions
---@return moonlit.Container ... one a tab
function layout.tabs(labels, options, ...)
  if core.type(labels) then
    local names = names_of(options, (...))
    return draw_tabs(elements.tabs(labels, names, ...), names)
  end
  local names = names_of(labels, options)
  return draw_tabs(elements.tabs(names, options, ...), names)
end

---Whether a container that was drawn with on_change is open: an expander, or a tab. nil for others.
---@private read as `handle.open`
---@param handle moonlit.Handle
---@return boolean?
function layout.open(handle)
  local page = pages[handle]
  if not page then return core.value(handle) end
  local chosen = core.value(page.group)
  return chosen and chosen == page.name
end

local function empty(handle, ...)
  if core.type(handle) == "empty" and select("#", ...) == 0 then return core.clear(handle) end
  if handle == nil then return elements.empty() end
  return elements.empty(handle, ...)
end

---A place for one element: drawing in it replaces what is there, place:empty() clears it. So does
---one:empty() of an element that shows something; one:text(...) shows it again, in its place.
---@type fun(): moonlit.Container
layout.empty = empty

-- ---- while something is done ----

local function finish_spinner(spinner, ...)
  core.remove(spinner)
  return ...
end

local function spin(handle, f, ...)
  if not f then
    core.fail("ui.spinner: the last argument is what is done: "
      .. "ui.spinner(\"text\", function() ... end)")
  end
  local spinner = elements.spinner(...)
  if handle then return finish_spinner(spinner, layout.within(handle, f)) end
  return finish_spinner(spinner, f())
end

---Say that something is being done while f runs; it appears after half a second and goes when f
---ends. What f draws stays. (waits if f does)
---@param text? string
---@param options? moonlit.SpinnerOptions
---@param f fun(): any
---@return any ... what f returns
---@overload fun(text: string, f: fun(): any): any
function layout.spinner(...)
  return spin(core.type((...)) and (...) or nil, split(...))
end

local boxes = setmetatable({}, { __mode = "k" }) -- what a status shows, by its handle

local function show_status(handle, change)
  local props = boxes[handle]
  for name, value in next, change do props[name] = value end
  raw.status(handle, props)
  return handle
end

-- Complete when f has ended, or error; a script that says another state is right.
local function run_status(handle, f)
  local ok, problem = pcall(layout.within, handle, f)
  if not ok then
    show_status(handle, { state = "error" })
    error(problem, 0)
  end
  if boxes[handle].state == "running" then
    show_status(handle, { state = "complete", expanded = false })
  end
end

local function open_status(f, ...)
  local handle = elements.status(...)
  local offset = core.type((...)) and 1 or 0
  local label, options = select(offset + 1, ...)
  local props = { label = label, state = "running" }
  for name, value in next, type(options) == "table" and options or {} do
    if name ~= "key" then props[name] = value end
  end
  boxes[handle] = props
  if f then
    local outer = shared[2]
    local ok, problem = pcall(run_status, handle, f)
    shared[2] = outer
    if not ok then error(problem, 0) end
  end
  return handle
end

---A box for the steps of a longer task. With a function it is complete, or shows an error, when
---that ends; without, say so with box:update { state = "complete" }. (waits if f does)
---@param label string
---@param options? moonlit.StatusOptions
---@param f? fun()
---@return moonlit.Container
---@overload fun(label: string, f: fun()): moonlit.Container
function layout.status(...)
  return open_status(split(...))
end

---Change a status: box:update { label = "Done", state = "complete", expanded = false }
---@private called as `box:update`
---@param handle moonlit.Container
---@param change { label?: string, state?: "running"|"complete"|"error", expanded?: boolean }
function layout.update(handle, change)
  if not boxes[handle] then core.fail("update: only a status has it") end
  if type(change) ~= "table" then
    core.fail("update: write box:update { label = \"...\", state = \"complete\" }")
  end
  return show_status(handle, change)
end

---The place of one branch of ui.together.
---@private
function layout.slot()
  return elements.container()
end

return layout
