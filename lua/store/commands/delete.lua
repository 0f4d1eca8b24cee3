local bson = require "store.bson"
local ffi = require "ffi"
local arguments = require "store.arguments"
local catalog = require "store.catalog"
local counters = require "store.counters"
local errors = require "store.errors"
local reply = require "store.reply"
local search = require "store.search"
local transaction = require "store.transaction"

local FIELDS = { q = true, limit = true, collation = true, hint = true }

local function read(p, size)
  local args = arguments.read("deletes", ffi.string(p, size), FIELDS)
  args:check_collation()
  local limit = args:whole("limit")
  if limit ~= 0 and limit ~= 1 then
    errors.raise(errors.codes.FailedToParse, "The limit field in delete objects must be 0 or 1")
  end
  return { filter = args:required_document("q"), multi = limit == 0, hint = args:boxed("hint") }
end

local function apply(op, ns, context, statement, done)
  local c = catalog.find(ns)
  search.each(op, c, statement, context, function(id, doc)
    c:remove(id, doc)
    done.n = done.n + 1
  end)
end

local function delete(op, args)
  local earlier = transaction.replay(op)
  if earlier then
    return earlier
  end
  local ns, ordered, failures, done = op.db .. "." .. args:collection(), args:flag("ordered", true),
    {}, { n = 0 }
  local context, at = search.context(op, args), 0
  for p, size in args:documents("deletes") do
    local failure = transaction.attempt(function() apply(op, ns, context, read(p, size), done) end)
    if failure then
      failures[#failures + 1] = reply.write_error(at, failure)
      if ordered then
        break
      end
    end
    at = at + 1
    transaction.begin(op)
  end
  counters.operations.delete = counters.operations.delete + done.n
  return transaction.finish(op, { { "n", done.n },
    { "writeErrors", failures[1] and bson.list(failures) or nil } })
end

return { delete = { run = delete, is_write = true, fields = { deletes = true, ordered = true,
  let = true } } }
