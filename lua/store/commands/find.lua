--- find, getMore, killCursors, count, distinct, and explain for them.
local ffi = require "ffi"
local bson = require "store.bson"
local aggregate = require "store.aggregate"
local arguments = require "store.arguments"
local catalog = require "store.catalog"
local counters = require "store.counters"
local cursor = require "store.cursor"
local errors = require "store.errors"
local memory = require "store.memory"
local plan = require "store.plan"
local project = require "store.project"
local query = require "store.query"
local reply = require "store.reply"
local search = require "store.search"

local function count_operation(name)
  counters.operations[name] = counters.operations[name] + 1
end

local function refuse(args, names)
  for _, name in ipairs(names) do
    if args.types[name] and bson.truth(args.types[name], args.values[name]) then
      errors.unsupported("the option " .. name .. " of " .. args.name)
    end
  end
end

local function wanted_of(args)
  local limit = args:whole("limit", 0)
  return {
    filter = args:document("filter") or args:document("query") or bson.EMPTY,
    sort = args:document("sort"),
    skip = args:whole("skip", 0, 0), limit = math.abs(limit),
    single = limit < 0 or args:flag("singleBatch"),
    hint = args:boxed("hint"), batch = args:whole("batchSize", nil, 0),
  }
end

local function projected(next, shape)
  if not shape then
    return next
  end
  return function()
    local doc = next()
    return doc and shape(doc)
  end
end

local function find(op, args)
  args:check_collation()
  refuse(args, { "tailable", "awaitData", "returnKey", "showRecordId", "min", "max",
    "oplogReplay" })
  count_operation("query")
  local name, wanted, context = args:collection(), wanted_of(args), search.context(op, args)
  context.filter = wanted.filter
  local fields = args:document("projection")
  local shape = fields and project.compile(fields, context)
  local ns = op.db .. "." .. name
  local next = projected(query.documents(catalog.find(ns), wanted, context), shape)
  return cursor.begin { ns = ns, next = next, batch = wanted.batch, single = wanted.single,
    limit = wanted.limit, op = op }
end

local function get_more(op, args)
  count_operation("getmore")
  local t, id = args.types.getMore, args.values.getMore
  if not bson.is_number(t) then
    errors.raise(errors.codes.TypeMismatch, "getMore takes a cursor's id")
  end
  local collection = args:text("collection") or ""
  return cursor.continue(op, bson.number(t, id), op.db .. "." .. collection,
    args:whole("batchSize", nil, 0))
end

local function kill_cursors(_, args)
  local killed, unknown = {}, {}
  for _, element in ipairs(bson.elements(args:array("cursors", bson.EMPTY))) do
    local list = cursor.kill(bson.number(element.t, element.v) or 0) and killed or unknown
    list[#list + 1] = bson.box(element.t, element.v)
  end
  return reply.fine {
    { "cursorsKilled", bson.list(killed) }, { "cursorsNotFound", bson.list(unknown) },
    { "cursorsAlive", bson.list {} },
    { "cursorsUnknown", bson.list {} },
  }
end

local function count(op, args)
  args:check_collation()
  local c, wanted, context = catalog.find(op.db .. "." .. args:collection()), wanted_of(args),
    search.context(op, args)
  local n = 0
  if c and wanted.filter == bson.EMPTY then
    plan.check_hint(c, wanted.hint)
    n = c:count()
  else
    local most = wanted.limit > 0 and wanted.limit + wanted.skip or math.huge
    for _ in query.records(c, wanted.filter, wanted.hint, context) do
      n = n + 1
      if n >= most then
        break
      end
    end
  end
  n = math.max(0, n - wanted.skip)
  return reply.fine { { "n", wanted.limit > 0 and math.min(n, wanted.limit) or n } }
end

-- ---- distinct -----------------------------------------------------------------------------------

local function add_value(list, seen, t, v)
  if t == 0 then
    return
  end
  local key = bson.key(t, v)
  if not seen[key] then
    seen[key] = true
    list[#list + 1] = bson.box(t, v)
    list.account(#key)
  end
end

-- Adds what a path reaches: through arrays, and an array's elements one by one.
local function reach(list, seen, t, v, parts, i)
  if t == 4 then
    for _, element in ipairs(bson.elements(v)) do
      if i <= #parts and element.name == parts[i] then
        reach(list, seen, element.t, element.v, parts, i + 1)
      end
      if i > #parts then
        add_value(list, seen, element.t, element.v)
      elseif element.t == 3 then
        reach(list, seen, 3, element.v, parts, i)
      end
    end
  elseif i > #parts then
    add_value(list, seen, t, v)
  elseif t == 3 then
    local inner, value = bson.get(v, parts[i])
    reach(list, seen, inner, value, parts, i + 1)
  end
end

local function distinct(op, args)
  args:check_collation()
  local path = args:text("key")
  if not path or path == "" then
    errors.raise(40414, "BSON field 'distinct.key' is missing but a required field")
  end
  local c, context = catalog.find(op.db .. "." .. args:collection()), search.context(op, args)
  local list, seen, parts = { account = memory.account("distinct") }, {}, bson.split(path)
  for _, p, size in query.records(c, args:document("query", bson.EMPTY), args:boxed("hint"),
    context) do
    reach(list, seen, 3, ffi.string(p, size), parts, 1)
  end
  return reply.fine { { "values", bson.list(list) } }
end

-- ---- explain ------------------------------------------------------------------------------------

local EXPLAINED = errors.set [[find aggregate count distinct update delete
  findAndModify findandmodify]]

local function explained(op, inner)
  local name = bson.each(inner)() or ""
  if not EXPLAINED[name] then
    errors.raise(errors.codes.CommandNotFound, "Explain failed due to unknown command: " .. name)
  end
  local args = arguments.read(name, inner)
  local filter, order = args:document("filter") or args:document("query") or bson.EMPTY,
    args:document("sort")
  if name == "aggregate" then
    local split = aggregate.split(args:array("pipeline", bson.EMPTY))
    aggregate.compile(split.rest, search.context(op, args))
    filter, order = split.filter or bson.EMPTY, split.sort
  elseif name == "update" or name == "delete" then
    local p, size = args:documents(name .. "s")()
    filter = select(2, bson.get(ffi.string(p, size), "q"))
  end
  return op.db .. "." .. args:collection(), filter, order, args:boxed("hint")
end

local function explain(op, args)
  local ns, filter, order, hint = explained(op, args:required_document("explain"))
  query.predicate(filter, search.context(op, args))
  local c = catalog.find(ns)
  local winning = c and plan.describe(plan.choose(c, filter, order, hint))
    or bson.build_value { { "stage", "EOF" } }
  return reply.fine {
    { "explainVersion", "1" },
    { "queryPlanner", bson.build_value {
      { "namespace", ns }, { "parsedQuery", bson.document(filter) }, { "winningPlan", winning },
      { "rejectedPlans", bson.list {} } } },
    { "serverInfo", bson.build_value { { "host", "moonlit" }, { "version", "6.0.0" } } },
  }
end

local set = errors.set

return {
  find = { run = find, fields = set [[filter projection sort skip limit batchSize singleBatch hint
    let collation allowDiskUse noCursorTimeout allowPartialResults tailable awaitData returnKey
    showRecordId min max oplogReplay]] },
  getMore = { run = get_more, fields = set "collection batchSize" },
  killCursors = { run = kill_cursors, fields = set "cursors" },
  count = { run = count, fields = set "query limit skip hint collation fields" },
  distinct = { run = distinct, fields = set "key query collation hint" },
  explain = { run = explain, fields = set "verbosity" },
}
