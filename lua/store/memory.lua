--- What a blocking stage keeps, counted in bytes.
local errors = require "store.errors"

local memory = {}

local LIMIT = 100 * 1024 * 1024

--- A function that counts bytes (negative ones are given back) and raises 292 above the limit.
---@param what string the stage, for words
---@param limit? integer bytes; 100 MiB by default
---@return fun(bytes: integer)
function memory.account(what, limit)
  local used = 0
  limit = limit or LIMIT
  return function(bytes)
    used = used + bytes
    if used > limit then
      errors.raise(292, string.format(
        "Exceeded memory limit for %s of %d bytes; narrow the documents first, "
        .. "with $match or a filter", what, limit))
    end
  end
end

return memory
