--- $group: documents gathered by the value of an expression. Groups are found by a Lua string or
--- number where the value is one, by its key bytes otherwise; equal numbers of any type are one
--- group,
--- missing counts as null.
local bson = require "store.bson"
local decimal = require "store.decimal"
local errors = require "store.errors"
local expression = require "store.expression"
local accumulators = require "store.accumulators"
local memory = require "store.memory"
local unroll = require "store.unroll"

local group = {}

local GROUP = 128 -- what a group costs besides its bytes
local EXACT = 2 ^ 53

-- A Decimal128 that a double says exactly, as that double.
local function exact_double(v)
  local double = decimal.to_double(v)
  if double > -EXACT and double < EXACT and bson.equal(19, v, 1, double) then
    return double
  end
end

-- A function from a value to its group's number, made by make(t, v) when it is new.
local function finder(make)
  local by_text, by_number, by_key = {}, {}, {}
  return function(t, v)
    local index, id
    if t == 2 then
      index, id = by_text, v
    elseif t == 16 or (t == 1 and v > -EXACT and v < EXACT) then
      index, id = by_number, v
    elseif t == 18 and v > -9007199254740992LL and v < 9007199254740992LL then
      index, id = by_number, tonumber(v)
    elseif t == 14 then
      index, id = by_text, v
    elseif t == 19 and exact_double(v) then
      index, id = by_number, exact_double(v)
    else
      index, id = by_key, bson.key((t == 0 or t == 6) and 10 or t, v)
    end
    local g = index[id]
    if not g then
      g = make(t, v)
      index[id] = g
    end
    return g
  end
end

local function read_fields(spec, scope, account)
  local names, list, id = {}, {}, nil
  for name, t, v in bson.each(spec) do
    if name == "_id" then
      id = expression.compile(t, v, scope)
    else
      local operator, inner_t, inner_v
      if t == 3 then
        operator, inner_t, inner_v = bson.each(v)()
      end
      if not operator or operator:sub(1, 1) ~= "$" then
        errors.raise(40234, "The field '" .. name .. "' must be an accumulator object")
      elseif name:find(".", 1, true) then
        errors.raise(40235, "The field name '" .. name .. "' cannot contain '.'")
      elseif bson.length(v) ~= 1 then
        errors.raise(40238, "The field '" .. name .. "' must specify one accumulator")
      end
      names[#names + 1] = name
      list[#list + 1] = accumulators.make(operator, inner_t, inner_v, scope, account)
    end
  end
  if not id then
    errors.raise(15955, "a group specification must include an _id")
  end
  return id, names, list
end

local function gather(next, id, list, account, tick)
  local adds, ids_t, ids_v, count = {}, {}, {}, 0
  for i, accumulator in ipairs(list) do
    adds[i] = accumulator.add
  end
  local add = unroll.each(adds)
  local find = finder(function(t, v)
    count = count + 1
    ids_t[count], ids_v[count] = t == 0 and 10 or t, v
    account(GROUP + 32 * #list + (type(v) == "string" and #v or 0))
    for i = 1, #list do
      list[i].start(count)
    end
    return count
  end)
  local pointer = bson.pointer
  for doc in next do
    tick()
    local p = pointer(doc)
    add(p, doc, find(id(p, doc)))
    local _ = doc -- lives up to here
  end
  return ids_t, ids_v, count
end

--- Compiles a $group stage.
---@return fun(next: fun(): string?): fun(): string?
function group.compile(spec, context)
  return function(next)
    local account = memory.account("$group", context.memory_limit)
    local id, names, list = read_fields(spec, expression.scope(context), account)
    local ids_t, ids_v, count, i
    local w = bson.writer()
    return function()
      if not i then
        ids_t, ids_v, count = gather(next, id, list, account, context.tick)
        i = 0
      end
      if i >= count then
        return nil
      end
      i = i + 1
      w:reset():put("_id", ids_t[i], ids_v[i])
      for k = 1, #list do
        w:put(names[k], list[k].finish(i))
      end
      return w:finish()
    end
  end
end

--- Refuses a malformed spec before any document is read.
function group.check(spec, context)
  read_fields(spec, expression.scope(context), function() end)
end

return group
