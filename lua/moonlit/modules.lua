-- How scripts load code: require, load, loadstring, loadfile, dofile. All of it passes the rewriter
-- (runtime/bridge/chunk.h), and a module's top level may wait.
--
-- A module is compiled once per app and lives once per session, until the script is reloaded
-- (`session.modules = nil`). It has globals of its own.

local script = require "moonlit.core.script"

local getinfo, getenv, getmeta = debug.getinfo, debug.getfenv, debug.getmetatable
local internal_require = require
local running, status = coroutine.running, coroutine.status
local tick = script.helpers()

local modules = {}

-- What of Moonlit's own library scripts may require.
local public = { ["moonlit"] = true, ["moonlit.mongo"] = true, ["moonlit.bson"] = true }
local frozen = {} -- name -> what require gives

---The environment of the script function that called us, however it did; a fresh one when it is not
---on the stack any more (`return require "x"` as a script's last line).
---@return table environment, table meta
function modules.caller()
  local level = 2
  while true do
    local info = getinfo(level, "f")
    if not info then
      local ok, session = pcall(internal_require("moonlit.core.run").session)
      local environment = modules.new_environment(ok and session or {})
      return environment, getmeta(environment)
    end
    local environment = getenv(info.func)
    local meta = getmeta(environment)
    if meta and meta[modules.mark] then return environment, meta end
    level = level + 1
  end
end

-- Marks the metatables of the sandbox's environments: a key that no script has.
modules.mark = {}

-- Set by the sandbox: a fresh environment for a module, and read-only proxies.
modules.new_environment = nil
modules.freeze = nil

local function get_public(name)
  local module = frozen[name]
  if module == nil then
    module = modules.freeze(name, internal_require(name))
    frozen[name] = module
  end
  return module
end

---The modules that require one another from `name` on to the code that asks for it, or nil.
local function chain(meta, name)
  local names = name
  while meta and meta.module do
    names = meta.module .. " -> " .. names
    if meta.module == name then return names end
    meta = meta.requirer
  end
end

---Is the call that loads a module still on the stack of its coroutine? An error that was caught
---there has ended it.
local function is_loading(one)
  if not one or status(one.co) == "dead" then return false end
  local level = 0
  while true do
    local info = getinfo(one.co, level, "f")
    if not info then return false end
    if info.func == one.call then return true end
    level = level + 1
  end
end

---Is it loaded by the coroutine that runs, or by one that resumed that?
local function is_ours(one)
  return one.co == running() or status(one.co) == "normal"
end

---Would waiting for `name` be waiting for ourselves? Then it is loaded by us, or by a branch that
---waits for what is.
local function circle(session, meta, name)
  local way, at = name, name
  while at do
    local names = chain(meta, at)
    if names then return at == name and names or way .. " -> " .. name end
    local one = session.loading[at]
    if not is_loading(one) then return nil end
    if is_ours(one) then return way .. " -> " .. name end
    at = one.waits
    way = way .. " -> " .. tostring(at)
  end
end

---Whatever is being loaded here waits for `name` from now on; nil: it waits no more.
local function note_wait(session, name)
  for _, one in pairs(session.loading) do
    if is_ours(one) then one.waits = name end
  end
end

---Another branch of the session loads it: wait until that one is done or gone.
local function wait_for(session, name)
  local sleep = internal_require("moonlit.core.run").sleep
  note_wait(session, name)
  while is_loading(session.loading[name]) do sleep(0.002) end
  note_wait(session, nil)
end

local function instantiate(session, meta, name, path)
  local environment = modules.new_environment(session)
  local own = getmeta(environment)
  own.module, own.requirer = name, meta
  local main, problem = script.load_file(path, environment)
  if not main then error(problem, 0) end
  local co = running()
  local function call() -- no tail call: it stays on the stack
    local value = main(name)
    return value
  end
  session.loading[name] = co and { co = co, call = call }
  local value = call()
  session.loading[name] = nil
  if value == nil then value = true end
  session.modules[name] = value
  return value
end

---Load a module beside the script: `require "orders.list"` is orders/list.lua. (waits)
---@param name string
---@return any
function modules.require(name)
  if type(name) ~= "string" then
    error("require: expected the name of a module, got a " .. type(name), 2)
  end
  if public[name] then return get_public(name) end
  local _, meta = modules.caller()
  local session = meta.session
  session.modules = session.modules or {}
  session.loading = session.loading or {}
  if session.modules[name] == nil then
    local names = circle(session, meta, name)
    if names then
      error("require: modules require one another in a circle: " .. names, 2)
    end
    wait_for(session, name)
  end
  local value = session.modules[name]
  if value ~= nil then return value end
  if not name:find("^[%w_%-]+[%w_%-%.]*$") or name:find("..", 1, true) then
    error(("require: \"%s\" is no name of a module; write \"folder.name\" for folder/name.lua")
      :format(name), 2)
  end
  local path, tried = script.find(name)
  if not path then
    error(("require: there is no module \"%s\": neither %s is there"):format(name,
      (tried:gsub(" and ", " nor "))), 2)
  end
  return instantiate(session, meta, name, path)
end

local function gather(reader)
  local pieces, count = {}, 0
  while true do
    local piece = reader()
    if piece == nil or piece == "" then return table.concat(pieces) end
    if type(piece) ~= "string" then return nil, "reader function must return a string" end
    count = count + 1
    pieces[count] = piece
  end
end

---Compiling takes a while, so the clock is looked at.
local function compile(chunk, name, environment)
  tick()
  return script.load(chunk, tostring(name or chunk), environment)
end

---As in the manual; the environment is the caller's when none is given.
---@param chunk string|fun(): string?
---@param name? any how errors call it; the text by default
---@param mode? string must allow text
---@param environment? table
---@return function? f, string? problem
function modules.load(chunk, name, mode, environment)
  if type(chunk) == "function" then
    local text, problem = gather(chunk)
    if not text then return nil, problem end
    chunk, name = text, name or "=(load)"
  end
  if type(chunk) ~= "string" then
    error("load: expected a text or a function, got a " .. type(chunk), 2)
  end
  if mode ~= nil and not tostring(mode):find("t", 1, true) then
    return nil, "attempt to load chunk with wrong mode: Moonlit loads source only"
  end
  return compile(chunk, name, environment or (modules.caller()))
end

---As in the manual.
---@param chunk string
---@param name? any
---@return function? f, string? problem
function modules.loadstring(chunk, name)
  if type(chunk) ~= "string" then
    error("loadstring: expected a text, got a " .. type(chunk), 2)
  end
  return compile(chunk, name, (modules.caller()))
end

local function load_file(path, environment)
  if path:sub(1, 1) ~= "/" then path = script.directory() .. "/" .. path end
  return script.load_file(path, environment)
end

---A file beside the script, or an absolute path.
---@param path string
---@param environment? table the caller's by default
---@return function? f, string? problem
function modules.loadfile(path, _, environment)
  if type(path) ~= "string" then
    error("loadfile: expected the name of a file, got a " .. type(path), 2)
  end
  return load_file(path, environment or (modules.caller()))
end

---Load a file and run it. (waits)
---@param path string
---@return any ... what the file returns
function modules.dofile(path)
  if type(path) ~= "string" then
    error("dofile: expected the name of a file, got a " .. type(path), 2)
  end
  local main, problem = load_file(path, (modules.caller()))
  if not main then error(problem, 0) end
  return main()
end

return modules
