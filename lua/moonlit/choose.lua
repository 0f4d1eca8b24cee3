-- Choices: radio, selectbox, multiselect. The page and the session know labels, the script its own
-- values: here the one is made of the other, by the script's `format_func`.

local core = require "moonlit.core.ui"
local bson = require "moonlit.core.bson"
local show = require "moonlit.show"

local choose = {}

local function list_of(name, options)
  if bson.is_view(options) == "array" then return bson.totable(options) end
  if show.is_cursor(options) then return options:list() end
  local got = type(options) == "table" and "a table with names" or "a " .. type(options)
  if type(options) ~= "table" or (#options == 0 and next(options) ~= nil) then
    core.fail(("ui.%s: options is a list, got %s; write ui.%s(\"label\", { \"one\", \"two\" })")
      :format(name, options == nil and "nil" or got, name))
  end
  return options
end

local function label_of(name, option, format)
  local label = option
  if format then
    label = format(option)
  elseif type(option) == "table" or type(option) == "function" or bson.is_view(option) then
    core.fail(("ui.%s: an option is a %s: say how it reads with "
      .. "{ format_func = function(option) ... end }")
      :format(name, bson.is_view(option) or type(option)))
  end
  return type(label) == "string" and label or tostring(label)
end

local function labels_of(name, options, format)
  local labels, seen = {}, {}
  for i = 1, #options do
    local label = label_of(name, options[i], format)
    if seen[label] then
      core.fail(("ui.%s: the options %d and %d have the same label %q; "
        .. "make them differ with format_func")
        :format(name, seen[label], i, label))
    end
    seen[label] = i
    labels[i] = label
  end
  return labels
end

local function draw(name, label, options, choices)
  if choices ~= nil and type(choices) ~= "table" then
    core.fail(("ui.%s: the last argument is a table of options, { index = 2 }, not a %s")
      :format(name, type(choices)))
  end
  local list = list_of(name, options)
  local format = choices and choices.format_func
  if format ~= nil and type(format) ~= "function" then
    core.fail(("ui.%s: format_func is a function, got a %s"):format(name, type(format)))
  end
  return label, labels_of(name, list, format), choices, list
end

local function chooser(name)
  local element = core.elements[name]
  return function(first, ...)
    if core.type(first) then return element(first, draw(name, ...)) end
    return element(draw(name, first, ...))
  end
end

---One of a few choices, all visible: a list or a cursor. Returns the option itself. (waits for a
---cursor)
---@type fun(label: string, options: moonlit.Choices, choices?: moonlit.RadioOptions): any
choose.radio = chooser "radio"

---One of many choices, in a list that opens. Returns the option itself, nil while none is chosen.
---(waits for a cursor)
---@type fun(label: string, options: moonlit.Choices, choices?: moonlit.SelectboxOptions): any
choose.selectbox = chooser "selectbox"

---Any number of choices. Returns a list of the options, in the order of choosing.
---(waits for a cursor)
---@type fun(label: string, options: moonlit.Choices, choices?: moonlit.MultiselectOptions): any[]
choose.multiselect = chooser "multiselect"

return choose
