--- Runs test files in plain luajit and ends with "N passed, N failed".
---   luajit tests/support/runner.lua [FILE|FOLDER...]      default: tests/scripts/store
--- A file uses describe(name, body), it(promise, body) and expect(value).
--- Each file runs twice: as it is, and with the collector at work all the time (`pressed` is true; a test
--- may do fewer rounds then), so that bytes which nobody holds any more are found.
package.path = "lua/?.lua;tests/support/?.lua;" .. package.path

local trail, passed, failed = {}, 0, 0

local function title(promise)
  return table.concat(trail, " > ") .. " > " .. promise
end

local function words(err)
  if type(err) == "table" and err.code then
    return string.format("raised %s (%s): %s", err.code, err.name, err.message)
  end
  return debug.traceback(tostring(err), 2)
end

--- Groups promises under a name.
function describe(name, body)
  trail[#trail + 1] = name
  body()
  trail[#trail] = nil
end

--- One promise.
function it(promise, body)
  local ok, err = xpcall(body, words)
  if ok then
    passed = passed + 1
  else
    failed = failed + 1
    print("FAILED " .. title(promise) .. "\n  " .. tostring(err))
  end
end

local Expectation = {}
Expectation.__index = Expectation

local function complain(wanted, got)
  error(string.format("expected %s\n     got %s", tostring(wanted), tostring(got)), 3)
end

function Expectation:to_be(wanted)
  if self.value ~= wanted then
    complain(wanted, self.value)
  end
end

--- The value, a function, raises a server error of that code.
function Expectation:to_raise(code)
  local ok, err = pcall(self.value)
  if ok then
    complain("error " .. code, "no error")
  elseif type(err) ~= "table" or err.code ~= code then
    complain("error " .. code, words(err))
  end
end

function expect(value)
  return setmetatable({ value = value }, Expectation)
end

local function files_of(path)
  if path:find("%.lua$") then
    return { path }
  end
  local list = {}
  for file in io.popen("ls " .. path .. "/*.lua"):lines() do
    list[#list + 1] = file
  end
  return list
end

local function run_all(paths)
  for _, path in ipairs(paths) do
    for _, file in ipairs(files_of(path)) do
      describe(file:match("([^/]+)%.lua$") .. (pressed and " (pressed)" or ""), assert(loadfile(file)))
    end
  end
end

local paths = #arg > 0 and arg or { "tests/scripts/store" }
pressed = false
run_all(paths)
if paths[1]:find("store", 1, true) then -- only the store's Lua holds pointers into strings
  pressed = true
  collectgarbage("setpause", 1)
  -- In steps smaller than the heap: one that is a whole cycle always ends where LuaJIT leaves a
  -- trace before it has got any further, and the trace is entered again for ever.
  collectgarbage("setstepmul", 2000)
  run_all(paths)
end
print(string.format("%d passed, %d failed", passed, failed))
os.exit(failed == 0 and passed > 0 and 0 or 1)
