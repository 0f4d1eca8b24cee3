--- The server's error codes, and the one way to raise them. A raised error is a table that the
--- command front turns into an error reply: {code=, name=, message=, extra=}.
local errors = {}

--- Names by code, as the server spells them.
errors.names = {
  [1] = "InternalError",
  [2] = "BadValue",
  [4] = "NoSuchKey",
  [9] = "FailedToParse",
  [11] = "UserNotFound",
  [13] = "Unauthorized",
  [14] = "TypeMismatch",
  [15] = "Overflow",
  [16] = "InvalidLength",
  [17] = "ProtocolError",
  [20] = "IllegalOperation",
  [22] = "InvalidBSON",
  [24] = "LockTimeout",
  [26] = "NamespaceNotFound",
  [27] = "IndexNotFound",
  [28] = "PathNotViable",
  [40] = "ConflictingUpdateOperators",
  [43] = "CursorNotFound",
  [48] = "NamespaceExists",
  [50] = "MaxTimeMSExpired",
  [52] = "DollarPrefixedFieldName",
  [53] = "InvalidIdField",
  [54] = "NotSingleValueField",
  [56] = "EmptyFieldName",
  [59] = "CommandNotFound",
  [64] = "WriteConcernFailed",
  [66] = "ImmutableField",
  [67] = "CannotCreateIndex",
  [68] = "IndexAlreadyExists",
  [72] = "InvalidOptions",
  [73] = "InvalidNamespace",
  [85] = "IndexOptionsConflict",
  [86] = "IndexKeySpecsConflict",
  [91] = "ShutdownInProgress",
  [112] = "WriteConflict",
  [115] = "CommandNotSupported",
  [121] = "DocumentValidationFailure",
  [125] = "CommandFailed",
  [146] = "ExceededMemoryLimit",
  [168] = "InvalidPipelineOperator",
  [225] = "TransactionTooOld",
  [241] = "ConversionFailure",
  [251] = "NoSuchTransaction",
  [286] = "ChangeStreamHistoryLost",
  [292] = "QueryExceededMemoryLimitNoDiskUseAllowed",
  [10334] = "BSONObjectTooLarge",
  [11000] = "DuplicateKey",
  [11601] = "Interrupted",
}

--- Codes by name: errors.codes.BadValue is 2.
errors.codes = {}
for code, name in pairs(errors.names) do
  errors.codes[name] = code
end

--- The name of a code; the server calls those without one "Location" and the number.
---@param code integer
---@return string
function errors.name(code)
  return errors.names[code] or ("Location" .. code)
end

--- Raises a server error.
---@param code integer
---@param message string a sentence that says what to write instead
---@param extra? table pairs for bson.build that the reply carries besides, as keyPattern of 11000
function errors.raise(code, message, extra)
  error({ code = code, name = errors.name(code), message = message, extra = extra }, 0)
end

--- Refuses what a real MongoDB has and the built-in store lacks.
---@param what string the thing, as "the operator $where"
function errors.unsupported(what)
  errors.raise(errors.codes.CommandNotSupported,
    what .. " works on MongoDB, not in the built-in store; "
      .. "start with --database URI to use a MongoDB")
end

--- The words of a text as keys of a table: lists of what is lacking.
---@param words string
---@return table<string, true>
function errors.set(words)
  local set = {}
  for word in words:gmatch("%S+") do
    set[word] = true
  end
  return set
end

--- Whether a caught value is one of ours.
---@param value any
---@return boolean
function errors.is(value)
  return type(value) == "table" and value.code ~= nil and value.message ~= nil
end

return errors
