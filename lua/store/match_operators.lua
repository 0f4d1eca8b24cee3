--- The operators of a filter's field, each compiled into a node:
---   leaf { single = function(p, t, o) -> boolean, expand = also try an array's elements, negated =
---   }
---   all  { nodes = {...}, negated = }
--- A node says nothing about where its value lies; store.match binds it to a path or to a value.
local ffi = require "ffi"
local bson = require "store.bson"
local raw = require "store.raw"
local errors = require "store.errors"
local regex = require "store.regex"

local operators = {}

local int32, double = raw.int32, raw.double
local value, RANK, compare = bson.value, bson.RANK, bson.compare
local BAD_VALUE = errors.codes.BadValue

local EXACT = 2 ^ 53 -- up to here a double holds every whole number
local NUMBER_RANK, STRING_RANK = RANK[16], RANK[2]

local function leaf(single, expand)
  return { single = single, expand = expand ~= false }
end

local function refuse(...)
  errors.raise(BAD_VALUE, string.format(...))
end

-- ---- equality -----------------------------------------------------------------------------------

local function equals_number(ct, cv)
  local fast = (ct == 16 or ct == 1) and cv or nil
  return function(p, t, o)
    if t == 16 and fast then
      return int32(p, o) == fast
    elseif t == 1 and fast and fast == fast then
      return double(p, o) == fast
    elseif RANK[t] ~= NUMBER_RANK then
      return false
    end
    local _, v = value(p, t, o)
    return compare(t, v, ct, cv) == 0
  end
end

local function equals_string(cv)
  local length = #cv
  return function(p, t, o)
    return (t == 2 or t == 14) and int32(p, o) == length + 1
      and ffi.C.moonlit_memcmp(p + o + 4, cv, length) == 0
  end
end

local function is_nothing(_, t)
  return t == 0 or t == 10 or t == 6
end

--- A test for equality with a constant; null also stands for missing.
function operators.equals(ct, cv)
  local rank = RANK[ct]
  if rank == NUMBER_RANK then
    return equals_number(ct, cv)
  elseif rank == STRING_RANK then
    return equals_string(cv)
  elseif ct == 10 or ct == 6 then
    return is_nothing
  end
  return function(p, t, o)
    if RANK[t] ~= rank then
      return false
    end
    local _, v = value(p, t, o)
    return compare(t, v, ct, cv) == 0
  end
end

-- ---- order --------------------------------------------------------------------------------------

local HOLDS = {
  ["$gt"] = function(c) return c > 0 end,
  ["$gte"] = function(c) return c >= 0 end,
  ["$lt"] = function(c) return c < 0 end,
  ["$lte"] = function(c) return c <= 0 end,
}

local FAST = {
  ["$gt"] = function(c)
    return function(n) return n > c end
  end,
  ["$gte"] = function(c)
    return function(n) return n >= c end
  end,
  ["$lt"] = function(c)
    return function(n) return n < c end
  end,
  ["$lte"] = function(c)
    return function(n) return n <= c end
  end,
}

local function is_nan(t, v)
  if t == 1 then
    return v ~= v
  end
  return t == 19 and compare(19, v, 1, 0 / 0) == 0
end

local function ordered_number(name, ct, cv)
  local holds = HOLDS[name]
  local fast = (ct == 16 or ct == 1) and FAST[name](cv) or nil
  return function(p, t, o)
    if t == 16 and fast then
      return fast(int32(p, o))
    elseif t == 1 and fast then
      return fast(double(p, o))
    elseif RANK[t] ~= NUMBER_RANK then
      return false
    end
    local _, v = value(p, t, o)
    return not is_nan(t, v) and holds(compare(t, v, ct, cv))
  end
end

-- Min and max key stand outside the bracketing by type.
local function ordered_any(name, ct, cv)
  local holds, rank = HOLDS[name], RANK[ct]
  local across = ct == 255 or ct == 127
  return function(p, t, o)
    if RANK[t] ~= rank and not across then
      return false
    end
    local _, v
    if t ~= 0 then
      _, v = value(p, t, o)
    end
    return holds(compare(t, v, ct, cv))
  end
end

local function ordered(name, ct, cv)
  local or_equal = name == "$gte" or name == "$lte"
  if ct == 11 then
    refuse("Can't have RegEx as arg to predicate over field with %s; write $regex", name)
  elseif ct == 10 or ct == 6 or is_nan(ct, cv) then
    return leaf(or_equal and operators.equals(ct, cv) or function() return false end)
  elseif RANK[ct] == NUMBER_RANK then
    return leaf(ordered_number(name, ct, cv))
  end
  return leaf(ordered_any(name, ct, cv))
end

-- ---- regex and $in ------------------------------------------------------------------------------

--- A test for a pattern: texts that match, and the same regex stored as a value.
local function matches(pattern, options)
  local test = regex.compile(pattern, options)
  local stored = pattern .. "\0" .. options .. "\0"
  return function(p, t, o)
    if t == 2 or t == 14 then
      local _, text = value(p, t, o)
      return test(text)
    elseif t == 11 then
      local _, other = value(p, t, o)
      return other == stored
    end
    return false
  end
end

--- The node of a constant that stands where operators could: equality, or a regex.
function operators.constant(t, v)
  if t == 11 then
    return leaf(matches(regex.parts(v)))
  end
  return leaf(operators.equals(t, v))
end

local function array_of(name, t, v)
  if t ~= 4 then
    refuse("%s needs an array", name)
  end
  return bson.elements(v)
end

local function holds_operators(t, v)
  if t ~= 3 then
    return false
  end
  local name = bson.each(v)()
  return name ~= nil and name:sub(1, 1) == "$" and name ~= "$ref" and name ~= "$id"
    and name ~= "$db"
end
operators.holds_operators = holds_operators

-- Many constants are looked up by their key; a null among them also stands for missing.
local function in_keys(elements)
  local keys = {}
  for _, element in ipairs(elements) do
    keys[bson.key(element.t, element.v)] = true
    if element.t == 10 then
      keys[bson.key(0)], keys[bson.key(6)] = true, true
    end
  end
  return function(p, t, o)
    if t == 0 then
      return keys[bson.key(0)] == true
    end
    return keys[bson.key(value(p, t, o))] == true
  end
end

local FEW = 4

local function in_node(name, t, v)
  local constants, tests = {}, {}
  for _, element in ipairs(array_of(name, t, v)) do
    if element.t == 11 then
      tests[#tests + 1] = matches(regex.parts(element.v))
    elseif holds_operators(element.t, element.v) then
      refuse("cannot nest $ under %s; write its values there", name)
    else
      constants[#constants + 1] = element
    end
  end
  if #constants > FEW then
    tests[#tests + 1] = in_keys(constants)
  else
    for _, element in ipairs(constants) do
      tests[#tests + 1] = operators.equals(element.t, element.v)
    end
  end
  return leaf(require("store.unroll").any(tests))
end

-- ---- the rest -----------------------------------------------------------------------------------

local ALIASES = { number = "number" }
for t = 1, 19 do
  ALIASES[bson.type_name(t)] = t
end
ALIASES.minKey, ALIASES.maxKey = 255, 127

local function type_of(t, v)
  if t == 2 then
    return ALIASES[v] or refuse("Unknown type name alias: %s", v)
  end
  local number = bson.number(t, v)
  if number == -1 then
    return 255
  elseif number and bson.type_name(number) and number ~= 0 then
    return number
  end
  refuse("Invalid numerical type code: %s", tostring(number))
end

local function type_node(t, v)
  local wanted = {}
  for _, element in ipairs(t == 4 and bson.elements(v) or { { t = t, v = v } }) do
    wanted[type_of(element.t, element.v)] = true
  end
  if t == 4 and not next(wanted) then
    errors.raise(9, "$type must match at least one type; write a name as \"string\"")
  end
  return leaf(function(_, actual)
    return wanted[actual] == true or (wanted.number == true and RANK[actual] == NUMBER_RANK
      and actual ~= 0)
  end)
end

local function whole(name, t, v)
  local number = bson.number(t, v)
  if not number or number ~= math.floor(number) or number < 0 then
    refuse("%s needs a whole number that is not negative", name)
  end
  return number
end

local function size_node(t, v)
  local wanted = whole("$size", t, v)
  return leaf(function(p, actual, o)
    return actual == 4 and bson.count(p, o) == wanted
  end, false)
end

local function truncated(name, element)
  local number = bson.number(element.t, element.v)
  if not number or number ~= number or number == math.huge or number == -math.huge then
    refuse("malformed mod, %s is not a finite number", name)
  end
  return number < 0 and math.ceil(number) or math.floor(number)
end

local function mod_node(t, v)
  local elements = t == 4 and bson.elements(v) or refuse("malformed mod, needs to be an array")
  if #elements ~= 2 then
    refuse("malformed mod, %s elements; write [divisor, remainder]", #elements < 2 and "not enough"
      or "too many")
  end
  local divisor, remainder = truncated("divisor", elements[1]), truncated("remainder", elements[2])
  if divisor == 0 then
    refuse("divisor cannot be 0")
  elseif math.abs(divisor) > EXACT or math.abs(remainder) > EXACT then
    errors.unsupported("$mod by a number beyond 2^53")
  end
  return leaf(function(p, actual, o)
    if RANK[actual] ~= NUMBER_RANK then
      return false
    elseif actual == 19 then
      errors.unsupported("$mod of a Decimal128")
    end
    local _, number = value(p, actual, o)
    if actual == 18 then
      return number % ffi.cast("int64_t", divisor) == ffi.cast("int64_t", remainder)
    elseif number ~= number or number == math.huge or number == -math.huge then
      return false
    end
    return math.fmod(number < 0 and math.ceil(number) or math.floor(number), divisor) == remainder
  end)
end

-- At least one element for which the condition holds, as a document or as a value.
local function element_match(t, v, context)
  if t ~= 3 then
    refuse("$elemMatch needs an Object")
  end
  local match = require "store.match"
  local test
  if holds_operators(t, v) and not match.is_logical((bson.each(v)())) then
    test = match.bind_value(operators.field(v, context))
  else
    local inner = match.document_test(v, context, true)
    test = function(p, actual, o)
      return (actual == 3 or actual == 4) and inner(p, o)
    end
  end
  return leaf(function(p, actual, o)
    if actual ~= 4 then
      return false
    end
    local i, index = o + 4, 0
    local et, eo, following = bson.step(p, i)
    while et ~= 0 do
      if test(p, et, eo) then
        match.note_position(index)
        return true
      end
      index = index + 1
      et, eo, following = bson.step(p, following)
    end
    return false
  end, false)
end

local function all_node(t, v, context)
  local nodes = {}
  for i, element in ipairs(array_of("$all", t, v)) do
    local name = element.t == 3 and bson.each(element.v)()
    if name == "$elemMatch" then
      local inner_t, inner_v = bson.get(element.v, "$elemMatch")
      nodes[i] = element_match(inner_t, inner_v, context)
    elseif holds_operators(element.t, element.v) then
      refuse("no $ expressions in $all")
    else
      nodes[i] = operators.constant(element.t, element.v)
    end
  end
  if #nodes == 0 then
    nodes[1] = leaf(function() return false end)
  end
  return { nodes = nodes }
end

local function negate(node)
  return { nodes = { node }, negated = true }
end

local function not_node(t, v, context)
  if t == 11 then
    return negate(operators.constant(t, v))
  elseif t ~= 3 or not holds_operators(t, v) then
    refuse("$not needs a regex or a document of operators")
  end
  return negate(operators.field(v, context))
end

local function regex_node(t, v, siblings)
  local pattern, options = v, ""
  if t == 11 then
    pattern, options = regex.parts(v)
  elseif t ~= 2 then
    refuse("$regex has to be a string")
  end
  local options_t, options_v = bson.get(siblings, "$options")
  if options_t == 2 then
    if t == 11 and options ~= "" then
      errors.raise(51075, "options set in both $regex and $options; write them in one of the two")
    end
    options = options_v
  elseif options_t ~= 0 then
    refuse("$options has to be a string")
  end
  return leaf(matches(pattern, options))
end

local NODES = {
  ["$eq"] = function(t, v)
    return t == 11 and leaf(function(p, actual, o)
      return actual == 11 and select(2, value(p, actual, o)) == v
    end) or leaf(operators.equals(t, v))
  end,
  ["$ne"] = function(t, v)
    if t == 11 then
      refuse("Can't have regex as arg to $ne; write $not")
    end
    return negate(leaf(operators.equals(t, v)))
  end,
  ["$in"] = function(t, v) return in_node("$in", t, v) end,
  ["$nin"] = function(t, v) return negate(in_node("$nin", t, v)) end,
  ["$exists"] = function(t, v)
    local node = leaf(function(_, actual) return actual ~= 0 end, false)
    return bson.truth(t, v) and node or negate(node)
  end,
  ["$type"] = type_node,
  ["$size"] = size_node,
  ["$mod"] = mod_node,
  ["$all"] = all_node,
  ["$elemMatch"] = element_match,
  ["$not"] = not_node,
  ["$comment"] = function() return leaf(function() return true end) end,
}

for name in pairs(HOLDS) do
  NODES[name] = function(t, v) return ordered(name, t, v) end
end

local LACKING = {
  ["$bitsAllSet"] = true, ["$bitsAllClear"] = true, ["$bitsAnySet"] = true,
    ["$bitsAnyClear"] = true,
  ["$geoWithin"] = true, ["$geoIntersects"] = true, ["$near"] = true, ["$nearSphere"] = true,
}

local function operator(name, t, v, context, siblings)
  local make = NODES[name]
  if make then
    return make(t, v, context)
  elseif name == "$regex" then
    return regex_node(t, v, siblings)
  elseif name == "$options" then
    return bson.get(siblings, "$regex") == 0 and refuse("$options needs a $regex") or nil
  elseif LACKING[name] then
    errors.unsupported("the operator " .. name)
  end
  refuse("unknown operator: %s", name)
end

--- The node of a document of operators: { $gt: 1, $lt: 5 }.
function operators.field(bytes, context)
  local nodes = {}
  for name, t, v in bson.each(bytes) do
    nodes[#nodes + 1] = operator(name, t, v, context, bytes)
  end
  return #nodes == 1 and nodes[1] or { nodes = nodes }
end

return operators
