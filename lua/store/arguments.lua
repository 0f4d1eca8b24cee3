--- The arguments of a command: a document's fields, checked by type as they are asked for. What is
--- not known is refused, because it would change the meaning.
local bson = require "store.bson"
local raw = require "store.raw"
local errors = require "store.errors"

local arguments = {}
arguments.__index = arguments

--- Every command takes these.
local GENERAL = {
  ["$db"] = true, lsid = true, txnNumber = true, ["$clusterTime"] = true,
  ["$readPreference"] = true, readConcern = true, writeConcern = true, comment = true,
  maxTimeMS = true, autocommit = true, startTransaction = true, apiVersion = true, apiStrict = true,
  apiDeprecationErrors = true, stmtId = true, stmtIds = true, ["$audit"] = true, ["$client"] = true,
  ["$configServerState"] = true, maxTimeMSOpOnly = true,
}

--- Reads a document.
---@param name string the command's, for words
---@param bytes string
---@param known? table<string, boolean> the fields it may have besides the general ones; nil: any
function arguments.read(name, bytes, known)
  local types, values = {}, {}
  local p, i = bson.pointer(bytes), 4
  local t, o, following = bson.step(p, i)
  -- No iterator here: making a closure is what the JIT cannot compile.
  while t ~= 0 do
    local field = bson.name(p, i)
    if known and not known[field] and not GENERAL[field] and field ~= name then
      errors.raise(40415, string.format(
        "BSON field '%s.%s' is an unknown field; the built-in store does not know it",
        name, field))
    end
    types[field], values[field] = bson.value(p, t, o)
    i = following
    t, o, following = bson.step(p, i)
  end
  return setmetatable({ name = name, types = types, values = values, bytes = bytes }, arguments)
end

local function mismatch(self, field, wanted)
  errors.raise(errors.codes.TypeMismatch,
    string.format("BSON field '%s.%s' is the wrong type '%s', expected type '%s'",
    self.name, field, bson.type_name(self.types[field]), wanted))
end

local function typed(t, wanted)
  return function(self, field, default)
    local found = self.types[field]
    if not found or found == 10 then
      return default
    elseif found ~= t then
      mismatch(self, field, wanted)
    end
    return self.values[field]
  end
end

arguments.document = typed(3, "object")
arguments.text = typed(2, "string")
arguments.array = typed(4, "array")

--- A document, without which the command is refused.
---@param field string
---@return string bytes
function arguments:required_document(field)
  return self:document(field) or errors.raise(40414,
    string.format("BSON field '%s.%s' is missing but a required field", self.name, field))
end

--- A boolean; numbers count too, as old drivers send them.
function arguments:flag(field, default)
  local t = self.types[field]
  if not t or t == 10 then
    return default or false
  elseif t ~= 8 and not bson.is_number(t) then
    mismatch(self, field, "bool")
  end
  return bson.truth(t, self.values[field])
end

--- A whole number.
function arguments:whole(field, default, lowest)
  local t = self.types[field]
  if not t or t == 10 then
    return default
  end
  local number = bson.number(t, self.values[field])
  if not number or number ~= math.floor(number) then
    mismatch(self, field, "long")
  elseif lowest and number < lowest then
    errors.raise(51024, string.format("BSON field '%s' value must be >= %d, actual value '%d'",
      field, lowest, number))
  end
  return number
end

--- A value as it is, boxed; nil when it is not there.
function arguments:boxed(field)
  local t = self.types[field]
  return t and bson.box(t, self.values[field]) or nil
end

--- The name of the collection that the command's first field tells.
function arguments:collection()
  local t, name = self.types[self.name], self.values[self.name]
  if t ~= 2 or name == "" then
    errors.raise(errors.codes.InvalidNamespace,
      "collection name has invalid type " .. bson.type_name(t or 0))
  end
  return name
end

--- Refuses a collation other than the simple one.
function arguments:check_collation()
  local collation = self:document("collation")
  if collation and collation ~= bson.EMPTY
    and select(2, bson.get(collation, "locale")) ~= "simple" then
    errors.unsupported("a collation other than {locale: 'simple'}")
  end
end

-- ---- lists of documents -------------------------------------------------------------------------

local function in_sequence(bytes)
  local p, at = bson.pointer(bytes), 0
  return function()
    if at < #bytes then
      local here = p + at
      local size = raw.int32(p, at)
      at = at + size
      return here, size, bytes
    end
  end
end

local function in_array(self, field, bytes)
  local p = bson.pointer(bytes)
  local i = 4
  return function()
    local t, o, following = bson.step(p, i)
    if t == 0 then
      return nil
    elseif t ~= 3 then
      errors.raise(errors.codes.TypeMismatch,
        string.format("BSON field '%s.%s' holds a '%s', expected type 'object'",
        self.name, field, bson.type_name(t)))
    end
    i = following
    return p + o, raw.int32(p, o), bytes
  end
end

--- Loops over a list of documents that came in the body or as a sequence beside it:
--- for pointer, size in args:documents("documents"). The pointers live as long as the arguments do.
function arguments:documents(field)
  local sequence = self.sections and self.sections[field]
  if sequence then
    return in_sequence(sequence)
  end
  local bytes = self:array(field)
  if not bytes then
    errors.raise(40414, string.format("BSON field '%s.%s' is missing but a required field",
      self.name, field))
  end
  return in_array(self, field, bytes)
end

return arguments
