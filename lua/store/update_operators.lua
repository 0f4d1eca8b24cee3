--- The update operators, each compiled for one field:
---   operators.make(name, t, v, path, scope) -> { f = function(t, v) -> t, v, creates = boolean }
--- f gets the field's value (missing: 0) and gives the new one (0 takes the field away). An
--- operator
--- that creates makes missing parents. scope is { context =, state = { inserting = boolean } }.
local bson = require "store.bson"
local errors = require "store.errors"
local match = require "store.match"
local match_operators = require "store.match_operators"
local number = require "store.number"
local sort = require "store.sort"

local operators = {}

local BAD_VALUE = errors.codes.BadValue
local MISMATCH = errors.codes.TypeMismatch

local function refuse(...)
  errors.raise(BAD_VALUE, string.format(...))
end

local function creating(f)
  return { f = f, creates = true }
end

-- ---- single values ------------------------------------------------------------------------------

local function arithmetic(name, verb, compute, from_missing)
  return function(t, v, path)
    if not number.is(t, name) then
      errors.raise(MISMATCH, string.format("Cannot %s with non-numeric argument: {%s: %s}", verb,
        path, bson.type_name(t)))
    end
    return creating(function(old_t, old_v)
      if old_t == 0 then
        return from_missing(t, v)
      elseif not number.is(old_t, name) then
        errors.raise(MISMATCH, string.format(
          "Cannot apply %s to a value of non-numeric type. The document has the field '%s' "
            .. "of non-numeric type %s",
          name, path, bson.type_name(old_t)))
      end
      local new_t, new_v = compute(old_t, old_v, t, v, true)
      if not new_t then
        refuse("Failed to apply %s operations to current value of '%s': the result does not fit "
          .. "an int64", name, path)
      end
      return new_t, new_v
    end)
  end
end

local function zero(t)
  return t, t == 18 and bson.int64(0).v or 0
end

local function extreme(sign)
  return function(t, v)
    return creating(function(old_t, old_v)
      if old_t == 0 or bson.compare(t, v, old_t, old_v) == sign then
        return t, v
      end
      return old_t, old_v
    end)
  end
end

local function current_date(t, v, path, scope)
  local kind
  if t == 8 and v then
    kind = "date"
  elseif t == 3 then
    kind = select(2, bson.get(v, "$type"))
  end
  if kind ~= "date" and kind ~= "timestamp" then
    refuse("%s: $currentDate takes true, { $type: 'date' } or { $type: 'timestamp' }", path)
  end
  local now = scope.context.now or bson.date(os.time() * 1000).v
  return creating(function()
    if kind == "date" then
      return 9, now
    end
    return 17, bson.timestamp(math.floor(tonumber(now) / 1000), 1).v
  end)
end

-- ---- arrays -------------------------------------------------------------------------------------

local function elements_of(name, path, t, v)
  if t == 0 then
    return {}
  elseif t ~= 4 then
    refuse("The field '%s' must be an array but is of type %s; %s works on arrays", path,
      bson.type_name(t), name)
  end
  return bson.elements(v)
end

local function whole(clause, t, v)
  local n = bson.number(t, v)
  if not n or n ~= math.floor(n) then
    refuse("The value for %s must be a whole number", clause)
  end
  return n
end

local function array_bytes(list)
  return 4, bson.list(list).v
end

local function inverted(text)
  return (text:gsub(".", function(c) return string.char(255 - c:byte()) end))
end

-- The keys of elements under $push's $sort: a direction for values, a document for documents.
local function sort_key(t, v)
  if t == 3 then
    local key = sort.compile(v)
    return function(element)
      return key(element.t == 3 and element.v or bson.EMPTY)
    end
  end
  local direction = bson.number(t, v)
  if direction ~= 1 and direction ~= -1 then
    refuse("The $sort element value must be either 1 or -1, or a document of them")
  end
  return function(element)
    local key = bson.key(element.t, element.v)
    return direction == 1 and key or inverted(key)
  end
end

local function sorted(list, key_of)
  local keys, result = {}, {}
  for i, element in ipairs(list) do
    keys[i] = key_of(element)
  end
  for i, at in ipairs(sort.order(keys, #list, function() end)) do
    result[i] = list[at]
  end
  return result
end

-- The first n, or with a negative n the last.
local function sliced(list, n)
  local first, last = 1, math.min(n, #list)
  if n < 0 then
    first, last = math.max(#list + n + 1, 1), #list
  end
  local result = {}
  for i = first, last do
    result[#result + 1] = list[i]
  end
  return result
end

local function inserted(list, position, new)
  local at = #list
  if position then
    at = position < 0 and math.max(#list + position, 0) or math.min(position, #list)
  end
  local result = sliced(list, at)
  for _, element in ipairs(new) do
    result[#result + 1] = element
  end
  for i = at + 1, #list do
    result[#result + 1] = list[i]
  end
  return result
end

local CLAUSES = {}

CLAUSES["$each"] = function(clauses, t, v)
  if t ~= 4 then
    refuse("The argument to $each must be an array but it was of type: %s", bson.type_name(t))
  end
  clauses.each = bson.elements(v)
end
CLAUSES["$position"] = function(clauses, t, v) clauses.position = whole("$position", t, v) end
CLAUSES["$slice"] = function(clauses, t, v) clauses.slice = whole("$slice", t, v) end
CLAUSES["$sort"] = function(clauses, t, v) clauses.sort = sort_key(t, v) end

local function clauses_of(name, t, v, allowed)
  if t ~= 3 or bson.get(v, "$each") == 0 then
    local clause = t == 3 and bson.each(v)()
    if CLAUSES[clause or ""] then
      refuse("%s needs $each beside %s", name, clause)
    end
    return { each = { { t = t, v = v } } }
  end
  local clauses = {}
  for clause, inner_t, inner_v in bson.each(v) do
    if not allowed[clause] then
      refuse("Unrecognized clause in %s: %s", name, clause)
    end
    CLAUSES[clause](clauses, inner_t, inner_v)
  end
  return clauses
end

local function push(t, v, path)
  local clauses = clauses_of("$push", t, v, CLAUSES)
  return creating(function(old_t, old_v)
    local list = inserted(elements_of("$push", path, old_t, old_v), clauses.position, clauses.each)
    list = clauses.sort and sorted(list, clauses.sort) or list
    return array_bytes(clauses.slice and sliced(list, clauses.slice) or list)
  end)
end

local function add_to_set(t, v, path)
  local new = clauses_of("$addToSet", t, v, { ["$each"] = true }).each
  return creating(function(old_t, old_v)
    local list, seen = elements_of("$addToSet", path, old_t, old_v), {}
    for _, element in ipairs(list) do
      seen[bson.key(element.t, element.v)] = true
    end
    for _, element in ipairs(new) do
      local key = bson.key(element.t, element.v)
      if not seen[key] then
        seen[key] = true
        list[#list + 1] = element
      end
    end
    return array_bytes(list)
  end)
end

-- What $pull's argument says of an element: operators on the value, a filter on a document, or
-- equality.
local function pull_test(t, v, context)
  if match_operators.holds_operators(t, v) and not match.is_logical((bson.each(v)())) then
    local test = match.bind_value(match_operators.field(v, context))
    return function(p, inner, o) return test(p, inner, o) end
  elseif t == 3 then
    local test = match.document_test(v, context, true)
    return function(p, inner, o) return inner == 3 and test(p, o) end
  end
  return match.bind_value(match_operators.constant(t, v))
end

local function removing(name, path, gone)
  return {
    creates = false,
    f = function(old_t, old_v)
      if old_t == 0 then
        return 0, nil
      end
      elements_of(name, path, old_t, old_v)
      local p, list = bson.pointer(old_v), {}
      local t, o, following = bson.step(p, 4)
      while t ~= 0 do
        if not gone(p, t, o) then
          list[#list + 1] = bson.box(bson.value(p, t, o))
        end
        t, o, following = bson.step(p, following)
      end
      local _ = old_v -- lives up to here
      return array_bytes(list)
    end,
  }
end

local function pull_all(t, v, path)
  if t ~= 4 then
    refuse("$pullAll requires an array argument but was given a %s", bson.type_name(t))
  end
  local keys = {}
  for _, element in ipairs(bson.elements(v)) do
    keys[bson.key(element.t, element.v)] = true
  end
  return removing("$pullAll", path, function(p, inner, o)
    return keys[bson.key(bson.value(p, inner, o))] == true
  end)
end

local function pop(t, v, path)
  local direction = bson.number(t, v)
  if direction ~= 1 and direction ~= -1 then
    errors.raise(9, "$pop expects 1 or -1 at " .. path)
  end
  return {
    creates = false,
    f = function(old_t, old_v)
      if old_t == 0 then
        return 0, nil
      elseif old_t ~= 4 then
        errors.raise(MISMATCH, string.format("Path '%s' contains an element of non-array type '%s'",
          path, bson.type_name(old_t)))
      end
      local list = bson.elements(old_v)
      table.remove(list, direction == 1 and #list or 1)
      return array_bytes(list)
    end,
  }
end

-- ---- the table ----------------------------------------------------------------------------------

local MAKE = {
  ["$set"] = function(t, v)
    return creating(function() return t, v end)
  end,
  ["$unset"] = function()
    return { f = function() return 0, nil end, creates = false }
  end,
  ["$setOnInsert"] = function(t, v, _, scope)
    return {
      creates = function() return scope.state.inserting end,
      f = function(old_t, old_v)
        if scope.state.inserting then
          return t, v
        end
        return old_t, old_v
      end,
    }
  end,
  ["$inc"] = arithmetic("$inc", "increment", number.add, function(t, v) return t, v end),
  ["$mul"] = arithmetic("$mul", "multiply", number.multiply, zero),
  ["$min"] = extreme(-1),
  ["$max"] = extreme(1),
  ["$currentDate"] = current_date,
  ["$push"] = push,
  ["$addToSet"] = add_to_set,
  ["$pull"] = function(t, v, path, scope)
    return removing("$pull", path, pull_test(t, v, scope.context))
  end,
  ["$pullAll"] = pull_all,
  ["$pop"] = pop,
}

--- Whether there is such an operator ($rename is store.update's own).
function operators.known(name)
  return MAKE[name] ~= nil
end

function operators.make(name, t, v, path, scope)
  return MAKE[name](t, v, path, scope)
end

return operators
