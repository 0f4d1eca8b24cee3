local bson = require "store.bson"
local catalog = require "store.catalog"
local core = require "store.core"
local counters = require "store.counters"
local errors = require "store.errors"
local reply = require "store.reply"
local scheduler = require "store.scheduler"
local transaction = require "store.transaction"

local function put(c, p, size)
  c:insert(p, size)
end

local function insert(op, args)
  local earlier = transaction.replay(op)
  if earlier then
    return earlier
  end
  local ordered, failures, count, at = args:flag("ordered", true), {}, 0, 0
  transaction.begin(op)
  local c = catalog.get(op.db, args:collection())
  for p, size in args:documents("documents") do
    if at >= core.limits.batch then
      errors.raise(errors.codes.InvalidLength,
        "Write batch sizes must be between 1 and " .. core.limits.batch)
    end
    scheduler.tick()
    local failure = transaction.attempt(put, c, p, size)
    if failure then
      failures[#failures + 1] = reply.write_error(at, failure)
      if ordered then
        break
      end
    else
      count = count + 1
    end
    at = at + 1
  end
  if at == 0 and #failures == 0 then
    errors.raise(errors.codes.InvalidLength,
      "Write batch sizes must be between 1 and " .. core.limits.batch)
  end
  counters.operations.insert = counters.operations.insert + count
  return transaction.finish(op, { { "n", count },
    { "writeErrors", failures[1] and bson.list(failures) or nil } })
end

return {
  insert = { run = insert, is_write = true,
    fields = { documents = true, ordered = true, bypassDocumentValidation = true } },
}
