--- create, drop, dropDatabase, renameCollection, listCollections, listDatabases.
local bson = require "store.bson"
local catalog = require "store.catalog"
local cursor = require "store.cursor"
local errors = require "store.errors"
local file = require "store.file"
local match = require "store.match"
local reply = require "store.reply"
local transaction = require "store.transaction"

-- An iterator over a list.
local function each_of(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end

local function refuse_options(args)
  for _, name in ipairs { "capped", "validator", "viewOn", "timeseries", "clusteredIndex",
    "expireAfterSeconds",
    "changeStreamPreAndPostImages", "encryptedFields", "size", "max", "pipeline" } do
    local t, v = args.types[name], args.values[name]
    if t and bson.truth(t, v) and not (t == 3 and v == bson.EMPTY) then
      errors.unsupported("the option " .. name .. " of create")
    end
  end
  args:check_collation()
end

local function create(op, args)
  local name = args:collection()
  refuse_options(args)
  if catalog.find(op.db .. "." .. name) then
    errors.raise(errors.codes.NamespaceExists, string.format("Collection %s.%s already exists.",
      op.db, name))
  end
  transaction.begin(op)
  catalog.create(op.db, name)
  return transaction.finish(op, {})
end

local function drop(op, args)
  local ns = op.db .. "." .. args:collection()
  local c = catalog.find(ns)
  if not c then
    errors.raise(errors.codes.NamespaceNotFound, "ns not found")
  end
  transaction.begin(op)
  local count = #c.indexes
  catalog.drop(c)
  cursor.kill_all(function(self) return self.ns == ns end)
  return transaction.finish(op, { { "nIndexesWas", count }, { "ns", ns } })
end

local function drop_database(op)
  local list = catalog.list(op.db)
  transaction.begin(op)
  for _, c in ipairs(list) do
    catalog.drop(c)
    cursor.kill_all(function(self) return self.ns == c.ns end)
  end
  return transaction.finish(op, { { "dropped", #list > 0 and op.db or nil } })
end

local function rename(op, args)
  local from, to = args:text("renameCollection", ""), args:text("to", "")
  local c, other = catalog.find(from), catalog.find(to)
  local db, name = to:match("^([^.]+)%.(.+)$")
  if not c then
    errors.raise(errors.codes.NamespaceNotFound, "Source collection " .. from .. " does not exist")
  elseif not db then
    errors.raise(errors.codes.InvalidNamespace, "Invalid target namespace: " .. to)
  elseif other and not args:flag("dropTarget") then
    errors.raise(errors.codes.NamespaceExists, "target namespace exists")
  end
  transaction.begin(op)
  if other then
    catalog.drop(other)
  end
  catalog.rename(c, db, name)
  cursor.kill_all(function(self) return self.ns == from or self.ns == to end)
  return transaction.finish(op, {})
end

local function describe(c, name_only)
  if name_only then
    return bson.build { { "name", c.name }, { "type", "collection" } }
  end
  return bson.build {
    { "name", c.name }, { "type", "collection" }, { "options", bson.document(c.options) },
    { "info", bson.build_value { { "readOnly", false }, { "uuid", bson.binary(c.uuid, 4) } } },
    { "idIndex", bson.build_value { { "v", 2 }, { "key", bson.build_value { { "_id", 1 } } },
      { "name", "_id_" } } },
  }
end

local function list_collections(op, args)
  local test, list = match.compile(args:document("filter", bson.EMPTY)), {}
  for _, c in ipairs(catalog.list(op.db)) do
    local doc = describe(c, args:flag("nameOnly"))
    if test(describe(c, false)) then
      list[#list + 1] = doc
    end
  end
  local batch = bson.number(bson.get(args:document("cursor", bson.EMPTY), "batchSize"))
  return cursor.begin { ns = op.db .. ".$cmd.listCollections", next = each_of(list), batch = batch,
    op = op }
end

local function databases()
  local names, by_name = {}, {}
  for _, c in ipairs(catalog.list()) do
    if not by_name[c.db] then
      by_name[c.db] = { name = c.db, size = 0 }
      names[#names + 1] = c.db
    end
    by_name[c.db].size = by_name[c.db].size + file.size(c.tree)
  end
  table.sort(names)
  return names, by_name
end

local function list_databases(_, args)
  local test, list, total = match.compile(args:document("filter", bson.EMPTY)), {}, 0
  local names, by_name = databases()
  for _, name in ipairs(names) do
    local size = by_name[name].size
    local doc = bson.build { { "name", name }, { "sizeOnDisk", bson.int64(size) },
      { "empty", false } }
    if test(doc) then
      total = total + size
      list[#list + 1] = args:flag("nameOnly") and bson.build_value { { "name", name } }
        or bson.document(doc)
    end
  end
  return reply.fine {
    { "databases", bson.list(list) },
    { "totalSize", not args:flag("nameOnly") and bson.int64(total) or nil },
  }
end

return {
  create = { run = create, fields = {
    capped = true, size = true, max = true, autoIndexId = true, validator = true,
    validationLevel = true, validationAction = true, viewOn = true, pipeline = true,
    collation = true, timeseries = true, indexOptionDefaults = true, storageEngine = true,
    clusteredIndex = true, expireAfterSeconds = true, changeStreamPreAndPostImages = true,
    encryptedFields = true,
  } },
  drop = { run = drop, fields = {} },
  dropDatabase = { run = drop_database, fields = {} },
  renameCollection = { run = rename, fields = { to = true, dropTarget = true } },
  listCollections = { run = list_collections,
    fields = { filter = true, nameOnly = true, cursor = true, authorizedCollections = true } },
  listDatabases = { run = list_databases, fields = { filter = true, nameOnly = true,
    authorizedDatabases = true } },
}
