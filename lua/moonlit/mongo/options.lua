-- What is passed to the database's methods: filters, orders and options are checked here and
-- brought into the form of commands.

local bson = require "moonlit.core.bson"
local problem = require "moonlit.mongo.problem"
local script = require "moonlit.core.script"

local options = {}

local misuse = problem.misuse

-- ---- what kind of value is it ----

local function is_list(value)
  if type(value) == "table" then return value[1] ~= nil or bson.is_array(value) end
  return bson.is_view(value) == "array"
end

local function is_document(value)
  if type(value) == "table" then return not is_list(value) end
  return bson.is_view(value) == "document"
end

local function kind_of(value)
  local kind = type(value)
  local metatable = (kind == "table" or kind == "userdata") and debug.getmetatable(value)
  return metatable and rawget(metatable, "__handle") or kind == "string" and "text"
    or bson.is_view(value) or kind
end

---A document of pairs, in their order; the sentence names the place as "what: name...".
---@param what string the method, for sentences
---@param pairs table[]
---@return string bytes
function options.ordered(what, pairs)
  local bytes, refusal = bson.ordered(pairs)
  if not bytes then misuse(what .. ": " .. refusal) end
  return bytes
end

-- "sort = " for an option, "" for what stands alone, which is called "the keys".
local function assignment(name)
  if name:find("^the ") then return "" end
  return (name:find("^%a%w*$") and name or ("[%q]"):format(name)) .. " = "
end

local function view_of_pairs(what, name, pairs)
  for i, pair in ipairs(pairs) do
    if type(pair) ~= "table" or type(pair[1]) ~= "string" or pair[2] == nil then
      misuse(("%s: item %d of %s is not a pair; write %s{ {\"a\", 1}, {\"b\", -1} }"):format(what,
        i, name, assignment(name)))
    end
  end
  local view, refusal = bson.doc(pairs)
  if not view then misuse(("%s: %s: %s"):format(what, name, refusal)) end
  return view
end

-- ---- the checks ----

---Each gives the value for the command, or raises a sentence that names the method and the option.
---@type table<string, fun(what: string, name: string, value: any): any>
local checks = {}

function checks.order(what, name, value)
  if bson.is_view(value) == "document" then return value end
  if type(value) ~= "table" then
    misuse(("%s: %s must be a table such as { price = -1 }, got a %s"):format(what, name,
      kind_of(value)))
  end
  if is_list(value) then return view_of_pairs(what, name, value) end
  local first = next(value)
  if first ~= nil and next(value, first) ~= nil then
    misuse(("%s: the order of several names matters in %s, and a table has none; write "
      .. "%s{ {\"a\", 1}, {\"b\", -1} }"):format(what, name, assignment(name)))
  end
  return value
end

function checks.document(what, name, value)
  if is_document(value) then return value end
  misuse(("%s: %s must be a document such as { name = \"x\" }, got a %s"):format(what, name,
    is_list(value) and "list" or kind_of(value)))
end

function checks.list(what, name, value)
  if is_list(value) then return value end
  if type(value) == "table" and next(value) == nil then return bson.array {} end
  misuse(("%s: %s must be a list of documents, { { ... }, { ... } }, got a %s"):format(what, name,
    is_document(value) and "document" or kind_of(value)))
end

function checks.projection(what, name, value)
  if type(value) ~= "table" or not is_list(value) then return checks.document(what, name, value) end
  if type(value[1]) ~= "string" then return view_of_pairs(what, name, value) end
  local fields = {}
  for key, field in next, value do -- { "a", "b", _id = 0 }
    if type(key) == "string" then
      fields[key] = field
    elseif type(field) == "string" then
      fields[field] = 1
    else
      misuse(("%s: %s must be a list of names, { \"a\", \"b\" }"):format(what, name))
    end
  end
  return fields
end

function checks.count(what, name, value)
  if type(value) == "number" and value >= 0 and value % 1 == 0 and value <= 2 ^ 53 then
    return value
  end
  misuse(("%s: %s must be a whole number of at least 0, got %s"):format(what, name,
    type(value) == "number" and tostring(value) or "a " .. kind_of(value)))
end

function checks.number(what, name, value)
  if type(value) == "number" then return value end
  misuse(("%s: %s must be a number, got a %s"):format(what, name, kind_of(value)))
end

function checks.seconds(what, name, value)
  if type(value) == "number" and value > 0 then return value end
  misuse(("%s: %s must be a number of seconds above 0"):format(what, name))
end

function checks.flag(what, name, value)
  if type(value) == "boolean" then return value end
  misuse(("%s: %s must be true or false, got a %s"):format(what, name, kind_of(value)))
end

function checks.text(what, name, value)
  if type(value) == "string" then return value end
  misuse(("%s: %s must be a text, got a %s"):format(what, name, kind_of(value)))
end

function checks.hint(what, name, value)
  if type(value) == "string" then return value end
  return checks.order(what, name, value)
end

function checks.returns(what, name, value)
  if value == "before" or value == "after" then return value end
  misuse(("%s: %s must be \"before\" or \"after\""):format(what, name))
end

function checks.any(_, _, value)
  return value
end

-- ---- the nearest name ----

---`; did you mean "limit"?`, or "" when nothing is near.
---@param name string
---@param names table<string, any>
---@return string
function options.did_you_mean(name, names)
  local best, least
  for known in next, names do
    local far = script.distance(name:lower(), known)
    if not least or far < least or (far == least and known < best) then best, least = known, far end
  end
  return best and least <= math.max(2, #name / 3) and ("; did you mean %q?"):format(best) or ""
end

-- ---- options of a method ----

---A list of { name, field of the command or false, check }.
---@param list table[]
---@return { list: table[], by_name: table<string, table> }
function options.spec(list)
  local by_name = {}
  for _, entry in ipairs(list) do by_name[entry[1]] = entry end
  return { list = list, by_name = by_name }
end

local function check_names(what, spec, given)
  if type(given) ~= "table" or getmetatable(given) ~= nil then
    misuse(("%s: the options must be a table such as { %s = ... }, got a %s"):format(what,
      spec.list[1][1], kind_of(given)))
  end
  for name in next, given do
    if type(name) ~= "string" then
      misuse(("%s: the options must have names, { %s = ... }"):format(what, spec.list[1][1]))
    elseif not spec.by_name[name] then
      misuse(("%s has no option %q%s"):format(what, name,
        options.did_you_mean(name, spec.by_name)))
    end
  end
end

---Check what was given, append to the command's pairs what belongs there, and return the rest by
---name.
---@param what string the method, for sentences
---@param spec { list: table[], by_name: table<string, table> }
---@param given? table
---@param pairs table[]
---@return table<string, any> rest
function options.append(what, spec, given, pairs)
  local rest = {}
  if given == nil then return rest end
  check_names(what, spec, given)
  for _, entry in ipairs(spec.list) do
    local value = given[entry[1]]
    if value ~= nil then
      value = checks[entry[3]](what, entry[1], value)
      if entry[2] then
        pairs[#pairs + 1] = { entry[2], value }
      else
        rest[entry[1]] = value
      end
    end
  end
  return rest
end

-- ---- orders within documents ----

-- Stages and operators whose sortBy is an order, as $sort is wherever it stands.
local SORTED = {
  ["$setWindowFields"] = true, ["$fill"] = true, ["$sortArray"] = true, ["$top"] = true,
  ["$topN"] = true, ["$bottom"] = true, ["$bottomN"] = true,
}

local MOST_LEVELS = 100 -- what is deeper, or contains itself, is refused when it is encoded

local function copy_of(value)
  local copy = {}
  for key, inner in next, value do copy[key] = inner end
  return bson.is_array(value) and bson.array(copy) or copy
end

---The pipeline or update with the orders in it as ordered documents; a sentence for those that a
---table cannot tell.
---@param what string the method, for sentences
---@param value any
---@param parent? any the name above it
---@param level? integer
---@return any
function options.with_orders(what, value, parent, level)
  level = level or 1
  if type(value) ~= "table" or level > MOST_LEVELS
    or (getmetatable(value) ~= nil and not bson.is_array(value)) then
    return value
  end
  local copy
  for key, inner in next, value do
    local is_order = type(inner) == "table"
      and (key == "$sort" or (key == "sortBy" and SORTED[parent]))
    local settled = is_order and checks.order(what, key, inner)
      or options.with_orders(what, inner, key, level + 1)
    if settled ~= inner then
      copy = copy or copy_of(value)
      copy[key] = settled
    end
  end
  return copy or value
end

-- ---- positional arguments ----

local LISTS_OF_FILTERS = { ["$and"] = true, ["$or"] = true, ["$nor"] = true }

-- A document is equal to another one when its names stand in the same order.
local function check_equality(what, name, value)
  local first = next(value)
  if type(first) ~= "string" or first:sub(1, 1) == "$" or next(value, first) == nil then return end
  misuse(("%s: documents are compared with the order of their names, and a table has none; write "
    .. "[\"%s.%s\"] = ... for each name, or %s = bson.doc{ {\"%s\", ...}, ... }"):format(what, name,
    first, name, first))
end

local function check_filter(what, filter, level)
  if level > MOST_LEVELS then return end
  for name, value in next, filter do
    if type(value) == "table" and type(name) == "string" and getmetatable(value) == nil then
      if LISTS_OF_FILTERS[name] then
        for _, inner in ipairs(value) do
          if is_document(inner) and type(inner) == "table" then
            check_filter(what, inner, level + 1)
          end
        end
      elseif name:sub(1, 1) ~= "$" then
        check_equality(what, name, value)
      end
    end
  end
end

---A filter: all documents when there is none.
---@param what string the method, for sentences
---@param value? table
---@return table
function options.filter(what, value)
  if value == nil then return {} end
  if is_document(value) then
    if type(value) == "table" then check_filter(what, value, 1) end
    return value
  end
  local kind = bson.kind(value)
  if kind == "objectId" or type(value) == "string" or type(value) == "number" then
    misuse(what .. ": the filter must be a table; write { _id = value }")
  end
  misuse(("%s: the filter must be a table such as { name = \"x\" }, got a %s"):format(what,
    is_list(value) and "list" or kind_of(value)))
end

---@type fun(what: string, name: string, value: any): table
options.document = checks.document

---@type fun(what: string, name: string, value: any): table[]
options.list = checks.list

---A pipeline, with its orders told.
---@param what string the method, for sentences
---@param value table[]
---@return table[]
function options.pipeline(what, value)
  return options.with_orders(what, checks.list(what, "the pipeline", value))
end

---@type fun(what: string, name: string, value: any): table
options.order = checks.order

local function first_name(document)
  if type(document) == "table" then return (next(document)) end
  return bson.keys(document)[1]
end

---An update: operators, or a pipeline.
---@param what string the method, for sentences
---@param value table
---@return table
function options.update(what, value)
  if is_list(value) then return options.with_orders(what, value) end
  checks.document(what, "the update", value)
  local name = first_name(value)
  if type(name) ~= "string" or name:sub(1, 1) ~= "$" then
    misuse(what .. ": the update has no operator; write { [\"$set\"] = { ... } }, or use "
      .. "replace_one to put a document in the place of another")
  end
  return options.with_orders(what, value)
end

---A whole document, for replacing.
---@param what string the method, for sentences
---@param value table
---@return table
function options.replacement(what, value)
  checks.document(what, "the document", value)
  local name = first_name(value)
  if type(name) == "string" and name:sub(1, 1) == "$" then
    misuse(("%s: the document has the operator %s; use update_one for operators")
      :format(what, name))
  end
  return value
end

return options
