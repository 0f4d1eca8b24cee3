-- What scripts see: a fresh table of globals for each run over libraries that cannot be changed.
-- Nothing that a session does to its globals, to `string` or to a metatable reaches another one.

local script = require "moonlit.core.script"
local coroutines = require "moonlit.coroutines"
local modules = require "moonlit.modules"
local sort = require "moonlit.sort"
local text = require "moonlit.text"

local getmeta, getinfo, getenv = debug.getmetatable, debug.getinfo, debug.getfenv
local raw_pairs, raw_ipairs, raw_next, raw_unpack = pairs, ipairs, next, unpack
local raw_pcall, raw_xpcall, raw_concat, raw_gsub = pcall, xpcall, table.concat, string.gsub
local insert, remove = table.insert, table.remove
local tick, shared = script.helpers()
local MANY = 10000 -- items: work on more of them is felt, so the clock is looked at
local LINE = 4096 -- bytes of one print that are looked at
local core -- "moonlit.core.run", which only the host has

local sandbox = {}

-- ---- what is not there ----

local WAITS = "the host must never block; use moonlit.mongo for data"
local absent = {
  io = "files cannot be read or written: " .. WAITS,
  debug = "an error's traceback is shown on the page and in the log",
  package = "modules are found beside the script; write require \"name\"",
  module = "return a table from the module instead",
  newproxy = "use a table with a metatable",
  getfenv = "give load an environment instead",
  setfenv = "give load an environment instead",
  jit = "the compiler is always on",
  ffi = "scripts cannot call C",
  gcinfo = "use collectgarbage(\"count\")",
}
local absent_of = {
  os = {
    execute = "programs cannot be started from a script",
    exit = "use ui.stop() to end the run",
    remove = "files cannot be changed from a script",
    rename = "files cannot be changed from a script",
    tmpname = "files cannot be changed from a script",
    getenv = "the environment is the host's",
    setlocale = "the locale is the whole process's",
  },
  string = { dump = "there is no bytecode in Moonlit" },
}

-- ---- read-only libraries ----

local function copy(from)
  local to = {}
  for key, value in raw_pairs(from) do to[key] = value end
  return to
end

---A read-only proxy of a table: a userdata, so that rawset and table.insert cannot write to it.
local function freeze(name, library)
  local proxy = newproxy(true)
  local meta = getmeta(proxy)
  meta.__index = library
  meta.__metatable = false
  meta.__pairs = function() return raw_next, copy(library), nil end
  meta.__tostring = function() return name end
  meta.__newindex = function(_, key)
    error(("%s.%s cannot be set: what Moonlit gives is the same for all and read-only")
      :format(name, tostring(key)), 2)
  end
  return proxy
end

local function freeze_library(name, library)
  local missing = absent_of[name]
  if missing then
    setmetatable(library, { __index = function(_, key)
      local reason = missing[key]
      if reason then
        error(("%s.%s is not there in Moonlit: %s"):format(name, key, reason), 2)
      end
    end })
  end
  return freeze(name, library)
end

-- ---- functions that know views (userdata) ----

local function meta_of(value, field)
  if type(value) ~= "userdata" then return nil end
  local meta = getmeta(value)
  return meta and meta[field]
end

local builtins = {}

function builtins.pairs(t)
  local f = meta_of(t, "__pairs")
  if f then return f(t) end
  return raw_pairs(t)
end

local function next_item(t, i)
  i = i + 1
  local value = t[i]
  if value ~= nil then return i, value end
end

function builtins.ipairs(t)
  if type(t) == "userdata" then
    local f = meta_of(t, "__ipairs")
    if f then return f(t) end
    return next_item, t, 0
  end
  return raw_ipairs(t)
end

function builtins.next(t, key)
  local f = meta_of(t, "__next")
  if f then return f(t, key) end
  return raw_next(t, key)
end

local function is_list(value)
  return meta_of(value, "__len") ~= nil
end

local function items(view, first, last)
  local list = {}
  for i = first, last do list[i - first + 1] = view[i] end
  return list, last - first + 1
end

function builtins.unpack(t, first, last)
  if is_list(t) then
    local list, count = items(t, first or 1, last or #t)
    return raw_unpack(list, 1, count)
  end
  return raw_unpack(t, first, last)
end

local tables = copy(table)

local function check_own(name, t)
  if is_list(t) then
    error(("table.%s: a document from the database cannot be changed: make a table of it first, "
      .. "local t = bson.totable(doc)"):format(name), 3)
  end
end

function tables.sort(t, less)
  check_own("sort", t)
  return sort(t, less)
end

function tables.concat(t, separator, first, last)
  if is_list(t) then
    local list, count = items(t, first or 1, last or #t)
    return raw_concat(list, separator, 1, count)
  end
  if type(t) == "table" and (#t > MANY or type(t[1]) == "string" and #t[1] > MANY) then tick() end
  return raw_concat(t, separator, first, last)
end

-- Every item behind the place is moved.
local function look_at_length(t, at)
  if type(t) == "table" and type(at) == "number" and #t - at > MANY then tick() end
end

function tables.insert(t, ...)
  check_own("insert", t)
  if select("#", ...) > 1 then look_at_length(t, (...)) end
  return insert(t, ...)
end

function tables.remove(t, ...)
  check_own("remove", t)
  if select("#", ...) > 0 then look_at_length(t, (...)) end
  return remove(t, ...)
end

---As in Lua 5.3.
function tables.move(from, first, last, at, to)
  to = to or from
  if not (tonumber(first) and tonumber(last) and tonumber(at)) then
    error("table.move: expected a table and three numbers", 2)
  end
  if at > first and at <= last and to == from then
    for i = last - first, 0, -1 do to[at + i] = from[first + i] end
  else
    for i = 0, last - first do to[at + i] = from[first + i] end
  end
  return to
end

-- ---- random numbers ----

-- The generator is the host's, seeded anew at each start. A run that seeds has one of its own, so
-- that its numbers can be foretold by itself alone.

local maths = copy(math)
local raw_random = math.random
local seeded = false -- did any run?

math.randomseed(script.random())

---Numbers from 0 to 1 after a seed: the generator of Wichmann and Hill.
local function generator(seed)
  local a, b, c = seed % 30268 + 1, seed % 30306 + 1, seed % 30322 + 1
  return function()
    a, b, c = a * 171 % 30269, b * 172 % 30307, c * 170 % 30323
    return (a / 30269 + b / 30307 + c / 30323) % 1
  end
end

function maths.randomseed(seed)
  local number = tonumber(seed)
  if not number or number ~= number or number == math.huge or number == -math.huge then
    error("math.randomseed: expected a number, got " .. tostring(seed), 2)
  end
  local _, meta = modules.caller()
  seeded = true
  meta.session.random = generator(number)
end

local function between(fraction, low, high)
  if low == nil then return fraction end
  if high == nil then low, high = 1, low end
  if type(low) ~= "number" or type(high) ~= "number" or high < low then
    error("math.random: expected nothing, a highest, or a lowest and a highest number", 3)
  end
  return math.floor(low) + math.floor(fraction * (math.floor(high) - math.floor(low) + 1))
end

local function own_generator()
  local _, meta = modules.caller()
  return meta.session.random
end

function maths.random(...)
  local own = seeded and own_generator()
  if own then return between(own(), ...) end
  return raw_random(...)
end

-- ---- the other globals ----

---An error has left the place where the branch draws and the shields it was in.
local function after(place, shields, ok, ...)
  if not ok then
    shared[2] = place
    if shared[3] ~= shields then
      shared[3] = shields
      core.shield_left()
    end
  end
  return ok, ...
end

function builtins.pcall(f, ...)
  return after(shared[2], shared[3], raw_pcall(f, ...))
end

function builtins.xpcall(f, handler, ...)
  return after(shared[2], shared[3], raw_xpcall(f, handler, ...))
end

local function escape(byte)
  return ("\\%d"):format(byte:byte())
end

---Write a line to the log, with the session and the script's line. Further lines of a text are
---indented, so that none looks like another entry, and control characters are written as numbers.
function builtins.print(...)
  local words = { ... }
  for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))):sub(1, LINE) end
  local line = raw_gsub(raw_concat(words, "\t"), "[%z\1-\8\11-\31\127]", escape)
  core.print((raw_gsub(line, "\n", "\n    ")))
end

function builtins.collectgarbage(what)
  if what ~= nil and what ~= "count" then
    error("collectgarbage: only \"count\" can be asked; Moonlit collects by itself", 2)
  end
  return collectgarbage("count")
end

for _, name in raw_ipairs { "assert", "error", "getmetatable", "rawequal", "rawget", "rawset",
  "select", "setmetatable", "tonumber", "tostring", "type", "_VERSION" } do
  builtins[name] = _G[name]
end
for _, name in raw_ipairs { "require", "load", "loadstring", "loadfile", "dofile" } do
  builtins[name] = modules[name]
end

builtins.string = freeze_library("string", text)
builtins.table = freeze_library("table", tables)
builtins.math = freeze_library("math", maths)
builtins.bit = freeze_library("bit", copy(bit))
builtins.os = freeze_library("os", {
  time = os.time, date = os.date, clock = os.clock, difftime = os.difftime,
})
builtins.coroutine = freeze_library("coroutine", {
  create = coroutines.create, resume = coroutines.resume, wrap = coroutines.wrap,
  yield = coroutines.yield, status = coroutines.status, running = coroutines.running,
})

-- ("x"):upper() finds our library, and nobody can reach its metatable.
local string_meta = getmeta("")
string_meta.__index = text
string_meta.__metatable = false

-- ---- globals ----

---The name most like `name` in the given tables, or nil.
local function nearest(name, ...)
  local best, least = nil, #name < 4 and 2 or 3
  for i = 1, select("#", ...) do
    for candidate in raw_pairs((select(i, ...)) or {}) do
      if type(candidate) == "string" then
        local distance = script.distance(name, candidate)
        if distance < least or (distance == least and best and candidate < best) then
          best, least = candidate, distance
        end
      end
    end
  end
  return best
end

---__index behind all others: the global is not there.
local function missing(_, name)
  if type(name) ~= "string" then return nil end
  local info = getinfo(2, "f")
  local environment = info and getenv(info.func)
  local meta = environment and getmeta(environment)
  local declared = meta and meta.declared
  if declared and declared[name] then return nil end
  if absent[name] then
    error(("'%s' is not there in Moonlit: %s"):format(name, absent[name]), 2)
  end
  local like = nearest(name, environment, declared, builtins)
  error(like and ("there is no global '%s'; did you mean '%s'?"):format(name, like)
    or ("there is no global '%s': assign it first, or require what you mean"):format(name), 2)
end

setmetatable(builtins, { __index = missing })

local function new_environment(session)
  local environment = {}
  environment._G = environment
  return setmetatable(environment, {
    __index = builtins,
    __newindex = script.declare,
    __metatable = false,
    [modules.mark] = true,
    session = session,
    declared = nil,
    module = nil,
    requirer = nil,
  })
end

modules.new_environment = new_environment

-- Other houses call it otherwise.
local elsewhere = { dataframe = "table", session_state = "state", cache_data = "once",
  cache_resource = "once", select_slider = "slider", pills = "radio", segmented_control = "radio" }

---What require gives of Moonlit's own: a misspelt name is said where it is read.
---@param name string
---@param library table
---@return table
function modules.freeze(name, library)
  setmetatable(library, { __index = function(_, key)
    local other = elsewhere[key]
    local like = nearest(tostring(key), library) or (rawget(library, other or "") and other)
    error(("there is no %q in %s%s"):format(tostring(key), name,
      like and ("; did you mean %q?"):format(like) or ""), 2)
  end })
  local proxy = freeze(name, library)
  getmeta(proxy).__handle = "library"
  return proxy
end

---Fresh globals for a run.
---@param session table what the session keeps between runs: modules (nil when it was reloaded)
---@return table environment
function sandbox.environment(session)
  if not core then
    core = require "moonlit.core.run"
    coroutines.attach(core.waiting)
  end
  session = session or {}
  session.loading, session.random = nil, nil
  return new_environment(session)
end

---The names that scripts may read without declaring them.
---@return string[]
function sandbox.names()
  local names = { "_G" }
  for name in raw_pairs(builtins) do names[#names + 1] = name end
  table.sort(names)
  return names
end

return sandbox
