--- Keys whose bytes compare as the values do: a rank byte, then the payload in order. Numbers are
--- the double below or at the value, then nothing, or a mark and the exact decimal where the double
--- does not say it all; so 1, 1.0 and NumberDecimal("1") have one key. Strings escape zero bytes
--- and
--- end with two; documents and arrays are their elements' keys with an end mark.
local ffi = require "ffi"
local raw = require "store.raw"
local decimal = require "store.decimal"
local compare = require "store.compare"

local key = {}

local RANK = raw.RANK
local buffer, capacity, used = ffi.new("uint8_t[4096]"), 4096, 0
local pun = ffi.new("union { double number; uint64_t bits; int64_t whole; uint8_t bytes[8]; }")
local TOP = 0x8000000000000000ULL

local function reserve(size)
  if used + size > capacity then
    capacity = math.max(capacity * 2, used + size)
    local larger = ffi.new("uint8_t[?]", capacity)
    ffi.copy(larger, buffer, used)
    buffer = larger
  end
end

local function put_byte(byte)
  reserve(1)
  buffer[used] = byte
  used = used + 1
end

local function put_bytes(text)
  reserve(#text)
  ffi.copy(buffer + used, text, #text)
  used = used + #text
end

-- 64 bits from the union, the highest byte first.
local function put_big_endian()
  reserve(8)
  local at = buffer + used
  at[0], at[1], at[2], at[3] = pun.bytes[7], pun.bytes[6], pun.bytes[5], pun.bytes[4]
  at[4], at[5], at[6], at[7] = pun.bytes[3], pun.bytes[2], pun.bytes[1], pun.bytes[0]
  used = used + 8
end

local function put_double(number)
  if number ~= number then
    pun.bits = 0
  else
    pun.number = number + 0 == 0 and 0 or number
    if number < 0 then
      pun.bits = -1 - pun.whole
    else
      pun.bits = pun.bits + TOP
    end
  end
  put_big_endian()
end

local function put_text(text)
  if text:find("\0", 1, true) then
    text = text:gsub("%z", "\0\255")
  end
  put_bytes(text)
  put_byte(0)
  put_byte(0)
end

-- What the floor does not say: the exact decimal, in order, bytes inverted when negative.
local function put_exact(form)
  local exponent = form.exponent + 16384
  local text = string.char(math.floor(exponent / 256), exponent % 256) .. form.digits .. "\0"
  if form.sign < 0 then
    text = text:gsub(".", function(c) return string.char(255 - c:byte()) end)
  end
  put_byte(1)
  put_bytes(text)
end

local function step_down(number)
  pun.number = number
  if number == 0 then
    return -4.9406564584124654e-324
  elseif number > 0 then
    pun.bits = pun.bits - 1
  else
    pun.bits = pun.bits + 1
  end
  return pun.number
end

local function put_wide(t, v)
  local floor = t == 18 and tonumber(v) or decimal.to_double(v)
  local result = compare.numbers(1, floor, t, v)
  if result > 0 then
    floor = step_down(floor)
  end
  put_double(floor)
  if result == 0 then
    put_byte(0)
  else
    put_exact(decimal.normal(t, v))
  end
end

local function put_number(t, v)
  if t == 16 or t == 1 then
    put_double(v)
    put_byte(0)
  elseif t == 18 and v > -9007199254740992LL and v < 9007199254740992LL then
    put_double(tonumber(v))
    put_byte(0)
  else
    put_wide(t, v)
  end
end

local put_payload

local function put_elements(bytes, named)
  local p = raw.pointer(bytes)
  local i = 4
  local t, o, following = raw.step(p, i)
  while t ~= 0 do
    put_byte(RANK[t])
    if named then
      put_text(raw.name(p, i))
    end
    local _, v = raw.value(p, t, o)
    put_payload(t, v)
    i = following
    t, o, following = raw.step(p, i)
  end
  local _ = bytes -- lives up to here
  put_byte(0)
end

local function put_int64(v)
  pun.whole = v
  pun.bits = pun.bits + TOP
  put_big_endian()
end

-- Length first, as binary and DBPointer compare.
local function put_sized(v)
  pun.bits = #v
  put_big_endian()
  put_bytes(v)
end

local function put_timestamp(v)
  ffi.copy(pun, v, 8)
  put_big_endian()
end

local function put_scoped(v)
  local length = raw.int32(raw.pointer(v), 4) -- v is named below
  put_text(v:sub(9, 7 + length))
  put_elements(v:sub(9 + length), true)
end

local PUT = {
  [3] = function(v) put_elements(v, true) end,
  [4] = function(v) put_elements(v, false) end,
  [5] = put_sized,
  [7] = put_bytes,
  [8] = function(v) put_byte(v and 1 or 0) end,
  [9] = put_int64,
  [11] = put_text,
  [12] = put_sized,
  [13] = put_text,
  [15] = put_scoped,
  [17] = put_timestamp,
}

function put_payload(t, v)
  local rank = RANK[t]
  if rank == 4 then
    put_number(t, v)
  elseif rank == 5 then
    put_text(v)
  else
    local put = PUT[t]
    if put then
      put(v)
    end
  end
end

--- Begins a key.
function key.reset()
  used = 0
end

--- Appends a value to the key begun.
---@param descending? boolean inverts its bytes
function key.append(t, v, descending)
  local start = used
  put_byte(RANK[t])
  put_payload(t, v)
  if descending then
    for i = start, used - 1 do
      buffer[i] = 255 - buffer[i]
    end
  end
end

--- The key begun, as a string.
---@return string
function key.take()
  return ffi.string(buffer, used)
end

--- The key of one value.
---@return string
function key.encode(t, v)
  used = 0
  key.append(t, v)
  return key.take()
end

return key
