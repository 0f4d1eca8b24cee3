-- ui.state: what a session remembers from run to run, and ui.session: who it is.
--
-- The committed values are BSON, which can be stored and moved. A run works on a copy: a key is
-- decoded when it is touched, and written back when the run ends by itself or a hold of it ends.
-- The copy of a superseded view is thrown away, so that it leaves no trace.

local core = require "moonlit.core.run"
local widgets = require "moonlit.core.ui"
local bson = require "moonlit.core.bson"

local state = {}

local ABSENT = {} -- in the working copy: the key was removed
local LIMIT = core.state_limit

local function check_key(key, level)
  if type(key) ~= "string" or key == "" then
    error(("ui.state has names as keys, got a %s: write ui.state.name or ui.state[\"name\"]")
      :format(type(key)), level + 1)
  end
end

local function working(session)
  local copy = session.working
  if not copy then
    copy = {}
    session.working = copy
  end
  return copy
end

local function get(session, key)
  local copy = working(session)
  local value = copy[key]
  if value == nil and session.committed[key] then
    value = bson.unpack(session.committed[key])
    copy[key] = value
  end
  if value == ABSENT then return nil end
  return value
end

---Account for these bytes under the key (nil: it goes), if there is room for them.
---@return string? refusal
local function account(session, key, bytes)
  local committed = session.committed[key]
  local before = session.sizes[key] or committed and #key + #committed or 0
  local after = bytes and #key + #bytes or 0
  local total = session.size + after - before
  if total > LIMIT and after > before then
    return ("the state of this session would take %.1f MiB; %d MiB are the most, so keep what is "
      .. "large in the database"):format(math.ceil(total / 2 ^ 20 * 10) / 10, LIMIT / 2 ^ 20)
  end
  session.size, session.sizes[key] = total, after
end

local methods = {}

function methods.__index(_, key)
  check_key(key, 2)
  local known, value = widgets.get_value(key)
  if known then return value end
  return get(core.session("ui.state"), key)
end

function methods.__newindex(_, key, value)
  check_key(key, 2)
  local session = core.session("ui.state")
  local known, problem = widgets.set_value(key, value)
  if problem then error(problem, 2) end
  if known then return end
  if value == nil then
    account(session, key, nil)
    working(session)[key] = ABSENT
    return
  end
  local bytes, refusal = bson.pack(value)
  if not bytes then
    error(("ui.state.%s: %s. What BSON cannot hold, a function or a handle, can be kept in "
      .. "ui.session.live.%s, which is never stored"):format(key, refusal, key), 2)
  end
  local full = account(session, key, bytes)
  if full then error(("ui.state.%s: %s"):format(key, full), 2) end
  working(session)[key] = value
end

local function each(session)
  local all = {}
  for key in pairs(session.committed) do all[key] = get(session, key) end
  for key, value in pairs(working(session)) do
    if value ~= ABSENT then all[key] = value end
  end
  for key, value in pairs(widgets.values()) do all[key] = value end
  return all
end

function methods.__pairs()
  return next, each(core.session("ui.state"))
end

function methods.__tostring()
  return "ui.state"
end

methods.__metatable = false

local function view(metamethods)
  local proxy = newproxy(true)
  local metatable = getmetatable(proxy)
  for name, f in pairs(metamethods) do metatable[name] = f end
  return proxy
end

---What the session remembers: any value that BSON can hold, 16 MiB of them at most. A widget's key
---reads and writes the widget's value.
---@type table<string, any>
state.state = view(methods)

---Facts about the session, and `live`, a table for what cannot be stored (functions, handles), kept
---in memory until the end of the session or of the process.
---@class moonlit.Session
---@field id string
---@field started number seconds since 1970
---@field locale string BCP 47, such as "en-GB"
---@field time_zone string IANA name, such as "Europe/London"
---@field theme "light"|"dark"
---@field live table
state.session = view {
  __index = function(_, key)
    if key == "live" then return core.session("ui.session").live end
    local value = core.info()[key]
    if value == nil then
      error(("ui.session has no field %q; it has id, started, locale, time_zone, theme and live")
        :format(tostring(key)), 2)
    end
    return value
  end,
  __newindex = function()
    error("ui.session cannot be changed; write to ui.session.live or to ui.state", 2)
  end,
  __tostring = function() return "ui.session" end,
  __metatable = false,
}

-- ---- called by the host ----

---What the run did so far stands: write the working copy into the committed values.
---@param session table the Lua side of a session (state.new)
---@return string? problem the first key that could not be kept, and why
function state.commit(session)
  local problem
  for key, value in pairs(session.working or {}) do
    if value == ABSENT then
      session.committed[key] = nil
    elseif type(value) ~= "table" and type(value) ~= "userdata" then
      session.committed[key] = bson.pack(value)
    else
      local bytes, refusal = bson.pack(value) -- it may have been changed in place
      refusal = refusal or account(session, key, bytes)
      if refusal then
        problem = problem or ("ui.state." .. key .. " was not kept: " .. refusal)
      else
        session.committed[key] = bytes
      end
    end
  end
  session.sizes, session.committed_size = {}, session.size
  return problem
end

---The run leaves no trace: forget the working copy.
---@param session table the Lua side of a session (state.new)
function state.rollback(session)
  session.working = nil
  session.sizes, session.size = {}, session.committed_size
end

---The Lua side of a new session.
---@return table session
function state.new()
  return { committed = {}, sizes = {}, size = 0, committed_size = 0,
    live = {}, bindings = {}, drawn = {}, modules = {} }
end

return state
