--- Filters: compiled once a command into a predicate over raw documents.
---   match.compile(filter, context?) -> predicate(doc) -> boolean
---   match.id(filter) -> list of boxed _id values {t=, v=} when the filter pins _id by equality or
---                       $in (no regex), else nil; documents that match have one of them
---   match.equalities(filter) -> list of {path, t, v} that every match must equal (top level and
---   $and)
---   match.bounds(filter) -> { [path] = { {op, t, v}, ... } } of $eq $gt $gte $lt $lte $in, for a
---   planner
---   match.position() -> which array element made the last predicate true (0-based), or nil
--- `filter` is BSON bytes; context is { now = int64 date, let = bytes } where given.
---
--- A path reaches through arrays: any element that is a document may satisfy it, and a number may
--- name an element. A negation denies the whole path.
local bson = require "store.bson"
local errors = require "store.errors"
local unroll = require "store.unroll"
local operators = require "store.match_operators"

local match = {}

local find, step, item = bson.find, bson.step, bson.item
local BAD_VALUE = errors.codes.BadValue
local hit

--- Remembers which array element matched; the outermost array speaks last.
function match.note_position(index)
  hit = index
end

function match.position()
  return hit
end

-- ---- binding nodes to values and paths ----------------------------------------------------------

local function negated(test)
  return function(a, b, c)
    return not test(a, b, c)
  end
end

local function bind_all(node, bind)
  local tests = {}
  for i, inner in ipairs(node.nodes) do
    tests[i] = bind(inner)
  end
  local test = unroll.all(tests)
  return node.negated and negated(test) or test
end

--- The test of a node on one value, arrays not expanded: test(p, t, o).
function match.bind_value(node)
  if node.nodes then
    return bind_all(node, match.bind_value)
  end
  return node.single
end

-- The value itself, or one of its elements when it is an array.
local function expanding(single)
  local function any_element(p, o)
    local index = 0
    local t, v, following = step(p, o + 4)
    while t ~= 0 do
      if single(p, t, v) then
        hit = index
        return true
      end
      index = index + 1
      t, v, following = step(p, following)
    end
    return false
  end
  return function(p, t, o)
    if single(p, t, o) then
      return true
    end
    return t == 4 and any_element(p, o)
  end
end

local function indexes_of(parts)
  local indexes = {}
  for i, part in ipairs(parts) do
    indexes[i] = (part == "0" or part:find("^[1-9]%d*$")) and tonumber(part) or false
  end
  return indexes
end

local function walker(parts, leaf)
  local n, indexes = #parts, indexes_of(parts)
  local walk

  local function walk_array(p, o, i)
    if indexes[i] then
      local t, v = item(p, o, indexes[i])
      if t ~= 0 and walk(p, t, v, i + 1) then
        return true
      end
    end
    local index = 0
    local t, v, following = step(p, o + 4)
    while t ~= 0 do
      if t == 3 and walk(p, t, v, i) then
        hit = index
        return true
      end
      index = index + 1
      t, v, following = step(p, following)
    end
    return false
  end

  function walk(p, t, o, i)
    if i > n then
      return leaf(p, t, o)
    elseif t == 3 then
      local inner, v = find(p, o, parts[i])
      return walk(p, inner, v, i + 1)
    elseif t == 4 then
      return walk_array(p, o, i)
    end
    return leaf(p, 0, 0)
  end

  return function(p, o)
    return walk(p, 3, o, 1)
  end
end

local function bind_leaf(parts, leaf)
  if #parts > 1 then
    return walker(parts, leaf)
  end
  local name = parts[1]
  return function(p, o)
    local t, v = find(p, o, name)
    return leaf(p, t, v)
  end
end

--- The test of a node at a path of the document at offset `o`: test(p, o).
function match.bind_path(node, parts)
  if node.nodes then
    return bind_all(node, function(inner) return match.bind_path(inner, parts) end)
  end
  return bind_leaf(parts, node.expand and expanding(node.single) or node.single)
end

-- ---- documents of conditions --------------------------------------------------------------------

local LOGICAL = { ["$and"] = unroll.all, ["$or"] = unroll.any, ["$nor"] = unroll.any }

---@param name string
---@return boolean
function match.is_logical(name)
  return LOGICAL[name] ~= nil or name == "$expr"
end

local function logical(name, t, v, context, nested)
  local tests = {}
  for i, element in ipairs(t == 4 and bson.elements(v) or {}) do
    if element.t ~= 3 then
      errors.raise(BAD_VALUE, "$or/$and/$nor entries need to be full objects")
    end
    tests[i] = match.document_test(element.v, context, nested)
  end
  if #tests == 0 then
    errors.raise(BAD_VALUE, name .. " must be a nonempty array")
  end
  local test = LOGICAL[name](tests)
  return name == "$nor" and negated(test) or test
end

local function expression_test(t, v, context, nested)
  if nested then
    errors.raise(BAD_VALUE,
      "$expr can only be applied to the top-level document; move it out of $elemMatch")
  end
  local expression = require "store.expression"
  local f = expression.compile(t, v, expression.scope(context or {}))
  return function(p, _, doc)
    local kept = hit -- an expression may pause, and other filters note their own meanwhile
    local result_t, result_v = f(p, doc)
    hit = kept
    return bson.truth(result_t, result_v)
  end
end

local LACKING = { ["$where"] = true, ["$text"] = true, ["$jsonSchema"] = true,
  ["$function"] = true, ["$sampleRate"] = true }

local function top_operator(name, t, v, context, nested)
  if LOGICAL[name] then
    return logical(name, t, v, context, nested)
  elseif name == "$expr" then
    return expression_test(t, v, context, nested)
  elseif name == "$comment" then
    return function() return true end
  elseif LACKING[name] then
    errors.unsupported("the operator " .. name)
  end
  errors.raise(BAD_VALUE, "unknown top level operator: " .. name ..
    ". If you have a field name that starts with a '$' symbol, consider using $getField")
end

local function condition(name, t, v, context, nested)
  if name:sub(1, 1) == "$" then
    return top_operator(name, t, v, context, nested)
  end
  local node = operators.holds_operators(t, v) and operators.field(v, context)
    or operators.constant(t, v)
  return match.bind_path(node, bson.split(name))
end

--- The test of a filter on the document at offset `o`: test(p, o, doc).
---@param nested? boolean inside $elemMatch, where $expr has no document
function match.document_test(filter, context, nested)
  local tests = {}
  for name, t, v in bson.each(filter) do
    tests[#tests + 1] = condition(name, t, v, context, nested)
  end
  return unroll.all(tests)
end

--- Compiles a filter.
---@param filter string BSON
---@return fun(doc: string): boolean
function match.compile(filter, context)
  local test = match.document_test(filter, context)
  local pointer = bson.pointer
  return function(doc)
    hit = nil
    local result = test(pointer(doc), 0, doc)
    local _ = doc -- lives up to here
    return result
  end
end

-- ---- what a filter says to a planner ------------------------------------------------------------

local BOUNDS = { ["$eq"] = true, ["$gt"] = true, ["$gte"] = true, ["$lt"] = true, ["$lte"] = true,
  ["$in"] = true }

-- Calls take(path, op, t, v) for each condition that every match must meet, in the filter's order.
local function each_bound(filter, take)
  for name, t, v in bson.each(filter) do
    if name == "$and" and t == 4 then
      for _, element in ipairs(bson.elements(v)) do
        if element.t == 3 then
          each_bound(element.v, take)
        end
      end
    elseif name:sub(1, 1) == "$" or t == 11 then
      -- says nothing about one path
    elseif not operators.holds_operators(t, v) then
      take(name, "$eq", t, v)
    else
      for op, inner_t, inner_v in bson.each(v) do
        if BOUNDS[op] and inner_t ~= 11 then
          take(name, op, inner_t, inner_v)
        end
      end
    end
  end
end

function match.bounds(filter)
  local bounds = {}
  each_bound(filter, function(path, op, t, v)
    bounds[path] = bounds[path] or {}
    table.insert(bounds[path], { op, t, v })
  end)
  return bounds
end

function match.equalities(filter)
  local list = {}
  each_bound(filter, function(path, op, t, v)
    if op == "$eq" then
      list[#list + 1] = { path = path, t = t, v = v }
    end
  end)
  return list
end

local function without_twins(elements)
  local list, seen = {}, {}
  for _, element in ipairs(elements) do
    if element.t == 11 then
      return nil
    end
    local key = bson.key(element.t, element.v)
    if not seen[key] then
      seen[key] = true
      list[#list + 1] = { t = element.t, v = element.v }
    end
  end
  return list
end

function match.id(filter)
  local best
  for _, bound in ipairs(match.bounds(filter)._id or {}) do
    if bound[1] == "$eq" then
      return { { t = bound[2], v = bound[3] } }
    elseif bound[1] == "$in" and bound[2] == 4 then
      best = best or without_twins(bson.elements(bound[3]))
    end
  end
  return best
end

return match
