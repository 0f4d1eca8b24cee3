-- Indexes of a collection, and the collection as a whole: methods that moonlit.mongo adds to those of
-- collection.lua.

local bson = require "moonlit.core.bson"
local command = require "moonlit.mongo.command"
local handle = require "moonlit.mongo.handle"
local options = require "moonlit.mongo.options"
local problem = require "moonlit.mongo.problem"

---@class moonlit.Collection
local Collection = {}

local INDEX = options.spec {
  { "name", false, "text" },
  { "unique", "unique", "flag" },
  { "sparse", "sparse", "flag" },
  { "hidden", "hidden", "flag" },
  { "expire_after", "expireAfterSeconds", "number" },
  { "partial_filter", "partialFilterExpression", "document" },
  { "collation", "collation", "document" },
  { "weights", "weights", "document" },
  { "default_language", "default_language", "text" },
  { "language_override", "language_override", "text" },
  { "wildcard_projection", "wildcardProjection", "document" },
  { "bits", "bits", "count" },
  { "min", "min", "number" },
  { "max", "max", "number" },
  { "comment", false, "any" },
}

-- { {"a", 1}, {"b", -1} } is "a_1_b_-1".
local function name_of(keys)
  local parts = {}
  for _, name in ipairs(bson.keys(keys)) do
    parts[#parts + 1] = name
    parts[#parts + 1] = tostring(keys[name])
  end
  return table.concat(parts, "_")
end

local function index_of(what, keys, opts)
  if type(keys) == "string" then keys = { [keys] = 1 } end
  keys = options.order(what, "the keys", keys)
  local view = bson.is_view(keys) and keys or bson.decode(options.ordered(what, { { "k", keys } })).k
  local pairs = { { "key", view } }
  local rest = options.append(what, INDEX, opts, pairs)
  local name = rest.name or name_of(view)
  if name == "" then problem.misuse(what .. ": the keys are empty; write { name = 1 }") end
  pairs[#pairs + 1] = { "name", name }
  return command.statement(what, pairs), name, rest
end

local function create(own, what, indexes, comment)
  local reply = command.run(what, own.database, {
    { "createIndexes", own.collection }, { "indexes", indexes }, { "comment", comment },
  }, "write")
  problem.check(reply, {})
end

---Create an index if there is none like it, and return its name. (waits)
---@param keys string|table { name = 1 }, or { {"a", 1}, {"b", -1} } when there are several
---@param opts { name: string, unique: boolean, sparse: boolean, hidden: boolean, expire_after: number, partial_filter: table, collation: table, weights: table, default_language: string, language_override: string, wildcard_projection: table, bits: integer, min: number, max: number, comment: any }?
---@return string
function Collection:create_index(keys, opts)
  local own = handle.names(self, "collection", "create_index")
  local index, name, rest = index_of("create_index", keys, opts)
  create(own, "create_index", { index }, rest.comment)
  return name
end

---Create several indexes: a list of { keys = { ... }, options... }. Returns their names. (waits)
---@param indexes table[]
---@return string[]
function Collection:create_indexes(indexes)
  local own = handle.names(self, "collection", "create_indexes")
  local list, names = {}, {}
  for i, entry in ipairs(options.list("create_indexes", "the indexes", indexes)) do
    if type(entry) ~= "table" or entry.keys == nil then
      problem.misuse(("create_indexes: item %d has no keys; write { { keys = { name = 1 }, "
        .. "unique = true } }"):format(i))
    end
    local opts = {}
    for name, value in next, entry do
      if name ~= "keys" then opts[name] = value end
    end
    list[i], names[i] = index_of("create_indexes", entry.keys, opts)
  end
  if #list == 0 then problem.misuse("create_indexes: the list has no index") end
  create(own, "create_indexes", list)
  return names
end

---The indexes of the collection, as a cursor. (waits when it is gone over)
---@return moonlit.Cursor
function Collection:list_indexes()
  local own = handle.names(self, "collection", "list_indexes")
  return command.cursor("list_indexes", own.database, {
    { "listIndexes", own.collection }, { "cursor", {} },
  }, "read")
end

---Drop an index by its name or its keys. (waits)
---@param index string|table
function Collection:drop_index(index)
  local own = handle.names(self, "collection", "drop_index")
  if type(index) ~= "string" then index = options.order("drop_index", "the index", index) end
  if index == "*" then
    problem.misuse("drop_index: name one index; drop_indexes() drops all but that of _id")
  end
  command.run("drop_index", own.database, {
    { "dropIndexes", own.collection }, { "index", index },
  }, "write")
end

---Drop all indexes but that of _id. (waits)
function Collection:drop_indexes()
  local own = handle.names(self, "collection", "drop_indexes")
  command.run("drop_indexes", own.database, {
    { "dropIndexes", own.collection }, { "index", "*" },
  }, "write")
end

---Drop the collection with everything in it; it is no error when it does not exist. (waits)
function Collection:drop()
  local own = handle.names(self, "collection", "drop")
  local ok, err = pcall(command.run, "drop", own.database, { { "drop", own.collection } }, "write")
  if not ok and not (type(err) == "table" and err.code == 26) then error(err, 0) end
end

---The collection's name.
---@return string
function Collection:name()
  return handle.names(self, "collection", "name").collection
end

return Collection
