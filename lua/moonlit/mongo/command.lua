-- Sending a command and looking at its answer.

local bson = require "moonlit.core.bson"
local core = require "moonlit.core.mongo"
local cursors = require "moonlit.mongo.cursor"
local options = require "moonlit.mongo.options"
local problem = require "moonlit.mongo.problem"

local command = {}

---Seconds to the milliseconds that core.run wants.
---@param rest { max_time?: number }
---@return integer? milliseconds at least 1; nil without max_time
function command.milliseconds(rest)
  return rest.max_time and math.max(1, math.floor(rest.max_time * 1000))
end

---Run an ordered list of pairs, or bytes; returns the answer. (waits)
---@param what string the method, for sentences
---@param database string|false
---@param content table|string
---@param kind "read"|"write"
---@param milliseconds integer?
function command.run(what, database, content, kind, milliseconds)
  local bytes = type(content) == "string" and content or options.ordered(what, content)
  local ok, reply = core.run(database or nil, bytes, kind, false, milliseconds)
  if not ok then problem.raise(reply) end
  return reply
end

---A cursor over what the command will find.
---@param what string the method, for sentences
---@param database string|false
---@param pairs table[]
---@param kind "read"|"write"
---@param milliseconds? integer
---@param batch_size? integer
---@return moonlit.Cursor
function command.cursor(what, database, pairs, kind, milliseconds, batch_size)
  return cursors.new {
    what = what,
    database = database,
    command = options.ordered(what, pairs),
    kind = kind,
    milliseconds = milliseconds,
    batch_size = batch_size,
  }
end

---One statement of an update or delete command: a view, with sentences that speak of filter and
---update instead of q and u.
---@param what string the method, for sentences
---@param pairs table[]
---@return moonlit.Document
function command.statement(what, pairs)
  local view, refusal = bson.doc(pairs)
  if view then return view end
  refusal = refusal:gsub("^q%f[.%[:]", "filter"):gsub("^u%f[.%[:]", "update")
  problem.misuse(what .. ": " .. refusal)
end

return command
