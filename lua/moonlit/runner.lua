-- The first function of every run: make a fresh environment, call the callbacks of the event, then
-- the script from top to bottom.

local core = require "moonlit.core.run"
local sandbox = require "moonlit.sandbox"
local bindings = require "moonlit.bindings"
local state = require "moonlit.state"

-- What scripts require is loaded before the first run: compiling it inside of one would take longer
-- than a run may go without a pause.
require "moonlit"
require "moonlit.mongo"
require "moonlit.bson"

local runner = {}

---@class moonlit.Callback
---@field f function
---@field args any[]

-- What fails in a callback is shown, and the others and the script go on.
local function call_back(callbacks)
  for _, callback in ipairs(callbacks) do
    xpcall(callback.f, core.callback_failed, unpack(callback.args))
    core.callback_ended()
  end
end

---@param session table the session's own table
---@param instantiate fun(environment: table): function a fresh main function of the script
---@param changed integer[]? ids of the widgets whose values the event changed, the press last
---@param version integer of the app; modules of an older one are made anew
function runner.main(session, instantiate, changed, version)
  state.rollback(session)
  if session.version ~= version then
    session.version = version
    session.modules = {}
  end
  bindings.begin(session)
  local environment = sandbox.environment(session)
  local script = instantiate(environment)
  if changed then
    call_back(bindings.find(session, changed, core.seen()))
    core.callbacks_ended()
  end
  script()
  bindings.finish(session, core.seen())
end

runner.new_session = state.new
runner.commit = state.commit
runner.rollback = state.rollback
runner.publish = bindings.publish

return runner
