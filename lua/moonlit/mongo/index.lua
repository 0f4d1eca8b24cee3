-- Indexes of a collection, and the collection as a whole: methods that moonlit.mongo adds to those
-- of collection.lua.

local bson = require "moonlit.core.bson"
local command = require "moonlit.mongo.command"
local handle = require "moonlit.mongo.handle"
local options = require "moonlit.mongo.options"
local problem = require "moonlit.mongo.problem"

---@class moonlit.Collection
local Collection = {}

---Options of create_index, and of each entry of create_indexes.
---@class moonlit.IndexOptions
---@field name? string made of the keys by default: "a_1_b_-1"
---@field unique? boolean refuse a second document with the same keys; false by default
---@field sparse? boolean leave out documents without the keys; false by default
---@field hidden? boolean keep it, but do not use it; false by default
---@field expire_after? number seconds after the date in the key at which a document goes
---@field partial_filter? table index only the documents that match
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field weights? table of the fields of a text index, { title = 3 }
---@field default_language? string of a text index; "english" by default
---@field language_override? string the field that names a document's language; "language"
---@field wildcard_projection? table which fields a wildcard index has
---@field bits? integer precision of a 2d index
---@field min? number lower bound of a 2d index
---@field max? number upper bound of a 2d index
---@field comment? any is seen in the server's log and profiler; not in create_indexes
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
  local view = bson.is_view(keys) and keys
    or bson.decode(options.ordered(what, { { "k", keys } })).k
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
---@param keys string|table "name", { name = 1 }, or { {"a", 1}, {"b", -1} }
---@param opts moonlit.IndexOptions?
---@return string
function Collection:create_index(keys, opts)
  local own = handle.names(self, "collection", "create_index")
  local index, name, rest = index_of("create_index", keys, opts)
  create(own, "create_index", { index }, rest.comment)
  return name
end

---Create several indexes: a list of { keys = { ... }, options... }. Returns their names. (waits)
---@param indexes table[] at least one
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
---@param index string|table "name_1", or its keys as in create_index
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
