-- How the database's errors and its misuse are raised: always at the script's own line, however
-- deep in here they are noticed.

local core = require "moonlit.core.mongo"

local problem = {}

---An error of the database, as pcall gives it.
---@class moonlit.DatabaseError
---@field message string the server's words, or a sentence about what went wrong on the way
---@field code integer? the server's; nil when it is not the server that speaks
---@field code_name string? such as "DuplicateKey"
---@field labels string[] such as "TransientTransactionError"
---@field unknown boolean? a write that may or may not have happened
---@field write_errors table[]? of inserts and updates: index, code, code_name and message of each
---@field result table? what was done before the error
---@field file string of the script's call
---@field line integer
local Error = { __handle = "database error", __metatable = "database error" }

local function place_of(file, line)
  return line and line > 0 and ("%s:%d: "):format(file, line) or ""
end

function Error:__tostring()
  local name = self.code and (" (%s%s)"):format(self.code_name and self.code_name .. ", " or "",
    "code " .. self.code) or ""
  return place_of(self.file, self.line) .. tostring(self.message) .. name
end

function Error.__concat(left, right)
  return tostring(left) .. tostring(right)
end

---Raise what the database answered.
---@param fields table of a moonlit.DatabaseError, without its place
function problem.raise(fields)
  fields.file, fields.line = core.place()
  fields.labels = fields.labels or {}
  error(setmetatable(fields, Error), 0)
end

---Raise a sentence about how something was called.
---@param text string
function problem.misuse(text)
  error(place_of(core.place()) .. text, 0)
end

-- Servers leave the name out of write errors.
local NAMES = {
  [2] = "BadValue", [9] = "FailedToParse", [14] = "TypeMismatch", [28] = "PathNotViable",
  [40] = "ConflictingUpdateOperators", [50] = "MaxTimeMSExpired", [52] = "DollarPrefixedFieldName",
  [64] = "WriteConcernFailed", [66] = "ImmutableField", [112] = "WriteConflict",
  [121] = "DocumentValidationFailure", [11000] = "DuplicateKey",
}

local function labels_of(reply)
  local labels = {}
  local list = reply.errorLabels
  for i = 1, list and #list or 0 do labels[i] = list[i] end
  return labels
end

---Write errors stand inside an answer that is otherwise good. Collect them, their indexes counted
---from 1 and from `offset`.
---@param reply moonlit.Document
---@param offset integer
---@param list table[] they are added to it
---@return table[] list
function problem.collect(reply, offset, list)
  local errors = reply.writeErrors
  for i = 1, errors and #errors or 0 do
    local one = errors[i]
    list[#list + 1] = {
      index = one.index + 1 + offset,
      code = one.code,
      code_name = one.codeName or NAMES[one.code],
      message = one.errmsg,
    }
  end
  return list
end

---Raise the first write error, or that of the write concern, if there is one.
---@param reply moonlit.Document
---@param write_errors table[]
---@param result? table what was done
function problem.check(reply, write_errors, result)
  local first, concern = write_errors[1], reply.writeConcernError
  if first then
    problem.raise {
      message = first.message, code = first.code, code_name = first.code_name,
      labels = labels_of(reply), write_errors = write_errors, result = result,
    }
  elseif concern then
    problem.raise {
      message = concern.errmsg, code = concern.code,
      code_name = concern.codeName or NAMES[concern.code], labels = labels_of(reply),
      result = result,
    }
  end
end

return problem
