--- Documents as text, for tests: read and shown in one notation that keeps the types.
---   {a: 1, b: 1.0, c: long(5), d: "x", e: null, f: [1, 2], g: true, h: date(0), i: oid("00..."),
---    j: dec("1.5"), k: /x/i, l: undefined, m: bin("ff"), n: minkey, o: maxkey, p: ts(1, 2), inf, nan}
--- 1 is an int32, 1.0 a double.
local ffi = require "ffi"
local bson = require "store.bson"
local decimal = require "store.decimal"

local notation = {}

-- ---- reading ------------------------------------------------------------------------------------

local WORDS = {
  null = bson.null, ["true"] = bson.box(8, true), ["false"] = bson.box(8, false), undefined = bson.box(6),
  minkey = bson.min_key, maxkey = bson.max_key, nan = bson.double(0 / 0), inf = bson.double(math.huge),
}

local function unhex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- Sixteen bytes of a Decimal128 whose coefficient is below 2^53.
local function decimal_bytes(text)
  if text == "NaN" then
    return ("\0"):rep(15) .. "\124"
  elseif text == "Infinity" or text == "-Infinity" then
    return ("\0"):rep(15) .. (text == "Infinity" and "\120" or "\248")
  end
  local sign, whole, fraction, exponent = text:match("^(-?)(%d*)%.?(%d*)[eE]?([-+]?%d*)$")
  local power = (tonumber(exponent) or 0) - #fraction + 6176
  local parts = ffi.new("uint64_t[2]", tonumber(whole .. fraction), ffi.cast("uint64_t", power) * 2 ^ 49)
  local bytes = ffi.string(parts, 16)
  return sign == "" and bytes or bytes:sub(1, 15) .. string.char(bytes:byte(16) + 128)
end

local function int64(text)
  return bson.box(18, assert(loadstring("return " .. text .. "LL"))())
end

local CALLS = {
  long = function(text)
    if text == "-9223372036854775808" then
      return bson.box(18, -9223372036854775807LL - 1)
    end
    return int64(text)
  end,
  date = function(text) return bson.date(tonumber(text)) end,
  oid = function(text) return bson.oid(unhex(text:match("%x+"))) end,
  dec = function(text) return bson.box(19, decimal_bytes(text:match('"(.*)"'))) end,
  bin = function(text) return bson.binary(unhex(text:match('"(.*)"'))) end,
  ts = function(text)
    local seconds, increment = text:match("(%d+), *(%d+)")
    return bson.timestamp(tonumber(seconds), tonumber(increment))
  end,
  sym = function(text) return bson.box(14, text:match('"(.*)"')) end,
  code = function(text) return bson.box(13, text:match('"(.*)"')) end,
}

local parse

local function skip(text, at)
  return text:find("[^%s,]", at) or #text + 1
end

local function parse_document(text, at)
  local fields = {}
  at = skip(text, at + 1)
  while text:sub(at, at) ~= "}" do
    local name, after = text:match('^"([^"]*)"%s*:()', at)
    if not name then
      name, after = text:match("^([^%s:]+)%s*:()", at)
    end
    assert(name, "a name is missing at " .. text:sub(at))
    local value
    value, at = parse(text, after)
    fields[#fields + 1] = { name, value }
    at = skip(text, at)
  end
  return bson.build_value(fields), at + 1
end

local function parse_array(text, at)
  local values = {}
  at = skip(text, at + 1)
  while text:sub(at, at) ~= "]" do
    values[#values + 1], at = parse(text, at)
    at = skip(text, at)
  end
  return bson.list(values), at + 1
end

function parse(text, at)
  at = skip(text, at)
  local first = text:sub(at, at)
  if first == "{" then
    return parse_document(text, at)
  elseif first == "[" then
    return parse_array(text, at)
  elseif first == '"' then
    local inner, after = text:match('^"([^"]*)"()', at)
    return bson.box(2, inner), after
  elseif first == "/" then
    local pattern, options, after = text:match("^/([^/]*)/(%a*)()", at)
    return bson.box(11, pattern .. "\0" .. options .. "\0"), after
  end
  local name, inner, after = text:match("^(%a+)(%b())()", at)
  if name then
    return assert(CALLS[name], name)(inner:sub(2, -2)), after
  end
  local word, behind = text:match("^(%a+)()", at)
  if word then
    return assert(WORDS[word], word), behind
  end
  local number, past = text:match("^([-+.%deE]+)()", at)
  if number == "-" then
    return bson.double(-math.huge), text:match("^-inf()", at)
  end
  return bson.box(number:find("[.eE]") and 1 or 16, assert(tonumber(number), text:sub(at))), past
end

--- One value of the notation, boxed.
function notation.value(text)
  return (parse(text, 1))
end

--- The bytes of a document or array.
function notation.read(text)
  return notation.value(text).v
end

-- ---- showing ------------------------------------------------------------------------------------

local function hex(bytes)
  return (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
end

local function double(v)
  if v ~= v then
    return "nan"
  elseif v == math.huge or v == -math.huge then
    return v > 0 and "inf" or "-inf"
  end
  local text = string.format("%.15g", v)
  if tonumber(text) ~= v then
    text = string.format("%.17g", v)
  end
  return text:find("[.e]") and text or text .. ".0"
end

local show

local function show_elements(v, named)
  local parts = {}
  for name, t, inner in bson.each(v) do
    parts[#parts + 1] = (named and name .. ": " or "") .. show(t, inner)
  end
  return table.concat(parts, ", ")
end

local SHOW = {
  [0] = function() return "missing" end,
  [1] = double,
  [2] = function(v) return '"' .. v .. '"' end,
  [3] = function(v) return "{" .. show_elements(v, true) .. "}" end,
  [4] = function(v) return "[" .. show_elements(v, false) .. "]" end,
  [5] = function(v) return 'bin("' .. hex(v:sub(6)) .. '")' end,
  [6] = function() return "undefined" end,
  [7] = function(v) return 'oid("' .. hex(v) .. '")' end,
  [8] = tostring,
  [9] = function(v) return "date(" .. tostring(v):gsub("LL", "") .. ")" end,
  [10] = function() return "null" end,
  [11] = function(v) return "/" .. v:gsub("%z", "/", 1):gsub("%z", "") end,
  [13] = function(v) return 'code("' .. v .. '")' end,
  [14] = function(v) return 'sym("' .. v .. '")' end,
  [16] = function(v) return string.format("%d", v) end,
  [17] = function(v)
    local parts = ffi.cast("const uint32_t *", v)
    return string.format("ts(%d, %d)", parts[1], parts[0])
  end,
  [18] = function(v) return "long(" .. tostring(v):gsub("LL", "") .. ")" end,
  [19] = function(v) return 'dec("' .. decimal.text(v) .. '")' end,
  [127] = function() return "maxkey" end,
  [255] = function() return "minkey" end,
}

function show(t, v)
  return SHOW[t](v)
end

--- The text of a value; of a document when only its bytes are given.
function notation.show(t, v)
  if type(t) == "string" then
    return show(3, t)
  end
  return show(t, v)
end

return notation
