--- Projections of find, and $project, $addFields and $unset: one tree of paths that is laid over
--- each document.
---   project.compile(spec, context?) -> function(doc) -> doc, or nil when the spec is empty (find)
---   project.stage(spec, context?) -> function(doc) -> doc    $project
---   project.add(spec, context?)   -> function(doc) -> doc    $addFields, $set
---   project.unset(t, v)           -> function(doc) -> doc    $unset: a name or an array of names
--- `spec` is BSON bytes; context is { now =, let =, filter = bytes for the positional projection }.
---
--- A tree's child is one of: "include", "exclude", a table with `f` (computed), with `transform`
--- (made from the field's own value: $slice, $elemMatch, positional), or a tree.
local bson = require "store.bson"
local errors = require "store.errors"
local expression = require "store.expression"
local special = require "store.project_special"

local project = {}

local step, name_at, pointer = bson.step, bson.name, bson.pointer
local INDEX = bson.INDEX

-- ---- the tree -----------------------------------------------------------------------------------

local function new_tree()
  return { children = {}, late = {}, seen = {}, serial = 0, computes = false }
end

local function collide(path)
  errors.raise(31250, "Path collision at " .. path)
end

-- Puts a child at a dotted path; `late` lists what a document may lack and gets at its end.
local function put(tree, path, child)
  local parts = bson.split(path)
  for i = 1, #parts do
    local part = parts[i]
    if part == "" then
      errors.raise(40353, "FieldPath must not have empty parts: '" .. path .. "'")
    elseif part:sub(1, 1) == "$" then
      errors.raise(16410, "FieldPath field names may not start with '$': '" .. path .. "'")
    end
    local present = tree.children[part]
    local computes = type(child) == "table" and child.f ~= nil
    if present and (i == #parts or not present.children) then
      collide(path)
    end
    local here = i == #parts and child or present or new_tree()
    if not present then
      tree.children[part] = here
    end
    tree.computes = tree.computes or computes
    if computes and not tree.late[part] then
      tree.late[part] = true
      tree.late[#tree.late + 1] = part
    end
    tree = here
  end
end

-- ---- laying it over a document ------------------------------------------------------------------

local apply

local function apply_array(tree, keep, w, p, o, root, doc)
  local n = 0
  local t, v, following = step(p, o + 4)
  while t ~= 0 do
    if t == 3 or t == 4 then
      w:open(INDEX[n], t)
      if t == 3 then
        apply(tree, keep, w, p, v, root, doc)
      else
        apply_array(tree, keep, w, p, v, root, doc)
      end
      w:close()
      n = n + 1
    elseif tree.computes then
      w:open(INDEX[n], 3)
      apply(tree, keep, w, pointer(bson.EMPTY), 0, root, doc)
      w:close()
      n = n + 1
    elseif keep then
      w:copy(INDEX[n], p, t, v)
      n = n + 1
    end
    t, v, following = step(p, following)
  end
end

-- A field whose child is a tree. Gives whether something stands in its place.
local function apply_field(tree, keep, w, name, p, t, v, root, doc)
  if t == 3 or t == 4 then
    w:open(name, t)
    if t == 3 then
      apply(tree, keep, w, p, v, root, doc)
    else
      apply_array(tree, keep, w, p, v, root, doc)
    end
    w:close()
    return true
  elseif not keep then
    return false
  elseif tree.computes then
    w:open(name, 3)
    apply(tree, keep, w, pointer(bson.EMPTY), 0, root, doc)
    w:close()
  else
    w:copy(name, p, t, v)
  end
  return true
end

local function apply_late(tree, keep, w, root, doc)
  local late, seen, serial = tree.late, tree.seen, tree.serial
  for i = 1, #late do
    local name = late[i]
    local child = tree.children[name]
    if seen[name] == serial then
      -- stands in its old place
    elseif child.f then
      w:put(name, child.f(root, doc))
    else
      w:open(name, 3)
      apply(child, keep, w, pointer(bson.EMPTY), 0, root, doc)
      w:close()
    end
  end
end

-- One field that the tree names.
local function apply_child(tree, child, keep, w, name, p, t, v, root, doc)
  if child == "include" then
    w:copy(name, p, t, v)
  elseif child == "exclude" then
    return
  elseif child.transform then
    w:put(name, child.transform(p, t, v, doc))
  elseif child.f then
    if keep then
      tree.seen[name] = tree.serial
      w:put(name, child.f(root, doc))
    end
  elseif apply_field(child, keep, w, name, p, t, v, root, doc) then
    tree.seen[name] = tree.serial
  end
end

-- `keep`: what the tree does not name stays. Runs of such fields are copied in one go.
function apply(tree, keep, w, p, o, root, doc)
  local children = tree.children
  tree.serial = tree.serial + 1
  local i = o + 4
  local run = i
  local t, v, following = step(p, i)
  while t ~= 0 do
    local name = name_at(p, i)
    local child = children[name]
    if child or not keep then
      if keep and i > run then
        w:raw(p, run, i)
      end
      run = following
      if child then
        apply_child(tree, child, keep, w, name, p, t, v, root, doc)
      end
    end
    i = following
    t, v, following = step(p, i)
  end
  if keep and i > run then
    w:raw(p, run, i)
  end
  if #tree.late > 0 then
    apply_late(tree, keep, w, root, doc)
  end
end

local function projector(tree, keep)
  local w = bson.writer()
  return function(doc)
    local p = pointer(doc)
    w:reset()
    apply(tree, keep, w, p, 0, p, doc)
    local _ = doc -- lives up to here
    return w:finish()
  end
end

-- ---- reading a spec -----------------------------------------------------------------------------

local function join(prefix, name)
  return prefix and (prefix .. "." .. name) or name
end

-- Calls visit(path, t, v) for each leaf; nested documents are dotted paths written otherwise.
local function each_leaf(spec, prefix, visit)
  for name, t, v in bson.each(spec) do
    local path = join(prefix, name)
    local first = t == 3 and bson.each(v)()
    if t == 3 and not first then
      errors.raise(51270, "An empty sub-projection is not a valid value, at " .. path)
    elseif t == 3 and first:sub(1, 1) ~= "$" then
      each_leaf(v, path, visit)
    else
      visit(path, t, v)
    end
  end
end

local function flag(t, v)
  if t == 8 then
    return v
  elseif bson.is_number(t) then
    return bson.truth(t, v)
  end
  return nil
end

-- What a leaf of a projection means: "include", "exclude", or a table.
local function leaf(path, t, v, scope, find)
  local wanted = flag(t, v)
  if wanted ~= nil then
    return wanted and "include" or "exclude"
  end
  local made = find and t == 3 and special.operator(path, v, scope.context)
  return made or { f = expression.compile(t, v, scope) }
end

-- A projection includes or excludes; the first leaf but _id that says so decides.
local function decide(leaves)
  local including
  for _, entry in ipairs(leaves) do
    local child = entry.child
    local says = child == "include" or (type(child) == "table" and not child.neutral)
    if entry.path ~= "_id" and not (type(child) == "table" and child.neutral) then
      if including == nil then
        including = says
      elseif including and not says then
        errors.raise(31254, "Cannot do exclusion on field " .. entry.path ..
          " in inclusion projection")
      elseif not including and says then
        errors.raise(31253, "Cannot do inclusion on field " .. entry.path ..
          " in exclusion projection")
      end
    end
  end
  return including
end

local function id_decides(leaves, including)
  for _, entry in ipairs(leaves) do
    if including == nil and entry.path == "_id" and not (type(entry.child) == "table"
      and entry.child.neutral) then
      return entry.child ~= "exclude"
    end
  end
  return including or false
end

local function build(spec, context, find)
  local scope = expression.scope(context or {})
  local leaves = {}
  each_leaf(spec, nil, function(path, t, v)
    local child
    path, child = special.positional(path, scope.context, find)
    child = child or leaf(path, t, v, scope, find)
    leaves[#leaves + 1] = { path = path, child = child }
  end)
  local including = id_decides(leaves, decide(leaves))
  local tree = new_tree()
  for _, entry in ipairs(leaves) do
    local redundant = (including and entry.child == "exclude")
      or (not including and entry.child == "include")
    if not (redundant and entry.path == "_id") then
      put(tree, entry.path, entry.child)
    elseif including then
      tree.children._id = "exclude"
    end
  end
  if including and not tree.children._id then
    tree.children._id = "include"
  end
  return projector(tree, not including)
end

function project.compile(spec, context)
  if not bson.each(spec)() then
    return nil
  end
  return build(spec, context, true)
end

function project.stage(spec, context)
  if not bson.each(spec)() then
    errors.raise(51272,
      "Invalid $project :: caused by :: projection specification must have at least one field")
  end
  return build(spec, context, false)
end

function project.add(spec, context)
  local scope = expression.scope(context or {})
  local tree = new_tree()
  each_leaf(spec, nil, function(path, t, v)
    put(tree, path, { f = expression.compile(t, v, scope) })
  end)
  return projector(tree, true)
end

function project.unset(t, v)
  local tree = new_tree()
  local names = t == 4 and bson.elements(v) or { { t = t, v = v } }
  if #names == 0 then
    errors.raise(31119, "$unset specification must be a string or an array with at least one field")
  end
  for _, name in ipairs(names) do
    if name.t ~= 2 then
      errors.raise(31120,
        "$unset specification must be a string or an array containing only string values")
    end
    put(tree, name.v, "exclude")
  end
  return projector(tree, true)
end

return project
