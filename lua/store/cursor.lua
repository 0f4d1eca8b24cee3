--- Cursors: what is left of a query between two batches. Between batches a cursor holds a position,
--- never a snapshot.
---
--- A cursor is { id, ns, next, session, time_left, is_busy }.
local core = require "store.core"
local errors = require "store.errors"
local file = require "store.file"
local reply = require "store.reply"

local cursor = {}

local FIRST_BATCH = 101
local MOST_BYTES = core.limits.document
local open = {}

-- Ids are hard to guess and within what a double holds.
local function new_id()
  local source = assert(io.open("/dev/urandom", "rb"))
  local bytes = source:read(6)
  source:close()
  local id = 1
  for i = 1, 6 do
    id = id * 256 + bytes:byte(i)
  end
  return id
end

local function next_id()
  local id = new_id()
  return open[id] and next_id() or id
end

-- Takes up to `count` documents; true as well when more may follow.
local function take(self, count)
  local documents, bytes = {}, 0
  while #documents < count do
    local doc = self.held or self.next()
    self.held = nil
    if not doc then
      return documents, false
    end
    bytes = bytes + #doc + 8
    if bytes > MOST_BYTES and #documents > 0 then
      self.held = doc
      return documents, true
    end
    documents[#documents + 1] = doc
    if self.left then
      self.left = self.left - 1
      if self.left == 0 then
        return documents, false
      end
    end
  end
  return documents, true
end

---@class store.NewCursor
---@field ns string
---@field next function
---@field batch? integer
---@field single? boolean nothing stays after the first batch
---@field limit? integer
---@field op table

--- The answer with the first batch; a cursor stays where there is more.
---@param given store.NewCursor
---@return string bytes
function cursor.begin(given)
  local op = given.op
  local self = { ns = given.ns, next = given.next, session = op.session, left = given.limit }
  if self.left == 0 then
    self.left = nil
  end
  local documents, more = take(self, given.batch or FIRST_BATCH)
  if given.single or not more then
    return reply.batch("firstBatch", documents, 0, self.ns)
  end
  if cursor.count() >= core.limits.cursors then
    errors.raise(errors.codes.ExceededMemoryLimit, string.format(
      "the built-in store has no room for more than %d open cursors; close some or read them "
        .. "to their end",
      core.limits.cursors))
  end
  self.id = next_id()
  self.time_left = op.deadline and op.deadline - file.now()
  self.used_at = file.now()
  open[self.id] = self
  return reply.batch("firstBatch", documents, self.id, self.ns)
end

local function get(id, ns)
  local self = open[id]
  if not self then
    errors.raise(errors.codes.CursorNotFound, string.format("cursor id %.0f not found", id))
  elseif self.ns ~= ns then
    errors.raise(errors.codes.Unauthorized,
      string.format("Requested getMore on namespace '%s', but cursor belongs to a different "
        .. "namespace %s", ns, self.ns))
  elseif self.is_busy then
    errors.raise(12051, string.format("cursor id %.0f is already in use", id))
  end
  return self
end

--- The answer with the next batch.
function cursor.continue(op, id, ns, batch)
  local self = get(id, ns)
  self.is_busy = true
  if self.time_left and not op.deadline then
    op.deadline = file.now() + self.time_left
  end
  local began = file.now()
  local ok, documents, more = pcall(take, self, batch and batch > 0 and batch or math.huge)
  self.is_busy, self.used_at = false, file.now()
  self.time_left = self.time_left and self.time_left - (self.used_at - began)
  if not ok then
    open[id] = nil
    error(documents, 0)
  end
  if not more or self.is_killed then
    open[id] = nil
  end
  return reply.batch("nextBatch", documents, more and not self.is_killed and id or 0, ns)
end

--- Forgets a cursor; false when there was none.
function cursor.kill(id)
  local self = open[id]
  if self then
    self.is_killed = true
    open[id] = nil
  end
  return self ~= nil
end

--- Forgets all that `wanted` says.
---@param wanted fun(cursor: table): boolean
function cursor.kill_all(wanted)
  for id, self in pairs(open) do
    if wanted(self) then
      cursor.kill(id)
    end
  end
end

---@return integer open
function cursor.count()
  local n = 0
  for _ in pairs(open) do
    n = n + 1
  end
  return n
end

--- Forgets those that nobody asked for long.
function cursor.sweep()
  local oldest = file.now() - core.limits.cursor_time
  cursor.kill_all(function(self) return not self.is_busy and self.used_at < oldest end)
end

return cursor
