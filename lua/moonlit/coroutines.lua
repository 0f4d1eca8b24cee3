-- (no counter) A tick between an inner coroutine's wait and its way out would take its place.
--
-- The coroutine library of scripts. A wait of the host (a query, ui.sleep, the end of a time slice)
-- inside a script's coroutine yields to the script's own resume; here it is passed on outward until
-- it reaches the host, and what comes back is passed inward.

local script = require "moonlit.core.script"

local raw_create, raw_resume, raw_yield = coroutine.create, coroutine.resume, coroutine.yield
local raw_status, raw_running = coroutine.status, coroutine.running
local _, shared = script.helpers()

local coroutines = {}

-- The coroutines that scripts made: true, or "waiting" while one waits for the host. All others are
-- the host's, and scripts cannot resume them.
local known = setmetatable({}, { __mode = "k" })
-- Where each of them draws while it is suspended; false is the main place.
local places = setmetatable({}, { __mode = "k" })
local waiting

local again

---The results of a resume: a wait goes on outward, anything else is the script's.
local function pass(co, outer, ...)
  if waiting() and raw_status(co) == "suspended" then
    known[co] = "waiting"
    return again(co, outer, raw_yield(...))
  end
  places[co] = shared[2] or false
  shared[2] = outer
  return ...
end

function again(co, outer, ...)
  known[co] = true
  return pass(co, outer, raw_resume(co, ...))
end

local function enter(co, ...)
  local outer = shared[2]
  local place = places[co]
  if place ~= nil then shared[2] = place or nil end
  return pass(co, outer, raw_resume(co, ...))
end

---Why a value cannot be resumed, or nil.
local function obstacle(co)
  local kind = known[co]
  if kind == true then return nil end
  if kind == "waiting" then
    return "cannot resume this coroutine: it waits (ui.sleep, a query) in another branch"
  end
  return "cannot resume a coroutine that Moonlit runs; make one with coroutine.create"
end

---@param f function
---@return thread
function coroutines.create(f)
  if type(f) ~= "function" then
    error("coroutine.create: expected a function, got a " .. type(f), 2)
  end
  local co = raw_create(f)
  known[co] = true
  return co
end

---@param co thread
---@return boolean ok, any ...
function coroutines.resume(co, ...)
  if type(co) ~= "thread" then
    error("coroutine.resume: expected a coroutine, got a " .. type(co), 2)
  end
  local problem = obstacle(co)
  if problem then return false, problem end
  return enter(co, ...)
end

local function unwrap(ok, ...)
  if not ok then error((...), 0) end
  return ...
end

---@param f function
---@return function
function coroutines.wrap(f)
  if type(f) ~= "function" then
    error("coroutine.wrap: expected a function, got a " .. type(f), 2)
  end
  local co = raw_create(f)
  known[co] = true
  return function(...)
    local problem = obstacle(co)
    if problem then error(problem, 2) end
    if raw_status(co) == "dead" then error("cannot resume dead coroutine", 2) end
    return unwrap(enter(co, ...))
  end
end

---Raises outside of a coroutine of the script's own.
---@param ... any what resume returns
---@return any ... what the next resume passes
function coroutines.yield(...)
  local co = raw_running()
  if not co or not known[co] then
    error("coroutine.yield was called outside of a coroutine: wrap the function in "
      .. "coroutine.wrap, or use ui.sleep to wait", 2)
  end
  return raw_yield(...)
end

---@param co thread
---@return string
function coroutines.status(co)
  if known[co] == "waiting" then return "normal" end
  return raw_status(co)
end

---@return thread? co nil in the script itself
function coroutines.running()
  local co = raw_running()
  return co and known[co] and co or nil
end

---`is_waiting()`: is the yield that just arrived one for the host?
---@param is_waiting fun(): boolean
function coroutines.attach(is_waiting)
  waiting = is_waiting
end

return coroutines
