--- Reading BSON where it lies: a pointer to the document's bytes and an offset from it. The one
--- module that trusts bytes: they were validated when they came in. Others use store.bson.
local ffi = require "ffi"

ffi.cdef [[
int32_t moonlit_strlen(const uint8_t *text) __asm__("strlen");
int32_t moonlit_memcmp(const uint8_t *a, const uint8_t *b, size_t size) __asm__("memcmp");
]]

local raw = {
  MISSING = 0,
  DOUBLE = 1,
  STRING = 2,
  DOCUMENT = 3,
  ARRAY = 4,
  BINARY = 5,
  UNDEFINED = 6,
  OBJECT_ID = 7,
  BOOLEAN = 8,
  DATE = 9,
  NULL = 10,
  REGEX = 11,
  DBPOINTER = 12,
  CODE = 13,
  SYMBOL = 14,
  CODE_WITH_SCOPE = 15,
  INT32 = 16,
  TIMESTAMP = 17,
  INT64 = 18,
  DECIMAL = 19,
  MAX_KEY = 127,
  MIN_KEY = 255,
}

local C = ffi.C
local cast, to_string = ffi.cast, ffi.string
local bytes_t = ffi.typeof("const uint8_t *")
local int32_p = ffi.typeof("const int32_t *")
local int64_p = ffi.typeof("const int64_t *")
local double_p = ffi.typeof("const double *")
local address_t = ffi.typeof("intptr_t")

-- Payload sizes of the fixed types; -1 where the payload tells it, -2 where it is to be walked.
local FIXED = ffi.new("int8_t[256]")
for type, size in pairs {
  [1] = 8, [2] = -1, [3] = -1, [4] = -1, [5] = -1, [7] = 12, [8] = 1, [9] = 8, [11] = -2, [12] = -1,
  [13] = -1, [14] = -1, [15] = -1, [16] = 4, [17] = 8, [18] = 8, [19] = 16,
} do
  FIXED[type] = size
end

-- What a payload with a length in front has besides that length.
local BESIDES = ffi.new("int8_t[256]")
BESIDES[2], BESIDES[5], BESIDES[12], BESIDES[13], BESIDES[14] = 4, 5, 16, 4, 4

--- The bytes of a document. A pointer does not keep its string from being collected, and a local
--- that is not named again counts for nothing in compiled code. So whoever takes a pointer names
--- the document behind the last use of it:
---     local _ = doc -- lives up to here
--- and leaves the function by no tail call that still needs the pointer. (An empty function for
--- this would be blacklisted by the JIT, and with it all that calls it.)
---@param doc string
function raw.pointer(doc)
  return cast(bytes_t, doc)
end

-- Numbers are read through the address as a whole number, not as cast(int32_p, p + o)[0]: where a
-- sum of pointers is indexed, the LuaJIT of Debian 12 forgets p when it is a constant of the trace
-- (the bytes of a filter's value), and reads at the bare offset. p[o] and p + o given to a C
-- function are right.

---@return integer
local function read_int32(p, o)
  return cast(int32_p, cast(address_t, p) + o)[0]
end
raw.int32 = read_int32

---@return number
local function read_double(p, o)
  return cast(double_p, cast(address_t, p) + o)[0]
end
raw.double = read_double

---@return ffi.cdata* int64_t
local function read_int64(p, o)
  return cast(int64_p, cast(address_t, p) + o)[0]
end

--- The size in bytes of the payload of type `t` at offset `o`.
---@return integer
local function size(p, t, o)
  local fixed = FIXED[t]
  if fixed >= 0 then
    return fixed
  end
  if fixed == -1 then
    return read_int32(p, o) + BESIDES[t]
  end
  local pattern = C.moonlit_strlen(p + o) + 1
  return pattern + C.moonlit_strlen(p + o + pattern) + 1
end
raw.size = size

local function find_behind(p, i, name)
  local length = #name
  local t = p[i]
  while t ~= 0 do
    local v = i + 1
    local n = C.moonlit_strlen(p + v)
    if n == length and C.moonlit_memcmp(p + v, name, n) == 0 then
      return t, v + n + 1
    end
    v = v + n + 1
    i = v + size(p, t, v)
    t = p[i]
  end
  return 0, 0
end

-- One element looked at, without a loop around it.
local FIND_STEP = [[
  t = p[i]
  if t == 0 then return 0, 0 end
  v = i + 1
  n = C.moonlit_strlen(p + v)
  if n == length and C.moonlit_memcmp(p + v, name, n) == 0 then return t, v + n + 1 end
  v = v + n + 1
  i = v + size(p, t, v)
]]
local FIND_STEPS = 16

--- The field `name` of the document at offset `o`: its type (0 when missing) and its payload's
--- offset. The first elements are looked at without a loop: a function with a loop that is called
--- from a loop may be blacklisted by the JIT (a root trace may not enter an inner loop), and with
--- it all that call it.
---@type fun(p: ffi.cdata*, o: integer, name: string): integer, integer
local find = assert(loadstring("local C, size, find_behind = ...\nreturn function(p, o, name)\n" ..
  "  local length, i = #name, o + 4\n  local t, v, n\n" .. FIND_STEP:rep(FIND_STEPS) ..
  "  return find_behind(p, i, name)\nend", "=store.raw.find"))(C, size, find_behind)
raw.find = find

--- The element of an array at offset `o` by its position, counted from 0.
---@return integer type, integer offset
function raw.item(p, o, index)
  local i = o + 4
  local t = p[i]
  while t ~= 0 do
    local v = i + 2 + C.moonlit_strlen(p + i + 1)
    if index == 0 then
      return t, v
    end
    index = index - 1
    i = v + size(p, t, v)
    t = p[i]
  end
  return 0, 0
end

--- Steps through a document's elements: give the offset of an element's type byte (o + 4 is the
--- first), get its type (0 at the end), its payload's offset and the offset of the next one.
---@return integer type, integer offset, integer next
local function step(p, i)
  local t = p[i]
  if t == 0 then
    return 0, 0, i
  end
  local v = i + 2 + C.moonlit_strlen(p + i + 1)
  return t, v, v + size(p, t, v)
end
raw.step = step

--- The name of the element whose type byte is at `i`.
---@return string
function raw.name(p, i)
  return to_string(p + i + 1)
end

--- The number of elements of the document or array at `o`.
---@return integer
function raw.count(p, o)
  local n, i = 0, o + 4
  local t, _, next_i = step(p, i)
  while t ~= 0 do
    n = n + 1
    t, _, next_i = step(p, next_i)
  end
  return n
end

--- The value of type `t` at offset `o` as a pair; see store.bson for payloads.
---@return integer type, any payload
local function value(p, t, o)
  if t == 16 then
    return 16, read_int32(p, o)
  elseif t == 2 then
    return 2, to_string(p + o + 4, read_int32(p, o) - 1)
  elseif t == 1 then
    return 1, read_double(p, o)
  elseif t == 18 or t == 9 then
    return t, read_int64(p, o)
  elseif t == 8 then
    return 8, p[o] ~= 0
  elseif t == 13 or t == 14 then
    return t, to_string(p + o + 4, read_int32(p, o) - 1)
  elseif FIXED[t] == 0 then
    return t, nil
  end
  return t, to_string(p + o, size(p, t, o))
end
raw.value = value

--- raw.find and raw.value in one.
---@return integer type, any payload
function raw.read(p, o, name)
  local t, v = find(p, o, name)
  if t == 0 then
    return 0, nil
  end
  return value(p, t, v)
end

--- Ranks of the types in the BSON order; types of one rank are compared by value.
local RANK = ffi.new("uint8_t[256]")
for type, rank in pairs {
  [255] = 1, [0] = 2, [6] = 2, [10] = 3, [1] = 4, [16] = 4, [18] = 4, [19] = 4, [2] = 5, [14] = 5,
    [3] = 6,
  [4] = 7, [5] = 8, [7] = 9, [8] = 10, [9] = 11, [17] = 12, [11] = 13, [12] = 14, [13] = 15,
    [15] = 16,
  [127] = 17,
} do
  RANK[type] = rank
end
raw.RANK = RANK

return raw
