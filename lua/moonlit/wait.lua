-- Waiting without async words: each of these looks like an ordinary call, and everybody else goes
-- on meanwhile.

local core = require "moonlit.core.run"

---@class moonlit.Wait
local wait = {}

-- Misuse is raised at the script's own line.

local function check_seconds(name, seconds)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= 86400) then
    error(("%s: expected a number of seconds from 0 to 86400, got %s")
      :format(name, tostring(seconds)), 3)
  end
end

local function check_function(name, number, f)
  if type(f) ~= "function" then
    error(("%s: argument %d is a function, got a %s; write function() ... end")
      :format(name, number, type(f)), 3)
  end
end

---Wait. (waits)
---@param seconds number 0 to 86400
function wait.sleep(seconds)
  check_seconds("ui.sleep", seconds)
  local ok, problem = core.sleep(seconds)
  if not ok then error(problem, 2) end
end

---Run functions side by side and wait for all. Each draws into its own place, in the order of the
---arguments. The first error ends the others and is raised here. (waits)
---@param ... fun(): any
---@return any ... the first result of each function, in the order of the arguments
function wait.together(...)
  local functions = { ... }
  local count = select("#", ...)
  for i = 1, count do check_function("ui.together", i, functions[i]) end
  local layout = require "moonlit.layout"
  local calls = {}
  for i = 1, count do
    local slot = core.session_or_nil() and layout.slot() or nil
    calls[i] = { functions[i], slot }
  end
  local ok, results = core.together(nil, calls)
  if not ok then error(results, 0) end
  local firsts = {}
  for i = 1, count do firsts[i] = results[i] and results[i][1] end
  return unpack(firsts, 1, count)
end

---Call f; if it has not finished after `seconds`, end it and raise an error. A write under way or a
---ui.shield is finished first, and nothing behind it begins. (waits)
---@param seconds number 0 to 86400
---@param f fun(...): any
---@param ... any its arguments
---@return any ... what f returns
function wait.timeout(seconds, f, ...)
  check_seconds("ui.timeout", seconds)
  check_function("ui.timeout", 2, f)
  local arguments, count = { ... }, select("#", ...)
  local ok, results = core.together(seconds, {
    { function() return f(unpack(arguments, 1, count)) end },
  })
  if not ok then
    error(results, type(results) == "string" and results:find("^ui%.timeout:") and 2 or 0)
  end
  return unpack(results[1], 1, results[1].n)
end

local function end_shield(...)
  core.shield_end()
  return ...
end

---Call f as an action: nothing newer cuts it, whatever the person does meanwhile. (waits)
---@param f fun(...): any
---@param ... any its arguments
---@return any ... what f returns
function wait.shield(f, ...)
  check_function("ui.shield", 1, f)
  core.shield_begin()
  return end_shield(f(...))
end

---Call f once per process, however many tabs open at the same moment; everybody waits for the one.
---It runs without a session: it can neither draw nor use ui.state. An error is raised in all who
---wait and is not remembered. Results are kept for good, under at most 10,000 names. (waits)
---@param name string
---@param f fun(): any
---@return any result of f; shared, so do not change it
function wait.once(name, f)
  if type(name) ~= "string" or name == "" then
    error("ui.once: the first argument is a name: ui.once(\"seed\", function() ... end)", 2)
  end
  check_function("ui.once", 2, f)
  local ok, result = core.once(name, f)
  if ok == nil then error(result, 2) end
  if not ok then error(result, 0) end
  return result
end

return wait
