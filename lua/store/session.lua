--- Logical sessions, and the memory of retryable writes: the reply of a write lies in the file, put
--- there by the write's own transaction, so that a driver that asks again, even after the store was
--- killed and started anew, gets the first answer and not a second write.
---
--- A session's key is the 16 bytes of its id. For each there is one document: the newest txnNumber,
--- and a reply for each statement number under it.
local bson = require "store.bson"
local core = require "store.core"
local errors = require "store.errors"
local file = require "store.file"
local reply_builder = require "store.reply"

local session = {}

local RETRY_TREE = 2
local tree = file.open(file.PAIRS, RETRY_TREE)

local known = {} -- key -> newest txnNumber (int64), where it was seen since the start

local function wall_clock()
  return os.time() * 1000
end

--- The key of an lsid document.
---@param lsid string BSON
function session.key(lsid)
  local t, v = bson.get(lsid, "id")
  if t ~= 5 or #v ~= 21 then
    errors.raise(errors.codes.TypeMismatch, "lsid must be a document with a UUID named id")
  end
  return v:sub(6)
end

-- The stored document of a session: its number and its replies; nil when there is none.
local function recall(key)
  local bytes = file.get_pair(tree, key)
  if not bytes then
    return nil
  end
  local _, number = bson.get(bytes, "number")
  local _, replies = bson.get(bytes, "replies")
  known[key] = number
  return number, replies
end

--- The remembered reply of a write, or nil when it is new. Raises when a newer one was seen.
---@return string? reply
function session.replay(key, number, statement)
  local newest = known[key]
  if newest and newest < number then
    return nil
  end
  local stored, replies = recall(key)
  if not stored or stored < number then
    return nil
  elseif stored > number then
    errors.raise(errors.codes.TransactionTooOld, string.format(
      "Retryable write with txnNumber %s is prohibited because a newer one with txnNumber %s "
        .. "has already started",
      tostring(number):gsub("LL", ""), tostring(stored):gsub("LL", "")))
  end
  local t, reply = bson.get(replies, tostring(statement))
  return t == 3 and reply or nil
end

--- Remembers the reply of a write, within its transaction.
function session.remember(key, number, statement, reply)
  local w = bson.writer():reset()
  w:put("at", 9, bson.date(wall_clock()).v)
  w:put("number", 18, number)
  w:open("replies", 3)
  local stored, replies
  if known[key] == number then
    stored, replies = recall(key)
  end
  if stored == number then
    w:raw(bson.pointer(replies), 4, #replies - 1)
  end
  w:put(tostring(statement), 3, reply)
  w:close()
  file.put_pair(tree, key, reply_builder.finish(w))
  known[key] = number
end

--- To be called when a transaction was undone.
function session.forget(key)
  known[key] = nil
end

--- Forgets replies that nobody can ask for any more. Within a transaction.
function session.sweep()
  local old, oldest = {}, wall_clock() - core.limits.session_time
  for key, bytes in file.pairs(tree) do
    local _, at = bson.get(bytes, "at")
    if tonumber(at) < oldest then
      old[#old + 1] = key
    end
  end
  for _, key in ipairs(old) do
    file.delete_pair(tree, key)
    known[key] = nil
  end
end

return session
