--- Decimal128 as a number to be compared, never to be computed with: an exact decimal form that
--- all number types share.
local ffi = require "ffi"
local bit = require "bit"

ffi.cdef [[
  int moonlit_snprintf(char *out, size_t size, const char *format, ...) __asm__("snprintf");
]]

local decimal = {}

local C = ffi.C
local MAX_DIGITS = 34
local BIAS = 6176
local scratch = ffi.new("char[1200]")

-- 128 bits, as eight 16-bit limbs from the highest, to decimal digits.
local function to_digits(limbs)
  local groups, busy = {}, true
  while busy do
    local rest = 0
    busy = false
    for i = 1, 8 do
      local part = rest * 65536 + limbs[i]
      limbs[i] = math.floor(part / 10000)
      rest = part % 10000
      busy = busy or limbs[i] > 0
    end
    groups[#groups + 1] = string.format("%04d", rest)
  end
  local digits = {}
  for i = #groups, 1, -1 do
    digits[#digits + 1] = groups[i]
  end
  return (table.concat(digits):gsub("^0+", ""))
end

-- A normal form: kind ("nan", "finite", "inf"), sign (-1, 0, 1), exponent, digits;
-- the value is 0.DIGITS times ten to the exponent, without zeros at either end.
local function normal(negative, digits, exponent)
  local leading = #digits:match("^0*")
  exponent = exponent + #digits - leading
  digits = digits:sub(leading + 1):gsub("0+$", "")
  if digits == "" then
    return { kind = "finite", sign = 0, exponent = 0, digits = "" }
  end
  return { kind = "finite", sign = negative and -1 or 1, exponent = exponent, digits = digits }
end

local function special(kind, negative)
  return { kind = kind, sign = kind == "nan" and 0 or (negative and -1 or 1), exponent = 0,
    digits = "" }
end

local function limbs_of(bytes)
  local limbs = {}
  for i = 1, 8 do
    local at = 17 - 2 * i
    limbs[i] = bytes:byte(at) + 256 * bytes:byte(at + 1)
  end
  return limbs
end

--- The parts of a Decimal128 as written: kind, negative, digits (no leading zeros), exponent.
---@param bytes string 16 bytes
function decimal.parts(bytes)
  local limbs = limbs_of(bytes)
  local top = limbs[1]
  local negative = top >= 32768
  top = top % 32768
  if bit.rshift(top, 10) == 31 then
    return "nan", false, "", 0
  elseif bit.rshift(top, 10) == 30 then
    return "inf", negative, "", 0
  elseif bit.rshift(top, 13) == 3 then
    return "finite", negative, "", top % 8192 * 2 + bit.rshift(limbs[2], 15) - BIAS
  end
  local exponent = bit.rshift(top, 1) - BIAS
  limbs[1] = top % 2
  local digits = to_digits(limbs)
  if #digits > MAX_DIGITS then
    digits = ""
  end
  return "finite", negative, digits, exponent
end

local function normal_of_decimal(bytes)
  local kind, negative, digits, exponent = decimal.parts(bytes)
  if kind ~= "finite" then
    return special(kind, negative)
  end
  return normal(negative, digits, exponent)
end

local function normal_of_number(number)
  if number ~= number then
    return special("nan")
  elseif number == math.huge or number == -math.huge then
    return special("inf", number < 0)
  end
  C.moonlit_snprintf(scratch, 1200, "%.1100e", ffi.cast("double", number))
  local sign, first, rest, exponent = ffi.string(scratch):match("^(-?)(%d)%.(%d+)e([-+]%d+)$")
  return normal(sign == "-", first .. rest, tonumber(exponent) - #rest)
end

local function normal_of_int64(number)
  local sign, digits = tostring(number):match("^(-?)(%d+)")
  return normal(sign == "-", digits, 0)
end

--- The exact normal form of any number value.
function decimal.normal(t, v)
  if t == 19 then
    return normal_of_decimal(v)
  elseif t == 18 then
    return normal_of_int64(v)
  end
  return normal_of_number(v)
end

local KINDS = { nan = 0, finite = 1, inf = 1 }

local function magnitude(a, b)
  if a.kind ~= b.kind then
    return a.kind == "inf" and 1 or -1
  elseif a.exponent ~= b.exponent then
    return a.exponent < b.exponent and -1 or 1
  elseif a.digits ~= b.digits then
    return a.digits < b.digits and -1 or 1
  end
  return 0
end

--- Compares two normal forms: NaN below all, then by value.
function decimal.compare_normal(a, b)
  if KINDS[a.kind] ~= KINDS[b.kind] then
    return KINDS[a.kind] < KINDS[b.kind] and -1 or 1
  elseif a.sign ~= b.sign then
    return a.sign < b.sign and -1 or 1
  end
  return a.sign * magnitude(a, b)
end

--- The decimal's text, as "1.50", "1E+3", "NaN", "-Infinity".
function decimal.text(bytes)
  local kind, negative, digits, exponent = decimal.parts(bytes)
  local sign = negative and "-" or ""
  if kind == "nan" then
    return "NaN"
  elseif kind == "inf" then
    return sign .. "Infinity"
  end
  digits = digits == "" and "0" or digits
  local scientific = exponent + #digits - 1
  if exponent > 0 or scientific < -6 then
    local rest = #digits > 1 and ("." .. digits:sub(2)) or ""
    return string.format("%s%s%sE%+d", sign, digits:sub(1, 1), rest, scientific)
  elseif exponent == 0 then
    return sign .. digits
  end
  local padded = ("0"):rep(1 - exponent - #digits) .. digits
  return sign .. padded:sub(1, exponent - 1) .. "." .. padded:sub(exponent)
end

--- The nearest double; for key floors and conversions.
function decimal.to_double(bytes)
  local form = normal_of_decimal(bytes)
  if form.kind == "nan" then
    return 0 / 0
  elseif form.kind == "inf" then
    return form.sign * math.huge
  elseif form.sign == 0 then
    return 0
  end
  return form.sign * tonumber(string.format("0.%se%d", form.digits, form.exponent))
end

return decimal
