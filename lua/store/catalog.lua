--- Which collections and indexes there are. The catalog lies in a tree of the file, a document for
--- each collection by its full name, and as a whole in memory. Changes happen within a transaction
--- of the caller; after one was undone, catalog.undo sets the memory right.
local bson = require "store.bson"
local errors = require "store.errors"
local file = require "store.file"
local collection = require "store.collection"
local index = require "store.index"
local match = require "store.match"

local catalog = {}

local CATALOG_TREE, FIRST_TREE = 1, 16

local tree = file.open(file.PAIRS, CATALOG_TREE)
local collections, last_tree = {}, FIRST_TREE
local touched = {} -- names of collections that the transaction under way has changed

-- ---- to the file and back -----------------------------------------------------------------------

local function pack_index(ix)
  return bson.build_value {
    { "name", ix.name }, { "key", bson.document(ix.pattern) }, { "tree", ix.number },
    { "multikey", ix.multikey or false }, { "options", bson.document(ix.options) },
  }
end

local function pack(c)
  local list = {}
  for i, ix in ipairs(c.indexes) do
    list[i] = pack_index(ix)
  end
  return bson.build {
    { "ns", c.ns }, { "tree", c.number }, { "uuid", bson.binary(c.uuid, 4) },
    { "options", bson.document(c.options) }, { "indexes", bson.list(list) },
  }
end

local function option(options, name)
  return select(2, bson.get(options, name))
end

local function set_index(ix)
  ix.parts = index.parts(ix.pattern)
  local t, v = bson.get(ix.options, "unique")
  ix.unique = bson.truth(t, v)
  t, v = bson.get(ix.options, "sparse")
  ix.sparse = bson.truth(t, v)
  ix.hidden = option(ix.options, "hidden") == true
  ix.filter = option(ix.options, "partialFilterExpression")
  ix.test = ix.filter and match.compile(ix.filter)
  t, v = bson.get(ix.options, "expireAfterSeconds")
  ix.expire = bson.number(t, v)
  ix.tree = file.open(file.INDEX, ix.number)
  last_tree = math.max(last_tree, ix.number)
  return ix
end

local function unpack_index(bytes)
  return set_index {
    name = option(bytes, "name"), pattern = option(bytes, "key"), number = option(bytes, "tree"),
    multikey = option(bytes, "multikey"), options = option(bytes, "options"),
  }
end

local function set_collection(c)
  c.db, c.name = c.ns:match("^([^.]+)%.(.+)$")
  c.tree = file.open(file.RECORDS, c.number)
  c.catalog = catalog
  last_tree = math.max(last_tree, c.number)
  collections[c.ns] = setmetatable(c, collection)
  return c
end

local function unpack_collection(bytes)
  local c = set_collection {
    ns = option(bytes, "ns"), number = option(bytes, "tree"), uuid = option(bytes, "uuid"):sub(6),
    options = option(bytes, "options"), indexes = {},
  }
  for i, element in ipairs(bson.elements(option(bytes, "indexes"))) do
    c.indexes[i] = unpack_index(element.v)
  end
end

local function load()
  for _, bytes in file.pairs(tree) do
    unpack_collection(bytes)
  end
end

local function close(c)
  file.close(c.tree)
  for _, ix in ipairs(c.indexes) do
    file.close(ix.tree)
  end
  collections[c.ns] = nil
end

--- Writes what is known of a collection.
function catalog.save(c)
  touched[c.ns] = true
  file.put_pair(tree, c.ns, pack(c))
end

--- To be called when a transaction was kept, and when it was undone.
function catalog.keep()
  if next(touched) then
    touched = {}
  end
end

--- What the transaction touched is read from the file again.
function catalog.undo()
  local names = touched
  touched = {}
  for ns in pairs(names) do
    if collections[ns] then
      close(collections[ns])
    end
  end
  for ns in pairs(names) do
    local bytes = file.get_pair(tree, ns)
    if bytes then
      unpack_collection(bytes)
    end
  end
  for _, c in pairs(collections) do
    c:forget()
  end
end

-- ---- asking -------------------------------------------------------------------------------------

--- The collection of that full name, or nil.
function catalog.find(ns)
  return collections[ns]
end

--- All collections, or those of a database, by name.
function catalog.list(db)
  local list = {}
  for _, c in pairs(collections) do
    if not db or c.db == db then
      list[#list + 1] = c
    end
  end
  table.sort(list, function(a, b) return a.ns < b.ns end)
  return list
end

--- Refuses what cannot be the name of a collection.
function catalog.check_name(db, name)
  local code = errors.codes.InvalidNamespace
  if db == "" or db:find('[/\\. "$*<>:|?%z]') or #db > 63 then
    errors.raise(code, "Invalid database name: '" .. db .. "'")
  elseif name == "" or name:find("[$%z]") or name:find("^%.") or name:find("%.$")
    or name:find("^system%.") then
    errors.raise(code, "Invalid namespace specified '" .. db .. "." .. name .. "'")
  elseif #db + #name > 254 then
    errors.raise(code,
      "The name of a collection, its database included, has at most 255 bytes: " .. name:sub(1, 40))
  end
end

-- ---- changing -----------------------------------------------------------------------------------

local function next_tree()
  last_tree = last_tree + 1
  return last_tree
end

local function random_uuid()
  local source = assert(io.open("/dev/urandom", "rb"))
  local bytes = source:read(16)
  source:close()
  return bytes:sub(1, 6) .. string.char(0x40 + bytes:byte(7) % 16) .. bytes:sub(8, 8)
    .. string.char(0x80 + bytes:byte(9) % 64) .. bytes:sub(10)
end

--- Makes a collection.
---@param options? string BSON, as listCollections shows them
function catalog.create(db, name, options)
  catalog.check_name(db, name)
  touched[db .. "." .. name] = true
  local c = set_collection {
    ns = db .. "." .. name, number = next_tree(), uuid = random_uuid(),
    options = options or bson.EMPTY, indexes = {},
  }
  catalog.add_index(c, "_id_", bson.build { { "_id", 1 } }, bson.build { { "unique", true } })
  return c
end

--- The collection, made where it is missing.
function catalog.get(db, name)
  return collections[db .. "." .. name] or catalog.create(db, name)
end

--- Adds an index and fills it.
function catalog.add_index(c, name, pattern, options)
  touched[c.ns] = true
  local ix = set_index { name = name, pattern = pattern, options = options, number = next_tree(),
    multikey = false }
  table.insert(c.indexes, ix)
  c:fill(ix)
  catalog.save(c)
  return ix
end

---@param c table the collection
---@param ix table
function catalog.drop_index(c, ix)
  touched[c.ns] = true
  for i, other in ipairs(c.indexes) do
    if other == ix then
      table.remove(c.indexes, i)
    end
  end
  catalog.save(c)
  file.drop(ix.tree)
end

---@param c table the collection
function catalog.drop(c)
  touched[c.ns] = true
  collections[c.ns] = nil
  file.delete_pair(tree, c.ns)
  for _, ix in ipairs(c.indexes) do
    file.drop(ix.tree)
  end
  file.drop(c.tree)
end

--- Gives a collection another name.
function catalog.rename(c, db, name)
  catalog.check_name(db, name)
  touched[c.ns], touched[db .. "." .. name] = true, true
  collections[c.ns] = nil
  file.delete_pair(tree, c.ns)
  c.ns, c.db, c.name = db .. "." .. name, db, name
  collections[c.ns] = c
  catalog.save(c)
end

load()
return catalog
