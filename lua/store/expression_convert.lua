--- Types and conversions as expressions.
local bson = require "store.bson"
local errors = require "store.errors"
local convert = require "store.convert"
local support = require "store.expression_support"

local nothing = support.nothing

local OPERATORS = {
  ["$toDouble"] = "double", ["$toInt"] = "int", ["$toLong"] = "long", ["$toBool"] = "bool",
  ["$toString"] = "string", ["$toDate"] = "date", ["$toObjectId"] = "objectId",
    ["$toDecimal"] = "decimal",
}

local function target(t, v)
  if t == 2 then
    return v
  end
  local number = bson.number(t, v)
  return number and bson.type_name(number) or errors.raise(2,
    "$convert's 'to' must be a type's name or number")
end

-- The value, or what onError says when it cannot be converted.
local function try(named, to, t, v, p, doc)
  if not named.onError then
    return convert.to(to, t, v)
  end
  local ok, result_t, result_v = pcall(convert.to, to, t, v)
  if ok then
    return result_t, result_v
  elseif not errors.is(result_t) or result_t.code ~= errors.codes.ConversionFailure then
    error(result_t, 0)
  end
  return named.onError(p, doc)
end

return function(expression)
  for name, to in pairs(OPERATORS) do
    support.unary(expression, name, function(t, v)
      if nothing(t) then
        return 10, nil
      end
      return convert.to(to, t, v)
    end)
  end
  support.named(expression, "$convert", { "input", "to" }, { "onError", "onNull" }, function(named)
    return function(p, doc)
      local t, v = named.input(p, doc)
      if nothing(t) then
        if named.onNull then
          return named.onNull(p, doc)
        end
        return 10, nil
      end
      local to_t, to_v = named.to(p, doc)
      if nothing(to_t) then
        return 10, nil
      end
      return try(named, target(to_t, to_v), t, v, p, doc)
    end
  end)
  support.unary(expression, "$type", function(t) return 2, bson.type_name(t) end)
  support.unary(expression, "$isNumber", function(t) return 8, bson.is_number(t) end)
end
