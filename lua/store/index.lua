--- The keys of an index: what a document gives to it, and its entries in the file.
---
--- An index is { name, parts = { {path =, names =, descending =} }, unique, sparse, filter (bytes
--- of a partial index) and test (compiled), multikey, tree, options }. It is multikey once a
--- document gave it more than one key, or an array.
local bson = require "store.bson"
local errors = require "store.errors"
local file = require "store.file"

local index = {}

local find, step, item = bson.find, bson.step, bson.item

-- Gathers types and offsets of all values that a path reaches: found[1], found[2] are a pair.
local function gather(p, t, o, names, i, found)
  if t == 4 then
    found.array = true
    local name = names[i]
    local number = name and tonumber(name)
    if number and name:find("^%d+$") then
      local inner, at = item(p, o, number)
      if inner ~= 0 then
        gather(p, inner, at, names, i + 1, found)
      end
    end
    local inner, at, following = step(p, o + 4)
    if inner == 0 and not name then
      found[#found + 1], found[#found + 2] = 6, 0
    end
    while inner ~= 0 do
      if not name then
        found[#found + 1], found[#found + 2] = inner, at
      elseif inner == 3 then
        gather(p, inner, at, names, i, found)
      end
      inner, at, following = step(p, following)
    end
  elseif i > #names then
    found[#found + 1], found[#found + 2] = t, o
  elseif t == 3 then
    local inner, at = find(p, o, names[i])
    if inner ~= 0 then
      gather(p, inner, at, names, i + 1, found)
    end
  end
  return found
end

local function values_of(p, part)
  local found = gather(p, 3, 0, part.names, 1, {})
  if #found == 0 then
    found[1], found[2], found.missing = 10, 0, true
  end
  return found
end

-- Extends each of `prefixes` by each value.
local function extend(prefixes, p, found, descending)
  local list = {}
  for _, prefix in ipairs(prefixes) do
    for i = 1, #found, 2 do
      list[#list + 1] = prefix .. file.key(found[i], p, found[i + 1], descending)
    end
  end
  return list
end

local function without_twins(keys)
  local list, seen = {}, {}
  for _, key in ipairs(keys) do
    if not seen[key] then
      seen[key] = true
      list[#list + 1] = key
    end
  end
  return list
end

--- The one key of a document without arrays for an index of one plain field; nil when it is not so.
local function simple_key(self, p)
  local part = self.parts[1]
  if #self.parts > 1 or #part.names > 1 then
    return nil
  end
  local t, o = find(p, 0, part.path)
  if t == 4 or t == 0 then
    return nil
  end
  return file.key(t, p, o, part.descending)
end

--- The keys of the document at `p`, and whether it makes the index multikey.
---@return string[] keys, boolean is_multikey
function index.keys(self, p)
  if self.test and not self.test(p) then
    return {}, false
  end
  local key = simple_key(self, p)
  if key then
    return { key }, false
  end
  local keys, array, missing = { "" }, nil, true
  for _, part in ipairs(self.parts) do
    local found = values_of(p, part)
    if found.array and array and array ~= part.names[1] then
      errors.raise(171, string.format("cannot index parallel arrays [%s] [%s]", part.path, array))
    end
    array = found.array and part.names[1] or array
    missing = missing and found.missing
    keys = extend(keys, p, found, part.descending)
  end
  if self.sparse and missing then
    return {}, false
  end
  return without_twins(keys), array ~= nil
end

--- The parts of a key pattern, checked.
---@param pattern string BSON
function index.parts(pattern)
  local parts = {}
  for path, t, v in bson.each(pattern) do
    local direction = bson.number(t, v)
    if t == 2 then
      errors.raise(errors.codes.CannotCreateIndex,
        "An index of the kind '" .. v .. "' works on MongoDB, not in the "
        .. "built-in store; write 1 or -1, or start with --database URI to use a MongoDB")
    elseif path:find("$**", 1, true) then
      errors.raise(errors.codes.CannotCreateIndex,
        "A wildcard index works on MongoDB, not in the built-in store; name "
        .. "the fields, or start with --database URI to use a MongoDB")
    elseif not direction or direction == 0 then
      errors.raise(errors.codes.CannotCreateIndex,
        "Values in the index key pattern must be 1 or -1: " .. path)
    elseif path == "" or path:find("^%$") or path:find("..", 1, true) or path:find("%.$")
      or path:find("^%.") then
      errors.raise(errors.codes.CannotCreateIndex,
        "'" .. path .. "' cannot be the path of an index")
    end
    parts[#parts + 1] = { path = path, names = bson.split(path), descending = direction < 0 }
  end
  if #parts == 0 or #parts > 32 then
    errors.raise(errors.codes.CannotCreateIndex, "An index has between 1 and 32 fields")
  end
  return parts
end

--- Whether a name or a pattern means the index; numbers of any type may stand in a pattern.
function index.is_named(self, t, v)
  return t == 2 and self.name == v or t == 3 and bson.equal(3, self.pattern, 3, v)
end

--- The name that drivers give: a_1_b_-1.
function index.name(pattern)
  local words = {}
  for path, t, v in bson.each(pattern) do
    words[#words + 1] = path .. "_" .. (t == 2 and v or tostring(bson.number(t, v)))
  end
  return table.concat(words, "_")
end

return index
