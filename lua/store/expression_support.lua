--- What the modules of expression operators share: arguments, null, building arrays, refusals.
local bson = require "store.bson"
local errors = require "store.errors"

local support = {}

--- Whether a value is null, missing or undefined.
local function nothing(t)
  return t == 0 or t == 10 or t == 6
end
support.nothing = nothing

local function no_tick() end

--- The look at the clock for a loop within an expression.
function support.tick(scope)
  return scope.context.tick or no_tick
end

--- The arguments of an operator, compiled: the elements of an array, or the one value itself.
function support.arguments(expression, name, t, v, scope, least, most)
  local list = {}
  if t == 4 then
    for _, inner_t, inner_v in bson.each(v) do
      list[#list + 1] = expression.compile(inner_t, inner_v, scope)
    end
  else
    list[1] = expression.compile(t, v, scope)
  end
  if #list < least or (most and #list > most) then
    local wanted = least == most and ("exactly " .. least)
      or ("at least " .. least .. " and at most " .. (most or "any"))
    errors.raise(16020, string.format("Expression %s takes %s arguments. %d were passed in.", name,
      wanted, #list))
  end
  return list
end

--- Registers an operator of one argument: make(t, v) -> t, v.
function support.unary(expression, name, make)
  expression.operators[name] = function(t, v, scope)
    local a = support.arguments(expression, name, t, v, scope, 1, 1)[1]
    return function(p, doc)
      return make(a(p, doc))
    end
  end
end

--- Registers an operator of two arguments: make(t1, v1, t2, v2) -> t, v.
function support.binary(expression, name, make)
  expression.operators[name] = function(t, v, scope)
    local list = support.arguments(expression, name, t, v, scope, 2, 2)
    local a, b = list[1], list[2]
    return function(p, doc)
      local t1, v1 = a(p, doc)
      return make(t1, v1, b(p, doc))
    end
  end
end

--- Registers an operator of up to four arguments; the absent ones are given as missing (0, nil).
function support.few(expression, name, least, most, make)
  expression.operators[name] = function(t, v, scope)
    local list = support.arguments(expression, name, t, v, scope, least, most)
    local none = function() return 0, nil end
    local a, b, c, d = list[1], list[2] or none, list[3] or none, list[4] or none
    local count = #list
    return function(p, doc)
      local t1, v1 = a(p, doc)
      local t2, v2 = b(p, doc)
      local t3, v3 = c(p, doc)
      local t4, v4 = d(p, doc)
      return make(count, t1, v1, t2, v2, t3, v3, t4, v4)
    end
  end
end

--- Registers an operator of any number of arguments that folds them: begin() -> state,
--- take(state, t, v) -> true to end early, finish(state) -> t, v.
function support.fold(expression, name, least, make)
  expression.operators[name] = function(t, v, scope)
    local list = support.arguments(expression, name, t, v, scope, least)
    return make(list)
  end
end

local LACKING = errors.set [[$dateFromString.format $dateToParts.iso8601 $dateFromParts.isoWeekYear
  $dateFromParts.isoWeek $dateFromParts.isoDayOfWeek]]

--- Registers an operator whose argument is a document of named arguments.
--- make(named, scope) -> f, where named[name] is a compiled argument or nil.
function support.named(expression, name, required, optional, make)
  local known = {}
  for _, field in ipairs(required) do known[field] = true end
  for _, field in ipairs(optional) do known[field] = true end
  expression.operators[name] = function(t, v, scope)
    if t ~= 3 then
      errors.raise(9, name .. " needs an object of named arguments")
    end
    local named = {}
    for field, inner_t, inner_v in bson.each(v) do
      if LACKING[name .. "." .. field] then
        errors.unsupported("the argument " .. field .. " of " .. name)
      elseif not known[field] then
        errors.raise(9, string.format("%s found an unknown argument: %s", name, field))
      end
      named[field] = expression.compile(inner_t, inner_v, scope)
    end
    for _, field in ipairs(required) do
      if not named[field] then
        errors.raise(9, string.format("%s requires the argument '%s'", name, field))
      end
    end
    return make(named, scope)
  end
end

--- A whole number that fits a Lua number, or a refusal.
function support.whole(name, code, t, v)
  local number = bson.number(t, v)
  if not number or number ~= math.floor(number) or math.abs(number) > 2147483648 then
    errors.raise(code, string.format("%s needs a whole number, not %s", name, bson.type_name(t)))
  end
  return number
end

--- Collects values into the bytes of an array. Not to be kept across an evaluation of another
--- expression.
---@return { put: fun(t: integer, v: any), finish: fun(): integer, string }
function support.list()
  local w, n = bson.writer():reset(), 0
  return {
    put = function(t, v)
      w:put(bson.INDEX[n], t == 0 and 10 or t, v)
      n = n + 1
    end,
    finish = function()
      return 4, w:finish()
    end,
  }
end

return support
