--- The BSON order: by rank of type first, then by value; numbers of all types exactly.
local ffi = require "ffi"
local raw = require "store.raw"
local decimal = require "store.decimal"

local compare = {}

local RANK = raw.RANK
local TWO_63 = 2 ^ 63
local uint64_t = ffi.typeof("uint64_t")
local int64_t = ffi.typeof("int64_t")
local uint64_p = ffi.typeof("const uint64_t *")

local function order(a, b)
  return a < b and -1 or (a > b and 1 or 0)
end

-- NaN equals NaN and stands below all other numbers.
local function compare_doubles(a, b)
  if a < b then
    return -1
  elseif a > b then
    return 1
  elseif a == b then
    return 0
  end
  return order(a == a and 1 or 0, b == b and 1 or 0)
end

local function compare_int64_double(a, b)
  if b ~= b or b < -TWO_63 then
    return 1
  elseif b >= TWO_63 then
    return -1
  end
  local whole = math.floor(b)
  local floor = int64_t(whole)
  if a ~= floor then
    return a < floor and -1 or 1
  end
  return b > whole and -1 or 0
end

local function compare_numbers(t1, v1, t2, v2)
  if t1 == 19 or t2 == 19 then
    return decimal.compare_normal(decimal.normal(t1, v1), decimal.normal(t2, v2))
  elseif t1 == 18 then
    return t2 == 18 and order(v1, v2) or compare_int64_double(v1, v2)
  elseif t2 == 18 then
    return 0 - compare_int64_double(v2, v1)
  end
  return compare_doubles(v1, v2)
end
compare.numbers = compare_numbers

local values

-- Documents: type, then name, then value, element by element; arrays the same without names.
local function compare_elements(p, q, named)
  local i, j = 4, 4
  while true do
    local t1, o1, next_i = raw.step(p, i)
    local t2, o2, next_j = raw.step(q, j)
    if t1 == 0 or t2 == 0 then
      return order(t1 == 0 and 0 or 1, t2 == 0 and 0 or 1)
    end
    local result = order(RANK[t1], RANK[t2])
    if result == 0 and named then
      result = order(raw.name(p, i), raw.name(q, j))
    end
    if result == 0 then
      local _, v1 = raw.value(p, t1, o1)
      local _, v2 = raw.value(q, t2, o2)
      result = values(t1, v1, t2, v2)
    end
    if result ~= 0 then
      return result
    end
    i, j = next_i, next_j
  end
end

local function compare_documents(a, b, named)
  local result = compare_elements(raw.pointer(a), raw.pointer(b), named)
  local _, _ = a, b -- live up to here
  return result
end

local function timestamp(v)
  return ffi.cast(uint64_p, v)[0]
end

local function compare_timestamps(a, b)
  local x, y = timestamp(a), timestamp(b)
  return x < y and -1 or (x > y and 1 or 0)
end

-- The code before its scope.
local function compare_scoped(a, b)
  local p, q = raw.pointer(a), raw.pointer(b)
  local m, n = raw.int32(p, 4), raw.int32(q, 4)
  local result = order(a:sub(9, 7 + m), b:sub(9, 7 + n))
  if result ~= 0 then
    return result
  end
  return compare_documents(a:sub(9 + m), b:sub(9 + n), true)
end

-- Binary and DBPointer: the length in front decides first, then the bytes.
local function compare_sized(a, b)
  local result = order(#a, #b)
  return result ~= 0 and result or order(a, b)
end

local BY_RANK = {
  [4] = nil,
  [5] = order,
  [6] = function(a, b) return compare_documents(a, b, true) end,
  [7] = function(a, b) return compare_documents(a, b, false) end,
  [8] = compare_sized,
  [9] = order,
  [10] = function(a, b) return order(a and 1 or 0, b and 1 or 0) end,
  [11] = order,
  [12] = compare_timestamps,
  [13] = order,
  [14] = compare_sized,
  [15] = order,
  [16] = compare_scoped,
}

--- Compares two values by the BSON order.
---@return integer -1, 0 or 1
function values(t1, v1, t2, v2)
  local rank = RANK[t1]
  local other = RANK[t2]
  if rank ~= other then
    return rank < other and -1 or 1
  elseif rank == 4 then
    return compare_numbers(t1, v1, t2, v2)
  end
  local by = BY_RANK[rank]
  return by and by(v1, v2) or 0
end
compare.values = values

---@return boolean
function compare.equal(t1, v1, t2, v2)
  return values(t1, v1, t2, v2) == 0
end

compare.uint64 = uint64_t
return compare
