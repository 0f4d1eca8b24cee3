local bson = require "store.bson"
local catalog = require "store.catalog"
local counters = require "store.counters"
local errors = require "store.errors"
local project = require "store.project"
local search = require "store.search"
local transaction = require "store.transaction"
local update = require "store.update"

local function compile(args, filter, context)
  local t, spec = args.types.update, args.values.update
  if args:flag("remove") then
    if t or args:flag("upsert") or args:flag("new") then
      errors.raise(errors.codes.FailedToParse,
        "Cannot specify both an update and remove=true, nor new or upsert with it")
    end
    return nil
  elseif t ~= 3 and t ~= 4 then
    errors.raise(errors.codes.FailedToParse, "Either an update or remove=true must be specified")
  end
  return update.compile(t, spec, { filters = args:array("arrayFilters"), context = context,
    filter = filter })
end

local function upsert(op, name, u, filter, result)
  local doc = update.insert(u, filter)
  catalog.get(op.db, name):insert(bson.pointer(doc), #doc)
  result.after = doc
  result.upserted = bson.box(bson.get(doc, "_id"))
end

-- Does it; result.before and result.after are the documents.
local function perform(op, name, args, wanted, u, context)
  local c, result = catalog.find(op.db .. "." .. name), {}
  search.each(op, c, wanted, context, function(id, doc, new)
    result.before = doc
    if not u then
      c:remove(id, doc)
      return
    end
    new = new or u.apply(doc)
    result.after = new
    if new ~= doc then
      c:replace(id, doc, new)
    end
  end)
  if u and not result.before and args:flag("upsert") then
    upsert(op, name, u, wanted.filter, result)
  end
  return result
end

local function run(op, args)
  local earlier = transaction.replay(op)
  if earlier then
    return earlier
  end
  args:check_collation()
  local name, filter = args:collection(), args:document("query", bson.EMPTY)
  local context = search.context(op, args)
  context.filter = filter
  local fields = args:document("fields") or args:document("projection")
  local shape = fields and project.compile(fields, context)
  local u = compile(args, filter, context)
  local result = perform(op, name, args, { filter = filter, sort = args:document("sort"),
    hint = args:boxed("hint"),
    update = u }, u, context)
  counters.operations.command = counters.operations.command + 1
  local value
  if args:flag("new") then
    value = result.after
  else
    value = result.before
  end
  if value and shape then
    value = shape(value)
  end
  local last = { { "n", (result.before or result.upserted) and 1 or 0 } }
  if u then
    last[2] = { "updatedExisting", result.before ~= nil }
  end
  last[#last + 1] = { "upserted", result.upserted }
  return transaction.finish(op, {
    { "lastErrorObject", bson.build_value(last) },
    { "value", value and bson.document(value) or bson.null },
  })
end

local entry = { run = run, is_write = true, fields = {
  query = true, sort = true, remove = true, update = true, new = true, fields = true,
  projection = true, upsert = true, arrayFilters = true, bypassDocumentValidation = true,
  hint = true, collation = true, let = true,
} }

return { findAndModify = entry, findandmodify = entry }
