--- BSON as the query language sees it. A document is a Lua string of validated bytes; what is read
--- from it is read where it lies, through a pointer, and its bounds are known because it was
--- validated when it came in.
---
--- A value is a pair (type, payload): the type is BSON's type byte, or bson.MISSING (0). Payloads:
---   double, int32        a Lua number
---   int64, date          an int64_t cdata (a date counts milliseconds)
---   string, code, symbol a Lua string
---   boolean              true or false
---   missing, null, undefined, min key, max key    nil
---   document, array      their BSON bytes, a Lua string
---   all others           the bytes of the payload as they stand in the document, a Lua string
---                        (ObjectId: 12 bytes; binary: length, subtype, bytes)
--- Missing, null and undefined are three things: look at the type, never at the payload.
---
--- A boxed value {t=, v=} is the same pair in a table, for bson.build and for constants.
--- Who takes bson.pointer(doc) names doc behind its last use; store.raw says why.
local ffi = require "ffi"
local raw = require "store.raw"
local writer = require "store.writer"
local compare = require "store.compare"
local key = require "store.key"

local bson = {}
for name, value in pairs(raw) do
  bson[name] = value
end

bson.writer = writer.new
bson.INDEX = writer.INDEX
bson.compare = compare.values
bson.equal = compare.equal
bson.key = key.encode

local int64_t = ffi.typeof("int64_t")
local find, value_at = raw.find, raw.value

--- The bytes of the empty document and of the empty array.
bson.EMPTY = "\5\0\0\0\0"

-- ---- reading ------------------------------------------------------------------------------------

--- The field `name` of a document.
---@return integer type, any payload
function bson.get(doc, name)
  local t, v = raw.read(raw.pointer(doc), 0, name)
  local _ = doc -- lives up to here
  return t, v
end

--- Loops over a document's fields: for name, t, v in bson.each(doc).
function bson.each(doc)
  local p = raw.pointer(doc)
  local i = 4
  return function()
    local t, o, following = raw.step(p, i)
    if t == 0 then
      return nil
    end
    local name = raw.name(p, i)
    i = following
    local _, v = value_at(p, t, o)
    -- The document goes along so that it lives as long as the loop does.
    return name, t, v, doc
  end
end

--- The elements of an array's or document's bytes as a list of boxed values, with their names.
---@return { t: integer, v: any, name: string }[]
function bson.elements(bytes)
  local list = {}
  for name, t, v in bson.each(bytes) do
    list[#list + 1] = { t = t, v = v, name = name }
  end
  return list
end

--- The number of elements of a document's or array's bytes.
---@return integer
function bson.length(bytes)
  local n = raw.count(raw.pointer(bytes), 0)
  local _ = bytes -- lives up to here
  return n
end

--- The value at a dotted path, without looking into arrays.
---@return integer type, any payload
function bson.path(doc, path)
  local p, o = raw.pointer(doc), 0
  local t, v = 3, nil
  for name in path:gmatch("[^.]+") do
    if t ~= 3 then
      return 0, nil
    end
    t, o = find(p, o, name)
  end
  if t ~= 0 then
    t, v = value_at(p, t, o)
  end
  local _ = doc -- lives up to here
  return t, v
end

--- Splits a dotted path: "a.b" is {"a", "b"}.
---@return string[]
function bson.split(path)
  local parts = {}
  for part in (path .. "."):gmatch("([^.]*)%.") do
    parts[#parts + 1] = part
  end
  return parts
end

--- Whether a type is a number.
function bson.is_number(t)
  return t == 16 or t == 1 or t == 18 or t == 19
end

--- An int32, int64 or double as a Lua number, else nil. An int64 beyond 2^53 loses digits.
---@return number?
function bson.number(t, v)
  if t == 16 or t == 1 then
    return v
  elseif t == 18 then
    return tonumber(v)
  end
  return nil
end

--- What the server takes for true: all but false, null, undefined, missing and a number's zero.
---@return boolean
function bson.truth(t, v)
  if t == 8 then
    return v
  elseif t == 0 or t == 10 or t == 6 then
    return false
  elseif t == 16 or t == 1 or t == 18 then
    return v ~= 0
  elseif t == 19 then
    return compare.numbers(19, v, 16, 0) ~= 0
  end
  return true
end

local NAMES = {
  [0] = "missing", "double", "string", "object", "array", "binData", "undefined", "objectId",
    "bool", "date", "null",
  "regex", "dbPointer", "javascript", "symbol", "javascriptWithScope", "int", "timestamp", "long",
    "decimal",
  [127] = "maxKey", [255] = "minKey",
}

--- The server's name of a type: "int", "objectId".
function bson.type_name(t)
  return NAMES[t]
end

-- ---- making -------------------------------------------------------------------------------------

local function box(t, v)
  return { t = t, v = v }
end
bson.box = box

bson.null = box(10)
bson.min_key = box(255)
bson.max_key = box(127)

---@param number number
function bson.double(number) return box(1, number) end

---@param number number
function bson.int32(number) return box(16, number) end

---@param number number|integer
function bson.int64(number) return box(18, int64_t(number)) end

---@param milliseconds number|integer since 1970
function bson.date(milliseconds) return box(9, int64_t(milliseconds)) end

---@param bytes string
function bson.document(bytes) return box(3, bytes) end

---@param bytes string
function bson.array(bytes) return box(4, bytes) end

--- Binary data of a subtype (0 when not said).
function bson.binary(bytes, subtype)
  local length = ffi.new("int32_t[1]", #bytes)
  return box(5, ffi.string(length, 4) .. string.char(subtype or 0) .. bytes)
end

--- A timestamp from its seconds and increment.
function bson.timestamp(seconds, increment)
  local parts = ffi.new("uint32_t[2]", increment, seconds)
  return box(17, ffi.string(parts, 8))
end

local counter, process_part

-- Four bytes of time, five random ones of this process, three of a counter.
local function new_oid_bytes(now)
  if not process_part then
    local random = assert(io.open("/dev/urandom", "rb"))
    process_part = random:read(5)
    local a, b, c = random:read(3):byte(1, 3)
    counter = a * 65536 + b * 256 + c
    random:close()
  end
  counter = (counter + 1) % 16777216
  return string.char(math.floor(now / 16777216) % 256, math.floor(now / 65536) % 256,
    math.floor(now / 256) % 256,
    now % 256) .. process_part ..
    string.char(math.floor(counter / 65536), math.floor(counter / 256) % 256, counter % 256)
end

--- An ObjectId: a new one, or from its 12 bytes.
function bson.oid(bytes)
  return box(7, bytes or new_oid_bytes(os.time()))
end

-- A whole number goes out as int32 where it fits, else as int64; a fraction as double.
local function box_number(number)
  if number ~= math.floor(number) or number >= 2 ^ 63 or number < -2 ^ 63 then
    return 1, number
  elseif number >= -2147483648 and number <= 2147483647 then
    return 16, number
  end
  return 18, int64_t(number)
end

--- A Lua value or a boxed one as a pair.
---@return integer type, any payload
local function unbox(value)
  local kind = type(value)
  if kind == "table" then
    return value.t, value.v
  elseif kind == "string" then
    return 2, value
  elseif kind == "number" then
    return box_number(value)
  elseif kind == "boolean" then
    return 8, value
  elseif kind == "cdata" then
    return 18, int64_t(value)
  end
  error("bson.build takes strings, numbers, booleans and boxed values, not " .. kind, 3)
end
bson.unbox = unbox

--- Builds a document from a list of {name, value}; an absent value leaves its field out.
---@return string bytes
function bson.build(pairs_list)
  local w = writer.new():reset()
  for _, pair in ipairs(pairs_list) do
    if pair[2] ~= nil then
      w:put(pair[1], unbox(pair[2]))
    end
  end
  return w:finish()
end

--- A boxed document from a list of {name, value}.
function bson.build_value(pairs_list)
  return box(3, bson.build(pairs_list))
end

--- A boxed array from a list of values.
function bson.list(values)
  local w = writer.new():reset()
  for i, value in ipairs(values) do
    w:put(writer.INDEX[i - 1], unbox(value))
  end
  return box(4, w:finish())
end

return bson
