--- Updates: operators, replacement, pipeline.
---   update.compile(spec_t, spec_v, options) -> u
---     spec: document (operators or replacement) or array (pipeline)
---     options: { filters = bytes of the arrayFilters array?, context = , filter = bytes?
---     (positional $) }
---   u.apply(doc, inserting?) -> new doc, changed (false when the bytes stayed the same)
---   u.is_replacement -> boolean (refused with multi by the command)
---   u.may_be_slow -> it computes expressions, which may pause
---   update.seed(filter) -> doc: the fields that equality terms of the filter give to an upsert
---   update.insert(u, filter) -> the document of an upsert, _id first (made when absent)
---
--- All operators of an update make one tree of paths, which is laid over the document once; fields
--- keep their places, new ones come behind in the order of their names.
local bson = require "store.bson"
local errors = require "store.errors"
local match = require "store.match"
local operators = require "store.update_operators"
local place = require "store.place"
local aggregate = require "store.aggregate"

local update = {}

local BAD_VALUE = errors.codes.BadValue
local LIMIT_DEPTH = 100
local LIMIT_PADDING = 1500000
local INDEX = bson.INDEX

-- ---- the tree -----------------------------------------------------------------------------------

local function new_tree(path)
  return { children = {}, names = {}, path = path }
end

local function check_part(path, part)
  if part == "" then
    errors.raise(56, "The update path '" .. path ..
      "' contains an empty field name, which is not allowed.")
  elseif part:sub(1, 1) == "$" and part ~= "$" and not part:find("^%$%[.*%]$") then
    errors.raise(52, "The dollar ($) prefixed field '" .. part .. "' in '" .. path ..
      "' is not valid for storage.")
  end
end

local function put(tree, path, leaf)
  local parts, reached = bson.split(path), nil
  if #parts > LIMIT_DEPTH then
    errors.raise(15, "The update path '" .. path:sub(1, 60) .. "...' is nested deeper than " ..
      LIMIT_DEPTH)
  end
  for i, part in ipairs(parts) do
    check_part(path, part)
    reached = reached and (reached .. "." .. part) or part
    local present = tree.children[part]
    if present and (i == #parts or not present.children) then
      errors.raise(40, "Updating the path '" .. path .. "' would create a conflict at '" ..
        reached .. "'")
    end
    if not present then
      present = i == #parts and leaf or new_tree(reached)
      tree.children[part] = present
      tree.names[#tree.names + 1] = part
    end
    tree = present
  end
end

local function by_name(a, b)
  local x, y = a:match("^%d+$") and tonumber(a), b:match("^%d+$") and tonumber(b)
  if x and y then
    return x < y
  end
  return a < b
end

local function finish_tree(tree)
  table.sort(tree.names, by_name)
  for _, name in ipairs(tree.names) do
    local child = tree.children[name]
    if child.children then
      finish_tree(child)
    end
  end
end

-- ---- laying it over a value ---------------------------------------------------------------------

local function creates(node)
  if not node.children then
    if type(node.creates) == "function" then
      return node.creates()
    end
    return node.creates
  end
  for _, child in pairs(node.children) do
    if creates(child) then
      return true
    end
  end
  return false
end

local apply

local function apply_missing(node, state)
  if not node.children then
    return node.f(0, nil)
  elseif not creates(node) then
    return 0, nil
  end
  return apply(node, 3, bson.EMPTY, state)
end

local function apply_document(tree, bytes, state)
  local w, p = bson.writer():reset(), bson.pointer(bytes)
  local seen = {}
  local i = 4
  local t, o, following = bson.step(p, i)
  while t ~= 0 do
    local name = bson.name(p, i)
    local child = tree.children[name]
    if child and not seen[name] then
      seen[name] = true
      local _, v = bson.value(p, t, o)
      w:put(name, apply(child, t, v, state))
    else
      w:raw(p, i, following)
    end
    i = following
    t, o, following = bson.step(p, i)
  end
  for _, name in ipairs(tree.names) do
    if not seen[name] then
      if name:sub(1, 1) == "$" then
        errors.raise(BAD_VALUE, "Cannot apply array updates to non-array element " ..
          (tree.path or name))
      end
      w:put(name, apply_missing(tree.children[name], state))
    end
  end
  local _ = bytes -- lives up to here
  return 3, w:finish()
end

-- Whether the child of that name is meant for the element at `index`.
local function is_meant(name, index, element, state)
  if name == "$[]" then
    return true
  elseif name == "$" then
    if not state.position then
      errors.raise(BAD_VALUE,
        "The positional operator did not find the match needed from the query.")
    end
    return state.position == index
  end
  local id = name:match("^%$%[(.*)%]$")
  return id and state.filters[id](bson.build { { id, element } }) or false
end

local function apply_element(tree, index, element, state)
  local t, v = element.t, element.v
  for _, name in ipairs(tree.names) do
    if name == INDEX[index] or is_meant(name, index, element, state) then
      t, v = apply(tree.children[name], t, v, state)
      t = t == 0 and 10 or t
    end
  end
  return bson.box(t, v)
end

-- Elements beyond the end: nulls fill the gap.
local function extend(tree, list, state)
  local length = #list
  for _, name in ipairs(tree.names) do
    local index = tonumber(name:match("^%d+$"))
    if index and index >= length then
      local t, v = apply_missing(tree.children[name], state)
      if t ~= 0 and index - length > LIMIT_PADDING then
        errors.raise(BAD_VALUE, "the index " .. name .. " is too far behind the end of the array")
      end
      while t ~= 0 and #list < index do
        list[#list + 1] = bson.null
      end
      if t ~= 0 then
        list[index + 1] = bson.box(t, v)
      end
    elseif not index and name:sub(1, 1) ~= "$" and creates(tree.children[name]) then
      errors.raise(28, string.format("Cannot create field '%s' in element %s, which is an array",
        name, tree.path))
    end
  end
end

local function apply_array(tree, bytes, state)
  local list = bson.elements(bytes)
  for i, element in ipairs(list) do
    list[i] = apply_element(tree, i - 1, element, state)
  end
  extend(tree, list, state)
  return 4, bson.list(list).v
end

-- Lays a node over a value; 0 as the result takes the value away.
function apply(node, t, v, state)
  if not node.children then
    return node.f(t, v)
  elseif t == 3 then
    return apply_document(node, v, state)
  elseif t == 4 then
    return apply_array(node, v, state)
  elseif creates(node) then
    errors.raise(28, string.format("Cannot create field '%s' in element {%s: %s}", node.names[1],
      node.path or "",
      bson.type_name(t)))
  end
  return t, v
end

-- ---- rules for the whole document ---------------------------------------------------------------

local function check_depth(bytes, depth)
  if depth > LIMIT_DEPTH then
    errors.raise(15, "the updated document is nested deeper than " .. LIMIT_DEPTH)
  end
  local p = bson.pointer(bytes)
  local t, o, following = bson.step(p, 4)
  while t ~= 0 do
    if t == 3 or t == 4 then
      local _, inner = bson.value(p, t, o)
      check_depth(inner, depth + 1)
    end
    t, o, following = bson.step(p, following)
  end
  local _ = bytes -- lives up to here
end

local function check_id(old, new)
  local old_t, old_v = bson.get(old, "_id")
  if old_t == 0 then
    return
  end
  local new_t, new_v = bson.get(new, "_id")
  if not bson.equal(old_t, old_v, new_t, new_v) then
    errors.raise(66,
      "Performing an update on the path '_id' would modify the immutable field '_id'")
  end
end

local function guarded(f)
  return function(doc, inserting)
    local new = f(doc, inserting or false)
    if new == doc then
      return doc, false
    end
    check_id(doc, new)
    check_depth(new, 1)
    return new, true
  end
end

-- The document with _id in front: its own, else the one given.
local function id_first(doc, t, v)
  local own_t, own_v = bson.get(doc, "_id")
  if own_t ~= 0 then
    t, v = own_t, own_v
  end
  if own_t ~= 0 and bson.each(doc)() == "_id" then
    return doc
  end
  local w = bson.writer():reset()
  w:put("_id", t, v)
  for name, inner_t, inner_v in bson.each(doc) do
    if name ~= "_id" then
      w:put(name, inner_t, inner_v)
    end
  end
  return w:finish()
end

-- ---- operators, replacement, pipeline -----------------------------------------------------------

-- Notes the identifiers that an array filter is about, as keys of `ids`.
local function note_identifiers(filter, ids)
  for name, t, v in bson.each(filter) do
    if (name == "$and" or name == "$or" or name == "$nor") and t == 4 then
      for _, element in ipairs(bson.elements(v)) do
        note_identifiers(element.t == 3 and element.v or bson.EMPTY, ids)
      end
    else
      ids[name:match("^[^.]*")] = true
    end
  end
end

local function array_filters(bytes, context)
  local filters, used = {}, {}
  for _, element in ipairs(bytes and bson.elements(bytes) or {}) do
    local ids = {}
    note_identifiers(element.t == 3 and element.v or bson.EMPTY, ids)
    local id = next(ids)
    if not id or next(ids, id) or filters[id] then
      errors.raise(9, "Each array filter must be a document about one identifier of its own")
    end
    filters[id], used[id] = match.compile(element.v, context), false
  end
  return filters, used
end

local function note_filters(path, filters, used)
  for id in path:gmatch("%$%[([^%]]+)%]") do
    if not filters[id] then
      errors.raise(BAD_VALUE, "No array filter found for identifier '" .. id .. "' in path '" ..
        path .. "'")
    end
    used[id] = true
  end
end

-- A renamed field does not lie in an array, and does not go into one.
local function refuse_arrays(doc, path)
  local parent = path:match("^(.*)%.[^.]*$")
  while parent do
    if bson.path(doc, parent) == 4 then
      errors.raise(BAD_VALUE, "$rename does not reach into arrays: '" .. parent ..
        "' is one; write an update for the array as a whole")
    end
    parent = parent:match("^(.*)%.[^.]*$")
  end
end

-- The source loses the field, the target gets it; nothing happens when there is none.
local function rename(tree, from, t, v, prepare)
  if t ~= 2 then
    errors.raise(BAD_VALUE, "The 'to' field for $rename must be a string: " .. from)
  elseif from == v then
    errors.raise(BAD_VALUE, "The source and target field for $rename must differ: " .. from)
  elseif (from .. v):find("$", 1, true) then
    errors.raise(BAD_VALUE, "The source and target of $rename may not be dynamic: " .. from)
  end
  local slot = { t = 0 }
  prepare[#prepare + 1] = function(doc)
    refuse_arrays(doc, from)
    refuse_arrays(doc, v)
    slot.t, slot.v = bson.path(doc, from)
  end
  put(tree, from, { creates = false, f = function() return 0, nil end })
  put(tree, v, {
    creates = function() return slot.t ~= 0 end,
    f = function(old_t, old_v)
      if slot.t ~= 0 then
        return slot.t, slot.v
      end
      return old_t, old_v
    end,
  })
end

local LACKING = { ["$bit"] = true }

local function read_operator(tree, name, t, v, scope, prepare)
  if name ~= "$rename" and not operators.known(name) then
    if LACKING[name] then
      errors.unsupported("the update operator " .. name)
    end
    errors.raise(9, "Unknown modifier: " .. name ..
      ". Expected a valid update modifier or pipeline-style update specified as an array")
  elseif t ~= 3 then
    errors.raise(9, string.format("Modifiers operate on fields but we found type %s instead. " ..
      "For example: {$mod: {<field>: ...}} not {%s: ...}", bson.type_name(t), name))
  end
  for path, inner_t, inner_v in bson.each(v) do
    if name == "$rename" then
      rename(tree, path, inner_t, inner_v, prepare)
    else
      note_filters(path, scope.filters, scope.used)
      put(tree, path, operators.make(name, inner_t, inner_v, path, scope))
    end
  end
end

local function has_position(tree)
  for name, child in pairs(tree.children) do
    if name == "$" or (child.children and has_position(child)) then
      return true
    end
  end
  return false
end

local function by_operators(spec, options)
  local context = options.context or {}
  local state = { inserting = false }
  local filters, used = array_filters(options.filters, context)
  state.filters = filters
  local scope = { context = context, state = state, filters = filters, used = used }
  local tree, prepare = new_tree(), {}
  for name, t, v in bson.each(spec) do
    read_operator(tree, name, t, v, scope, prepare)
  end
  for id, was_used in pairs(used) do
    if not was_used then
      errors.raise(9, "The array filter for identifier '" .. id .. "' was not used in the update")
    end
  end
  finish_tree(tree)
  local matches = options.filter and has_position(tree) and match.compile(options.filter, context)
  return function(doc, inserting)
    state.inserting = inserting
    state.position = matches and matches(doc) and match.position() or nil
    for _, f in ipairs(prepare) do
      f(doc)
    end
    local _, new = apply_document(tree, doc, state)
    return new
  end
end

local function replacing(spec)
  for name in bson.each(spec) do
    if name:sub(1, 1) == "$" then
      errors.raise(52, "The dollar ($) prefixed field '" .. name .. "' in '" .. name ..
        "' is not allowed in a replacement")
    end
  end
  return function(doc)
    local t, v = bson.get(doc, "_id")
    if t == 0 and bson.get(spec, "_id") == 0 then
      return spec
    end
    return id_first(spec, t, v)
  end
end

local PIPELINE = {
  ["$addFields"] = true, ["$set"] = true, ["$project"] = true, ["$unset"] = true,
    ["$replaceRoot"] = true,
  ["$replaceWith"] = true,
}

local function by_pipeline(bytes, options)
  local context = setmetatable({}, { __index = options.context or {} })
  context.tick = context.tick or function() end
  for _, element in ipairs(bson.elements(bytes)) do
    local name = element.t == 3 and bson.each(element.v)()
    if not PIPELINE[name or ""] then
      errors.raise(72, tostring(name) .. " is not allowed to be used within an update")
    end
  end
  local compiled = aggregate.compile(bytes, context)
  return function(doc)
    local given = doc
    local next = aggregate.run(compiled, function()
      local one = given
      given = nil
      return one
    end)
    local t, v = bson.get(doc, "_id")
    local new = next()
    if t == 0 then
      return new
    end
    return id_first(new, t, v)
  end
end

function update.compile(spec_t, spec_v, options)
  options = options or {}
  if spec_t == 4 then
    return { is_replacement = false, may_be_slow = true,
      apply = guarded(by_pipeline(spec_v, options)) }
  elseif spec_t ~= 3 then
    errors.raise(9, "an update must be a document of operators, a replacement or a pipeline")
  end
  local first = bson.each(spec_v)()
  if first and first:sub(1, 1) == "$" then
    return { is_replacement = false, apply = guarded(by_operators(spec_v, options)) }
  elseif options.filters and bson.each(options.filters)() then
    errors.raise(9, "arrayFilters may not be specified for a replacement")
  end
  return { is_replacement = true, apply = guarded(replacing(spec_v)) }
end

-- ---- upserts ------------------------------------------------------------------------------------

function update.seed(filter)
  local doc, taken = bson.EMPTY, {}
  for _, term in ipairs(match.equalities(filter)) do
    for other in pairs(taken) do
      if other == term.path or other:sub(1, #term.path + 1) == term.path .. "."
        or term.path:sub(1, #other + 1) == other .. "." then
        errors.raise(54, "cannot infer query fields to set, path '" .. term.path ..
          "' is matched twice")
      end
    end
    taken[term.path] = true
    doc = place.setter(term.path)(doc, term.t, term.v)
  end
  return doc
end

function update.insert(u, filter)
  local seed = update.seed(filter)
  if u.is_replacement then
    local t, v = bson.get(seed, "_id")
    seed = t ~= 0 and bson.build { { "_id", bson.box(t, v) } } or bson.EMPTY
  end
  local doc = u.apply(seed, true)
  local made = bson.get(doc, "_id") == 0 and bson.oid() or bson.null
  return id_first(doc, made.t, made.v)
end

return update
