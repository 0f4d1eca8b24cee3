--- What only find's projection has: $slice, $elemMatch and the positional "path.$". Each is made
--- from the field's own value: transform(p, t, o, doc) -> t, v.
local bson = require "store.bson"
local errors = require "store.errors"
local match = require "store.match"
local operators = require "store.match_operators"

local special = {}

local function whole(t, v)
  local number = bson.number(t, v)
  if not number or number ~= math.floor(number) then
    errors.raise(28667, "$slice in a projection takes a whole number or [skip, count]")
  end
  return number
end

-- The range of elements, counted from 1, for an array of n.
local function slice_range(v_t, v_v)
  if v_t ~= 4 then
    local count = whole(v_t, v_v)
    return function(n)
      if count >= 0 then
        return 1, math.min(count, n)
      end
      return math.max(n + count + 1, 1), n
    end
  end
  local list = bson.elements(v_v)
  if #list ~= 2 then
    errors.raise(28667, "$slice in a projection takes a whole number or [skip, count]")
  end
  local skip, count = whole(list[1].t, list[1].v), whole(list[2].t, list[2].v)
  if count <= 0 then
    errors.raise(28724, "$slice's count must be positive")
  end
  return function(n)
    local first = skip >= 0 and skip + 1 or math.max(n + skip + 1, 1)
    return first, math.min(first + count - 1, n)
  end
end

local function array_part(bytes, first, last)
  local elements, values = bson.elements(bytes), {}
  for i = first, last do
    values[#values + 1] = elements[i]
  end
  return 4, bson.list(values).v
end

local function slice(t, v)
  local range = slice_range(t, v)
  return {
    neutral = true,
    transform = function(p, field_t, o)
      local _, bytes = bson.value(p, field_t, o)
      if field_t ~= 4 then
        return field_t, bytes
      end
      return array_part(bytes, range(bson.count(p, o)))
    end,
  }
end

local function element_match(v, context)
  local node = operators.field(bson.build { { "$elemMatch", bson.document(v) } }, context)
  local test = match.bind_value(node)
  return {
    transform = function(p, t, o)
      if t ~= 4 or not test(p, t, o) then
        return 0, nil
      end
      local index = match.position()
      local _, bytes = bson.value(p, t, o)
      return array_part(bytes, index + 1, index + 1)
    end,
  }
end

--- The child for { $slice: ... } or { $elemMatch: ... }; nil for an expression.
function special.operator(path, bytes, context)
  local name, t, v = bson.each(bytes)()
  if name == "$slice" and (t ~= 4 or bson.is_number(bson.get(v, "0"))) then
    return slice(t, v)
  elseif name == "$elemMatch" then
    if path:find(".", 1, true) then
      errors.raise(31275, "Cannot use $elemMatch projection on a nested field")
    elseif t ~= 3 then
      errors.raise(31274, "elemMatch: Invalid argument, object required")
    end
    return element_match(v, context)
  elseif name == "$meta" then
    errors.unsupported("a $meta projection")
  end
  return nil
end

--- "path.$" as its path and child; other paths as they are.
function special.positional(path, context, find)
  local base = path:match("^(.+)%.%$$")
  if not base then
    return path
  elseif not find or not context.filter then
    errors.raise(31276,
      "Cannot use the positional projection without a filter that matches an array element")
  end
  local matches = match.compile(context.filter, context)
  return base, {
    transform = function(p, t, o, doc)
      local _, bytes = bson.value(p, t, o)
      if t ~= 4 then
        return t, bytes
      end
      local index = matches(doc) and match.position()
      if not index then
        errors.raise(51246,
          "positional operator '.$' couldn't find a matching element in the array")
      end
      return array_part(bytes, index + 1, index + 1)
    end,
  }
end

return special
