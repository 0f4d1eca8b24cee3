-- Waiting without async words: each of these looks like an ordinary call, and everybody else goes
-- on meanwhile.

local core = require "moonlit.core.run"

local wait = {}

---Wait. (waits)
---@param seconds number 0 to 86400
function wait.sleep(seconds)
  if type(seconds) ~= "number" or seconds < 0 or seconds > 86400 then
    error("ui.sleep: expected a number of seconds from 0 to 86400, got " .. tostring(seconds), 2)
  end
  local ok, problem = core.sleep(seconds)
  if not ok then error(problem, 2) end
end

local function check_functions(name, functions, level)
  for i, f in ipairs(functions) do
    if type(f) ~= "function" then
      error(("%s: argument %d is a %s; write functions: %s(function() ... end, function() ... end)")
        :format(name, i, type(f), name), level + 1)
    end
  end
end

---Run functions side by side and wait for all. Each draws into its own place, in the order of the
---arguments. The first error ends the others and is raised here. (waits)
---@param ... fun(): any
---@return any ... the first result of each function, in the order of the arguments
function wait.together(...)
  local functions = { ... }
  local count = select("#", ...)
  check_functions("ui.together", functions, 2)
  local ui = require "moonlit.ui"
  local calls = {}
  for i = 1, count do
    local slot = core.session_or_nil() and ui.slot() or nil
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
---@param seconds number
---@param f fun(...): any
---@return any ... what f returns
function wait.timeout(seconds, f, ...)
  if type(seconds) ~= "number" or seconds <= 0 then
    error("ui.timeout: expected a number of seconds above 0, got " .. tostring(seconds), 2)
  end
  check_functions("ui.timeout", { f }, 2)
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
---@return any ... what f returns
function wait.shield(f, ...)
  check_functions("ui.shield", { f }, 2)
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
  check_functions("ui.once", { f }, 2)
  local ok, result = core.once(name, f)
  if ok == nil then error(result, 2) end
  if not ok then error(result, 0) end
  return result
end

return wait
