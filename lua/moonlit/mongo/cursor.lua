-- A cursor: the documents of a query, fetched in batches while they are gone over. Nothing is sent
-- before the first document is asked for. It belongs to the run that opened it.

local bson = require "moonlit.core.bson"
local core = require "moonlit.core.mongo"
local options = require "moonlit.mongo.options"
local problem = require "moonlit.mongo.problem"

---The documents that a query finds, fetched in batches while they are gone over: `for doc in cursor
---do`. Nothing is sent before the first is asked for. It ends with the run that opened it.
---@class moonlit.Cursor
---@operator call: moonlit.Document?
local Cursor = {} -- its methods; nothing that is the same for all can be reached through a cursor

local metatable = { __handle = "cursor", __metatable = "cursor", __index = Cursor }

local cursor = {}

---@param query table { what, database (false: default), command, kind, milliseconds, batch_size }
---@return moonlit.Cursor
function cursor.new(query)
  return setmetatable({ _query = query, _state = "new" }, metatable)
end

local function finish(self)
  self._state, self._rest = "done", nil
  if self._lease then
    core.release(self._lease)
    self._lease = nil
  end
end

-- The answer's batch is there; the lease, if any, is for the next one.
local function take_batch(self, reply, list)
  local open = reply.cursor
  self._next, self._rest = bson.items(open[list])
  self._state = "open"
  if open.id == 0 then
    if self._lease then core.release(self._lease) end
    self._lease, self._last = nil, true
  elseif not self._id then
    self._id = bson.int64(open.id)
    self._collection = open.ns:match("%.(.*)$")
  end
end

local function open(self)
  local query = self._query
  self._state = "opening"
  local ok, reply, lease = core.run(query.database or nil, query.command, query.kind, true,
    query.milliseconds)
  if not ok then
    self._state = "new"
    problem.raise(reply)
  end
  if self._state ~= "opening" then -- closed meanwhile, by another branch
    if lease then core.release(lease) end
    return
  end
  self._lease = lease
  take_batch(self, reply, "firstBatch")
end

local function more(self)
  local query = self._query
  local command = options.ordered(query.what, {
    { "getMore", self._id },
    { "collection", self._collection },
    { "batchSize", query.batch_size },
  })
  if not self._lease then
    problem.misuse(query.what .. ": the cursor is closed; run the query again")
  end
  local ok, reply = core.more(self._lease, query.database or nil, command)
  if not ok then problem.raise(reply) end
  if self._state == "open" then take_batch(self, reply, "nextBatch") end
end

local function advance(self)
  while true do
    if self._state == "new" then
      open(self)
    elseif self._state == "opening" then
      problem.misuse(self._query.what .. ": the cursor is being opened by another function; give "
        .. "each its own")
    elseif self._state == "done" then
      return nil
    elseif self._last then
      finish(self)
      return nil
    else
      more(self)
    end
    local document = self._rest and self._next(self._rest)
    if document ~= nil then return document end
  end
end

---The next document, or nil at the end. (waits)
---@return moonlit.Document?
function Cursor:next()
  local rest = self._rest
  if rest then
    local document = self._next(rest)
    if document ~= nil then return document end
  end
  return advance(self)
end

-- What makes `for document in cursor do` work.
metatable.__call = Cursor.next

---All documents that are left, as a list. (waits)
---@return moonlit.Document[]
function Cursor:list()
  local list = {}
  for document in self do list[#list + 1] = document end
  return list
end

---End it; also at the server, when it is still open there. A cursor read to its end, and every
---cursor at the end of its run, is closed by itself.
function Cursor:close()
  finish(self)
end

function metatable:__tostring()
  return "cursor of " .. self._query.what
end

return cursor
