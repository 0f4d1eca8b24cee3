-- A cursor: the documents of a query, fetched in batches while they are gone over. Nothing is sent
-- before the first document is asked for. It belongs to the run that opened it.
--
-- It is a userdata, because pairs, ipairs and # of a table cannot be told what they mean here; what
-- it knows is kept beside it.

local bson = require "moonlit.core.bson"
local core = require "moonlit.core.mongo"
local options = require "moonlit.mongo.options"
local problem = require "moonlit.mongo.problem"

---The documents that a query finds, fetched in batches while they are gone over: `for doc in cursor
---do`, or `for i, doc in ipairs(cursor) do`. Nothing is sent before the first is asked for. It ends
---with the run that opened it.
---@class moonlit.Cursor
---@operator call: moonlit.Document?
local Cursor = {}

local cursor = {}

local prototype = newproxy(true)
local known = setmetatable({}, { __mode = "k" })

---@param query table { what, database (false: default), command, kind, milliseconds, batch_size }
---@return moonlit.Cursor
function cursor.new(query)
  local self = newproxy(prototype)
  known[self] = { query = query, state = "new" }
  return self
end

local function own_of(self, method)
  return known[self] or problem.misuse(
    ("call %s with a colon on a cursor: cursor:%s()"):format(method,
    method))
end

local function finish(own)
  own.state, own.rest = "done", nil
  if own.lease then
    core.release(own.lease)
    own.lease = nil
  end
end

-- The answer's batch is there; the lease, if any, is for the next one.
local function take_batch(own, reply, list)
  local open = reply.cursor
  own.next, own.rest = bson.items(open[list])
  own.state = "open"
  if open.id == 0 then
    if own.lease then core.release(own.lease) end
    own.lease, own.last = nil, true
  elseif not own.id then
    own.id = bson.int64(open.id)
    own.collection = open.ns:match("%.(.*)$")
  end
end

local function open(own)
  local query = own.query
  own.state = "opening"
  local ok, reply, lease = core.run(query.database or nil, query.command, query.kind, true,
    query.milliseconds)
  if not ok then
    own.state = "new"
    problem.raise(reply)
  end
  if own.state ~= "opening" then -- closed meanwhile, by another branch
    if lease then core.release(lease) end
    return
  end
  own.lease = lease
  take_batch(own, reply, "firstBatch")
end

local function more(own)
  local query = own.query
  local command = options.ordered(query.what, {
    { "getMore", own.id },
    { "collection", own.collection },
    { "batchSize", query.batch_size },
  })
  if not own.lease then
    problem.misuse(query.what .. ": the cursor is closed; run the query again")
  end
  local ok, reply = core.more(own.lease, query.database or nil, command)
  if not ok then problem.raise(reply) end
  if own.state == "open" then take_batch(own, reply, "nextBatch") end
end

local function advance(own)
  while true do
    if own.state == "new" then
      open(own)
    elseif own.state == "opening" then
      problem.misuse(own.query.what .. ": the cursor is being opened by another function; give "
        .. "each its own")
    elseif own.state == "done" then
      return nil
    elseif own.last then
      finish(own)
      return nil
    else
      more(own)
    end
    local document = own.rest and own.next(own.rest)
    if document ~= nil then return document end
  end
end

---The next document, or nil at the end. (waits)
---@return moonlit.Document?
function Cursor:next()
  local own = known[self] or own_of(self, "next")
  local rest = own.rest
  if rest then
    local document = own.next(rest)
    if document ~= nil then return document end
  end
  return advance(own)
end

---All documents that are left, as a list. (waits)
---@return moonlit.Document[]
function Cursor:list()
  own_of(self, "list")
  local list = {}
  for document in self do list[#list + 1] = document end
  return list
end

---End it; also at the server, when it is still open there. A cursor read to its end, and every
---cursor at the end of its run, is closed by itself.
function Cursor:close()
  finish(own_of(self, "close"))
end

-- ---- what else a script may do to one ----

local meta = getmetatable(prototype)
meta.__handle = "cursor"
meta.__metatable = "cursor"
meta.__call = Cursor.next -- `for document in cursor do`

function meta.__index(_, key)
  local method = Cursor[key]
  if method then return method end
  if type(key) == "number" then
    problem.misuse(("a cursor cannot be indexed: go over it, or take cursor:list()[%s]")
      :format(key))
  end
  problem.misuse(("a cursor has no method %q%s"):format(tostring(key),
    options.did_you_mean(tostring(key), Cursor)))
end

function meta.__newindex()
  problem.misuse("a cursor cannot be changed: keep values in your own variables")
end

function meta.__len()
  problem.misuse("a cursor does not know how many are to come: "
    .. "ask count_documents, or #cursor:list()")
end

function meta.__tostring(self)
  return "cursor of " .. known[self].query.what
end

local function next_numbered(self, number)
  local document = Cursor.next(self)
  if document ~= nil then return number + 1, document end
end

function meta.__ipairs(self)
  return next_numbered, self, 0
end

meta.__pairs = meta.__ipairs

return cursor
