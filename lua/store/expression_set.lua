--- Arrays as sets: equal by the BSON order, so 1 and 1.0 are one.
local bson = require "store.bson"
local errors = require "store.errors"
local support = require "store.expression_support"

local nothing = support.nothing

local function check(name, code, t)
  if t ~= 4 then
    errors.raise(code, string.format("%s needs arrays, not %s", name, bson.type_name(t)))
  end
end

local function keys_of(bytes)
  local keys = {}
  for _, t, v in bson.each(bytes) do
    keys[bson.key(t, v)] = true
  end
  return keys
end

-- Puts each element once that `wanted` lets through.
local function put_new(list, seen, bytes, wanted)
  for _, t, v in bson.each(bytes) do
    local key = bson.key(t, v)
    if not seen[key] and (not wanted or wanted(key)) then
      seen[key] = true
      list.put(t, v)
    end
  end
end

local function union(list)
  return function(p, doc)
    local result, seen = support.list(), {}
    for i = 1, #list do
      local t, v = list[i](p, doc)
      if nothing(t) then
        return 10, nil
      end
      check("$setUnion", 17043, t)
      put_new(result, seen, v)
    end
    return result.finish()
  end
end

local function intersection(list)
  return function(p, doc)
    local others, first = {}, nil
    for i = 1, #list do
      local t, v = list[i](p, doc)
      if nothing(t) then
        return 10, nil
      end
      check("$setIntersection", 17047, t)
      first = first or v
      others[i] = keys_of(v)
    end
    local result = support.list()
    put_new(result, {}, first or bson.EMPTY, function(key)
      for i = 2, #others do
        if not others[i][key] then
          return false
        end
      end
      return true
    end)
    return result.finish()
  end
end

local function difference(t1, v1, t2, v2)
  if nothing(t1) or nothing(t2) then
    return 10, nil
  end
  check("$setDifference", 17048, t1)
  check("$setDifference", 17049, t2)
  local other, result = keys_of(v2), support.list()
  put_new(result, {}, v1, function(key) return not other[key] end)
  return result.finish()
end

local function is_subset(a, b)
  for key in pairs(a) do
    if not b[key] then
      return false
    end
  end
  return true
end

local function quantifier(expression, name, code, wanted)
  support.unary(expression, name, function(t, v)
    check(name, code, t)
    for _, inner_t, inner_v in bson.each(v) do
      if bson.truth(inner_t, inner_v) == wanted then
        return 8, wanted
      end
    end
    return 8, not wanted
  end)
end

return function(expression)
  support.fold(expression, "$setUnion", 0, union)
  support.fold(expression, "$setIntersection", 0, intersection)
  support.binary(expression, "$setDifference", difference)
  support.binary(expression, "$setIsSubset", function(t1, v1, t2, v2)
    check("$setIsSubset", 17046, t1)
    check("$setIsSubset", 17042, t2)
    return 8, is_subset(keys_of(v1), keys_of(v2))
  end)
  support.binary(expression, "$setEquals", function(t1, v1, t2, v2)
    check("$setEquals", 17044, t1)
    check("$setEquals", 17044, t2)
    local a, b = keys_of(v1), keys_of(v2)
    return 8, is_subset(a, b) and is_subset(b, a)
  end)
  quantifier(expression, "$anyElementTrue", 17041, true)
  quantifier(expression, "$allElementsTrue", 17040, false)
end
