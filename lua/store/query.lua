--- From a filter to documents: runs a plan, asks the filter, sorts, skips, limits.
local ffi = require "ffi"
local bson = require "store.bson"
local file = require "store.file"
local match = require "store.match"
local plan = require "store.plan"
local sort = require "store.sort"

local query = {}

local to_string = ffi.string

-- ---- predicates, kept so that the JIT meets them again ------------------------------------------

local LIMIT_KEPT, LIMIT_KEPT_BYTES = 500, 2000
local kept, kept_count = {}, 0

--- The predicate of a filter, or nil when it takes all.
function query.predicate(filter, context)
  if filter == bson.EMPTY then
    return nil
  end
  local found = kept[filter]
  if found then
    return found
  end
  local test = match.compile(filter, context)
  if #filter <= LIMIT_KEPT_BYTES and not filter:find("$expr", 1, true) then
    if kept_count >= LIMIT_KEPT then
      kept, kept_count = {}, 0
    end
    kept[filter], kept_count = test, kept_count + 1
  end
  return test
end

-- ---- sources: next() -> record id, pointer, size ------------------------------------------------

local function all_records(collection, backward, tick)
  local scan = file.scan(collection.tree, backward)
  local done = false
  return function()
    if done then
      return nil
    end
    tick()
    if file.next(scan) then
      return tonumber(scan.id), scan.bytes, tonumber(scan.length)
    end
    done = true
    file.end_scan(scan)
  end
end

local function records_by_id(collection, ids, tick)
  local i = 0
  return function()
    while i < #ids do
      tick()
      i = i + 1
      local bytes = bson.build { { "", bson.box(ids[i].t, ids[i].v) } }
      local id = collection:find_id(ids[i].t, bson.pointer(bytes), 6)
      if id then
        local p, size = file.peek(collection.tree, id)
        if p then
          return id, p, size
        end
      end
    end
  end
end

local function index_records(collection, chosen, tick)
  local ranges, i, scan = chosen.ranges, 0, nil
  local seen = (chosen.index.multikey or #ranges > 1) and {} or nil
  local backward = chosen.backward or false
  local function next_scan()
    i = i + 1
    local range = ranges[backward and #ranges + 1 - i or i]
    scan = range and file.scan_keys(chosen.index.tree, range[1], range[2], backward)
    return scan
  end
  return function()
    while scan or next_scan() do
      tick()
      if file.next(scan) then
        local id = tonumber(scan.id)
        if not (seen and seen[id]) then
          if seen then
            seen[id] = true
          end
          local p, size = file.peek(collection.tree, id)
          if p then
            return id, p, size
          end
        end
      else
        file.end_scan(scan)
        scan = nil
      end
    end
  end
end

local function source(collection, chosen, tick)
  if chosen.kind == "id" then
    return records_by_id(collection, chosen.ids, tick)
  elseif chosen.kind == "index" then
    return index_records(collection, chosen, tick)
  end
  return all_records(collection, chosen.backward, tick)
end

-- An expression may pause, and what lies in the file does not outlive a pause: it gets a copy.
local function filtered_copies(next, test)
  local held -- lives until the next call, as the pointer into it
  return function()
    for id, p, size in next do
      held = to_string(p, size)
      if test(held) then
        return id, bson.pointer(held), size
      end
    end
  end
end

local function filtered(next, test, filter)
  if not test then
    return next
  elseif filter:find("$expr", 1, true) then
    return filtered_copies(next, test)
  end
  return function()
    local id, p, size = next()
    while id do
      if test(p) then
        return id, p, size
      end
      id, p, size = next()
    end
  end
end

--- The records that match, in no promised order: next() -> id, pointer, size. The pointer lives
--- until the next call.
function query.records(collection, filter, hint, context)
  local test = query.predicate(filter, context)
  if not collection then
    return function() end
  end
  return filtered(source(collection, plan.choose(collection, filter, nil, hint), context.tick),
    test, filter)
end

-- What {_id: value} looks for, when that is the whole filter and the key alone decides; else nil.
local KEY_DECIDES = { [1] = true, [2] = true, [5] = true, [7] = true, [8] = true, [9] = true,
  [16] = true, [18] = true }

local function only_id(filter)
  local p = bson.pointer(filter)
  local t, o, following = bson.step(p, 4)
  if KEY_DECIDES[t] and p[following] == 0 and bson.name(p, 4) == "_id" then
    return t, p, o
  end
end

-- The one document of that _id.
local function by_id(collection, filter, t, p, o)
  local is_done = false -- `filter` is named below so that its bytes live as long
  return function()
    if is_done then
      return nil
    end
    is_done = true
    local id = filter and collection:find_id(t, p, o)
    return id and file.get(collection.tree, id)
  end
end

-- ---- documents ----------------------------------------------------------------------------------

local function copied(next)
  return function()
    local id, p, size = next()
    return id and to_string(p, size)
  end
end

local function sorted(next, order, context, most)
  local collector = sort.collector(order, context, most)
  local result
  return function()
    if not result then
      local doc = next()
      while doc do
        collector:add(doc)
        doc = next()
      end
      result = collector:finish()
    end
    return result()
  end
end

--- Leaves out the first documents.
function query.skip(next, count)
  return function()
    while count > 0 do
      count = count - 1
      if not next() then
        count = 0
        return nil
      end
    end
    return next()
  end
end

--- Ends after that many.
function query.limit(next, count)
  return function()
    if count > 0 then
      count = count - 1
      return next()
    end
  end
end

--- The documents that match, in order: next() -> doc.
---@param wanted { filter: string, sort: string?, skip: integer?, limit: integer?, hint: table? }
function query.documents(collection, wanted, context)
  local t, p, o = only_id(wanted.filter)
  if t and collection and not wanted.hint and not wanted.sort and (wanted.skip or 0) == 0 then
    return by_id(collection, wanted.filter, t, p, o)
  end
  local test = query.predicate(wanted.filter, context)
  local order = wanted.sort ~= bson.EMPTY and wanted.sort or nil
  if order and sort.natural(order) == nil then
    sort.parts(order) -- a wrong sort is wrong on an empty collection too
  end
  if not collection then
    return function() end
  end
  local chosen = plan.choose(collection, wanted.filter, order, wanted.hint)
  local next = copied(filtered(source(collection, chosen, context.tick), test, wanted.filter))
  if order and not chosen.sorted then
    local most = wanted.limit and wanted.limit > 0 and wanted.limit + (wanted.skip or 0) or nil
    next = sorted(next, order, context, most)
  end
  if (wanted.skip or 0) > 0 then
    next = query.skip(next, wanted.skip)
  end
  if (wanted.limit or 0) > 0 then
    next = query.limit(next, wanted.limit)
  end
  return next
end

return query
