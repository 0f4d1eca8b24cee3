--- The ordered key-value file, as runtime/store/file.h tells it, and keys in its order. Errors are
--- raised. Ids of records are Lua numbers here; trees are pointers of C.
local ffi = require "ffi"
local core = require "store.core"
local errors = require "store.errors"

ffi.cdef [[
struct store_buffer { uint8_t *bytes; size_t length; size_t capacity; size_t maximum; };
struct store_scan {
  int64_t id; const uint8_t *key; size_t key_length; const uint8_t *bytes; size_t length;
};
struct store_file;
struct store_tree;
struct store_api {
  double (*now)(void);
  bool (*check)(const uint8_t *, size_t, unsigned);
  bool (*key_append)(struct store_buffer *, uint8_t, const uint8_t *, bool);
  bool (*key_successor)(struct store_buffer *);
  const char *(*file_problem)(const struct store_file *);
  bool (*file_problem_is_full)(const struct store_file *);
  bool (*file_begin)(struct store_file *, bool);
  bool (*file_commit)(struct store_file *);
  void (*file_rollback)(struct store_file *);
  void (*file_pause)(struct store_file *);
  struct store_tree *(*tree_open)(struct store_file *, int, uint32_t);
  void (*tree_close)(struct store_tree *);
  bool (*tree_drop)(struct store_tree *);
  bool (*tree_clear)(struct store_tree *);
  bool (*record_put)(struct store_tree *, int64_t, const uint8_t *, size_t);
  bool (*record_delete)(struct store_tree *, int64_t);
  const uint8_t *(*record_get)(struct store_tree *, int64_t, size_t *);
  bool (*record_count)(struct store_tree *, int64_t *);
  bool (*record_last)(struct store_tree *, int64_t *);
  bool (*record_bytes)(struct store_tree *, int64_t *);
  bool (*index_put)(struct store_tree *, const uint8_t *, size_t, int64_t);
  bool (*index_delete)(struct store_tree *, const uint8_t *, size_t, int64_t);
  int64_t (*index_find)(struct store_tree *, const uint8_t *, size_t);
  bool (*pair_put)(struct store_tree *, const uint8_t *, size_t, const uint8_t *, size_t);
  bool (*pair_delete)(struct store_tree *, const uint8_t *, size_t);
  const uint8_t *(*pair_get)(struct store_tree *, const uint8_t *, size_t, size_t *);
  struct store_scan *(*scan_records)(struct store_tree *, int64_t, int64_t, bool);
  struct store_scan *(*scan_keys)(struct store_tree *, const uint8_t *, size_t, const uint8_t *,
    size_t, bool);
  int (*scan_next)(struct store_scan *);
  void (*scan_close)(struct store_scan *);
};
]]

local file = { RECORDS = 0, INDEX = 1, PAIRS = 2 }

local api = ffi.cast("const struct store_api *", core.api)
local handle = ffi.cast("struct store_file *", core.file)
local length = ffi.new("size_t[1]")
local first = ffi.new("int64_t[1]")
local LAST_ID = 0x7fffffffffffffffLL

local function fail()
  local code = api.file_problem_is_full(handle) and 14031 or errors.codes.InternalError
  local words = ffi.string(api.file_problem(handle))
  if words:find("was dropped", 1, true) then
    code = 175
  end
  errors.raise(code, words)
end

local function must(ok)
  if not ok then
    fail()
  end
end

--- Milliseconds of a clock that only goes forward.
---@return number
function file.now()
  return api.now()
end

--- Whether the bytes are a document nested at most `depth` deep.
function file.check(p, size, depth)
  return api.check(p, size, depth)
end

-- ---- transactions -------------------------------------------------------------------------------

---@param durable boolean wait for the disk at the commit
function file.begin(durable)
  must(api.file_begin(handle, durable))
end

--- Raises what the disk says, when it says no.
function file.commit()
  must(api.file_commit(handle))
end

--- Never fails.
function file.rollback()
  api.file_rollback(handle)
end

-- ---- trees --------------------------------------------------------------------------------------

---@param kind integer
---@param number integer
---@return ffi.cdata* tree
function file.open(kind, number)
  local tree = api.tree_open(handle, kind, number)
  must(tree ~= nil)
  return tree
end

---@param tree ffi.cdata*
function file.close(tree)
  api.tree_close(tree)
end

---@param tree ffi.cdata* it is closed too
function file.drop(tree)
  must(api.tree_drop(tree))
end

--- Puts `size` bytes at `p`, which may be a string.
function file.put(tree, id, p, size)
  must(api.record_put(tree, id, p, size))
end

---@param tree ffi.cdata*
---@param id integer
function file.delete(tree, id)
  must(api.record_delete(tree, id))
end

-- What a get found; nothing because of an error is not nothing.
local function found(p)
  if p == nil then
    must(api.file_problem(handle)[0] == 0)
    return nil
  end
  return p, tonumber(length[0])
end

--- A record's bytes as a pointer that lives until the next call, and their number; nil when absent.
function file.peek(tree, id)
  return found(api.record_get(tree, id, length))
end

---@return string?
function file.get(tree, id)
  local p, size = found(api.record_get(tree, id, length))
  return p and ffi.string(p, size)
end

--- The number of records.
function file.count(tree)
  must(api.record_count(tree, first))
  return tonumber(first[0])
end

--- The highest id of a record, 0 when there is none.
function file.last_id(tree)
  must(api.record_last(tree, first))
  return tonumber(first[0])
end

--- The bytes of all records.
function file.size(tree)
  must(api.record_bytes(tree, first))
  return tonumber(first[0])
end

---@param tree ffi.cdata*
---@param key string
---@param id integer
function file.put_key(tree, key, id)
  must(api.index_put(tree, key, #key, id))
end

---@param tree ffi.cdata*
---@param key string
---@param id integer
function file.delete_key(tree, key, id)
  must(api.index_delete(tree, key, #key, id))
end

--- The first record id of a key, or nil.
function file.find_key(tree, key)
  local id = api.index_find(tree, key, #key)
  must(id >= 0)
  return id ~= 0 and tonumber(id) or nil
end

---@param tree ffi.cdata*
---@param key string
---@param bytes string
function file.put_pair(tree, key, bytes)
  must(api.pair_put(tree, key, #key, bytes, #bytes))
end

---@param tree ffi.cdata*
---@param key string
function file.delete_pair(tree, key)
  must(api.pair_delete(tree, key, #key))
end

---@return string?
function file.get_pair(tree, key)
  local p, size = found(api.pair_get(tree, key, #key, length))
  return p and ffi.string(p, size)
end

-- ---- scans --------------------------------------------------------------------------------------

local function guarded(scan)
  return ffi.gc(scan, api.scan_close)
end

--- All records, or those above an id.
function file.scan(tree, backward)
  return guarded(api.scan_records(tree, 0, LAST_ID, backward or false))
end

--- The keys from `from` on and below `to`.
function file.scan_keys(tree, from, to, backward)
  return guarded(api.scan_keys(tree, from, #from, to, #to, backward or false))
end

--- Whether the scan has a next one; read its fields id, bytes, length, key, key_length then.
function file.next(scan)
  local result = api.scan_next(scan)
  if result < 0 then
    fail()
  end
  return result == 1
end

---@param scan ffi.cdata* not to be used afterwards
function file.end_scan(scan)
  api.scan_close(ffi.gc(scan, nil))
end

--- All pairs of a tree: for key, bytes in file.pairs(tree).
function file.pairs(tree)
  local scan = file.scan_keys(tree, "", "\255")
  return function()
    if file.next(scan) then
      return ffi.string(scan.key, scan.key_length), ffi.string(scan.bytes, scan.length)
    end
    file.end_scan(scan)
  end
end

-- ---- keys ---------------------------------------------------------------------------------------

local buffer = ffi.cast("struct store_buffer *", core.key)

--- The key of one value where it lies: of type `t` at offset `o` of `p`.
---@return string
function file.key(t, p, o, descending)
  buffer.length = 0
  if not api.key_append(buffer, t, p + o, descending or false) then
    errors.raise(17280, "a key of an index would be larger than 16 MB")
  end
  return ffi.string(buffer.bytes, buffer.length)
end

--- The first key behind all that begin with `prefix`.
---@return string
function file.successor(prefix)
  local last = #prefix
  while last > 0 and prefix:byte(last) == 255 do
    last = last - 1
  end
  if last == 0 then
    return "\255"
  end
  return prefix:sub(1, last - 1) .. string.char(prefix:byte(last) + 1)
end

return file
