-- Handles hold nothing but names, so they work in every session and every run. The names are kept
-- beside them, where scripts cannot change them.

local core = require "moonlit.core.mongo"
local problem = require "moonlit.mongo.problem"

local handle = {}

local names = setmetatable({}, { __mode = "k" })

---A handle of a class; `database` false means the one of the URI.
---@param class table
---@param database string|false
---@param collection? string
---@return table
function handle.new(class, database, collection)
  local self = setmetatable({}, class)
  names[self] = { database = database, collection = collection }
  return self
end

---Make a class of handles. `find` answers for keys that are no method.
---@param kind string "database" or "collection"
---@param methods table<string, function>
---@param find fun(self: table, key: any): any
---@return table metatable
function handle.class(kind, methods, find)
  return {
    __handle = kind .. " handle",
    __metatable = kind,
    __index = function(self, key)
      return methods[key] or find(self, key)
    end,
    __newindex = function(_, key)
      problem.misuse(("a %s handle cannot be changed (field %q): keep values in your own variables")
        :format(kind, tostring(key)))
    end,
    __eq = function(a, b)
      local left, right = names[a], names[b]
      return left.database == right.database and left.collection == right.collection
    end,
    __tostring = function(self)
      local own = names[self]
      local database = own.database or "(default)"
      return ("%s %s%s"):format(kind, database, own.collection and "." .. own.collection or "")
    end,
  }
end

---The names of a handle; a sentence when a method was called with a dot.
---@param kind string
---@param method string
---@return { database: string|false, collection: string? }
function handle.names(self, kind, method)
  local own = names[self]
  if not own or (kind == "collection") ~= (own.collection ~= nil) then
    problem.misuse(("call %s with a colon on a %s handle: %s:%s(...)"):format(method, kind,
      kind == "database" and "db" or "collection", method))
  end
  return own
end

---The name of a handle's database. Needs a run when it is the default one.
---@param own { database: string|false }
---@return string
function handle.database_name(own)
  if own.database then return own.database end
  local name, refusal = core.default_database()
  if not name then problem.misuse(refusal) end
  return name
end

return handle
