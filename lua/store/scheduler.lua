--- Commands take turns. Each is a coroutine that looks at the clock now and then (tick): there it
--- ends when its time is up or somebody ended it, and there it lets others go first when it has
--- worked long enough.
---
--- An op is a command under way: { id, connection, name, session, deadline, ended, is_quiet, ... }.
---   deadline   moment at which it ends with MaxTimeMSExpired, or nil
---   ended      {code, message} once somebody ended it
---   is_steady  it must not pause now: it has a transaction open, since steady_since
local core = require "store.core"
local errors = require "store.errors"
local file = require "store.file"

local scheduler = { killed = 0 }

local SLICE, STEADY = core.limits.slice, core.limits.steady
local MOST_TICKS = 128 -- documents between two looks at the clock, when they are quick
local LONG = 1 -- milliseconds between two looks that are too many
local now = file.now

local current
local ticks, step, looked_at, slice_end = 1, 1, 0, 0
local ready, sleeping, ops = {}, {}, {}
local LIMIT_IDLE = 64
local idle = {} -- coroutines that wait for a command

--- The command that runs now.
function scheduler.current()
  return current
end

--- All commands under way, by id.
function scheduler.all()
  return ops
end

---@return integer commands under way
function scheduler.count()
  local n = 0
  for _ in pairs(ops) do
    n = n + 1
  end
  return n
end

local function check(op, moment)
  if op.ended then
    errors.raise(op.ended.code, op.ended.message)
  elseif op.deadline and moment >= op.deadline then
    scheduler.killed = scheduler.killed + 1
    errors.raise(errors.codes.MaxTimeMSExpired, "operation exceeded time limit")
  end
end

-- Slow documents are looked at one by one, quick ones are not held up by the clock.
local function set_step(moment)
  if moment - looked_at > LONG then
    step = 1
  elseif step < MOST_TICKS then
    step = step * 2
  end
  looked_at, ticks = moment, step
end

local function look()
  local op, moment = current, now()
  set_step(moment)
  if op then
    check(op, moment)
    if op.is_steady and moment - op.steady_since > STEADY then
      errors.raise(errors.codes.MaxTimeMSExpired,
        "a change must not hold the store for longer than "
        .. STEADY / 1000 .. " seconds; make it in several steps")
    elseif moment >= slice_end and not op.is_steady then
      op.turns = op.turns + 1
      coroutine.yield("ready")
      check(op, now())
    end
  end
end

--- To be called for each document that a loop passes.
function scheduler.tick()
  ticks = ticks - 1
  if ticks <= 0 then
    look()
  end
end

--- Lets time pass for this command alone.
function scheduler.sleep(milliseconds)
  local op = current
  op.wake_at = now() + milliseconds
  if op.deadline and op.deadline < op.wake_at then
    op.wake_at = op.deadline
  end
  coroutine.yield("sleep")
  check(op, now())
end

-- What a coroutine does all its life: one command after another.
local function work()
  while true do
    current.run(current)
    coroutine.yield("done")
  end
end

local function resume(op)
  looked_at = now()
  current, ticks, step, slice_end = op, 1, 1, looked_at + SLICE
  local ok, what = coroutine.resume(op.coroutine)
  current = nil
  if not ok then
    ops[op.id] = nil
    core.close(op.connection) -- nobody else will answer
    error(debug.traceback(op.coroutine, tostring(what)), 0)
  elseif what == "done" then
    ops[op.id] = nil
    if #idle < LIMIT_IDLE then
      idle[#idle + 1] = op.coroutine
    end
  elseif what == "sleep" then
    sleeping[op] = true
  else
    ready[#ready + 1] = op
  end
end

-- `latest`: milliseconds after which to come back in any case.
local function set_alarm(latest)
  local next_at = latest and now() + latest
  for op in pairs(sleeping) do
    next_at = math.min(next_at or op.wake_at, op.wake_at)
  end
  if next_at then
    core.alarm(math.max(0, math.ceil(next_at - now())))
  end
end

local function wake_sleepers()
  local moment = now()
  for op in pairs(sleeping) do
    if op.wake_at <= moment then
      sleeping[op] = nil
      ready[#ready + 1] = op
    end
  end
end

local last_id = 0

--- Begins a command: body(op) runs at once, up to its first pause.
function scheduler.start(op, body)
  last_id = last_id + 1
  op.id, op.turns = last_id, 0
  ops[op.id] = op
  op.run = body
  op.coroutine = table.remove(idle) or coroutine.create(work)
  resume(op)
  if #ready > 0 then
    core.wake()
  end
  set_alarm()
end

--- Lets each command that is ready go on once. True when some are ready again.
---@return boolean
function scheduler.turn()
  wake_sleepers()
  local list = ready
  ready = {}
  for _, op in ipairs(list) do
    resume(op)
  end
  set_alarm(60000)
  return #ready > 0
end

--- Ends a command at its next look at the clock.
function scheduler.finish(op, code, message)
  if not op.ended and op ~= current then
    op.ended = { code = code, message = message }
    scheduler.killed = scheduler.killed + 1
    if sleeping[op] then
      sleeping[op] = nil
      ready[#ready + 1] = op
    end
    core.wake()
  end
end

return scheduler
