-- table.sort for scripts: a stable merge sort in Lua, so that a comparison may wait and a long sort
-- is interrupted. The table is written only when all is sorted: an error leaves it as it was.

local getmeta = debug.getmetatable

local RUN = 12 -- so many items are sorted by insertion

local function insertion(list, first, last, less)
  for i = first + 1, last do
    local item = list[i]
    local j = i - 1
    while j >= first and less(item, list[j]) do
      list[j + 1] = list[j]
      j = j - 1
    end
    list[j + 1] = item
  end
end

local function merge(from, into, first, middle, last, less)
  local left, right = first, middle + 1
  for at = first, last do
    if right > last or (left <= middle and not less(from[right], from[left])) then
      into[at] = from[left]
      left = left + 1
    else
      into[at] = from[right]
      right = right + 1
    end
  end
end

local function merge_all(list, count, less)
  for first = 1, count, RUN do insertion(list, first, math.min(first + RUN - 1, count), less) end
  local from, into = list, {}
  local width = RUN
  while width < count do
    for first = 1, count, width * 2 do
      local middle = math.min(first + width - 1, count)
      merge(from, into, first, middle, math.min(first + width * 2 - 1, count), less)
    end
    from, into = into, from
    width = width * 2
  end
  return from
end

local function ascending(a, b) return a < b end

local function is_comparable(value)
  local meta = getmeta(value)
  return type(value) == "cdata" or (meta and meta.__lt) and true
end

---What cannot be sorted without a comparison function, or nil.
local function obstacle(list, count)
  local first = type(list[1])
  for i = 1, count do
    local item = list[i]
    local kind = type(item)
    local plain = kind == "number" or kind == "string"
    if (plain or first == "number" or first == "string") and kind ~= first then
      return ("cannot compare a %s with a %s (items 1 and %d)"):format(first, kind, i)
    end
    if not plain and not is_comparable(item) then
      return ("cannot compare two values of type %s (item %d)"):format(kind, i)
    end
  end
end

---Sort in place; equal items keep their order.
---@param list table
---@param less? fun(a: any, b: any): boolean
local function sort(list, less)
  if type(list) ~= "table" then
    error("table.sort: expected a table, got a " .. type(list), 2)
  end
  if less ~= nil and type(less) ~= "function" then
    error("table.sort: the comparison must be a function, got a " .. type(less), 2)
  end
  local count = #list
  local problem = not less and obstacle(list, count)
  if problem then
    error("table.sort: " .. problem .. "; give a function that compares", 2)
  end
  local copy = {}
  for i = 1, count do copy[i] = list[i] end
  local sorted = merge_all(copy, count, less or ascending)
  for i = 1, count do list[i] = sorted[i] end
end

return sort
