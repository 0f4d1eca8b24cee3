--- Arrays and documents.
local bson = require "store.bson"
local errors = require "store.errors"
local support = require "store.expression_support"

local nothing = support.nothing

local function array_only(name, code, t, v)
  if t ~= 4 then
    errors.raise(code, string.format("%s needs an array, not %s", name, bson.type_name(t)))
  end
  return v
end

local function element_at(bytes, index)
  if index < 0 then
    index = bson.length(bytes) + index
    if index < 0 then
      return 0, nil
    end
  end
  local p = bson.pointer(bytes)
  local t, o = bson.item(p, 0, index)
  local v
  if t ~= 0 then
    t, v = bson.value(p, t, o)
  end
  local _ = bytes -- lives up to here
  return t, v
end

local function single_elements(expression)
  support.binary(expression, "$arrayElemAt", function(t, v, index_t, index_v)
    if nothing(t) or nothing(index_t) then
      return 10, nil
    end
    array_only("$arrayElemAt", 28689, t, v)
    return element_at(v, support.whole("$arrayElemAt", 28690, index_t, index_v))
  end)
  for name, index in pairs { ["$first"] = 0, ["$last"] = -1 } do
    support.unary(expression, name, function(t, v)
      if nothing(t) then
        return 10, nil
      end
      return element_at(array_only(name, 28689, t, v), index)
    end)
  end
  support.unary(expression, "$size", function(t, v)
    array_only("$size", 17124, t, v)
    return 16, bson.length(v)
  end)
  support.unary(expression, "$isArray", function(t) return 8, t == 4 end)
end

-- The elements from `first` to `last`, counted from 1.
local function part(elements, first, last)
  local list = support.list()
  for i = math.max(first, 1), math.min(last, #elements) do
    list.put(elements[i].t, elements[i].v)
  end
  return list.finish()
end

local function slice(count, t, v, a_t, a_v, b_t, b_v)
  if nothing(t) or nothing(a_t) or (count == 3 and nothing(b_t)) then
    return 10, nil
  end
  local elements = bson.elements(array_only("$slice", 28724, t, v))
  local a = support.whole("$slice", 28725, a_t, a_v)
  if count == 2 then
    if a >= 0 then
      return part(elements, 1, a)
    end
    return part(elements, #elements + a + 1, #elements)
  end
  local n = support.whole("$slice", 28727, b_t, b_v)
  if n <= 0 then
    errors.raise(28729, "third argument to $slice must be positive")
  end
  local first = a >= 0 and a + 1 or math.max(#elements + a + 1, 1)
  return part(elements, first, first + n - 1)
end

local function concat_arrays(list)
  return function(p, doc)
    local result = support.list()
    for i = 1, #list do
      local t, v = list[i](p, doc)
      if nothing(t) then
        return 10, nil
      end
      for _, inner_t, inner_v in bson.each(array_only("$concatArrays", 28664, t, v)) do
        result.put(inner_t, inner_v)
      end
    end
    return result.finish()
  end
end

local function member_of(named_name, t, v, name)
  local inner_t, inner_v = bson.get(v, name)
  if inner_t == 0 then
    errors.raise(16876, string.format("%s needs the argument '%s'", named_name, name))
  end
  return inner_t, inner_v
end

-- $map and $filter: the input, a variable for the element, a body.
local function looping(expression, name, body_name, default, make)
  expression.operators[name] = function(t, v, scope)
    if t ~= 3 then
      errors.raise(16878, name .. " only supports an object as its argument")
    end
    local input_t, input_v = member_of(name, t, v, "input")
    local input = expression.compile(input_t, input_v, scope)
    local as_t, as_v = bson.get(v, "as")
    local variable = as_t == 2 and as_v or default
    local inner, slots = expression.inner_scope(scope, { variable })
    local body_t, body_v = member_of(name, t, v, body_name)
    local body = expression.compile(body_t, body_v, inner)
    local limit_t, limit_v = bson.get(v, "limit")
    local limit = limit_t ~= 0 and expression.compile(limit_t, limit_v, scope)
    return make(input, body, slots[variable], support.tick(scope), limit)
  end
end

local function map(input, body, slot, tick)
  return function(p, doc)
    local t, v = input(p, doc)
    if nothing(t) then
      return 10, nil
    end
    local list = support.list()
    for _, inner_t, inner_v in bson.each(array_only("$map", 16883, t, v)) do
      tick()
      slot.t, slot.v = inner_t, inner_v
      list.put(body(p, doc))
    end
    return list.finish()
  end
end

local function filter(input, body, slot, tick, limit)
  return function(p, doc)
    local t, v = input(p, doc)
    if nothing(t) then
      return 10, nil
    end
    local list, count, most = support.list(), 0, math.huge
    if limit then
      most = bson.number(limit(p, doc)) or math.huge
    end
    for _, inner_t, inner_v in bson.each(array_only("$filter", 28651, t, v)) do
      tick()
      slot.t, slot.v = inner_t, inner_v
      if count < most and bson.truth(body(p, doc)) then
        list.put(inner_t, inner_v)
        count = count + 1
      end
    end
    return list.finish()
  end
end

local function reduce(expression)
  expression.operators["$reduce"] = function(t, v, scope)
    if t ~= 3 then
      errors.raise(40075, "$reduce requires an object as an argument")
    end
    local inner, slots = expression.inner_scope(scope, { "this", "value" })
    local function argument(name, in_scope)
      local inner_t, inner_v = member_of("$reduce", t, v, name)
      return expression.compile(inner_t, inner_v, in_scope)
    end
    local input, initial = argument("input", scope), argument("initialValue", scope)
    local body, tick = argument("in", inner), support.tick(scope)
    return function(p, doc)
      local input_t, input_v = input(p, doc)
      if nothing(input_t) then
        return 10, nil
      end
      local result_t, result_v = initial(p, doc)
      for _, inner_t, inner_v in bson.each(array_only("$reduce", 40080, input_t, input_v)) do
        tick()
        slots.this.t, slots.this.v = inner_t, inner_v
        slots.value.t, slots.value.v = result_t, result_v
        result_t, result_v = body(p, doc)
      end
      return result_t, result_v
    end
  end
end

local LIMIT_RANGE = 1000000

local function range(count, t1, v1, t2, v2, t3, v3)
  local first, last = support.whole("$range", 34444, t1, v1), support.whole("$range", 34446, t2, v2)
  local by = count == 3 and support.whole("$range", 34448, t3, v3) or 1
  if by == 0 then
    errors.raise(34449, "$range requires a non-zero step value")
  elseif (last - first) / by > LIMIT_RANGE then
    errors.raise(292, "$range would make more than " .. LIMIT_RANGE .. " numbers")
  end
  local list = support.list()
  for i = first, last - (by > 0 and 1 or -1), by do
    list.put(16, i)
  end
  return list.finish()
end

local function searching(expression)
  support.binary(expression, "$in", function(t, v, array_t, array_v)
    for _, inner_t, inner_v in bson.each(array_only("$in", 40081, array_t, array_v)) do
      if bson.equal(t, v, inner_t, inner_v) then
        return 8, true
      end
    end
    return 8, false
  end)
  support.few(expression, "$indexOfArray", 2, 4, function(count, t, v, wanted_t, wanted_v, from_t,
    from_v, to_t, to_v)
    if nothing(t) then
      return 10, nil
    end
    local from = count > 2 and support.whole("$indexOfArray", 40096, from_t, from_v) or 0
    local to = count > 3 and support.whole("$indexOfArray", 40096, to_t, to_v) or math.huge
    for i, element in ipairs(bson.elements(array_only("$indexOfArray", 40090, t, v))) do
      if i > from and i <= to and bson.equal(element.t, element.v, wanted_t, wanted_v) then
        return 16, i - 1
      end
    end
    return 16, -1
  end)
  support.unary(expression, "$reverseArray", function(t, v)
    if nothing(t) then
      return 10, nil
    end
    local elements, list = bson.elements(array_only("$reverseArray", 34435, t, v)), support.list()
    for i = #elements, 1, -1 do
      list.put(elements[i].t, elements[i].v)
    end
    return list.finish()
  end)
end

local function pair_of(element)
  if element.t == 4 then
    local list = bson.elements(element.v)
    if #list == 2 and list[1].t == 2 then
      return list[1].v, list[2].t, list[2].v
    end
  elseif element.t == 3 then
    local key_t, key_v = bson.get(element.v, "k")
    local value_t, value_v = bson.get(element.v, "v")
    if key_t == 2 and value_t ~= 0 then
      return key_v, value_t, value_v
    end
  end
  errors.raise(40397, "$arrayToObject needs elements { k: text, v: value } or [text, value]")
end

-- The last value of a name wins, in the name's first place.
local function write_fields(order, fields)
  local w = bson.writer():reset()
  for _, name in ipairs(order) do
    w:put(name, fields[name].t, fields[name].v)
  end
  return 3, w:finish()
end

local function note(order, fields, name, t, v)
  if not fields[name] then
    order[#order + 1] = name
  end
  fields[name] = { t = t, v = v }
end

local function documents(expression)
  support.unary(expression, "$objectToArray", function(t, v)
    if nothing(t) then
      return 10, nil
    elseif t ~= 3 then
      errors.raise(40390, "$objectToArray requires a document input, found: " .. bson.type_name(t))
    end
    local list = support.list()
    for name, inner_t, inner_v in bson.each(v) do
      list.put(3, bson.build { { "k", name }, { "v", bson.box(inner_t, inner_v) } })
    end
    return list.finish()
  end)
  support.unary(expression, "$arrayToObject", function(t, v)
    if nothing(t) then
      return 10, nil
    end
    local order, fields = {}, {}
    for _, element in ipairs(bson.elements(array_only("$arrayToObject", 40386, t, v))) do
      note(order, fields, pair_of(element))
    end
    return write_fields(order, fields)
  end)
  support.fold(expression, "$mergeObjects", 0, function(list)
    return function(p, doc)
      local order, fields = {}, {}
      local function take(t, v)
        if nothing(t) then
          return
        elseif t ~= 3 then
          errors.raise(40400, "$mergeObjects requires object inputs, but input is of type " ..
            bson.type_name(t))
        end
        for name, inner_t, inner_v in bson.each(v) do
          note(order, fields, name, inner_t, inner_v)
        end
      end
      for i = 1, #list do
        take(list[i](p, doc))
      end
      return write_fields(order, fields)
    end
  end)
end

local function get_field(expression)
  expression.operators["$getField"] = function(t, v, scope)
    local input, name_t, name_v = expression.compile(2, "$$CURRENT", scope), t, v
    if t == 3 and bson.get(v, "field") ~= 0 then
      name_t, name_v = bson.get(v, "field")
      local input_t, input_v = bson.get(v, "input")
      input = input_t ~= 0 and expression.compile(input_t, input_v, scope) or input
    end
    local name = expression.compile(name_t, name_v, scope)
    return function(p, doc)
      local field_t, field = name(p, doc)
      if field_t ~= 2 then
        errors.raise(3041704,
          "$getField requires 'field' to evaluate to a string; write $literal for a name with $")
      end
      local from_t, from = input(p, doc)
      if from_t == 3 then
        return bson.get(from, field)
      end
      return nothing(from_t) and from_t or 0, nil
    end
  end
end

return function(expression)
  single_elements(expression)
  support.few(expression, "$slice", 2, 3, slice)
  support.fold(expression, "$concatArrays", 0, concat_arrays)
  looping(expression, "$map", "in", "this", map)
  looping(expression, "$filter", "cond", "this", filter)
  reduce(expression)
  support.few(expression, "$range", 2, 3, range)
  searching(expression)
  documents(expression)
  get_field(expression)
end
