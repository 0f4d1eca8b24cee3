--- endSessions, refreshSessions, killSessions, killAllSessions: a killed session's commands end at
--- their next look at the clock, and its cursors are closed.
local bson = require "store.bson"
local cursor = require "store.cursor"
local errors = require "store.errors"
local reply = require "store.reply"
local scheduler = require "store.scheduler"
local session = require "store.session"

local function keys_of(args)
  local keys = {}
  for _, element in ipairs(bson.elements(args:array(args.name, bson.EMPTY))) do
    if element.t ~= 3 then
      errors.raise(errors.codes.TypeMismatch, args.name .. " takes a list of session ids")
    end
    keys[session.key(element.v)] = true
  end
  return keys
end

local function kill(wanted)
  for _, op in pairs(scheduler.all()) do
    if op.session and wanted(op.session) then
      scheduler.finish(op, errors.codes.Interrupted, "operation was interrupted")
    end
  end
  cursor.kill_all(function(self) return self.session ~= nil and wanted(self.session) end)
end

local function kill_sessions(_, args)
  local keys = keys_of(args)
  kill(function(key) return next(keys) == nil or keys[key] end)
  return reply.fine {}
end

local function kill_all()
  kill(function() return true end)
  return reply.fine {}
end

local function end_sessions(_, args)
  local keys = keys_of(args)
  cursor.kill_all(function(self) return self.session ~= nil and keys[self.session] end)
  return reply.fine {}
end

local function refresh(_, args)
  keys_of(args)
  return reply.fine {}
end

return {
  killSessions = { run = kill_sessions, fields = {} },
  killAllSessions = { run = kill_all, fields = {} },
  killAllSessionsByPattern = { run = kill_all, fields = {} },
  endSessions = { run = end_sessions, fields = {} },
  refreshSessions = { run = refresh, fields = {} },
}
