--- Strings: bytes and code points (UTF-8).
local bson = require "store.bson"
local errors = require "store.errors"
local regex = require "store.regex"
local support = require "store.expression_support"

local nothing = support.nothing

-- The byte at which the code point number `n` (from 0) begins, at most one past the end.
local function byte_of(text, n)
  local at = 1
  while n > 0 and at <= #text do
    at = at + 1
    while at <= #text do
      local byte = text:byte(at)
      if byte < 128 or byte > 191 then
        break
      end
      at = at + 1
    end
    n = n - 1
  end
  return at
end

local function length(text)
  return #text - #(text:gsub("[^\128-\191]+", ""))
end

-- Numbers and dates become text where the server lets them ($toLower, $substr).
local function lenient(name, t, v)
  if nothing(t) then
    return ""
  elseif t == 2 or t == 14 or t == 13 then
    return v
  elseif t == 16 or t == 1 or t == 18 or t == 9 then
    return require("store.convert").to_text(t, v)
  end
  errors.raise(16007, string.format("can't convert from BSON type %s to String for %s",
    bson.type_name(t), name))
end

local function text_only(name, code, t, v)
  if t ~= 2 then
    errors.raise(code, string.format("%s requires a string argument, found: %s", name,
      bson.type_name(t)))
  end
  return v
end

local LIMIT_TEXT = 16 * 1024 * 1024 -- no longer one fits a document

local function check_length(name, bytes)
  if bytes > LIMIT_TEXT then
    errors.raise(10334,
      name .. " would make a text larger than the limit of " .. LIMIT_TEXT .. " bytes")
  end
end

local function concat(list)
  return function(p, doc)
    local parts, bytes = {}, 0
    for i = 1, #list do
      local t, v = list[i](p, doc)
      if nothing(t) then
        return 10, nil
      elseif t ~= 2 then
        errors.raise(16702, "$concat only supports strings, not " .. bson.type_name(t))
      end
      parts[i], bytes = v, bytes + #v
      check_length("$concat", bytes)
    end
    return 2, table.concat(parts)
  end
end

local function substring_bytes(name)
  return function(_, t, v, from_t, from_v, count_t, count_v)
    local text = lenient(name, t, v)
    local from = support.whole(name, 16034, from_t, from_v)
    local count = support.whole(name, 16035, count_t, count_v)
    if from < 0 then
      errors.raise(50752, name .. ": the starting index must not be negative")
    end
    local part = count < 0 and text:sub(from + 1) or text:sub(from + 1, from + count)
    local after = count >= 0 and text:byte(from + count + 1)
    if part:find("^[\128-\191]") or (after and after >= 128 and after < 192 and part ~= "") then
      errors.raise(28656, name ..
        ": the range ends in the middle of a UTF-8 character; write $substrCP")
    end
    return 2, part
  end
end

local function substring_points(_, t, v, from_t, from_v, count_t, count_v)
  local text = lenient("$substrCP", t, v)
  local from = support.whole("$substrCP", 34450, from_t, from_v)
  local count = support.whole("$substrCP", 34452, count_t, count_v)
  if from < 0 or count < 0 then
    errors.raise(34454, "$substrCP: starting index and length must not be negative")
  end
  local first = byte_of(text, from)
  local rest = text:sub(first)
  return 2, rest:sub(1, byte_of(rest, count) - 1)
end

local SPACES = { [" "] = true, ["\t"] = true, ["\n"] = true, ["\r"] = true, ["\f"] = true,
  ["\v"] = true, ["\0"] = true }

local function set_of(chars)
  local set = {}
  for char in chars:gmatch("[%z\1-\127\194-\244][\128-\191]*") do
    set[char] = true
  end
  return set
end

local function trim_left(text, set)
  while true do
    local char = text:match("^[%z\1-\127\194-\244][\128-\191]*")
    if not char or not set[char] then
      return text
    end
    text = text:sub(#char + 1)
  end
end

local function trim_right(text, set)
  while true do
    local char = text:match("[%z\1-\127\194-\244][\128-\191]*$")
    if not char or not set[char] then
      return text
    end
    text = text:sub(1, #text - #char)
  end
end

local function trim(expression, name, left, right)
  support.named(expression, name, { "input" }, { "chars" }, function(named)
    return function(p, doc)
      local t, v = named.input(p, doc)
      local chars_t, chars_v = 2, nil
      if named.chars then
        chars_t, chars_v = named.chars(p, doc)
      end
      if nothing(t) or nothing(chars_t) then
        return 10, nil
      end
      local text = text_only(name, 50699, t, v)
      local set = named.chars and set_of(text_only(name, 50700, chars_t, chars_v)) or SPACES
      text = left and trim_left(text, set) or text
      return 2, right and trim_right(text, set) or text
    end
  end)
end

local function split(t1, v1, t2, v2)
  if nothing(t1) or nothing(t2) then
    return 10, nil
  end
  local text, separator = text_only("$split", 40085, t1, v1), text_only("$split", 40086, t2, v2)
  if separator == "" then
    errors.raise(40087, "$split requires a non-empty separator")
  end
  local list, at = support.list(), 1
  while true do
    local first, last = text:find(separator, at, true)
    list.put(2, text:sub(at, (first or #text + 1) - 1))
    if not first then
      return list.finish()
    end
    at = last + 1
  end
end

local function index_of(name, points)
  return function(count, t1, v1, t2, v2, from_t, from_v, to_t, to_v)
    if nothing(t1) then
      return 10, nil
    end
    local text, wanted = text_only(name, 40091, t1, v1), text_only(name, 40092, t2, v2)
    local from = count > 2 and support.whole(name, 40096, from_t, from_v) or 0
    local to = count > 3 and support.whole(name, 40096, to_t, to_v) or math.huge
    if from < 0 or to < 0 then
      errors.raise(40097, name .. ": indexes must not be negative")
    end
    local first = points and byte_of(text, from) or from + 1
    local last = points and to ~= math.huge and byte_of(text, to) - 1 or math.min(to, #text)
    local found, ends = text:find(wanted, first, true)
    if not found or from > #text or ends > last or to < from then
      return 16, -1
    end
    return 16, points and length(text:sub(1, found - 1)) or found - 1
  end
end

local function replace(expression, name, all)
  support.named(expression, name, { "input", "find", "replacement" }, {}, function(named)
    return function(p, doc)
      local t1, text = named.input(p, doc)
      local t2, wanted = named.find(p, doc)
      local t3, by = named.replacement(p, doc)
      if nothing(t1) or nothing(t2) or nothing(t3) then
        return 10, nil
      end
      text_only(name, 51746, t1)
      text_only(name, 51745, t2)
      text_only(name, 51744, t3)
      local parts, at, bytes = {}, 1, #text
      local first, last = text:find(wanted, 1, true)
      while first do
        parts[#parts + 1] = text:sub(at, first - 1) .. by
        bytes = bytes + #by
        check_length(name, bytes)
        at = last + 1
        local again = math.max(at, first + 1)
        first, last = nil, nil
        if all and again <= #text + 1 then
          first, last = text:find(wanted, again, true)
        end
      end
      return 2, table.concat(parts) .. text:sub(at)
    end
  end)
end

local function regex_match(expression)
  support.named(expression, "$regexMatch", { "input", "regex" }, { "options" }, function(named)
    local compiled = {}
    return function(p, doc)
      local t, text = named.input(p, doc)
      local regex_t, pattern = named.regex(p, doc)
      local options = ""
      if named.options then
        options = select(2, named.options(p, doc)) or ""
      end
      if nothing(t) or nothing(regex_t) then
        return 8, false
      elseif regex_t == 11 then
        local own
        pattern, own = regex.parts(pattern)
        options = own .. options
      end
      text_only("$regexMatch", 51104, t)
      local id = options .. "\0" .. pattern
      if compiled.id ~= id then
        compiled.id, compiled.test = id, regex.compile(pattern, options)
      end
      return 8, compiled.test(text)
    end
  end)
end

local function sizes(expression)
  support.unary(expression, "$strLenBytes", function(t, v)
    return 16, #text_only("$strLenBytes", 34473, t, v)
  end)
  support.unary(expression, "$strLenCP", function(t, v)
    return 16, length(text_only("$strLenCP", 34471, t, v))
  end)
end

return function(expression)
  support.fold(expression, "$concat", 0, concat)
  support.few(expression, "$substr", 3, 3, substring_bytes("$substr"))
  support.few(expression, "$substrBytes", 3, 3, substring_bytes("$substrBytes"))
  support.few(expression, "$substrCP", 3, 3, substring_points)
  support.unary(expression, "$toLower", function(t, v) return 2,
    lenient("$toLower", t, v):lower() end)
  support.unary(expression, "$toUpper", function(t, v) return 2,
    lenient("$toUpper", t, v):upper() end)
  support.binary(expression, "$strcasecmp", function(t1, v1, t2, v2)
    local a, b = lenient("$strcasecmp", t1, v1):lower(), lenient("$strcasecmp", t2, v2):lower()
    return 16, a < b and -1 or (a > b and 1 or 0)
  end)
  support.binary(expression, "$split", split)
  support.few(expression, "$indexOfBytes", 2, 4, index_of("$indexOfBytes", false))
  support.few(expression, "$indexOfCP", 2, 4, index_of("$indexOfCP", true))
  trim(expression, "$trim", true, true)
  trim(expression, "$ltrim", true, false)
  trim(expression, "$rtrim", false, true)
  replace(expression, "$replaceOne", false)
  replace(expression, "$replaceAll", true)
  sizes(expression)
  regex_match(expression)
end
