--- The records that a write is about. Looking for them may pause, so that others get their turn and
--- the command can be ended; once there is a transaction nothing pauses. What was found before is
--- looked at again within it, because others may have been there meanwhile.
local ffi = require "ffi"
local bson = require "store.bson"
local core = require "store.core"
local file = require "store.file"
local memory = require "store.memory"
local query = require "store.query"
local scheduler = require "store.scheduler"
local sort = require "store.sort"
local transaction = require "store.transaction"

local search = {}

--- The context of compiled filters, updates and pipelines.
function search.context(_, args)
  return {
    tick = scheduler.tick, now = ffi.new("int64_t", os.time()) * 1000,
    memory_limit = core.limits.sort,
    let = args:document("let"),
  }
end

local function first_in_order(next, order)
  local key_of = sort.compile(order)
  local best_key, best_id
  for id, p, size in next do
    local key = key_of(ffi.string(p, size))
    if not best_key or key < best_key then
      best_key, best_id = key, id
    end
  end
  return { best_id }
end

local function find_ids(c, wanted, context)
  local next, ids = query.records(c, wanted.filter, wanted.hint, context), {}
  if wanted.sort and wanted.sort ~= bson.EMPTY and not wanted.multi then
    return first_in_order(next, wanted.sort)
  end
  for id in next do
    ids[#ids + 1] = id
    if not wanted.multi then
      break
    end
  end
  return ids
end

-- Calls `change` for the documents among `ids` that still match; how many there were.
local function apply(c, ids, test, change, made)
  local count = 0
  for _, id in ipairs(ids) do
    scheduler.tick()
    local doc = file.get(c.tree, id)
    if doc and (not test or test(doc)) then
      change(id, doc, made[id] and made[id].from == doc and made[id].to or nil)
      count = count + 1
    end
  end
  return count
end

-- What an update makes of the documents, computed before there is a transaction, by their ids.
local function make_ready(c, ids, wanted)
  local made = {}
  if wanted.update and wanted.update.may_be_slow then
    local account = memory.account("an update by a pipeline")
    for _, id in ipairs(ids) do
      scheduler.tick()
      local doc = file.get(c.tree, id)
      made[id] = doc and { from = doc, to = wanted.update.apply(doc) }
      account(doc and #doc + #made[id].to or 0)
    end
  end
  return made
end

--- Calls change(id, doc, new) for each record that `wanted` = { filter, multi, sort, hint, update }
--- names, one or all, within the op's transaction. `new` is what the update makes of it, where that
--- was computed beforehand because it may take long. How many there were.
---@return integer
function search.each(op, c, wanted, context, change)
  if not c then
    query.predicate(wanted.filter, context) -- a wrong filter is wrong on an empty collection too
    transaction.begin(op)
    return 0
  end
  local turns = op.turns
  local ids = find_ids(c, wanted, context)
  local made = make_ready(c, ids, wanted)
  transaction.begin(op)
  local test = query.predicate(wanted.filter, context)
  local count = apply(c, ids, test, change, made)
  if count == 0 and op.turns ~= turns then
    count = apply(c, find_ids(c, wanted, context), test, change, made)
  end
  return count
end

return search
