-- The database, as scripts use it: `local mongo = require "moonlit.mongo"`. Every call that asks
-- the server reads like an ordinary one, and everybody else goes on meanwhile.
--
-- Read it in this order: this file (databases), mongo/collection.lua (what can be done with
-- documents), mongo/index.lua, mongo/cursor.lua, and behind them options, command, handle, problem.

local bson = require "moonlit.core.bson"
local collections = require "moonlit.mongo.collection"
local indexes = require "moonlit.mongo.index"
local command = require "moonlit.mongo.command"
local handle = require "moonlit.mongo.handle"
local options = require "moonlit.mongo.options"
local problem = require "moonlit.mongo.problem"

---The database of the app. A call that asks it waits, and everybody else goes on meanwhile; a read
---whose result nobody wants any more is ended, down to the server, and a write is never cut.
---
---What the database refuses, and one that cannot be reached, is raised as a databaseError at the
---script's own line; a mistake in a call is raised there as a sentence, a text.
local mongo = {}

-- ---- names ----

local function check_collection_name(name)
  if type(name) ~= "string" or name == "" or name:find("%z") or name:find("$", 1, true)
    or name:sub(1, 1) == "." or name:sub(-1) == "." then
    problem.misuse(("a collection's name is a text without NUL, \"$\" and dots at its ends, got %s")
      :format(type(name) == "string" and ("%q"):format(name) or "a " .. type(name)))
  end
  return name
end

local function check_database_name(name)
  if type(name) ~= "string" or name == "" or #name > 63 or name:find("[%z/\\. \"$]") then
    problem.misuse(("a database's name is a text of 1 to 63 bytes without spaces and any of "
      .. "/\\.\"$, got %s")
      :format(type(name) == "string" and ("%q"):format(name) or "a " .. type(name)))
  end
  return name
end

-- ---- collections ----

local Collection = {}
for name, method in next, collections do Collection[name] = method end
for name, method in next, indexes do Collection[name] = method end

local CollectionHandle = handle.class("collection", Collection, function(_, key)
  problem.misuse(("a collection has no method %q%s"):format(tostring(key),
    options.did_you_mean(tostring(key), Collection)))
end)

-- ---- databases ----

---A database; `db.products` is its collection "products".
---@class moonlit.Database
---@field [string] moonlit.Collection the one of that name
local Database = {}

local DatabaseHandle = handle.class("database", Database, function(self, key)
  return handle.new(CollectionHandle, handle.names(self, "database", "collection").database,
    check_collection_name(key))
end)

-- `db:comand{}` calls the collection "comand", and so does `for x in db.comand do`.
function CollectionHandle.__call(self)
  local name = handle.names(self, "collection", "name").collection
  local near = options.did_you_mean(name, Database)
  problem.misuse(near ~= "" and ("a database has no method %q%s"):format(name, near)
    or ("a collection cannot be called: go over %s:find{}, or call another method of it")
      :format(name))
end

---A collection by its name, also where that is no word of Lua or that of a method.
---@param name string without NUL, "$" and dots at its ends
---@return moonlit.Collection
function Database:collection(name)
  return handle.new(CollectionHandle, handle.names(self, "database", "collection").database,
    check_collection_name(name))
end

---The database's name.
---@return string
function Database:name()
  return handle.database_name(handle.names(self, "database", "name"))
end

local READS = {}
for name in ([[find aggregate count distinct getmore listcollections listindexes listdatabases
  ping hello ismaster buildinfo serverstatus dbstats collstats connectionstatus hostinfo
  getparameter getlog explain datasize top whatsmyuri usersinfo rolesinfo getcmdlineopts features
  listcommands replsetgetstatus currentop validatedbmetadata]]):gmatch("%S+") do
  READS[name] = true
end

local COMMAND = options.spec {
  { "max_time", false, "seconds" },
  { "kind", false, "text" },
}

-- Bytes and the name of a command given as pairs, as a document, or as a table with one name.
local function command_bytes(what, content)
  local kind = bson.is_view(content)
  if kind ~= "document" and type(content) ~= "table" then
    problem.misuse(what .. ": write { ping = 1 }, or { {\"collStats\", \"products\"}, "
      .. "{\"scale\", 1024} } when there are several fields")
  end
  local document = options.order(what, "the command", options.with_orders(what, content))
  local view = document
  if not bson.is_view(view) then
    local name, value = next(document)
    view = bson.decode(options.ordered(what, name and { { name, value } } or {}))
  end
  local name = bson.keys(view)[1]
  if not name then problem.misuse(what .. ": the command is empty; write { ping = 1 }") end
  return bson.bytes(view), name, view
end

local function is_read(name, view)
  if name == "aggregate" and bson.is_view(view.pipeline) == "array" then
    local last = view.pipeline[#view.pipeline]
    return not (bson.is_view(last) and (last["$out"] or last["$merge"]))
  end
  return READS[name:lower()] == true
end

local function check_kind(what, kind)
  if kind and kind ~= "read" and kind ~= "write" then
    problem.misuse(what .. ": kind must be \"read\" (may be ended when something newer comes) or "
      .. "\"write\" (is always finished)")
  end
  return kind
end

---Run any command and return the server's answer: db:command{ ping = 1 }, or with several fields
---db:command{ {"collStats", "products"}, {"scale", 1024} }. It counts as a write, which is never
---cut, unless its name is that of a known read or { kind = "read" } is given. (waits)
---@param content table one name, or pairs in their order
---@param opts { max_time: number, kind: "read"|"write" }? max_time in seconds
---@return moonlit.Document what the server answered
function Database:command(content, opts)
  local own = handle.names(self, "database", "command")
  local bytes, name, view = command_bytes("command", content)
  local rest = options.append("command", COMMAND, opts, {})
  local kind = check_kind("command", rest.kind) or (is_read(name, view) and "read" or "write")
  local reply = command.run("command", own.database, bytes, kind, command.milliseconds(rest))
  problem.check(reply, problem.collect(reply, 0, {}))
  return reply
end

local LIST = options.spec {
  { "name_only", "nameOnly", "flag" },
  { "comment", "comment", "any" },
}

---The collections of the database, as a cursor of { name, type, options, info }. (waits when it is
---gone over)
---@param filter table? of the entries, { name = "products" }; all by default
---@param opts { name_only: boolean, comment: any }? name_only: false by default
---@return moonlit.Cursor
function Database:list_collections(filter, opts)
  local own = handle.names(self, "database", "list_collections")
  local pairs = {
    { "listCollections", 1 }, { "filter", options.filter("list_collections", filter) },
  }
  options.append("list_collections", LIST, opts, pairs)
  pairs[#pairs + 1] = { "cursor", {} }
  return command.cursor("list_collections", own.database, pairs, "read")
end

---The names of the database's collections. (waits)
---@return string[]
function Database:collection_names()
  local own = handle.names(self, "database", "collection_names")
  local names = {}
  local cursor = command.cursor("collection_names", own.database, {
    { "listCollections", 1 }, { "nameOnly", true }, { "cursor", {} },
  }, "read")
  for entry in cursor do names[#names + 1] = entry.name end
  table.sort(names)
  return names
end

---Create a collection with options as the server's `create` command has them. Without options it is
---not needed: the first insert creates it. (waits)
---@param name string
---@param settings table? { capped = true, size = 4096 }; none by default
---@return moonlit.Collection
function Database:create_collection(name, settings)
  local own = handle.names(self, "database", "create_collection")
  local pairs = { { "create", check_collection_name(name) } }
  local document = options.document("create_collection", "the options", settings or {})
  for key, value in next, bson.totable(document) do pairs[#pairs + 1] = { key, value } end
  command.run("create_collection", own.database, pairs, "write")
  return self:collection(name)
end

---Drop the database with everything in it. (waits)
function Database:drop()
  local own = handle.names(self, "database", "drop")
  command.run("drop", own.database, { { "dropDatabase", 1 } }, "write")
end

-- ---- the module ----

---A database: the one named in the URI, or another one. The handle holds nothing but the name; keep
---it wherever you like.
---@param name string? the one of the URI by default, and "test" when that names none
---@return moonlit.Database
function mongo.database(name)
  return handle.new(DatabaseHandle, name ~= nil and check_database_name(name), nil)
end

---The names of all databases. (waits)
---@return string[]
function mongo.databases()
  local reply = command.run("databases", "admin", {
    { "listDatabases", 1 }, { "nameOnly", true },
  }, "read")
  local names = {}
  for entry in bson.items(reply.databases) do names[#names + 1] = entry.name end
  table.sort(names)
  return names
end

return mongo
