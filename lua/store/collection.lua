--- One collection: records by id, and indexes that follow every change. All changes happen within a
--- transaction of the file that the caller holds; each checks everything first, and only then
--- writes.
---
--- indexes[1] is that of _id.
local ffi = require "ffi"
local bson = require "store.bson"
local core = require "store.core"
local errors = require "store.errors"
local file = require "store.file"
local index = require "store.index"
local scheduler = require "store.scheduler"

local collection = {}
collection.__index = collection

local find, pointer = bson.find, bson.pointer
local LIMIT_DOCUMENT, LIMIT_DEPTH = core.limits.document, core.limits.depth
local BAD_ID = { [4] = "array", [6] = "undefined", [11] = "regex" }

-- ---- counting -----------------------------------------------------------------------------------

--- How many documents there are. Counting reads them all, so it is kept from then on.
---@return integer
function collection:count()
  self.documents = self.documents or file.count(self.tree)
  return self.documents
end

local function change_count(self, by)
  self.documents = self.documents and self.documents + by
end

local function next_id(self)
  self.last_id = (self.last_id or file.last_id(self.tree)) + 1
  return self.last_id
end

--- To be called when a transaction was undone.
function collection:forget()
  self.documents, self.last_id = nil, nil
end

-- ---- checks -------------------------------------------------------------------------------------

local function check_document(p, size)
  if size > LIMIT_DOCUMENT then
    errors.raise(errors.codes.BSONObjectTooLarge,
      string.format("object to insert too large. size in bytes: %d, max size: %d", size,
        LIMIT_DOCUMENT))
  elseif not file.check(p, size, LIMIT_DEPTH) then
    errors.raise(errors.codes.Overflow,
      string.format("cannot store a document that is nested deeper than %d levels", LIMIT_DEPTH))
  end
end

local function check_id(p, t, o)
  if BAD_ID[t] then
    errors.raise(errors.codes.InvalidIdField, "The '_id' value cannot be of type " .. BAD_ID[t])
  elseif t == 3 and p[o + 4] ~= 0 and p[o + 5] == 36 then
    errors.raise(errors.codes.DollarPrefixedFieldName,
      "_id fields may not contain '$'-prefixed fields")
  end
end

-- The values of a key as the error of a duplicate tells them: the first that each path leads to.
local function key_value(ix, doc)
  local w = bson.writer():reset()
  for _, part in ipairs(ix.parts) do
    local t, v = bson.path(doc, part.path)
    w:put(part.path, t == 0 and 10 or t, v)
  end
  return w:finish()
end

local function describe(t, v)
  if t == 2 then
    return '"' .. v .. '"'
  elseif t == 7 then
    return "ObjectId('" .. v:gsub(".", function(c) return string.format("%02x", c:byte()) end)
      .. "')"
  elseif t == 10 or t == 0 then
    return "null"
  elseif t == 8 or t == 1 or t == 16 or t == 18 then
    return (tostring(v):gsub("LL$", ""))
  end
  return bson.type_name(t)
end

local function raise_duplicate(self, ix, doc)
  local values, words = key_value(ix, doc), {}
  for name, t, v in bson.each(values) do
    words[#words + 1] = name .. ": " .. describe(t, v)
  end
  errors.raise(errors.codes.DuplicateKey,
    string.format("E11000 duplicate key error collection: %s index: %s dup key: { %s }", self.ns,
      ix.name,
      table.concat(words, ", ")),
    { { "keyPattern", bson.document(ix.pattern) }, { "keyValue", bson.document(values) } })
end

-- The keys of all indexes but that of _id, checked against what is there.
local function check_keys(self, p, size, own_id)
  local all = {}
  for i = 2, #self.indexes do
    local ix = self.indexes[i]
    local keys, multikey = index.keys(ix, p)
    all[i] = keys
    keys.multikey = multikey
    for _, key in ipairs(ix.unique and keys or {}) do
      local other = file.find_key(ix.tree, key)
      if other and other ~= own_id then
        raise_duplicate(self, ix, ffi.string(p, size))
      end
    end
  end
  return all
end

local function note_multikey(self, ix, keys)
  if keys.multikey and not ix.multikey then
    ix.multikey = true
    self.catalog.save(self)
  end
end

-- ---- changes ------------------------------------------------------------------------------------

local function with_id_first(p, size, t, o)
  local w = bson.writer():reset()
  if t == 0 then
    w:put("_id", bson.unbox(bson.oid()))
    w:raw(p, 4, size - 1)
  else
    w:copy("_id", p, t, o)
    w:raw(p, 4, o - 5)
    w:raw(p, o + bson.size(p, t, o), size - 1)
  end
  return w:finish()
end

--- Inserts the document of `size` bytes at `p`.
---@return integer record id
function collection:insert(p, size)
  check_document(p, size)
  local t, o = find(p, 0, "_id")
  check_id(p, t, o)
  local doc
  if t == 0 or o ~= 9 then
    doc = with_id_first(p, size, t, o)
    p, size = pointer(doc), #doc
    t, o = find(p, 0, "_id")
  end
  local id_index = self.indexes[1]
  local key = file.key(t, p, o)
  if file.find_key(id_index.tree, key) then
    raise_duplicate(self, id_index, ffi.string(p, size))
  end
  local keys = check_keys(self, p, size)
  local id = next_id(self)
  file.put(self.tree, id, p, size)
  file.put_key(id_index.tree, key, id)
  for i = 2, #self.indexes do
    local ix = self.indexes[i]
    for _, entry in ipairs(keys[i]) do
      file.put_key(ix.tree, entry, id)
    end
    note_multikey(self, ix, keys[i])
  end
  change_count(self, 1)
  return id, doc
end

local function same_id(old, new)
  local p, q = pointer(old), pointer(new)
  local t, o = find(p, 0, "_id")
  local u, r = find(q, 0, "_id")
  return t ~= 0 and u ~= 0 and file.key(t, p, o) == file.key(u, q, r)
end

local function set_of(list)
  local set = {}
  for _, key in ipairs(list) do
    set[key] = true
  end
  return set
end

local function exchange_keys(self, ix, id, old_keys, new_keys)
  local before, after = set_of(old_keys), set_of(new_keys)
  for _, key in ipairs(old_keys) do
    if not after[key] then
      file.delete_key(ix.tree, key, id)
    end
  end
  for _, key in ipairs(new_keys) do
    if not before[key] then
      file.put_key(ix.tree, key, id)
    end
  end
  note_multikey(self, ix, new_keys)
end

--- Puts `new` in the place of `old`, the document of record `id`.
function collection:replace(id, old, new)
  if not same_id(old, new) then
    errors.raise(errors.codes.ImmutableField,
      "Performing an update on the path '_id' would modify the immutable field '_id'")
  end
  local p = pointer(new)
  check_document(p, #new)
  local keys = check_keys(self, p, #new, id)
  file.put(self.tree, id, new, #new)
  for i = 2, #self.indexes do
    local ix = self.indexes[i]
    exchange_keys(self, ix, id, index.keys(ix, pointer(old)), keys[i])
  end
end

--- Removes record `id`, which is `doc`.
function collection:remove(id, doc)
  local p = pointer(doc)
  file.delete(self.tree, id)
  for _, ix in ipairs(self.indexes) do
    for _, key in ipairs((index.keys(ix, p))) do
      file.delete_key(ix.tree, key, id)
    end
  end
  change_count(self, -1)
end

--- The record id of an _id value that lies at `o` of `p`, or nil.
function collection:find_id(t, p, o)
  return file.find_key(self.indexes[1].tree, file.key(t, p, o))
end

--- Fills a new index from all documents.
function collection:fill(ix)
  local scan = file.scan(self.tree)
  while file.next(scan) do
    scheduler.tick()
    local keys, multikey = index.keys(ix, scan.bytes)
    ix.multikey = ix.multikey or multikey
    for _, key in ipairs(keys) do
      if ix.unique and file.find_key(ix.tree, key) then
        raise_duplicate(self, ix, ffi.string(scan.bytes, scan.length))
      end
      file.put_key(ix.tree, key, tonumber(scan.id))
    end
  end
  file.end_scan(scan)
end

return collection
