-- What shows values of any kind: write, table, json, exception.

local core = require "moonlit.core.ui"
local bson = require "moonlit.core.bson"

---@class moonlit.Show
local show = {}

-- ---- what is it ----

-- Those of cursors and handles are closed to getmetatable.
local metatable_of = debug.getmetatable

---@private for choose.lua
function show.is_cursor(value)
  if type(value) ~= "userdata" then return false end
  local metatable = metatable_of(value)
  return metatable ~= nil and metatable.__handle == "cursor"
end

local is_cursor = show.is_cursor

local function is_error(value)
  if type(value) ~= "table" then return false end
  local metatable = metatable_of(value)
  return metatable ~= nil and metatable.__handle == "database error"
end

local function is_document(value)
  return bson.is_view(value) == "document"
    or (type(value) == "table" and #value == 0 and next(value) ~= nil and not metatable_of(value))
end

local function is_list(value)
  if bson.is_view(value) then return bson.is_view(value) == "array" end
  return type(value) == "table" and (#value > 0 or bson.is_array(value))
end

local function is_list_of_rows(value)
  return is_list(value) and is_document(value[1])
end

-- ---- table ----

-- The names of all rows: those of documents in their order, those of tables sorted, because a
-- table has no order.
local function columns_of(rows)
  local columns, seen, plain = {}, {}, false
  local function add(name)
    if not seen[name] then
      seen[name] = true
      columns[#columns + 1] = name
    end
  end
  for i = 1, #rows do
    local row = rows[i]
    if bson.is_view(row) == "document" then
      for _, name in ipairs(bson.keys(row)) do add(name) end
    elseif is_document(row) then
      plain = true
      for name in next, row do add(tostring(name)) end
    end
  end
  if plain then table.sort(columns) end
  return columns
end

local function rows_of(rows)
  if is_cursor(rows) then return bson.array(rows:list()) end
  if is_document(rows) then return { rows } end
  if bson.is_view(rows) then return rows end
  if type(rows) ~= "table" then
    core.fail(("ui.table: rows is a list of documents or lists, a cursor or a document, got %s")
      :format(rows == nil and "nil" or "a " .. type(rows)))
  end
  return #rows == 0 and bson.array {} or rows
end

local function draw_table(handle, rows, options)
  local list = rows_of(rows)
  local columns = options and options.columns
  if columns == nil and (bson.is_view(list) or is_document(list[1])) then
    columns = columns_of(list)
  end
  if columns and #columns > 0 then
    local copy = { columns = columns }
    for name, value in next, options or {} do copy[name] = value end
    options = copy
  end
  if handle then return core.elements.table(handle, list, options) end
  return core.elements.table(list, options)
end

---A static table. (waits for a cursor)
---@param rows any a list of documents or lists, a cursor, or one document
---@param options? moonlit.TableOptions
---@return moonlit.Handle
function show.table(rows, options, ...)
  if core.type(rows) then return draw_table(rows, options, ...) end
  return draw_table(nil, rows, options)
end

-- ---- json ----

local function draw_json(handle, body, ...)
  if type(body) == "string" then
    local value, problem = bson.from_json(body)
    if problem then core.fail("ui.json: " .. problem) end
    body = value
  elseif is_cursor(body) then
    body = bson.array(body:list())
  end
  if body == nil then body = bson.null end
  if handle then return core.elements.json(handle, body, ...) end
  return core.elements.json(body, ...)
end

---A value as a collapsible tree; BSON types are shown as such.
---@param body any a table, a document, or a text that holds JSON
---@param options? moonlit.JsonOptions
---@return moonlit.Handle
function show.json(body, options, ...)
  if core.type(body) then return draw_json(body, options, ...) end
  return draw_json(nil, body, options)
end

-- ---- exception ----

local LINES_AROUND = 2

local function source_around(file, line)
  local source = {}
  for number = line - LINES_AROUND, line + LINES_AROUND do
    local text = number > 0 and core.source(file, number)
    if text then source[#source + 1] = { number, text } end
  end
  return #source > 0 and source or nil
end

local function read_error(problem)
  local props = { message = tostring(problem), kind = "Script error" }
  if type(problem) == "table" and problem.message ~= nil then
    props.message = tostring(problem.message)
    props.file, props.line = problem.file, problem.line
    if is_error(problem) then props.kind = "Database error" end
    if problem.code ~= nil then
      local name = problem.code_name and problem.code_name .. ", " or ""
      props.message = ("%s (%scode %s)"):format(props.message, name, tostring(problem.code))
    end
  end
  local file, line, message = props.message:match("^([^\n:]+):(%d+): (.*)$")
  if file then props.file, props.line, props.message = file, tonumber(line), message end
  if type(props.file) ~= "string" or type(props.line) ~= "number" then
    props.file, props.line = nil, nil
  else
    props.source = source_around(props.file, props.line)
  end
  return props
end

local function exception_of(problem, options)
  local props = read_error(problem)
  for name, value in next, options or {} do
    if name ~= "width" and name ~= "key" then
      core.fail(("ui.exception: there is no option %q; it has width and key")
        :format(tostring(name)))
    end
    props[name] = value
  end
  return props
end

---An error value, as pcall gives it, with the script's line and its source.
---@param problem any
---@param options? moonlit.ExceptionOptions
---@return moonlit.Handle
function show.exception(problem, options, ...)
  if core.type(problem) then return core.raw.exception(problem, exception_of(options, ...)) end
  return core.raw.exception(exception_of(problem, options))
end

-- ---- write ----

-- What stands in the text; nil for what has an element of its own.
local function words_for(value)
  local kind = type(value)
  if kind == "string" then return value end
  local is_shown = is_cursor(value) or core.type(value) or bson.is_view(value)
  if kind == "table" or is_shown then return nil end
  if kind == "function" then return "`function`" end
  local words = tostring(value):gsub("^(-?%d+)U?LL$", "%1") -- an int64 without its mark
  return words:find("\n", 1, true) and "\n```\n" .. words .. "\n```\n" or "`" .. words .. "`"
end

local function draw_value(handle, value)
  if is_cursor(value) or is_list_of_rows(value) then
    draw_table(handle, value)
  elseif is_error(value) then
    if handle then show.exception(handle, value) else show.exception(value) end
  elseif core.type(value) then
    core.fail("ui.write: this is an element already; what it shows is changed by its methods")
  else
    draw_json(handle, value)
  end
end

local function draw_words(handle, words)
  local text = table.concat(words, " ")
  if handle then core.elements.markdown(handle, text) else core.elements.markdown(text) end
end

-- Neighbouring texts are one piece; every other value is a piece of its own.
local function pieces_of(count, ...)
  local pieces, words = {}, nil
  for i = 1, count do
    local value = (select(i, ...))
    local word = words_for(value)
    if not word then
      pieces[#pieces + 1] = { value = value }
      words = nil
    elseif words then
      words[#words + 1] = word
    else
      words = { word }
      pieces[#pieces + 1] = { words = words }
    end
  end
  return pieces
end

local function write(handle, count, ...)
  local pieces = pieces_of(count, ...)
  if #pieces > 1 and core.type(handle or core.shared()[2]) == "empty" then
    core.fail("ui.write: an empty place holds one element, and these are " .. #pieces
      .. "; put a container in it: place:container():write(...)")
  end
  for _, piece in ipairs(pieces) do
    if piece.words then
      draw_words(handle, piece.words)
    else
      draw_value(handle, piece.value)
    end
  end
end

---Show anything: texts as Markdown (neighbours are joined by a space), documents and tables as a
---tree, lists of documents and cursors as a table, errors as errors. (waits for a cursor)
---@param ... any
function show.write(...)
  local count = select("#", ...)
  if core.type((...)) and count > 1 then return write((...), count - 1, select(2, ...)) end
  return write(nil, count, ...)
end

return show
