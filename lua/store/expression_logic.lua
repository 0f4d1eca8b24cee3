--- Comparison, logic, conditions, variables, literals.
local bson = require "store.bson"
local errors = require "store.errors"
local support = require "store.expression_support"

local compare, truth = bson.compare, bson.truth

local COMPARISONS = {
  ["$eq"] = function(c) return c == 0 end,
  ["$ne"] = function(c) return c ~= 0 end,
  ["$gt"] = function(c) return c > 0 end,
  ["$gte"] = function(c) return c >= 0 end,
  ["$lt"] = function(c) return c < 0 end,
  ["$lte"] = function(c) return c <= 0 end,
}

-- Missing stands below null here: they are of different ranks.
local function comparisons(expression)
  for name, holds in pairs(COMPARISONS) do
    support.binary(expression, name, function(t1, v1, t2, v2)
      return 8, holds(compare(t1, v1, t2, v2))
    end)
  end
  support.binary(expression, "$cmp", function(t1, v1, t2, v2)
    return 16, compare(t1, v1, t2, v2)
  end)
end

local function connectives(expression)
  support.fold(expression, "$and", 0, function(list)
    return function(p, doc)
      for i = 1, #list do
        if not truth(list[i](p, doc)) then
          return 8, false
        end
      end
      return 8, true
    end
  end)
  support.fold(expression, "$or", 0, function(list)
    return function(p, doc)
      for i = 1, #list do
        if truth(list[i](p, doc)) then
          return 8, true
        end
      end
      return 8, false
    end
  end)
  support.unary(expression, "$not", function(t, v)
    return 8, not truth(t, v)
  end)
end

local function cond(condition, yes, no)
  return function(p, doc)
    if truth(condition(p, doc)) then
      return yes(p, doc)
    end
    return no(p, doc)
  end
end

local function conditions(expression)
  support.named(expression, "$cond", { "if", "then", "else" }, {}, function(named)
    return cond(named["if"], named["then"], named["else"])
  end)
  local by_name = expression.operators["$cond"]
  expression.operators["$cond"] = function(t, v, scope)
    if t == 3 then
      return by_name(t, v, scope)
    end
    return cond(unpack(support.arguments(expression, "$cond", t, v, scope, 3, 3)))
  end
  support.fold(expression, "$ifNull", 2, function(list)
    return function(p, doc)
      for i = 1, #list - 1 do
        local t, v = list[i](p, doc)
        if not support.nothing(t) then
          return t, v
        end
      end
      return list[#list](p, doc)
    end
  end)
end

local function branches_of(expression, t, v, scope)
  local branches = {}
  for i, branch in ipairs(t == 4 and bson.elements(v) or errors.raise(40060,
    "$switch needs an array for 'branches'")) do
    local case_t, case_v = bson.get(branch.v, "case")
    local then_t, then_v = bson.get(branch.v, "then")
    if case_t == 0 or then_t == 0 then
      errors.raise(40065, "$switch requires each branch to have a 'case' and a 'then'")
    end
    branches[i] = {
      case = expression.compile(case_t, case_v, scope),
      result = expression.compile(then_t, then_v, scope),
    }
  end
  return branches
end

local function switch(expression)
  expression.operators["$switch"] = function(t, v, scope)
    if t ~= 3 then
      errors.raise(40060, "$switch requires an object with 'branches'")
    end
    local branches_t, branches_v = bson.get(v, "branches")
    local branches = branches_of(expression, branches_t, branches_v, scope)
    local default_t, default_v = bson.get(v, "default")
    local default = default_t ~= 0 and expression.compile(default_t, default_v, scope)
    return function(p, doc)
      for i = 1, #branches do
        if truth(branches[i].case(p, doc)) then
          return branches[i].result(p, doc)
        end
      end
      if not default then
        errors.raise(40066,
          "$switch could not find a matching branch for an input, and no default was specified")
      end
      return default(p, doc)
    end
  end
end

-- All variables are computed before any is set: they do not see one another.
local function let(expression)
  expression.operators["$let"] = function(t, v, scope)
    local vars_t, vars_v = bson.get(t == 3 and v or bson.EMPTY, "vars")
    local in_t, in_v = bson.get(t == 3 and v or bson.EMPTY, "in")
    if vars_t ~= 3 or in_t == 0 then
      errors.raise(16876, "$let needs { vars: { name: expression }, in: expression }")
    end
    local names, makers = {}, {}
    for name, inner_t, inner_v in bson.each(vars_v) do
      names[#names + 1] = name
      makers[#makers + 1] = expression.compile(inner_t, inner_v, scope)
    end
    local inner, slots = expression.inner_scope(scope, names)
    local body = expression.compile(in_t, in_v, inner)
    return function(p, doc)
      local types, values = {}, {}
      for i = 1, #makers do
        types[i], values[i] = makers[i](p, doc)
      end
      for i = 1, #names do
        local slot = slots[names[i]]
        slot.t, slot.v = types[i], values[i]
      end
      return body(p, doc)
    end
  end
end

return function(expression)
  comparisons(expression)
  connectives(expression)
  conditions(expression)
  switch(expression)
  let(expression)
  expression.operators["$literal"] = function(t, v)
    return expression.constant_function(t, v)
  end
  expression.operators["$const"] = expression.operators["$literal"]
  expression.operators["$rand"] = function(_, _, scope)
    local random = scope.context.random or math.random
    return function() return 1, random() end
  end
end
