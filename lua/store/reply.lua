--- Replies, in the shapes on which drivers insist: typed builders, so that no command puts one
--- together by hand.
local ffi = require "ffi"
local bson = require "store.bson"
local errors = require "store.errors"

local reply = {}

local RETRYABLE = {
  [6] = true, [7] = true, [89] = true, [91] = true, [134] = true, [189] = true, [262] = true,
  [317] = true, [358] = true, [9001] = true, [10058] = true, [10107] = true, [11600] = true,
  [11602] = true, [13388] = true, [13435] = true, [13436] = true,
}

--- {..., ok: 1} from a list of pairs.
---@return string bytes
function reply.fine(list)
  list[#list + 1] = { "ok", bson.double(1) }
  return bson.build(list)
end

--- The answer to a command that failed.
---@param failure table as errors.raise makes them; `labels` where there are some
---@param is_retryable_write boolean
function reply.failed(failure, is_retryable_write)
  local labels = {}
  for _, label in ipairs(failure.labels or {}) do
    labels[#labels + 1] = label
  end
  if is_retryable_write and RETRYABLE[failure.code] and not failure.labels then
    labels[#labels + 1] = "RetryableWriteError"
  end
  local list = {
    { "ok", bson.double(0) }, { "errmsg", failure.message }, { "code", failure.code },
    { "codeName", failure.name or errors.name(failure.code) },
  }
  for _, pair in ipairs(failure.extra or {}) do
    list[#list + 1] = pair
  end
  if #labels > 0 then
    list[#list + 1] = { "errorLabels", bson.list(labels) }
  end
  return bson.build(list)
end

--- An element of writeErrors.
function reply.write_error(index, failure)
  local list = { { "index", index }, { "code", failure.code } }
  for _, pair in ipairs(failure.extra or {}) do
    list[#list + 1] = pair
  end
  list[#list + 1] = { "errmsg", failure.message }
  return bson.build_value(list)
end

--- A document larger than what a document may be, as a batch can make it.
function reply.finish(w)
  w:close()
  return ffi.string(w.buffer, w.at)
end

--- The answer with a batch of documents.
---@param field "firstBatch"|"nextBatch"
---@param documents string[]
---@param id integer the cursor's, 0 when it is at its end
function reply.batch(field, documents, id, ns)
  local w = bson.writer():reset()
  w:open("cursor", 3)
  w:open(field, 4)
  local index = bson.INDEX
  for i = 1, #documents do
    w:put(index[i - 1], 3, documents[i])
  end
  w:close()
  w:put("id", bson.unbox(bson.int64(id)))
  w:put("ns", 2, ns)
  w:close()
  w:put("ok", 1, 1)
  return reply.finish(w)
end

return reply
