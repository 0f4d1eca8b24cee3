-- The types of BSON that Lua lacks, and what can be asked of documents.
--
-- Documents that come from the database are views: read them like tables (doc.name, doc.list[1],
-- #doc.list, pairs, ipairs); they cannot be changed, and written back they are the same bytes.

local core = require "moonlit.core.bson"

---The types of BSON that Lua lacks, and what can be asked of documents.
---
---The fields of a table are written in the order of their names, so that equal tables are equal
---documents; bson.doc says another order.
---
---A number is written as int32, int64 or double, whichever is the first that holds it: 3 as int32,
---also when it was read as 3.0. bson.double and bson.int64 say the type, and a document that is
---written back as it came keeps every byte. What cannot be written is refused with its place.
local bson = {}

---A document or list from the database, or of bson.doc: reads like a table, cannot be changed.
---@class moonlit.Document
---@field [string] any

---An ObjectId: equal ones are ==, < is their order in time, tostring gives the 24 digits (which to
---use as a table key).
---@class moonlit.ObjectId
---@field hex fun(self): string
---@field time fun(self): number seconds since 1970

---A point in time, in milliseconds since 1970.
---@class moonlit.Date
---@field ms fun(self): integer
---@field seconds fun(self): number
---@field parts fun(self): table year, month, day, hour, min, sec, ms in UTC

---Bytes with a subtype.
---@class moonlit.Binary
---@field data fun(self): string
---@field subtype fun(self): integer

---A decimal number of 34 digits; tostring gives them all.
---@class moonlit.Decimal128
---@field number fun(self): number the nearest double

---A number that is written as int64.
---@class moonlit.Int64
---@field number fun(self): number the same as a plain number

---A number that is written as double.
---@class moonlit.Double
---@field number fun(self): number the same as a plain number

---A regular expression of the database.
---@class moonlit.Regex
---@field pattern fun(self): string
---@field options fun(self): string

---The internal time stamp of replica sets.
---@class moonlit.Timestamp
---@field time fun(self): integer seconds since 1970
---@field increment fun(self): integer

---JavaScript source.
---@class moonlit.Code
---@field source fun(self): string
---@field scope fun(self): moonlit.Document only of code that has one

---The value that JSON calls null. Writing nil leaves a field out; this one puts null in.
bson.null = core.null
---Found in old data only.
bson.undefined = core.undefined
---Before all other values.
bson.minkey = core.minkey
---Behind all other values.
bson.maxkey = core.maxkey

---Raise what a function of core refused, at the script's line: whoever calls this returns what it
---gives, and a function that returns a call has left the stack.
local function checked(name, value, problem)
  if value == nil then error(name .. ": " .. problem, 2) end
  return value
end

local function expect(name, value, kind, example)
  if type(value) ~= kind then
    error(("%s: expected a %s, got a %s; write %s"):format(name,
      kind == "string" and "text" or kind, type(value), example), 3)
  end
end

---A new ObjectId, or the one that 24 hexadecimal digits name.
---@param hex string? a new one by default
---@return moonlit.ObjectId
function bson.oid(hex)
  return checked("bson.oid", core.oid(hex))
end

-- Days from 1970-01-01 to a date of the Gregorian calendar.
local function days_of(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = math.floor(year / 400)
  local year_of_era = year - era * 400
  local day_of_year = math.floor((153 * (month + (month > 2 and -3 or 9)) + 2) / 5) + day - 1
  local day_of_era = year_of_era * 365 + math.floor(year_of_era / 4)
    - math.floor(year_of_era / 100) + day_of_year
  return era * 146097 + day_of_era - 719468
end

local function ms_of(parts)
  local function part(name, default, least, most)
    local value = parts[name]
    if value == nil then value = default end
    if type(value) ~= "number" or value < least or value > most or value % 1 ~= 0 then
      error(("bson.date: %s must be a whole number from %d to %d, got %s; write bson.date{ year = "
        .. "2024, month = 12, day = 31 }"):format(name, least, most, tostring(value)), 4)
    end
    return value
  end
  local days = days_of(part("year", nil, -100000, 100000), part("month", 1, 1, 12),
    part("day", 1, 1, 31))
  local seconds = part("hour", 0, 0, 23) * 3600 + part("min", 0, 0, 59) * 60 + part("sec", 0, 0, 60)
  return (days * 86400 + seconds) * 1000 + part("ms", 0, 0, 999)
end

-- "2024-12-31", "2024-12-31T23:59:59.123Z", "2024-12-31 23:59+02:00"
local function parse_date(text)
  local year, month, day, rest = text:match("^(%d%d%d%d)-(%d%d)-(%d%d)(.*)$")
  if not year then return nil end
  local parts = { year = tonumber(year), month = tonumber(month), day = tonumber(day) }
  if parts.month < 1 or parts.month > 12 or parts.day < 1 or parts.day > 31 then return nil end
  if rest == "" then return ms_of(parts) end
  local hour, min, tail = rest:match("^[T ](%d%d):(%d%d)(.*)$")
  if not hour then return nil end
  local sec, after = tail:match("^:(%d%d)(.*)$")
  local fraction, zone = (after or tail):match("^%.(%d+)(.*)$")
  if fraction and not sec then return nil end
  zone = zone or after or tail
  parts.hour, parts.min, parts.sec = tonumber(hour), tonumber(min), tonumber(sec or 0)
  if parts.hour > 23 or parts.min > 59 or parts.sec > 60 then return nil end
  parts.ms = fraction and tonumber((fraction .. "00"):sub(1, 3)) or 0
  local ms = ms_of(parts)
  if zone == "" or zone == "Z" then return ms end
  local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d%d)$")
  if not sign then return nil end
  local offset = (tonumber(hours) * 60 + tonumber(minutes)) * 60000
  return sign == "+" and ms - offset or ms + offset
end

---A date: now, from milliseconds since 1970, from parts in UTC, or from a text such as
---"2024-12-31T23:59:59Z".
---@param value number|table|string? parts: { year = 2024, month = 12, day = 31 }; now by default
---@return moonlit.Date
function bson.date(value)
  if type(value) == "table" then
    value = ms_of(value)
  elseif type(value) == "string" then
    local ms = parse_date(value)
    if not ms then
      error(("bson.date: %q is not a date; write it as \"2024-12-31\" or \"2024-12-31T23:59:59Z\"")
        :format(value), 2)
    end
    value = ms
  elseif type(value) == "number" then
    value = value < 0 and math.ceil(value) or math.floor(value)
  end
  return checked("bson.date", core.date(value))
end

---Bytes, which need not be text.
---@param data string
---@param subtype integer? 0 by default; 128 to 255 are your own
---@return moonlit.Binary
function bson.binary(data, subtype)
  expect("bson.binary", data, "string", "bson.binary(\"bytes\")")
  return checked("bson.binary", core.binary(data, subtype))
end

---A UUID (binary of subtype 4): a new random one, or the one that a text names.
---@param text string? 32 hexadecimal digits, with dashes or without; a new one by default
---@return moonlit.Binary
function bson.uuid(text)
  return checked("bson.uuid", core.uuid(text))
end

---A decimal number of up to 34 digits, exact.
---@param text string|number "19.90"
---@return moonlit.Decimal128
function bson.decimal(text)
  if type(text) == "number" then text = ("%.15g"):format(text) end
  expect("bson.decimal", text, "string", "bson.decimal(\"19.90\")")
  return checked("bson.decimal", core.decimal(text))
end

---A regular expression of the database (not a Lua pattern).
---@param pattern string without NUL
---@param options string? letters of "ilmsux"; none by default
---@return moonlit.Regex
function bson.regex(pattern, options)
  expect("bson.regex", pattern, "string", "bson.regex(\"^a\", \"i\")")
  return checked("bson.regex", core.regex(pattern, options))
end

---The internal time stamp of replica sets; for times use bson.date.
---@param time integer seconds since 1970
---@param increment integer? 0 by default
---@return moonlit.Timestamp
function bson.timestamp(time, increment)
  expect("bson.timestamp", time, "number", "bson.timestamp(seconds, increment)")
  return checked("bson.timestamp", core.timestamp(time, increment))
end

---JavaScript source, with a scope document if given.
---@param source string
---@param scope table? none by default
---@return moonlit.Code
function bson.code(source, scope)
  expect("bson.code", source, "string", "bson.code(\"function() ... end\")")
  return checked("bson.code", core.code(source, scope))
end

---Found in old data only.
---@param text string
---@return userdata
function bson.symbol(text)
  expect("bson.symbol", text, "string", "bson.symbol(\"name\")")
  return checked("bson.symbol", core.symbol(text))
end

---Found in old data only.
---@param collection string
---@param id moonlit.ObjectId
---@return userdata
function bson.dbpointer(collection, id)
  expect("bson.dbpointer", collection, "string", "bson.dbpointer(\"collection\", id)")
  return checked("bson.dbpointer", core.dbpointer(collection, id))
end

---A whole number that is written as int64. Beyond 2^53 pass the digits as a text; the result is
---then an int64 such as 9007199254740993LL, with which Lua counts exactly.
---@param value number|string
---@return moonlit.Int64|integer
function bson.int64(value)
  return checked("bson.int64", core.int64(value))
end

---A whole number within int32: the number itself, checked.
---@param value number
---@return number
function bson.int32(value)
  if type(value) ~= "number" or value % 1 ~= 0 or value < -2147483648 or value > 2147483647 then
    error("bson.int32: expected a whole number from -2147483648 to 2147483647, got "
      .. tostring(value), 2)
  end
  return value
end

---A number that is written as double even when it is whole.
---@param value number
---@return moonlit.Double
function bson.double(value)
  expect("bson.double", value, "number", "bson.double(3)")
  return core.double(value)
end

---A document with its fields in this order: bson.doc{ {"a", 1}, {"b", 2} }. It cannot be changed.
---@param pairs table[] pairs of name and value; a pair without a value is left out
---@return moonlit.Document
function bson.doc(pairs)
  expect("bson.doc", pairs, "table", "bson.doc{ {\"a\", 1}, {\"b\", 2} }")
  for name in next, pairs do
    if type(name) ~= "number" then
      error(("bson.doc: write pairs, bson.doc{ {%q, value} }: a table with names has no order")
        :format(tostring(name)), 2)
    end
  end
  return checked("bson.doc", core.doc(pairs))
end

---A list that is written as an array also when it is empty. It is a plain table otherwise.
---@param list table? the items; they are copied
---@return table
function bson.array(list)
  local copy = {}
  if list ~= nil then
    if core.is_view(list) == "array" then
      return core.totable(list)
    end
    expect("bson.array", list, "table", "bson.array{ 1, 2, 3 }")
    for key, value in next, list do copy[key] = value end
  end
  return core.array(copy)
end

---True for arrays from the database and for those of bson.array.
---@param value any
---@return boolean
function bson.is_array(value)
  return core.is_array(value)
end

---A copy of a document as tables, all the way down, which can be changed. Lists in it stay arrays;
---numbers are plain ones, so 3.0 is written back as 3. Other values come back as they are.
---@generic T
---@param document T
---@return T
function bson.totable(document)
  return core.totable(document)
end

local function check_document(name, document)
  if not core.is_view(document) then
    error(("%s: expected a document from the database or of bson.doc, got a %s")
      :format(name, type(document)), 3)
  end
end

---The names of a document's fields, in their order.
---@param document moonlit.Document
---@return string[]
function bson.keys(document)
  check_document("bson.keys", document)
  return core.keys(document)
end

---The bytes of a document, as BSON.
---@param document moonlit.Document|table
---@return string
function bson.bytes(document)
  if core.is_view(document) then return core.bytes(document) end
  return checked("bson.bytes", core.encode(document))
end

---The document that bytes of BSON hold.
---@param bytes string
---@return moonlit.Document
function bson.from_bytes(bytes)
  expect("bson.from_bytes", bytes, "string", "bson.from_bytes(text)")
  return checked("bson.from_bytes", core.decode(bytes))
end

---The type of a document's field as the database names it ("int", "long", "double", "string",
---"objectId", "date", ...), nil when there is no such field; or, without a name, the type that a
---value would be written as.
---@param value any
---@param field string?
---@return string?
function bson.type(value, field)
  if field ~= nil then
    check_document("bson.type", value)
    expect("bson.type", field, "string", "bson.type(doc, \"name\")")
    return (core.kind(value, field))
  end
  local kind, problem = core.kind(value)
  if problem then error("bson.type: " .. problem, 2) end
  return kind
end

---A value as MongoDB's extended JSON.
---@param value any
---@param options { canonical: boolean }? canonical: say every type; false by default
---@return string
function bson.json(value, options)
  return checked("bson.json", core.json(value, options and options.canonical))
end

---The value that a text of JSON holds; documents and lists as if they came from the database.
---@param text string
---@return any
function bson.from_json(text)
  expect("bson.from_json", text, "string", "bson.from_json(\"{...}\")")
  local value, problem = core.from_json(text)
  if problem then error("bson.from_json: " .. problem, 2) end
  return value
end

return bson
