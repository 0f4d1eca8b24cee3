--- How to get at the documents that a filter wants: by _id, through an index, or past all of them.
--- A plan never decides what matches; its documents are a superset, and the filter is asked of
--- each.
---
---   { kind = "id", ids = boxed values }
---   { kind = "index", index =, ranges = { {from, to} }, backward =, sorted = }
---   { kind = "all", backward = }
local bson = require "store.bson"
local errors = require "store.errors"
local file = require "store.file"
local index = require "store.index"
local match = require "store.match"
local sort = require "store.sort"

local plan = {}

-- Types whose equality and order the key order can stand in for. Null also means missing, arrays
-- and documents reach into arrays by rules of their own.
local PLAIN = { [1] = true, [2] = true, [5] = true, [7] = true, [8] = true, [9] = true, [16] = true,
  [17] = true,
  [18] = true, [19] = true }

local function is_plain(t, v)
  return PLAIN[t] and not (t == 1 and v ~= v)
end

-- The key bytes of a value in a part's direction, without the document around it.
local function key_of(t, v, descending)
  local bytes = bson.build { { "", bson.box(t, v) } }
  return file.key(t, bson.pointer(bytes), 6, descending)
end

-- All keys of the values of one rank.
local function rank_range(t, v, descending)
  local first = key_of(t, v, descending):sub(1, 1)
  return { first, file.successor(first) }
end

local function points(list, descending)
  local ranges, seen = {}, {}
  for _, element in ipairs(list) do
    if not is_plain(element.t, element.v) then
      return nil
    end
    local key = key_of(element.t, element.v, descending)
    if not seen[key] then
      seen[key] = true
      ranges[#ranges + 1] = { key, file.successor(key) }
    end
  end
  table.sort(ranges, function(a, b) return a[1] < b[1] end)
  return ranges
end

-- Narrows a range by $gt, $gte, $lt or $lte; equality with the bound stays in, the filter decides.
local function narrow(range, op, key, descending)
  local is_lower = op == "$gt" or op == "$gte"
  if is_lower ~= (descending or false) then
    range[1] = key > range[1] and key or range[1]
  else
    local to = file.successor(key)
    range[2] = to < range[2] and to or range[2]
  end
end

local function range_of(conditions, part, only_one)
  local range, rank
  for _, condition in ipairs(conditions) do
    local op, t, v = condition[1], condition[2], condition[3]
    if (op == "$gt" or op == "$gte" or op == "$lt" or op == "$lte") and is_plain(t, v)
      and not (range and (only_one or rank ~= bson.RANK[t])) then
      range, rank = range or rank_range(t, v, part.descending), bson.RANK[t]
      narrow(range, op, key_of(t, v, part.descending), part.descending)
    end
  end
  return range and { range }, "range"
end

-- The ranges that the conditions on one part leave, and of what kind they are.
local function ranges_of(conditions, part, multikey)
  for _, condition in ipairs(conditions or {}) do
    if condition[1] == "$eq" and is_plain(condition[2], condition[3]) then
      return points({ { t = condition[2], v = condition[3] } }, part.descending), "equal"
    end
  end
  for _, condition in ipairs(conditions or {}) do
    local list = condition[1] == "$in" and condition[2] == 4
      and points(bson.elements(condition[3]), part.descending)
    if list then
      return list, "list"
    end
  end
  return range_of(conditions or {}, part, multikey)
end

-- Extends the ranges of the equal parts before by those of one part.
local function under(prefix, ranges)
  local list = {}
  for i, range in ipairs(ranges) do
    list[i] = { prefix .. range[1], prefix .. range[2] }
  end
  return list
end

local function bound_by(ix, bounds)
  local prefix, score, ranges, equal = "", 0, nil, 0
  for i, part in ipairs(ix.parts) do
    local list, kind = ranges_of(bounds[part.path], part, ix.multikey)
    if not list then
      break
    end
    ranges = under(prefix, list)
    score = score + (kind == "equal" and 4 or kind == "list" and 3 or 2)
    if kind ~= "equal" or ix.multikey or i == #ix.parts then
      equal = kind == "equal" and i or equal
      break
    end
    prefix, equal = prefix .. list[1][1], i
  end
  return { kind = "index", index = ix, ranges = ranges or { { "", "\255" } }, score = score,
    equal = equal }
end

-- Whether what comes out of the ranges is in the order of `parts`: true, and whether backward.
local function sorts(candidate, parts)
  local ix = candidate.index
  if ix.multikey or #candidate.ranges > 1 then
    return false
  end
  for start = candidate.equal, 0, -1 do
    local backward
    local fits = true
    for i, part in ipairs(parts) do
      local own = ix.parts[start + i]
      if not own or own.path ~= part.path then
        fits = false
        break
      end
      local turned = own.descending ~= part.descending
      if backward == nil then
        backward = turned
      end
      fits = fits and backward == turned
    end
    if fits then
      return true, backward
    end
  end
  return false
end

local function is_usable(ix)
  return not ix.hidden and not ix.filter
end

local function candidates(collection, filter, parts)
  local list, bounds = {}, match.bounds(filter)
  for _, ix in ipairs(collection.indexes) do
    if is_usable(ix) then
      local candidate = bound_by(ix, bounds)
      if #parts > 0 then
        candidate.sorted, candidate.backward = sorts(candidate, parts)
      end
      if candidate.score > 0 or (candidate.sorted and not ix.sparse) then
        list[#list + 1] = candidate
      end
    end
  end
  return list
end

local function best_of(list)
  local best
  for _, candidate in ipairs(list) do
    local worth = candidate.score * 2 + (candidate.sorted and 1 or 0)
    if not best or worth > best.worth then
      best, candidate.worth = candidate, worth
    end
  end
  return best
end

-- The index that a hint names: {$natural: 1}, a name, or a pattern.
local function hinted(collection, hint)
  for _, ix in ipairs(collection.indexes) do
    if is_usable(ix) and index.is_named(ix, hint.t, hint.v) then
      return ix
    end
  end
  errors.raise(errors.codes.BadValue,
    "error processing query: hint provided does not correspond to an existing index")
end

local function by_hint(collection, filter, parts, hint)
  local direction = hint.t == 3 and bson.get(hint.v, "$natural")
  if direction and direction ~= 0 then
    return { kind = "all", backward = sort.natural(hint.v) }
  end
  local candidate = bound_by(hinted(collection, hint), match.bounds(filter))
  if #parts > 0 then
    candidate.sorted, candidate.backward = sorts(candidate, parts)
  end
  return candidate
end

--- Refuses a hint that names no index by which a filter can be answered in full.
function plan.check_hint(collection, hint)
  if hint and hint.v ~= "" and hint.v ~= bson.EMPTY
    and not (hint.t == 3 and sort.natural(hint.v) ~= nil) then
    hinted(collection, hint)
  end
end

--- Chooses the plan.
---@param filter string BSON
---@param order? string BSON of the sort
---@param hint? table boxed
function plan.choose(collection, filter, order, hint)
  local backward
  if order then
    backward = sort.natural(order)
  end
  if backward ~= nil then
    return { kind = "all", backward = backward, sorted = true }
  end
  local ids = not hint and match.id(filter)
  if ids then
    return { kind = "id", ids = ids, sorted = #ids <= 1 }
  end
  local parts = order and sort.parts(order) or {}
  if hint and hint.v ~= "" and hint.v ~= bson.EMPTY then
    return by_hint(collection, filter, parts, hint)
  end
  return best_of(candidates(collection, filter, parts)) or { kind = "all" }
end

--- A plan in the words of explain.
function plan.describe(chosen)
  local stage = chosen.kind == "id" and "IDHACK" or chosen.kind == "index" and "IXSCAN"
    or "COLLSCAN"
  local inner = { { "stage", stage } }
  if chosen.index then
    inner[2] = { "keyPattern", bson.document(chosen.index.pattern) }
    inner[3] = { "indexName", chosen.index.name }
    inner[4] = { "isMultiKey", chosen.index.multikey or false }
  end
  inner[#inner + 1] = { "direction", chosen.backward and "backward" or "forward" }
  if stage ~= "IXSCAN" then
    return bson.build_value(inner)
  end
  return bson.build_value { { "stage", "FETCH" }, { "inputStage", bson.build_value(inner) } }
end

return plan
