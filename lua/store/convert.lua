--- Conversions between types: $toInt and its kin, and the text of a value.
local ffi = require "ffi"
local bson = require "store.bson"
local errors = require "store.errors"
local decimal = require "store.decimal"
local calendar = require "store.calendar"

local convert = {}

local CONVERSION = errors.codes.ConversionFailure
local int64_t = ffi.typeof("int64_t")

local function fail(t, to)
  errors.raise(CONVERSION,
    string.format("Unsupported conversion from %s to %s in $convert with no onError value",
    bson.type_name(t), to))
end

local function fail_text(v, to)
  errors.raise(CONVERSION,
    string.format("Failed to parse %s '%s' in $convert with no onError value", to, v:sub(1, 100)))
end

local function overflow(to)
  errors.raise(CONVERSION, "Conversion would overflow target type " .. to ..
    " in $convert with no onError value")
end

--- A double's text, the shortest that reads back the same; whole ones without a point.
local function double_text(number)
  if number ~= number then
    return "NaN"
  elseif number == math.huge or number == -math.huge then
    return number > 0 and "Infinity" or "-Infinity"
  end
  for digits = 15, 17 do
    local text = string.format("%." .. digits .. "g", number)
    if tonumber(text) == number then
      return text
    end
  end
end

local function hex(bytes)
  return (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
end

--- The text of a value, as $toString gives it.
function convert.to_text(t, v)
  if t == 2 or t == 14 or t == 13 then
    return v
  elseif t == 16 then
    return string.format("%d", v)
  elseif t == 18 then
    return (tostring(v):gsub("LL$", ""))
  elseif t == 1 then
    return double_text(v)
  elseif t == 19 then
    return decimal.text(v)
  elseif t == 8 then
    return v and "true" or "false"
  elseif t == 7 then
    return hex(v)
  elseif t == 9 then
    return calendar.format(tonumber(v), 0, "%Y-%m-%dT%H:%M:%S.%LZ")
  end
  fail(t, "string")
end

local function double_of(t, v, to)
  if t == 19 then
    return decimal.to_double(v)
  elseif t == 8 then
    return v and 1 or 0
  elseif t == 16 or t == 1 or t == 18 then
    return tonumber(v)
  elseif t == 9 and to ~= "int" then
    return tonumber(v)
  elseif t == 2 then
    local plain = v:match("^[-+]?%d+%.?%d*[eE]?[-+]?%d*$") or v:match("^[-+]?%.%d+[eE]?[-+]?%d*$")
    return plain and tonumber(plain) or fail_text(v, "number")
  end
  fail(t, to)
end

-- Counts downwards, because the least int64 has no positive twin.
local function int64_of_text(v)
  local sign, digits = v:match("^([-+]?)0*(%d+)$")
  if not digits then
    fail_text(v, "number")
  elseif #digits > 19 then
    overflow("long")
  end
  local result = int64_t(0)
  for digit in digits:gmatch("%d") do
    local previous = result
    result = result * 10 - (digit:byte() - 48)
    if result > previous or previous < -922337203685477580LL then
      overflow("long")
    end
  end
  if sign == "-" then
    return result
  elseif -result < 0 then
    overflow("long")
  end
  return -result
end

local TO = {}

function TO.double(t, v)
  return 1, double_of(t, v, "double")
end

function TO.int(t, v)
  if t == 2 and not v:find("^[-+]?%d+$") then
    fail_text(v, "number")
  end
  local number = double_of(t, v, "int")
  if number ~= number or number >= 2147483648 or number <= -2147483649 then
    overflow("int")
  end
  return 16, number < 0 and math.ceil(number) or math.floor(number)
end

function TO.long(t, v)
  if t == 18 or t == 9 then
    return 18, v
  elseif t == 2 then
    return 18, int64_of_text(v)
  end
  local number = double_of(t, v, "long")
  if number ~= number or number >= 2 ^ 63 or number < -2 ^ 63 then
    overflow("long")
  end
  return 18, int64_t(number < 0 and math.ceil(number) or math.floor(number))
end

function TO.bool(t, v)
  return 8, bson.truth(t, v)
end

function TO.string(t, v)
  return 2, convert.to_text(t, v)
end

local function oid_time(v)
  local a, b, c, d = v:byte(1, 4)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

function TO.date(t, v)
  if t == 9 then
    return t, v
  elseif t == 7 then
    return 9, int64_t(oid_time(v) * 1000)
  elseif t == 17 then
    return 9, int64_t(ffi.cast("const uint32_t *", v)[1]) * 1000
  elseif t == 2 then
    local moment = calendar.parse(v)
    return 9, int64_t(moment or fail_text(v, "date"))
  elseif t == 1 or t == 18 or t == 19 then
    local _, milliseconds = TO.long(t, v)
    return 9, milliseconds
  end
  fail(t, "date")
end

function TO.objectId(t, v)
  if t == 7 then
    return t, v
  elseif t ~= 2 then
    fail(t, "objectId")
  elseif #v ~= 24 or v:find("[^%x]") then
    fail_text(v, "objectId")
  end
  return 7, (v:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

function TO.decimal(t, v)
  if t == 19 then
    return t, v
  end
  errors.unsupported("a conversion to Decimal128")
end

--- Converts a value to the type of a name ("int", "string", ...); raises 241 when it cannot be.
function convert.to(name, t, v)
  local to = TO[name]
  if not to then
    errors.raise(2, "Unknown type name: " .. name)
  end
  return to(t, v)
end

convert.names = { "double", "int", "long", "bool", "string", "date", "objectId", "decimal" }

return convert
