--- Arithmetic, and the folding accumulators as expressions ($sum, $avg, $min, $max).
local bson = require "store.bson"
local errors = require "store.errors"
local number = require "store.number"
local support = require "store.expression_support"

local nothing = support.nothing

local function refuse(code, name, t)
  errors.raise(code, string.format("%s only supports numeric types, not %s", name,
    bson.type_name(t)))
end

local function check(name, t)
  if not number.is(t, name) then
    refuse(14, name, t)
  end
end

local function date_plus(t, v, by_t, by_v)
  local by = by_t == 18 and by_v or math.floor(by_v + 0.5)
  return 9, bson.date(v + bson.int64(by).v).v
end

-- At most one date, which the rest moves.
local function add(list)
  return function(p, doc)
    local sum_t, sum_v, date = 16, 0, nil
    for i = 1, #list do
      local t, v = list[i](p, doc)
      if nothing(t) then
        return 10, nil
      elseif t == 9 then
        if date then
          errors.raise(16612, "only one date allowed in an $add expression")
        end
        date = v
      else
        if not number.is(t, "$add") then
          errors.raise(14, "$add only supports numeric or date types, not " .. bson.type_name(t))
        end
        sum_t, sum_v = number.add(sum_t, sum_v, t, v)
      end
    end
    if date then
      return date_plus(9, date, sum_t, sum_v)
    end
    return sum_t, sum_v
  end
end

local function multiply(list)
  return function(p, doc)
    local t, v = 16, 1
    for i = 1, #list do
      local next_t, next_v = list[i](p, doc)
      if nothing(next_t) then
        return 10, nil
      end
      check("$multiply", next_t)
      t, v = number.multiply(t, v, next_t, next_v)
    end
    return t, v
  end
end

local function subtract(t1, v1, t2, v2)
  if nothing(t1) or nothing(t2) then
    return 10, nil
  elseif t1 == 9 and t2 == 9 then
    return 18, v1 - v2
  elseif t1 == 9 and number.is(t2, "$subtract") then
    return date_plus(9, v1, number.negate(t2, v2))
  elseif not number.is(t1, "$subtract") or not number.is(t2, "$subtract") then
    errors.raise(14, string.format("can't $subtract %s from %s", bson.type_name(t2),
      bson.type_name(t1)))
  end
  return number.subtract(t1, v1, t2, v2)
end

local function divide(t1, v1, t2, v2)
  if nothing(t1) or nothing(t2) then
    return 10, nil
  end
  check("$divide", t1)
  check("$divide", t2)
  if v2 == 0 then
    errors.raise(2, "can't $divide by zero")
  end
  return 1, tonumber(v1) / tonumber(v2)
end

local function mod(t1, v1, t2, v2)
  if nothing(t1) or nothing(t2) then
    return 10, nil
  elseif not number.is(t1, "$mod") or not number.is(t2, "$mod") then
    errors.raise(16611, string.format("$mod only supports numeric types, not %s and %s",
      bson.type_name(t1), bson.type_name(t2)))
  elseif v2 == 0 then
    errors.raise(16610, "can't $mod by zero")
  end
  return number.mod(t1, v1, t2, v2)
end

local function whole_power(base, exponent)
  local t, v = 18, bson.int64(1).v
  for _ = 1, exponent do
    t, v = number.multiply(t, v, 18, bson.int64(base).v, true)
    if not t then
      return nil
    end
  end
  return v
end

local function pow(t1, v1, t2, v2)
  if nothing(t1) or nothing(t2) then
    return 10, nil
  end
  check("$pow", t1)
  check("$pow", t2)
  if v1 == 0 and v2 < 0 then
    errors.raise(28764, "$pow cannot take a base of 0 and a negative exponent")
  end
  if t1 ~= 1 and t2 ~= 1 and v2 >= 0 and v2 <= 64 then
    local result = whole_power(v1, tonumber(v2))
    if result and (t1 == 18 or t2 == 18 or result > 2147483647LL or result < -2147483648LL) then
      return 18, result
    elseif result then
      return 16, tonumber(result)
    end
  end
  return 1, tonumber(v1) ^ tonumber(v2)
end

local function even(x)
  local floor = math.floor(x)
  local rest = x - floor
  if rest > 0.5 or (rest == 0.5 and floor % 2 == 1) then
    return floor + 1
  end
  return floor
end

local function towards_zero(x)
  return x < 0 and math.ceil(x) or math.floor(x)
end

-- $round and $trunc to a decimal place; whole numbers only change left of the point.
local function rounding(name, to_whole)
  return function(count, t, v, place_t, place_v)
    if nothing(t) or (count == 2 and nothing(place_t)) then
      return 10, nil
    elseif not number.is(t, name) then
      refuse(51081, name, t)
    end
    local place = count == 2 and support.whole(name, 51082, place_t, place_v) or 0
    if place < -20 or place > 100 then
      errors.raise(51083, "cannot apply " .. name .. " with a place beyond -20 to 100")
    end
    if t ~= 1 and place >= 0 then
      return t, v
    end
    local x = tonumber(v)
    if x ~= x or x == math.huge or x == -math.huge then
      return t, v
    end
    local factor = 10 ^ math.abs(place)
    local result = place >= 0 and to_whole(x * factor) / factor or to_whole(x / factor) * factor
    if result ~= result or result == math.huge or result == -math.huge then
      return t, v
    elseif t == 16 then
      return number.narrow(result)
    end
    return t, t == 18 and bson.int64(result).v or result
  end
end

local function real(expression, name, code, make, allowed, complaint)
  support.unary(expression, name, function(t, v)
    if nothing(t) then
      return 10, nil
    elseif not number.is(t, name) then
      refuse(28765, name, t)
    end
    local x = tonumber(v)
    if allowed and not allowed(x) then
      errors.raise(code, name .. complaint)
    end
    return 1, make(x)
  end)
end

local function whole_step(expression, name, make)
  support.unary(expression, name, function(t, v)
    if nothing(t) then
      return 10, nil
    elseif not number.is(t, name) then
      refuse(28765, name, t)
    end
    return t, t == 1 and make(v) or v
  end)
end

local function functions(expression)
  local positive = function(x) return not (x <= 0) end
  real(expression, "$sqrt", 28714, math.sqrt, function(x) return not (x < 0) end,
    "'s argument must be greater than or equal to 0")
  real(expression, "$exp", 0, math.exp)
  real(expression, "$ln", 28766, math.log, positive, "'s argument must be a positive number")
  real(expression, "$log10", 28761, math.log10, positive, "'s argument must be a positive number")
  whole_step(expression, "$ceil", math.ceil)
  whole_step(expression, "$floor", math.floor)
  support.unary(expression, "$abs", function(t, v)
    if nothing(t) then
      return 10, nil
    end
    check("$abs", t)
    if v < 0 then
      return number.negate(t, v)
    end
    return t, v
  end)
  support.binary(expression, "$log", function(t1, v1, t2, v2)
    if nothing(t1) or nothing(t2) then
      return 10, nil
    end
    check("$log", t1)
    check("$log", t2)
    if tonumber(v1) <= 0 or tonumber(v2) <= 0 or tonumber(v2) == 1 then
      errors.raise(28758, "$log needs a positive number and a positive base other than 1")
    end
    return 1, math.log(tonumber(v1)) / math.log(tonumber(v2))
  end)
end

-- One argument that is an array stands for its elements.
local function each_value(list, p, doc, take)
  for i = 1, #list do
    local t, v = list[i](p, doc)
    if #list == 1 and t == 4 then
      for _, inner_t, inner_v in bson.each(v) do
        take(inner_t, inner_v)
      end
    else
      take(t, v)
    end
  end
end

local function extreme(name, sign)
  return function(list)
    return function(p, doc)
      local best_t, best_v = 10, nil
      each_value(list, p, doc, function(t, v)
        if not nothing(t) and (best_t == 10 or bson.compare(t, v, best_t, best_v) == sign) then
          best_t, best_v = t, v
        end
      end)
      return best_t, best_v
    end
  end
end

local function summing(name, finish)
  return function(list)
    return function(p, doc)
      local sum_t, sum_v, count = 16, 0, 0
      each_value(list, p, doc, function(t, v)
        if number.is(t, name) then
          sum_t, sum_v = number.add(sum_t, sum_v, t, v)
          count = count + 1
        end
      end)
      return finish(sum_t, sum_v, count)
    end
  end
end

return function(expression)
  support.fold(expression, "$add", 0, add)
  support.fold(expression, "$multiply", 0, multiply)
  support.binary(expression, "$subtract", subtract)
  support.binary(expression, "$divide", divide)
  support.binary(expression, "$mod", mod)
  support.binary(expression, "$pow", pow)
  support.few(expression, "$round", 1, 2, rounding("$round", even))
  support.few(expression, "$trunc", 1, 2, rounding("$trunc", towards_zero))
  functions(expression)
  support.fold(expression, "$sum", 0, summing("$sum", function(t, v) return t, v end))
  support.fold(expression, "$avg", 0, summing("$avg", function(_, v, count)
    if count == 0 then
      return 10, nil
    end
    return 1, tonumber(v) / count
  end))
  support.fold(expression, "$min", 0, extreme("$min", -1))
  support.fold(expression, "$max", 0, extreme("$max", 1))
end
