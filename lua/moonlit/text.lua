-- The string library of scripts: patterns count their steps, gsub and gmatch call functions from
-- Lua (which may wait), and rep has a limit.

local pattern = require "moonlit.core.pattern"
local script = require "moonlit.core.script"

local raw_find, raw_format, raw_rep = string.find, string.format, string.rep
local byte, sub = string.byte, string.sub
local concat = table.concat
local core_find, core_match, core_gsub = pattern.find, pattern.match, pattern.gsub
local match_at, match_here = pattern.match_at, pattern.match_here
local tick = script.helpers()
local LIMIT = script.string_limit
local LARGE = script.work_unseen -- bytes: work on more of them is felt, so the clock is looked at

local text = {}

for _, name in ipairs { "byte", "char", "len" } do text[name] = string[name] end

for _, name in ipairs { "lower", "reverse", "upper" } do
  local raw = string[name]
  text[name] = function(s)
    if type(s) == "string" and #s > LARGE then tick() end
    return raw(s)
  end
end

function text.sub(s, first, last)
  if type(s) == "string" and #s > LARGE then
    local from, to = tonumber(first) or 1, tonumber(last) or -1
    if (to < 0 and to + #s or to) - (from < 0 and from + #s or from) > LARGE then tick() end
  end
  return sub(s, first, last)
end

-- ---- patterns ----

---A search of much is done in pieces.
local function is_long(s, p)
  return type(s) == "string" and #s > LARGE and type(p) == "string"
end

---What match_at found, or goes on to find.
local function settle(s, p, bare, from, to, ...)
  if from == false then
    tick()
    return settle(s, p, bare, match_at(s, p, to, (...), bare))
  end
  if from == nil then return nil end
  return from, to, ...
end

local function search(s, p, init, bare)
  local at = tonumber(init) or 1
  if at < 0 then at = at + #s + 1 end
  if at < 1 then at = 1 end
  if byte(p) == 94 then return match_here(s, sub(p, 2), at, nil, bare) end -- "^"
  return settle(s, p, bare, match_at(s, p, at, nil, bare))
end

local function captures(from, _, ...)
  if from then return ... end
  return nil
end

function text.match(s, p, init)
  if is_long(s, p) then return captures(search(s, p, init)) end
  return core_match(s, p, init)
end

---A short plain text is found by compiled code, everything else by the counting matcher.
function text.find(s, p, init, plain)
  if is_long(s, p) then
    if plain or not raw_find(p, "[%^%$%*%+%?%.%(%[%%%-]") then tick()
    else return search(s, p, init, true) end
  end
  if plain and type(p) == "string" and #p < 16 then return raw_find(s, p, init, true) end
  return core_find(s, p, init, plain)
end

local function written(count, first, ...)
  if count == 0 then return end
  local kind = type(first)
  if kind == "table" or kind == "userdata" then first = tostring(first) end
  return first, written(count - 1, ...)
end

---As in the manual; %s writes a value as tostring does, whose metamethods may wait.
function text.format(format, ...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    local kind = type(value)
    if kind == "string" and #value > LARGE then tick() end
    if kind == "table" or kind == "userdata" then
      return raw_format(format, written(select("#", ...), ...))
    end
  end
  return raw_format(format, ...)
end

function text.rep(s, n, separator)
  local count = tonumber(n)
  if type(s) == "string" and count and count > 0 then
    local length = #s + (type(separator) == "string" and #separator or 0)
    if length * count > LIMIT then
      error(("string.rep: the result would have %.0f bytes; %d are the most"):format(
        length * count, LIMIT), 2)
    end
    if length * count > LARGE then tick() end
  end
  return raw_rep(s, n, separator)
end

function text.gmatch(s, p)
  if type(s) == "number" then s = tostring(s) end
  if type(s) ~= "string" or type(p) ~= "string" then
    error(("string.gmatch: expected a text and a pattern, got a %s and a %s"):format(
      type(s), type(p)), 2)
  end
  local at, last = 1, #s + 1
  local function take(from, to, ...)
    at = not from and last + 1 or to < from and from + 1 or to + 1
    return ...
  end
  return function()
    if at > last then return nil end
    return take(settle(s, p, false, match_at(s, p, at)))
  end
end

---What stands for one match: the replacement, or the matched text for nil and false.
local function replacement(by, whole, ...)
  local value
  if type(by) == "function" then value = by(...) else value = by[(...)] end
  if not value then return whole end
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" then
    error(("invalid replacement value (a %s)"):format(kind), 3)
  end
  return value
end

---gsub by something that is called. It is called by the script, so that errors name its line.
local function gsub_calling(s, p, by, n)
  if type(s) == "number" then s = tostring(s) end
  if type(s) ~= "string" or type(p) ~= "string" then
    error(("string.gsub: expected a text and a pattern, got a %s and a %s"):format(
      type(s), type(p)), 2)
  end
  local match = match_at
  if byte(p, 1) == 94 then -- "^"
    match, p = match_here, sub(p, 2)
  end
  local out, pieces, at, count, from, to = {}, 0, 1, 0, nil, nil
  local length = #s
  local most = tonumber(n) or length + 1
  local function take(first, last, ...)
    from, to = first, last
    if first then
      return replacement(by, sub(s, first, last), ...)
    end
  end
  while count < most and at <= length + 1 do
    local value = take(settle(s, p, false, match(s, p, at)))
    if not from then break end
    count = count + 1
    out[pieces + 1] = sub(s, at, from - 1)
    out[pieces + 2] = value
    pieces = pieces + 2
    if to >= from then
      at = to + 1
    else -- an empty match: the next byte is passed over
      pieces = pieces + 1
      out[pieces] = sub(s, from, from)
      at = from + 1
    end
    if match == match_here then break end
  end
  out[pieces + 1] = sub(s, at)
  return concat(out), count
end

---gsub by a text or a plain table, with a look at the clock now and then.
local function gsub_long(s, p, by, n)
  local most = tonumber(n) or #s + 1
  local pieces, count, at, steps = {}, 0, 1, nil
  repeat
    local piece, some
    piece, some, at, steps = core_gsub(s, p, by, most - count, at, steps)
    pieces[#pieces + 1] = piece
    count = count + some
    if at then tick() end
  until not at
  return concat(pieces), count
end

function text.gsub(s, p, by, n)
  local is_long = is_long(s, p)
  local kind = type(by)
  if kind == "function" or kind == "userdata" or (kind == "table" and getmetatable(by) ~= nil) then
    return gsub_calling(s, p, by, n)
  end
  if is_long and (kind == "string" or kind == "table") then return gsub_long(s, p, by, n) end
  return core_gsub(s, p, by, n)
end

return text
