local ffi = require "ffi"
local bson = require "store.bson"
local arguments = require "store.arguments"
local catalog = require "store.catalog"
local counters = require "store.counters"
local errors = require "store.errors"
local reply = require "store.reply"
local search = require "store.search"
local transaction = require "store.transaction"
local update = require "store.update"

local FIELDS = { q = true, u = true, c = true, multi = true, upsert = true, arrayFilters = true,
  hint = true,
  collation = true, sort = true }

local function read(p, size, context)
  local args = arguments.read("updates", ffi.string(p, size), FIELDS)
  args:check_collation()
  local t, spec = args.types.u, args.values.u
  if t ~= 3 and t ~= 4 then
    errors.raise(errors.codes.FailedToParse, "An update's u is a document or an array of stages")
  end
  local filter = args:required_document("q")
  if args.types.c then
    errors.unsupported("the field c of an update")
  end
  local statement = { filter = filter, multi = args:flag("multi"), upsert = args:flag("upsert"),
    sort = args:document("sort"), hint = args:boxed("hint") }
  statement.update = update.compile(t, spec, { filters = args:array("arrayFilters"),
    context = context, filter = filter })
  if statement.multi and (statement.update.is_replacement or statement.sort) then
    errors.raise(errors.codes.FailedToParse,
      statement.sort and "Cannot specify sort with multi=true"
      or "multi update is not supported for replacement-style update")
  end
  return statement
end

local function upsert(op, name, statement, done, at)
  local doc = update.insert(statement.update, statement.filter)
  catalog.get(op.db, name):insert(bson.pointer(doc), #doc)
  local t, v = bson.get(doc, "_id")
  done.n = done.n + 1
  done.upserted[#done.upserted + 1] = bson.build_value { { "index", at },
    { "_id", bson.box(t, v) } }
end

local function apply(op, name, context, p, size, done, at)
  local statement = read(p, size, context)
  local c = catalog.find(op.db .. "." .. name)
  local count = search.each(op, c, statement, context, function(id, doc, new)
    new = new or statement.update.apply(doc)
    done.n = done.n + 1
    if new ~= doc then
      c:replace(id, doc, new)
      done.modified = done.modified + 1
    end
  end)
  if count == 0 and statement.upsert then
    upsert(op, name, statement, done, at)
  end
end

local function run(op, args)
  local earlier = transaction.replay(op)
  if earlier then
    return earlier
  end
  local name, ordered = args:collection(), args:flag("ordered", true)
  local failures, done, at = {}, { n = 0, modified = 0, upserted = {} }, 0
  local context = search.context(op, args)
  for p, size in args:documents("updates") do
    local failure = transaction.attempt(apply, op, name, context, p, size, done, at)
    if failure then
      failures[#failures + 1] = reply.write_error(at, failure)
      if ordered then
        break
      end
    end
    at = at + 1
    transaction.begin(op)
  end
  counters.operations.update = counters.operations.update + at
  return transaction.finish(op, {
    { "n", done.n }, { "nModified", done.modified },
    { "upserted", done.upserted[1] and bson.list(done.upserted) or nil },
    { "writeErrors", failures[1] and bson.list(failures) or nil },
  })
end

return {
  update = { run = run, is_write = true,
    fields = { updates = true, ordered = true, bypassDocumentValidation = true, let = true } },
}
