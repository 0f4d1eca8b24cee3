--- Regular expressions: PCRE2, in the C part. Lua's own patterns play no role here.
local errors = require "store.errors"

local regex = {}

local found, core = pcall(require, "store.core")
if not found or type(core) ~= "table" or not core.regex_compile then
  core = rawget(_G, "moonlit_store_core")
end

--- Whether there is a regex engine (a plain luajit has none).
regex.available = core ~= nil and core.regex_compile ~= nil

--- A function that tells whether a text matches.
---@param pattern string
---@param options string the letters of $options: i m s x
---@return fun(text: string): boolean
function regex.compile(pattern, options)
  if not regex.available then
    errors.unsupported("a regular expression")
  end
  if options:find("[^imsxu]") then
    errors.raise(2, "invalid flag in regex options: " .. options .. "; write letters out of imsx")
  end
  local ok, compiled, message = pcall(core.regex_compile, pattern, options)
  if not ok or not compiled then
    errors.raise(51091, "the regular expression is invalid: " ..
      tostring(not ok and compiled or message))
  end
  local match = core.regex_match
  return function(text)
    return match(compiled, text)
  end
end

--- The pattern and options of a BSON regex payload.
---@return string pattern, string options
function regex.parts(payload)
  return payload:match("^([^%z]*)%z([^%z]*)%z$")
end

--- core.regex_find where the C part has it: first, last (1-based, bytes) and captures; else nil.
regex.core = core

return regex
