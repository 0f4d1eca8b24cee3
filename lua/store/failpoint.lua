--- configureFailPoint failCommand: commands that fail, wait, or lose their connection on request.
--- It exists with --test-commands alone. Waiting is a timer of the command's own, which
--- killSessions, maxTimeMS and a closed socket end.
local bson = require "store.bson"
local errors = require "store.errors"
local scheduler = require "store.scheduler"

local failpoint = {}

local active

local function names_of(bytes)
  local names = {}
  for _, element in ipairs(bson.elements(bytes or bson.EMPTY)) do
    names[element.v] = true
  end
  return names
end

local function labels_of(bytes)
  if not bytes then
    return nil
  end
  local labels = {}
  for i, element in ipairs(bson.elements(bytes)) do
    labels[i] = element.v
  end
  return labels
end

local function times_of(t, v)
  if t == 2 and v == "alwaysOn" then
    return math.huge
  elseif t == 3 then
    local times = bson.number(bson.get(v, "times"))
    return times or errors.raise(errors.codes.BadValue,
      "a fail point's mode is \"off\", \"alwaysOn\" or {times: n}")
  end
  return errors.raise(errors.codes.BadValue,
    "a fail point's mode is \"off\", \"alwaysOn\" or {times: n}")
end

local function number(data, name)
  return bson.number(bson.get(data, name))
end

local function value(data, name)
  return select(2, bson.get(data, name))
end

--- Sets or removes it.
function failpoint.configure(args)
  local name = args.values[args.name]
  if name ~= "failCommand" then
    errors.raise(errors.codes.CommandNotSupported,
      "the only fail point of the built-in store is failCommand")
  end
  local t, mode = args.types.mode, args.values.mode
  if t == 2 and mode == "off" then
    active = nil
    return
  end
  local data = args:required_document("data")
  active = {
    times = times_of(t, mode), commands = names_of(value(data, "failCommands")),
    code = number(data, "errorCode"),
    closes = value(data, "closeConnection") == true,
    blocks = value(data, "blockConnection") == true,
    block_time = number(data, "blockTimeMS") or 0, app_name = value(data, "appName"),
    labels = labels_of(value(data, "errorLabels")),
  }
end

--- To be called before a command runs. True when the connection is to be closed instead.
---@return boolean
function failpoint.meet(op)
  local point = active
  if not point or not point.commands[op.name]
    or (point.app_name and point.app_name ~= op.client.app_name) then
    return false
  end
  point.times = point.times - 1
  if point.times <= 0 then
    active = nil
  end
  if point.blocks then
    scheduler.sleep(point.block_time)
  end
  if point.closes then
    return true
  elseif point.code then
    error({ code = point.code, name = errors.name(point.code),
      message = "Failing command via 'failCommand' failpoint",
      labels = point.labels }, 0)
  end
  return false
end

return failpoint
