--- The accumulators of $group. Each keeps its state in flat arrays by the group's number:
---   accumulators.make(name, t, v, scope, account) -> { start(g), add(p, doc, g), finish(g) }
--- finish gives a value's type and payload.
--- account(bytes) counts memory that grows with the documents.
local ffi = require "ffi"
local bson = require "store.bson"
local errors = require "store.errors"
local expression = require "store.expression"
local number = require "store.number"

local accumulators = {}

local compare = bson.compare
local int64_t = ffi.typeof("int64_t")
local FIRST_CAPACITY = 1024
local SEEN_LONG, SEEN_DOUBLE = 1, 2

-- ---- sums ---------------------------------------------------------------------------------------

local function grown(kind, old, capacity)
  local larger = ffi.new(kind, capacity)
  if old then
    ffi.copy(larger, old, ffi.sizeof(old))
  end
  return larger
end

-- Whole numbers are summed as int64; doubles beside them with the lost digits kept.
local function summing(f)
  local capacity, whole, real, lost, seen = 0, nil, nil, nil, nil
  local self = {}

  function self.start(g)
    if g >= capacity then
      capacity = math.max(FIRST_CAPACITY, capacity * 2)
      whole, real = grown("int64_t[?]", whole, capacity), grown("double[?]", real, capacity)
      lost, seen = grown("double[?]", lost, capacity), grown("uint8_t[?]", seen, capacity)
    end
  end

  local function add_real(g, v)
    local sum = real[g]
    local total = sum + v
    if math.abs(sum) >= math.abs(v) then
      lost[g] = lost[g] + ((sum - total) + v)
    else
      lost[g] = lost[g] + ((v - total) + sum)
    end
    real[g] = total
    seen[g] = SEEN_DOUBLE + seen[g] % SEEN_DOUBLE
  end

  local function add_whole(g, t, v)
    local sum = number.add_int64(whole[g], int64_t(v))
    if sum then
      whole[g] = sum
    else
      add_real(g, tonumber(whole[g]))
      add_real(g, tonumber(v))
      whole[g] = 0
    end
    if t == 18 and seen[g] == 0 then
      seen[g] = SEEN_LONG
    end
  end

  function self.add(p, doc, g)
    local t, v = f(p, doc)
    if t == 16 and seen[g] == 0 then
      whole[g] = whole[g] + v
      return true
    elseif t == 1 then
      add_real(g, v)
      return true
    elseif t == 16 or t == 18 then
      add_whole(g, t, v)
      return true
    elseif t == 19 then
      errors.unsupported("$sum with Decimal128")
    end
    return false
  end

  function self.real(g)
    local total = tonumber(whole[g]) + real[g]
    if lost[g] == lost[g] and total - total == 0 then
      total = total + lost[g]
    end
    return total
  end

  function self.finish(g)
    if seen[g] >= SEEN_DOUBLE then
      return 1, self.real(g)
    elseif seen[g] == SEEN_LONG or whole[g] > 2147483647LL or whole[g] < -2147483648LL then
      return 18, int64_t(whole[g])
    end
    return 16, tonumber(whole[g])
  end
  return self
end

local function averaging(f)
  local sum, count = summing(f), {}
  local add = sum.add
  return {
    start = function(g)
      sum.start(g)
      count[g] = 0
    end,
    add = function(p, doc, g)
      if add(p, doc, g) then
        count[g] = count[g] + 1
      end
    end,
    finish = function(g)
      if count[g] == 0 then
        return 10, nil
      end
      return 1, sum.real(g) / count[g]
    end,
  }
end

-- ---- one value ----------------------------------------------------------------------------------

local function size_of(v)
  return type(v) == "string" and #v or 0
end

-- Puts a value in the place of another; only texts and documents are worth counting.
local function exchange(values, g, v, account)
  local old = values[g]
  if type(v) == "string" or type(old) == "string" then
    account(size_of(v) - size_of(old))
  end
  values[g] = v
end

local function extreme(sign)
  return function(f, account)
    local types, values = {}, {}
    return {
      start = function(g) types[g] = 10 end,
      add = function(p, doc, g)
        local t, v = f(p, doc)
        if t ~= 0 and t ~= 10 and t ~= 6 and (types[g] == 10
          or compare(t, v, types[g], values[g]) == sign) then
          types[g] = t
          exchange(values, g, v, account)
        end
      end,
      finish = function(g) return types[g], values[g] end,
    }
  end
end

local function first(f, account)
  local types, values = {}, {}
  return {
    start = function(g) types[g] = false end,
    add = function(p, doc, g)
      if not types[g] then
        types[g], values[g] = f(p, doc)
        account(size_of(values[g]))
      end
    end,
    finish = function(g)
      return types[g] == 0 and 10 or types[g] or 10, values[g]
    end,
  }
end

local function last(f, account)
  local types, values = {}, {}
  return {
    start = function(g) types[g] = 0 end,
    add = function(p, doc, g)
      local t, v = f(p, doc)
      types[g] = t
      exchange(values, g, v, account)
    end,
    finish = function(g)
      return types[g] == 0 and 10 or types[g], values[g]
    end,
  }
end

-- ---- many values --------------------------------------------------------------------------------

local ENTRY = 32 -- what a kept value costs besides its bytes

local function put(list, t, v, account)
  local n = list.n + 1
  list.n = n
  list[2 * n - 1], list[2 * n] = t, v
  account(ENTRY + size_of(v))
end

local function finish_list(list)
  local w = bson.writer():reset()
  for i = 1, list.n do
    w:put(bson.INDEX[i - 1], list[2 * i - 1], list[2 * i])
  end
  return 4, w:finish()
end

local function push(f, account)
  local lists = {}
  return {
    start = function(g) lists[g] = { n = 0 } end,
    add = function(p, doc, g)
      local t, v = f(p, doc)
      if t ~= 0 then
        put(lists[g], t, v, account)
      end
    end,
    finish = function(g) return finish_list(lists[g]) end,
  }
end

local function add_to_set(f, account)
  local lists, seen = {}, {}
  return {
    start = function(g) lists[g], seen[g] = { n = 0 }, {} end,
    add = function(p, doc, g)
      local t, v = f(p, doc)
      if t ~= 0 then
        local key = bson.key(t, v)
        if not seen[g][key] then
          seen[g][key] = true
          put(lists[g], t, v, account)
          account(#key)
        end
      end
    end,
    finish = function(g) return finish_list(lists[g]) end,
  }
end

local function merge_objects(f, account)
  local merged = {}
  local merge = expression.compile(3, bson.build {
    { "$mergeObjects", bson.list { "$a", "$b" } },
  }, expression.scope {})
  return {
    start = function(g) merged[g] = bson.EMPTY end,
    add = function(p, doc, g)
      local t, v = f(p, doc)
      local pair = bson.build { { "a", bson.document(merged[g]) }, { "b", bson.box(t, v) } }
      local _, result = merge(bson.pointer(pair), pair)
      local _ = pair -- lives up to here
      exchange(merged, g, result, account)
    end,
    finish = function(g) return 3, merged[g] end,
  }
end

-- Welford's way: no large squares that cancel.
local function deviation(sample)
  return function(f)
    local count, mean, squares = {}, {}, {}
    return {
      start = function(g) count[g], mean[g], squares[g] = 0, 0, 0 end,
      add = function(p, doc, g)
        local t, v = f(p, doc)
        if number.is(t, "$stdDevPop") then
          local x = tonumber(v)
          count[g] = count[g] + 1
          local delta = x - mean[g]
          mean[g] = mean[g] + delta / count[g]
          squares[g] = squares[g] + delta * (x - mean[g])
        end
      end,
      finish = function(g)
        local n = sample and count[g] - 1 or count[g]
        if n <= 0 then
          return 10, nil
        end
        return 1, math.sqrt(squares[g] / n)
      end,
    }
  end
end

local MAKE = {
  ["$sum"] = summing, ["$avg"] = averaging, ["$min"] = extreme(-1), ["$max"] = extreme(1),
  ["$first"] = first, ["$last"] = last, ["$push"] = push, ["$addToSet"] = add_to_set,
  ["$mergeObjects"] = merge_objects, ["$stdDevPop"] = deviation(false),
    ["$stdDevSamp"] = deviation(true),
}

local LACKING = errors.set [[$accumulator $bottom $bottomN $firstN $lastN $maxN $median $minN
  $percentile $top $topN]]

--- Makes one accumulator, or refuses its name.
function accumulators.make(name, t, v, scope, account)
  if name == "$count" then
    if t ~= 3 or v ~= bson.EMPTY then
      errors.raise(14, "$count takes no arguments, i.e. $count: {}")
    end
    name, t, v = "$sum", 16, 1
  end
  local make = MAKE[name]
  if LACKING[name] then
    errors.unsupported("the accumulator " .. name)
  elseif not make then
    errors.raise(15952, "unknown group operator '" .. name .. "'")
  elseif t == 4 then
    errors.raise(40237, "The " .. name .. " accumulator is a unary operator")
  end
  return make(expression.compile(t, v, scope), account)
end

return accumulators
