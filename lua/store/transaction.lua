--- A write command's transaction of the file: begun, applied and kept without a pause, together
--- with the memory of its reply.
local bson = require "store.bson"
local catalog = require "store.catalog"
local errors = require "store.errors"
local file = require "store.file"
local reply = require "store.reply"
local session = require "store.session"

local transaction = {}

--- Begins it for an op, if it has none.
function transaction.begin(op)
  if not op.is_steady then
    file.begin(op.is_durable or false)
    op.is_steady, op.steady_since = true, file.now()
  end
end

local function keep(op)
  file.commit()
  op.is_steady = false
  catalog.keep()
end

--- Undoes what an op has begun and not kept.
function transaction.abandon(op)
  if op.is_steady then
    op.is_steady = false
    file.rollback()
    catalog.undo()
    if op.session then
      session.forget(op.session)
    end
  end
end

--- The answer of a write of which the first time is remembered, or nil.
function transaction.replay(op)
  if op.number then
    return session.replay(op.session, op.number, op.statement)
  end
end

--- Keeps the op's changes and returns its answer from a list of pairs.
---@return string bytes
function transaction.finish(op, list)
  if op.unmet_concern then
    list[#list + 1] = { "writeConcernError", bson.build_value {
      { "code", 100 }, { "codeName", "UnsatisfiableWriteConcern" },
      { "errmsg", "Not enough data-bearing nodes: the built-in store is one" } } }
  end
  local bytes = reply.fine(list)
  transaction.begin(op)
  if op.number then
    session.remember(op.session, op.number, op.statement, bytes)
  end
  keep(op)
  return bytes
end

--- Runs `body` in a transaction and keeps it.
function transaction.run(op, body)
  transaction.begin(op)
  local result = body()
  keep(op)
  return result
end

--- Runs one statement of a command that has several; the error of the store that it raised, or nil.
function transaction.attempt(body, ...)
  local ok, failure = pcall(body, ...)
  if ok then
    return nil
  elseif not errors.is(failure) or failure.code == errors.codes.InternalError
    or failure.code == 14031 or failure.code == errors.codes.MaxTimeMSExpired
    or failure.code == errors.codes.Interrupted then
    error(failure, 0)
  end
  return failure
end

return transaction
