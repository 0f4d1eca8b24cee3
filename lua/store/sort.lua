--- Sorting by keys whose bytes compare as the values do.
---   sort.compile(spec) -> key(doc) -> string; strings of one spec compare by `<`
---   sort.collector(spec, context, limit?) -> c: c:add(doc), c:finish() -> next() -> doc or nil
---     stable; counts memory against context.memory_limit (code 292); with a limit keeps that many
---
--- Missing counts as null; an array by its least element ascending, its greatest descending; an
--- empty array stands below null.
local bson = require "store.bson"
local errors = require "store.errors"
local key = require "store.key"

local sort = {}

local find, step, value, compare = bson.find, bson.step, bson.value, bson.compare
local LIMIT_PARTS = 32
local LIMIT_MEMORY = 100 * 1024 * 1024
local ENTRY = 64 -- what an entry costs besides its bytes
local NO_TICK = function() end
local TICK_STEPS = 256 -- steps of a merge between two looks at the clock

-- ---- keys ---------------------------------------------------------------------------------------

local visit

-- The element that a number names, else all; one that is no document lacks the rest of the path.
local function visit_array(p, o, parts, i, take)
  local at_t, at_o = 0, 0
  if parts[i]:find("^%d+$") then
    at_t, at_o = bson.item(p, o, tonumber(parts[i]))
  end
  if at_t ~= 0 then
    return visit(p, at_t, at_o, parts, i + 1, take)
  end
  local inner, v, following = step(p, o + 4)
  while inner ~= 0 do
    if inner == 3 then
      visit(p, inner, v, parts, i, take)
    else
      take(0, nil)
    end
    inner, v, following = step(p, following)
  end
end

-- Calls take(t, v) with every value that a path reaches; missing ones as missing.
function visit(p, t, o, parts, i, take)
  if i > #parts then
    if t ~= 4 then
      return take(t, select(2, value(p, t, o)))
    end
    local inner, v, following = step(p, o + 4)
    if inner == 0 then
      take(6, nil)
    end
    while inner ~= 0 do
      take(value(p, inner, v))
      inner, v, following = step(p, following)
    end
  elseif t == 3 then
    local inner, v = find(p, o, parts[i])
    if inner == 0 then
      return take(0, nil)
    end
    visit(p, inner, v, parts, i + 1, take)
  elseif t == 4 then
    visit_array(p, o, parts, i, take)
  else
    take(0, nil)
  end
end

-- The value that stands for an array or a path through arrays.
local function extreme(parts, descending)
  local best_t, best_v, any
  local wanted = descending and 1 or -1
  local function take(t, v)
    t = t == 0 and 10 or t
    if not any or compare(t, v, best_t, best_v) == wanted then
      best_t, best_v, any = t, v, true
    end
  end
  return function(p)
    any, best_t, best_v = false, 10, nil
    visit(p, 3, 0, parts, 1, take)
    return best_t, best_v
  end
end

local function part_key(path, descending)
  local parts = bson.split(path)
  local slow = extreme(parts, descending)
  if #parts > 1 then
    return function(p)
      local t, v = slow(p)
      key.append(t, v, descending)
    end
  end
  local name = parts[1]
  return function(p)
    local t, o = find(p, 0, name)
    if t == 0 then
      key.append(10, nil, descending)
    elseif t == 4 then
      local best_t, best_v = slow(p)
      key.append(best_t, best_v, descending)
    else
      local _, v = value(p, t, o)
      key.append(t, v, descending)
    end
  end
end

local function direction(path, t, v)
  local number = bson.number(t, v)
  if t == 3 then
    errors.unsupported("a $meta sort")
  elseif number ~= 1 and number ~= -1 then
    errors.raise(15975,
      "$sort key ordering must be 1 (for ascending) or -1 (for descending), at " .. path)
  elseif path == "" or path:find("^%.") or path:find("%.$") or path:find("..", 1, true)
    or path:find("^%$") then
    errors.raise(40352, "FieldPath cannot be '" .. path ..
      "'; write a field's name or a dotted path")
  end
  return number == -1
end

--- For { $natural: 1 }, the order in which documents were stored: whether it is meant backward.
--- nil for any other sort.
---@return boolean? backward
function sort.natural(spec)
  local t, v = bson.get(spec, "$natural")
  if t == 0 or bson.length(spec) > 1 then
    return nil
  end
  return direction("natural", t, v)
end

--- The parts of a sort document.
---@return { path: string, descending: boolean }[]
function sort.parts(spec)
  local parts = {}
  for path, t, v in bson.each(spec) do
    parts[#parts + 1] = { path = path, descending = direction(path, t, v) }
  end
  if #parts > LIMIT_PARTS then
    errors.raise(13103, "too many compound keys; a sort takes at most " .. LIMIT_PARTS)
  end
  return parts
end

function sort.compile(spec)
  local append = {}
  for i, part in ipairs(sort.parts(spec)) do
    append[i] = part_key(part.path, part.descending)
  end
  local all = require("store.unroll").each(append)
  local pointer, reset, take = bson.pointer, key.reset, key.take
  return function(doc)
    reset()
    all(pointer(doc))
    local _ = doc -- lives up to here
    return take()
  end
end

-- ---- collecting ---------------------------------------------------------------------------------

-- Merges the sorted runs [first, middle) and [middle, last) of `from` into `to`; the left one wins
-- ties.
local function merge(keys, from, to, first, middle, last, tick)
  local i, j = first, middle
  tick()
  for at = first, last - 1 do
    if at % TICK_STEPS == 0 then
      tick()
    end
    if i < middle and (j >= last or not (keys[from[j]] < keys[from[i]])) then
      to[at] = from[i]
      i = i + 1
    else
      to[at] = from[j]
      j = j + 1
    end
  end
end

--- The order of 1..n by their keys, stable: bottom-up merges.
---@param tick fun()
---@return integer[]
function sort.order(keys, n, tick)
  local from, to = {}, {}
  for i = 1, n do
    from[i] = i
  end
  local width = 1
  while width < n do
    for first = 1, n, 2 * width do
      merge(keys, from, to, first, math.min(first + width, n + 1),
        math.min(first + 2 * width, n + 1), tick)
    end
    from, to = to, from
    width = width * 2
  end
  return from
end

---@class store.collector
local collector = {}
collector.__index = collector

local function entry_size(self, i)
  return #self.keys[i] + #self.docs[i] + ENTRY
end

-- Keeps the first `limit` of what was collected.
local function cut(self)
  local order = sort.order(self.keys, self.n, self.tick)
  local keys, docs = {}, {}
  self.bytes = 0
  for i = 1, math.min(self.n, self.limit) do
    keys[i], docs[i] = self.keys[order[i]], self.docs[order[i]]
    self.bytes = self.bytes + #keys[i] + #docs[i] + ENTRY
  end
  self.keys, self.docs, self.n = keys, docs, #keys
  self.worst = self.n == self.limit and keys[self.n] or nil
end

--- Takes a document in.
function collector:add(doc)
  local doc_key = self.key(doc)
  if self.worst and not (doc_key < self.worst) then
    return
  end
  local n = self.n + 1
  self.n, self.keys[n], self.docs[n] = n, doc_key, doc
  self.bytes = self.bytes + entry_size(self, n)
  if n >= self.most or (self.bytes > self.memory_limit and n > self.limit) then
    cut(self)
  end
  if self.bytes > self.memory_limit then
    errors.raise(292,
      string.format("Sort exceeded memory limit of %d bytes; sort by an index or add $limit",
      self.memory_limit))
  end
end

--- Ends collecting: an iterator in order.
function collector:finish()
  local order = sort.order(self.keys, self.n, self.tick)
  local docs, i, last = self.docs, 0, math.min(self.n, self.limit)
  self.keys = nil
  return function()
    if i >= last then
      return nil
    end
    i = i + 1
    return docs[order[i]]
  end
end

function sort.collector(spec, context, limit)
  context = context or {}
  limit = limit and limit > 0 and limit or math.huge
  return setmetatable({
    key = sort.compile(spec), keys = {}, docs = {}, n = 0, bytes = 0, limit = limit,
    most = limit == math.huge and math.huge or math.max(2 * limit, 1024),
    tick = context.tick or NO_TICK, memory_limit = context.memory_limit or LIMIT_MEMORY,
  }, collector)
end

return sort
