--- Arithmetic that keeps BSON's number types: int32 grows into int64, int64 into double where a
--- sum or product no longer fits; a double stays one. Decimal128 is refused, never rounded.
local ffi = require "ffi"
local errors = require "store.errors"

local number = {}

local int64_t = ffi.typeof("int64_t")
local LEAST = int64_t(0) - 0x7fffffffffffffffLL - 1
local TWO_63 = 2 ^ 63

--- Whether the type is a number that can be computed with; Decimal128 raises.
function number.is(t, name)
  if t == 19 then
    errors.unsupported(name .. " with Decimal128")
  end
  return t == 16 or t == 1 or t == 18
end

--- A whole Lua number (exact up to 2^53) as int32, or int64 where it does not fit.
local function narrow(whole)
  if whole >= -2147483648 and whole <= 2147483647 then
    return 16, whole
  end
  return 18, int64_t(whole)
end
number.narrow = narrow

local function add_int64(a, b)
  local sum = a + b
  if (a < 0) == (b < 0) and (sum < 0) ~= (a < 0) then
    return nil
  end
  return sum
end
number.add_int64 = add_int64

local function multiply_int64(a, b)
  local estimate = tonumber(a) * tonumber(b)
  if estimate > -2 ^ 62 and estimate < 2 ^ 62 then
    return a * b
  elseif estimate >= TWO_63 * 1.01 or estimate <= -TWO_63 * 1.01 or a == LEAST or b == LEAST then
    return nil
  end
  local product = a * b
  return product / b == a and product or nil
end

--- Each gives the sum's type and value; an int64 overflow gives a double, or nil with `exact`.
function number.add(t1, v1, t2, v2, exact)
  if t1 == 16 and t2 == 16 then
    return narrow(v1 + v2)
  elseif t1 == 1 or t2 == 1 then
    return 1, tonumber(v1) + tonumber(v2)
  end
  local sum = add_int64(int64_t(v1), int64_t(v2))
  if sum == nil and exact then
    return nil
  elseif sum == nil then
    return 1, tonumber(v1) + tonumber(v2)
  end
  return 18, sum
end

--- A product beyond int64 is a double, or nil when it must be exact.
---@param exact? boolean
---@return integer? t, any v
function number.multiply(t1, v1, t2, v2, exact)
  if t1 == 1 or t2 == 1 then
    return 1, tonumber(v1) * tonumber(v2)
  end
  local product = multiply_int64(int64_t(v1), int64_t(v2))
  if product == nil and exact then
    return nil
  elseif product == nil then
    return 1, tonumber(v1) * tonumber(v2)
  elseif t1 == 16 and t2 == 16 then
    return narrow(tonumber(product))
  end
  return 18, product
end

---@return integer t, any v
function number.negate(t, v)
  if t == 18 then
    if v == LEAST then
      return 1, TWO_63
    end
    return 18, -v
  elseif t == 16 then
    return narrow(0 - v)
  end
  return 1, -v
end

---@return integer t, any v
function number.subtract(t1, v1, t2, v2)
  if t1 == 1 or t2 == 1 then
    return 1, tonumber(v1) - tonumber(v2)
  end
  return number.add(t1, v1, number.negate(t2, v2))
end

--- The remainder with the sign of the dividend.
function number.mod(t1, v1, t2, v2)
  if t1 == 1 or t2 == 1 then
    return 1, math.fmod(tonumber(v1), tonumber(v2))
  elseif t1 == 16 and t2 == 16 then
    return 16, math.fmod(v1, v2)
  end
  local divisor = int64_t(v2)
  if divisor == -1 then
    return 18, int64_t(0)
  end
  return 18, int64_t(v1) % divisor
end

return number
