--- createIndexes, dropIndexes, listIndexes.
local bson = require "store.bson"
local arguments = require "store.arguments"
local catalog = require "store.catalog"
local core = require "store.core"
local cursor = require "store.cursor"
local errors = require "store.errors"
local index = require "store.index"
local match = require "store.match"
local transaction = require "store.transaction"

local KNOWN = { key = true, name = true, unique = true, sparse = true, expireAfterSeconds = true,
  hidden = true, partialFilterExpression = true, background = true, v = true, ns = true,
  collation = true, dropDups = true,
  storageEngine = true }
local KEPT = { "unique", "sparse", "expireAfterSeconds", "hidden", "partialFilterExpression" }

local function options_of(args)
  local list = {}
  for _, name in ipairs(KEPT) do
    local value = args:boxed(name)
    if value and not (value.t == 8 and not value.v) then
      list[#list + 1] = { name, value }
    end
  end
  return bson.build(list)
end

local function read(bytes)
  local args = arguments.read("indexes", bytes, KNOWN)
  args:check_collation()
  local pattern = args:required_document("key")
  local name = args:text("name") or index.name(pattern)
  local parts = index.parts(pattern)
  args:whole("expireAfterSeconds", nil, 0)
  if args.types.expireAfterSeconds and #parts > 1 then
    errors.raise(errors.codes.CannotCreateIndex,
      "TTL indexes are single-field indexes, compound indexes do not support TTL")
  end
  local filter = args:document("partialFilterExpression")
  if filter and filter:find("$expr", 1, true) then
    errors.raise(errors.codes.CannotCreateIndex, "$expr is not supported in a partial index")
  elseif filter then
    match.compile(filter)
  end
  return { name = name, pattern = pattern, options = options_of(args) }
end

-- Whether the collection has it already; raises when it has something of that name or pattern.
local function present(c, wanted)
  for _, ix in ipairs(c.indexes) do
    local is_same = index.is_named(ix, 3, wanted.pattern)
    if ix.name == wanted.name or is_same then
      if ix.name == "_id_" and is_same then
        return true
      elseif ix.name == wanted.name and is_same and ix.options == wanted.options then
        return true
      elseif ix.name == wanted.name then
        errors.raise(errors.codes.IndexKeySpecsConflict,
          "An existing index has the same name as the requested index, "
          .. "but another pattern or other options: " .. wanted.name)
      end
      errors.raise(errors.codes.IndexOptionsConflict,
        "Index already exists with a different name: " .. ix.name)
    end
  end
  return false
end

local function create(op, args)
  local name, list = args:collection(), {}
  for i, element in ipairs(bson.elements(args:array("indexes", bson.EMPTY))) do
    list[i] = read(element.t == 3 and element.v or bson.EMPTY)
  end
  if #list == 0 then
    errors.raise(errors.codes.BadValue, "Must specify at least one index to create")
  end
  transaction.begin(op)
  local is_new = not catalog.find(op.db .. "." .. name)
  local c = catalog.get(op.db, name)
  local before = #c.indexes
  for _, wanted in ipairs(list) do
    if not present(c, wanted) then
      if #c.indexes >= core.limits.indexes then
        errors.raise(errors.codes.CannotCreateIndex,
          "add index fails, too many indexes for " .. c.ns)
      end
      catalog.add_index(c, wanted.name, wanted.pattern, wanted.options)
    end
  end
  local after = #c.indexes
  return transaction.finish(op, {
    { "numIndexesBefore", before }, { "numIndexesAfter", after },
    { "createdCollectionAutomatically", is_new },
    { "note", after == before and "all indexes already exist" or nil },
  })
end

local function find_index(c, wanted)
  for _, ix in ipairs(c.indexes) do
    if index.is_named(ix, wanted.t, wanted.v) then
      if ix.name == "_id_" then
        errors.raise(errors.codes.InvalidOptions, "cannot drop _id index")
      end
      return ix
    end
  end
  errors.raise(errors.codes.IndexNotFound,
    "index not found" .. (wanted.t == 2 and " with name [" .. wanted.v .. "]" or ""))
end

local function chosen(c, wanted)
  local list = {}
  if wanted.t == 2 and wanted.v == "*" then
    for i = 2, #c.indexes do
      list[#list + 1] = c.indexes[i]
    end
  elseif wanted.t == 4 then
    for _, element in ipairs(bson.elements(wanted.v)) do
      list[#list + 1] = find_index(c, element)
    end
  else
    list[1] = find_index(c, wanted)
  end
  return list
end

local function get(op, args)
  local ns = op.db .. "." .. args:collection()
  return catalog.find(ns) or errors.raise(errors.codes.NamespaceNotFound,
    "ns does not exist: " .. ns)
end

local function drop(op, args)
  local c = get(op, args)
  local wanted = args:boxed("index")
    or errors.raise(40414, "BSON field 'dropIndexes.index' is missing but a required field")
  local list, before = chosen(c, wanted), #c.indexes
  transaction.begin(op)
  for _, ix in ipairs(list) do
    catalog.drop_index(c, ix)
  end
  return transaction.finish(op, { { "nIndexesWas", before } })
end

local function describe(ix)
  local list = { { "v", 2 }, { "key", bson.document(ix.pattern) }, { "name", ix.name } }
  for name, t, v in bson.each(ix.options) do
    if ix.name ~= "_id_" then
      list[#list + 1] = { name, bson.box(t, v) }
    end
  end
  return bson.build(list)
end

local function list(op, args)
  local c, i = get(op, args), 0
  local batch = bson.number(bson.get(args:document("cursor", bson.EMPTY), "batchSize"))
  return cursor.begin { ns = c.ns, batch = batch, op = op, next = function()
    i = i + 1
    return c.indexes[i] and describe(c.indexes[i])
  end }
end

local drop_entry = { run = drop, fields = { index = true } }

return {
  createIndexes = { run = create, fields = { indexes = true, commitQuorum = true } },
  dropIndexes = drop_entry, deleteIndexes = drop_entry,
  listIndexes = { run = list, fields = { cursor = true } },
}
