local bson = require "store.bson"
local aggregate = require "store.aggregate"
local catalog = require "store.catalog"
local counters = require "store.counters"
local cursor = require "store.cursor"
local errors = require "store.errors"
local query = require "store.query"
local search = require "store.search"

local function source(op, name, split, context, hint)
  local c = catalog.find(op.db .. "." .. name)
  return query.documents(c, { filter = split.filter or bson.EMPTY, sort = split.sort,
    skip = split.skip,
    limit = split.limit, hint = hint }, context)
end

-- A pipeline without a collection begins with one empty document, or with a stage that makes its
-- own.
local function nothing()
  return nil
end

local function set_scan(op, context)
  context.scan = function(name, filter)
    return query.documents(catalog.find(op.db .. "." .. name), { filter = filter or bson.EMPTY },
      context)
  end
end

local function target(args)
  local t, v = args.types.aggregate, args.values.aggregate
  if bson.is_number(t) and bson.number(t, v) == 1 then
    return nil
  end
  return args:collection()
end

local function run(op, args)
  args:check_collation()
  local name, context = target(args), search.context(op, args)
  local options = args:document("cursor")
  if args:flag("explain") then
    errors.raise(errors.codes.InvalidOptions,
      "Use the command explain with the aggregate command inside")
  elseif not options then
    errors.raise(errors.codes.FailedToParse,
      "The 'cursor' option is required, except for aggregate with the explain argument")
  end
  set_scan(op, context)
  counters.operations.command = counters.operations.command + 1
  local split = aggregate.split(args:array("pipeline")
    or errors.raise(40414, "BSON field 'aggregate.pipeline' is missing"))
  local stages = aggregate.compile(split.rest, context)
  local next = name and source(op, name, split, context, args:boxed("hint")) or nothing
  return cursor.begin {
    ns = op.db .. "." .. (name or "$cmd.aggregate"), next = aggregate.run(stages, next),
    batch = bson.number(bson.get(options, "batchSize")), op = op,
  }
end

return {
  aggregate = { run = run, fields = {
    pipeline = true, cursor = true, explain = true, allowDiskUse = true,
    bypassDocumentValidation = true, collation = true, hint = true, let = true,
  } },
}
