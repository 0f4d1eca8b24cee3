--- Aggregation expressions, compiled into closures.
---   expression.scope(context) -> scope: the variables in sight ($$ROOT, $$NOW, $$REMOVE, let)
---   expression.compile(t, v, scope) -> f(p, doc) -> t, v      (p = bson.pointer(doc))
---   expression.constant(t, v, scope) -> t, v      evaluated without a document
---   expression.is_field_path(t, v) -> the parts of "$a.b", or nil
---   expression.operators: name -> function(t, v, scope) -> f, filled by the store.expression_*
---   modules
--- context is { now = int64 date?, let = bytes?, random = function? }.
---
--- A variable is a slot that its binder fills before each evaluation of the body; a compiled
--- expression belongs to one command, so nobody else can be in between.
local bson = require "store.bson"
local errors = require "store.errors"

local expression = { operators = {} }

local find, value, step, pointer = bson.find, bson.value, bson.step, bson.pointer
local INDEX = bson.INDEX

-- ---- scope --------------------------------------------------------------------------------------

---@class store.scope
---@field context table
---@field slots table<string, { t: integer, v: any }>

--- A scope inside another, with new variables; their slots are filled by the caller.
---@param scope store.scope
---@param names string[]
---@return store.scope inner, table<string, table> slots
function expression.inner_scope(scope, names)
  local slots = setmetatable({}, { __index = scope.slots })
  for _, name in ipairs(names) do
    if not name:find("^[a-z\128-\255][%w_\128-\255]*$") and name ~= "CURRENT" then
      errors.raise(9, "'" .. name ..
        "' starts with an invalid character for a user variable name; begin it with a small letter")
    end
    slots[name] = { t = 0 }
  end
  return { context = scope.context, slots = slots }, slots
end

---@param context table
---@return store.scope
function expression.scope(context)
  local scope = { context = context, slots = {} }
  for name, t, v in bson.each(context.let or bson.EMPTY) do
    local slot_t, slot_v = expression.constant(t, v, scope)
    scope.slots[name] = { t = slot_t, v = slot_v }
  end
  return scope
end

-- ---- field paths --------------------------------------------------------------------------------

local path_value

-- A path through an array: what each element that is a document gives, missing ones left out.
local function path_array(p, o, parts, i)
  local w, n = bson.writer():reset(), 0
  local t, v, following = step(p, o + 4)
  while t ~= 0 do
    if t == 3 then
      local inner_t, inner_v = path_value(p, v, parts, i)
      if inner_t ~= 0 then
        w:put(INDEX[n], inner_t, inner_v)
        n = n + 1
      end
    end
    t, v, following = step(p, following)
  end
  return 4, w:finish()
end

-- The value of parts[i], parts[i + 1], ... in the document at offset `o`.
function path_value(p, o, parts, i)
  local t, v = find(p, o, parts[i])
  if t == 0 then
    return 0, nil
  elseif i == #parts then
    return value(p, t, v)
  elseif t == 3 then
    return path_value(p, v, parts, i + 1)
  elseif t == 4 then
    return path_array(p, v, parts, i + 1)
  end
  return 0, nil
end
expression.path_value = path_value

local function check_parts(parts, text)
  for _, part in ipairs(parts) do
    if part == "" then
      errors.raise(40353, "FieldPath must not have empty parts: '" .. text .. "'")
    elseif part:sub(1, 1) == "$" then
      errors.raise(16410, "FieldPath field names may not start with '$': '" .. text ..
        "'; consider using $getField")
    end
  end
end

local function field_path(text)
  local parts = bson.split(text)
  check_parts(parts, text)
  if #parts > 1 then
    return function(p)
      return path_value(p, 0, parts, 1)
    end
  end
  local name = parts[1]
  return function(p)
    local t, v = find(p, 0, name)
    if t == 0 then
      return 0, nil
    end
    return value(p, t, v)
  end
end

--- The parts of a plain field path "$a.b", else nil.
function expression.is_field_path(t, v)
  if t == 2 and v:find("^%$[^$]") then
    return bson.split(v:sub(2))
  end
  return nil
end

-- ---- variables ----------------------------------------------------------------------------------

local function root_variable(_, doc)
  return 3, doc
end

local function system_variable(name, scope)
  if name == "ROOT" or name == "CURRENT" then
    return root_variable
  elseif name == "REMOVE" then
    return function() return 0, nil end
  elseif name == "NOW" then
    local now = scope.context.now or bson.date(os.time() * 1000).v
    return function() return 9, now end
  end
  errors.raise(17276, "Use of undefined variable: " .. name)
end

local function variable(text, scope)
  local parts = bson.split(text)
  local name = table.remove(parts, 1)
  local slot = scope.slots[name]
  local get = slot and function() return slot.t, slot.v end or system_variable(name, scope)
  if #parts == 0 then
    return get
  end
  check_parts(parts, text)
  return function(p, doc)
    local t, v = get(p, doc)
    local inner_t, inner_v = 0, nil
    if t == 3 then
      inner_t, inner_v = path_value(pointer(v), 0, parts, 1)
    elseif t == 4 then
      inner_t, inner_v = path_array(pointer(v), 0, parts, 1)
    end
    local _ = v -- lives up to here
    return inner_t, inner_v
  end
end

-- ---- documents, arrays, operators ---------------------------------------------------------------

local function constant_function(t, v)
  return function() return t, v end
end
expression.constant_function = constant_function

local function document(bytes, scope)
  local names, fields = {}, {}
  for name, t, v in bson.each(bytes) do
    if name:find(".", 1, true) then
      errors.raise(16412, "FieldPath field names may not contain '.': '" .. name ..
        "'; nest a document")
    end
    names[#names + 1] = name
    fields[#fields + 1] = expression.compile(t, v, scope)
  end
  local w = bson.writer()
  return function(p, doc)
    w:reset()
    for i = 1, #fields do
      w:put(names[i], fields[i](p, doc))
    end
    return 3, w:finish()
  end
end

local function array(bytes, scope)
  local items = {}
  for _, t, v in bson.each(bytes) do
    items[#items + 1] = expression.compile(t, v, scope)
  end
  local w = bson.writer()
  return function(p, doc)
    w:reset()
    for i = 1, #items do
      local t, v = items[i](p, doc)
      w:put(INDEX[i - 1], t == 0 and 10 or t, v)
    end
    return 4, w:finish()
  end
end

-- What MongoDB 6 has besides.
local LACKING = errors.set [[$accumulator $acos $acosh $asin $asinh $atan $atan2 $atanh $binarySize
  $bsonSize $cos $cosh $degreesToRadians $firstN $function $indexStats $lastN $maxN $meta $minN
  $percentile $median $radiansToDegrees $regexFind $regexFindAll $sampleRate $setField $sin $sinh
  $sortArray $stdDevPop $stdDevSamp $tan $tanh $toHashedIndexKey $tsIncrement $tsSecond $unsetField
  $zip $bitAnd $bitOr $bitXor $bitNot]]

local function operator(name, t, v, scope)
  local make = expression.operators[name]
  if make then
    return make(t, v, scope, name)
  elseif LACKING[name] then
    errors.unsupported("the expression " .. name)
  end
  errors.raise(168, "Unrecognized expression '" .. name .. "'")
end

local function object(bytes, scope)
  local elements = bson.elements(bytes)
  for _, element in ipairs(elements) do
    if element.name:sub(1, 1) == "$" then
      if #elements > 1 then
        errors.raise(15983, "an object representing an expression must have exactly one field: " ..
          element.name)
      end
      return operator(element.name, element.t, element.v, scope)
    end
  end
  return document(bytes, scope)
end

--- Compiles an expression.
---@return fun(p: ffi.cdata*, doc: string): integer, any
function expression.compile(t, v, scope)
  if t == 2 and v:sub(1, 2) == "$$" then
    return variable(v:sub(3), scope)
  elseif t == 2 and v:sub(1, 1) == "$" then
    if #v == 1 then
      errors.raise(16872, "'$' by itself is not a valid FieldPath; write $literal for the text")
    end
    return field_path(v:sub(2))
  elseif t == 3 then
    return object(v, scope)
  elseif t == 4 then
    return array(v, scope)
  end
  return constant_function(t, v)
end

--- The value of an expression that reads no document.
function expression.constant(t, v, scope)
  return expression.compile(t, v, scope)(pointer(bson.EMPTY), bson.EMPTY)
end

for _, part in ipairs { "logic", "number", "text", "array", "set", "convert", "date" } do
  require("store.expression_" .. part)(expression)
end

return expression
