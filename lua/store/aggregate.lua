--- Pipelines as pull iterators.
---   aggregate.compile(pipeline, context) -> list of stages
---     stage(next) -> next; next() -> doc or nil
---   aggregate.run(stages, next) -> next
---   aggregate.split(pipeline) -> { filter = bytes?, sort = bytes?, skip = n?, limit = n?, rest = }
---     what leading $match, $sort, $skip, $limit tell the planner, to be applied in this order
---     (filter, sort, skip, limit); `rest` is the array of the other stages, to be compiled
--- pipeline: bytes of the array. context: { tick = function, now = int64?, let = bytes?,
---   memory_limit = bytes?, random = function? }.
--- Every loop over documents calls context.tick(). A spec is checked when it is compiled.
local bson = require "store.bson"
local errors = require "store.errors"
local expression = require "store.expression"
local match = require "store.match"
local project = require "store.project"
local sort = require "store.sort"
local group = require "store.group"
local memory = require "store.memory"
local place = require "store.place"

local aggregate = {}

local LIMIT_STAGES = 1000
local stages = {}

local function document_only(name, code, t)
  if t ~= 3 then
    errors.raise(code, "the " .. name .. " stage specification must be an object")
  end
end

-- ---- one document in, at most one out -----------------------------------------------------------

local function mapping(f, context)
  local tick = context.tick
  return function(next)
    return function()
      local doc = next()
      if doc then
        tick()
        return f(doc)
      end
    end
  end
end

stages["$match"] = function(t, v, context)
  document_only("$match", 15959, t)
  local holds, tick = match.compile(v, context), context.tick
  return function(next)
    return function()
      for doc in next do
        tick()
        if holds(doc) then
          return doc
        end
      end
    end
  end
end

stages["$project"] = function(t, v, context)
  document_only("$project", 15969, t)
  return mapping(project.stage(v, context), context)
end

stages["$addFields"] = function(t, v, context)
  document_only("$addFields", 40272, t)
  return mapping(project.add(v, context), context)
end
stages["$set"] = stages["$addFields"]

stages["$unset"] = function(t, v, context)
  return mapping(project.unset(t, v), context)
end

local function replace_root(t, v, context)
  local f = expression.compile(t, v, expression.scope(context))
  return mapping(function(doc)
    local new_t, new_v = f(bson.pointer(doc), doc)
    local _ = doc -- lives up to here
    if new_t ~= 3 then
      errors.raise(40228,
        "'newRoot' expression must evaluate to an object, but resulting value was of type " ..
        bson.type_name(new_t))
    end
    return new_v
  end, context)
end
stages["$replaceWith"] = replace_root

stages["$replaceRoot"] = function(t, v, context)
  document_only("$replaceRoot", 40229, t)
  local root_t, root_v = bson.get(v, "newRoot")
  if root_t == 0 then
    errors.raise(40231, "no newRoot specified for the $replaceRoot stage")
  end
  return replace_root(root_t, root_v, context)
end

-- ---- counting -----------------------------------------------------------------------------------

local function whole(name, code, least, t, v)
  local number = bson.number(t, v)
  if not number or number ~= math.floor(number) or number < least then
    errors.raise(code, string.format("the %s must be a whole number of at least %d", name, least))
  end
  return number
end

stages["$limit"] = function(t, v)
  local limit = whole("limit", 15958, 1, t, v)
  return function(next)
    local n = 0
    return function()
      if n < limit then
        n = n + 1
        return next()
      end
    end
  end
end

stages["$skip"] = function(t, v, context)
  local skip, tick = whole("skip", 15956, 0, t, v), context.tick
  return function(next)
    local n = 0
    return function()
      while n < skip do
        n = n + 1
        tick()
        if not next() then
          return nil
        end
      end
      return next()
    end
  end
end

stages["$count"] = function(t, v, context)
  if t ~= 2 or v == "" or v:sub(1, 1) == "$" or v:find("[.%z]") then
    errors.raise(40156,
      "the count field must be a non-empty string without '$' in front and without '.'")
  end
  local tick = context.tick
  return function(next)
    local done = false
    return function()
      if done then
        return nil
      end
      local n = 0
      for _ in next do
        tick()
        n = n + 1
      end
      done = true
      return n > 0 and bson.build { { v, n } } or nil
    end
  end
end

-- ---- blocking stages ----------------------------------------------------------------------------

-- Collects all when the first is asked for.
local function collecting(make, context)
  local tick = context.tick
  return function(next)
    local out
    return function()
      if not out then
        local c = make()
        for doc in next do
          tick()
          c:add(doc)
        end
        out = c:finish()
      end
      return out()
    end
  end
end

stages["$sort"] = function(t, v, context, limit)
  document_only("$sort", 15973, t)
  if #sort.parts(v) == 0 then
    errors.raise(15976, "$sort stage must have at least one sort key")
  end
  return collecting(function() return sort.collector(v, context, limit) end, context)
end

stages["$group"] = function(t, v, context)
  document_only("$group", 15947, t)
  group.check(v, context)
  return group.compile(v, context)
end

stages["$sortByCount"] = function(t, v, context)
  if not (t == 2 and v:sub(1, 1) == "$") and not (t == 3
    and (bson.each(v)() or ""):sub(1, 1) == "$") then
    errors.raise(40147, "the sortByCount field must be a $-prefixed path or an expression")
  end
  local gather = stages["$group"](3, bson.build {
    { "_id", bson.box(t, v) }, { "count", bson.build_value { { "$sum", 1 } } },
  }, context)
  local order = stages["$sort"](3, bson.build { { "count", -1 } }, context)
  return function(next)
    return order(gather(next))
  end
end

-- Keeps `size` of all that come, each with equal chance.
local function reservoir(size, random, account)
  local docs, seen = {}, 0
  local function put(at, doc)
    account(#doc - (docs[at] and #docs[at] or 0))
    docs[at] = doc
  end
  return {
    add = function(_, doc)
      seen = seen + 1
      local at = seen <= size and seen or math.floor(random() * seen) + 1
      if at <= size then
        put(at, doc)
      end
    end,
    finish = function()
      local i = 0
      return function()
        i = i + 1
        return docs[i]
      end
    end,
  }
end

stages["$sample"] = function(t, v, context)
  document_only("$sample", 28745, t)
  local size = whole("size argument to $sample", 28747, 0, bson.get(v, "size"))
  return collecting(function()
    return reservoir(size, context.random or math.random,
      memory.account("$sample", context.memory_limit))
  end, context)
end

-- ---- $unwind ------------------------------------------------------------------------------------

local function unwind_options(t, v)
  if t == 2 then
    return v, false, nil
  elseif t ~= 3 then
    errors.raise(15981, "expected either a string or an object as specification for $unwind stage")
  end
  local options = {}
  for name, option_t, option_v in bson.each(v) do
    if name == "path" and option_t == 2 or name == "includeArrayIndex" and option_t == 2
      or name == "preserveNullAndEmptyArrays" and option_t == 8 then
      options[name] = option_v
    else
      errors.raise(28811, "unrecognized or ill-typed option to $unwind stage: " .. name)
    end
  end
  if not options.path then
    errors.raise(28812, "no path specified to $unwind stage")
  end
  return options.path, options.preserveNullAndEmptyArrays, options.includeArrayIndex
end

local function nothing()
  return nil
end

local function just(doc)
  return function()
    local one = doc
    doc = nil
    return one
  end
end

-- An iterator: one document for each element; a value that is no array is its own only element.
local function unwound(doc, t, v, keep, set, set_index)
  local function indexed(new, index)
    return set_index and set_index(new, index and 18 or 10, index and bson.int64(index).v) or new
  end
  if t ~= 4 then
    return ((t ~= 0 and t ~= 10 and t ~= 6) or keep) and just(indexed(doc)) or nothing
  end
  local elements, i = bson.elements(v), 0
  if #elements == 0 then
    return keep and just(indexed(set(doc, 0, nil))) or nothing
  end
  return function()
    i = i + 1
    local element = elements[i]
    return element and indexed(set(doc, element.t, element.v), i - 1)
  end
end

stages["$unwind"] = function(t, v, context)
  local path, keep, index_path = unwind_options(t, v)
  if path:sub(1, 1) ~= "$" or #path < 2 then
    errors.raise(28818, "path option to $unwind stage should be prefixed with a '$': " .. path)
  end
  local set = place.setter(path:sub(2))
  local set_index = index_path and place.setter(index_path)
  expression.compile(2, path, expression.scope(context)) -- a wrong path is refused
  local tick = context.tick
  return function(next)
    local rest = nothing
    return function()
      tick()
      local new = rest()
      while not new do
        local doc = next()
        if not doc then
          return nil
        end
        tick()
        local value_t, value_v = bson.path(doc, path:sub(2)) -- an array on the way is not entered
        rest = unwound(doc, value_t, value_v, keep, set, set_index)
        new = rest()
      end
      return new
    end
  end
end

-- ---- compiling ----------------------------------------------------------------------------------

local LACKING = errors.set [[$facet $bucket $bucketAuto $lookup $unionWith $merge $out
    $setWindowFields $graphLookup $densify $fill $changeStream $documents $redact $indexStats
    $collStats $currentOp $geoNear $search $planCacheStats
    $listSessions $listLocalSessions]]

local function stage_of(element)
  if element.t ~= 3 or bson.length(element.v) ~= 1 then
    errors.raise(40323, "A pipeline stage specification object must contain exactly one field.")
  end
  return bson.each(element.v)()
end

-- A $sort keeps only what the $skip and $limit right behind it let through.
local function limit_behind(list, i)
  local skipped = 0
  for k = i + 1, #list do
    local name, t, v = stage_of(list[k])
    local number = bson.number(t, v)
    if name == "$limit" and number then
      return skipped + number
    elseif name ~= "$skip" or not number then
      return nil
    end
    skipped = skipped + number
  end
end

local function elements_of(pipeline)
  local list = bson.elements(pipeline)
  if #list > LIMIT_STAGES then
    errors.raise(9, "Pipeline length must be no longer than " .. LIMIT_STAGES .. " stages")
  end
  return list
end

--- Compiles a pipeline.
---@param pipeline string the bytes of its array
---@return (fun(next: fun(): string?): fun(): string?)[]
function aggregate.compile(pipeline, context)
  local list, compiled = elements_of(pipeline), {}
  for i, element in ipairs(list) do
    local name, t, v = stage_of(element)
    if stages[name] then
      compiled[i] = stages[name](t, v, context, name == "$sort" and limit_behind(list, i) or nil)
    elseif LACKING[name] then
      errors.unsupported("the pipeline stage " .. name)
    else
      errors.raise(40324, "Unrecognized pipeline stage name: '" .. name .. "'")
    end
  end
  return compiled
end

--- Runs compiled stages over an iterator.
function aggregate.run(compiled, next)
  for _, stage in ipairs(compiled) do
    next = stage(next)
  end
  return next
end

-- ---- what the planner may do first --------------------------------------------------------------

local function joined(filters)
  if #filters <= 1 then
    return filters[1]
  end
  local list = {}
  for i, filter in ipairs(filters) do
    list[i] = bson.document(filter)
  end
  return bson.build { { "$and", bson.list(list) } }
end

function aggregate.split(pipeline)
  local list, filters, plan, i = elements_of(pipeline), {}, {}, 1
  local function leading(name, wanted_t)
    local element = list[i]
    local found, t, v
    if element then
      found, t, v = stage_of(element)
    end
    if found ~= name or (wanted_t and t ~= wanted_t) then
      return nil
    end
    i = i + 1
    return t, v
  end
  local t, v = leading("$match", 3)
  while t do
    filters[#filters + 1] = v
    t, v = leading("$match", 3)
  end
  plan.filter = joined(filters)
  t, v = leading("$sort", 3)
  if t and #sort.parts(v) > 0 then
    plan.sort = v
  elseif t then
    i = i - 1
  end
  t, v = leading("$skip")
  plan.skip = t and whole("skip", 15956, 0, t, v) or nil
  t, v = leading("$limit")
  plan.limit = t and whole("limit", 15958, 1, t, v) or nil
  plan.rest = bson.list({ unpack(list, i) }).v
  return plan
end

aggregate.stages = stages
return aggregate
