--- The ordered writer of BSON: fields in the order they are put, bytes of other documents copied
--- as they are. A writer is reused: reset, put, finish.
local ffi = require "ffi"
local raw = require "store.raw"
local errors = require "store.errors"

local LIMIT_DOCUMENT = 16 * 1024 * 1024
-- A reply with a full batch, or a document before it is found too large.
local LIMIT_BUFFER = 48 * 1024 * 1024

local copy, cast = ffi.copy, ffi.cast
local int32_p, int64_p = ffi.typeof("int32_t *"), ffi.typeof("int64_t *")
local double_p = ffi.typeof("double *")
local bytes_t = ffi.typeof("uint8_t[?]")
local size_of = raw.size

--- Names of array elements: INDEX[0] is "0".
local INDEX = setmetatable({}, {
  __index = function(self, i)
    local name = string.format("%d", i)
    if i < 65536 then
      self[i] = name
    end
    return name
  end,
})

---@class store.writer
---@field buffer ffi.cdata*
---@field capacity integer
---@field at integer where the next byte goes
---@field open_at integer[] where the open documents begin
---@field depth integer
local writer = {}
writer.__index = writer

local function reserve(self, size)
  local need = self.at + size
  if need > LIMIT_BUFFER then
    errors.raise(10334, "a document would be larger than the limit of " .. LIMIT_DOCUMENT)
  elseif need > self.capacity then
    local capacity = math.max(self.capacity * 2, need)
    local larger = bytes_t(capacity)
    copy(larger, self.buffer, self.at)
    self.buffer, self.capacity = larger, capacity
  end
end

local function begin(self)
  reserve(self, 4)
  self.depth = self.depth + 1
  self.open_at[self.depth] = self.at
  self.at = self.at + 4
end

--- Begins a new root document.
function writer:reset()
  self.at, self.depth = 0, 0
  begin(self)
  return self
end

local function put_head(self, name, t, payload)
  local length = #name
  reserve(self, length + 2 + payload)
  local at = self.at
  self.buffer[at] = t
  copy(self.buffer + at + 1, name, length)
  self.buffer[at + 1 + length] = 0
  at = at + length + 2
  self.at = at + payload
  return at
end

local function put_text(self, name, t, v)
  local length = #v
  local at = put_head(self, name, t, length + 5)
  cast(int32_p, self.buffer + at)[0] = length + 1
  copy(self.buffer + at + 4, v, length)
  self.buffer[at + 4 + length] = 0
end

--- Appends a field. A missing value appends nothing.
function writer:put(name, t, v)
  if t == 16 then
    local at = put_head(self, name, t, 4)
    cast(int32_p, self.buffer + at)[0] = v
  elseif t == 1 then
    local at = put_head(self, name, t, 8)
    cast(double_p, self.buffer + at)[0] = v
  elseif t == 2 or t == 13 or t == 14 then
    put_text(self, name, t, v)
  elseif t == 18 or t == 9 then
    local at = put_head(self, name, t, 8)
    cast(int64_p, self.buffer + at)[0] = v
  elseif t == 8 then
    local at = put_head(self, name, t, 1)
    self.buffer[at] = v and 1 or 0
  elseif v then
    local at = put_head(self, name, t, #v)
    copy(self.buffer + at, v, #v)
  elseif t ~= 0 then
    put_head(self, name, t, 0)
  end
end

--- Appends a field with a value that lies in another document, at offset `o` of `p`.
function writer:copy(name, p, t, o)
  local size = size_of(p, t, o)
  local at = put_head(self, name, t, size)
  copy(self.buffer + at, p + o, size)
end

--- Appends whole elements, names included: the bytes from `from` up to `to` of `p`.
function writer:raw(p, from, to)
  reserve(self, to - from)
  copy(self.buffer + self.at, p + from, to - from)
  self.at = self.at + to - from
end

--- Opens a document (3) or array (4) as a field; what is put next goes into it.
function writer:open(name, t)
  put_head(self, name, t, 0)
  begin(self)
end

local function close(self)
  reserve(self, 1)
  self.buffer[self.at] = 0
  self.at = self.at + 1
  local start = self.open_at[self.depth]
  cast(int32_p, self.buffer + start)[0] = self.at - start
  self.depth = self.depth - 1
end

--- Closes what was opened last.
function writer:close()
  close(self)
end

--- Closes the root and returns its bytes.
---@return string
function writer:finish()
  close(self)
  if self.at > LIMIT_DOCUMENT then
    errors.raise(10334, string.format("a document of %d bytes is larger than the limit of %d",
      self.at, LIMIT_DOCUMENT))
  end
  return ffi.string(self.buffer, self.at)
end

local function new()
  local capacity = 512
  return setmetatable({ buffer = bytes_t(capacity), capacity = capacity, at = 0, open_at = {},
    depth = 0 }, writer)
end

return { new = new, INDEX = INDEX }
