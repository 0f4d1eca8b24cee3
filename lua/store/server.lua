--- The entry: C hands requests over and gets replies through store.core. One op for each request;
--- see store.scheduler.
local bson = require "store.bson"
local core = require "store.core"
local errors = require "store.errors"
local file = require "store.file"
local arguments = require "store.arguments"
local failpoint = require "store.failpoint"
local reply = require "store.reply"
local scheduler = require "store.scheduler"
local session = require "store.session"
local transaction = require "store.transaction"
local sweep = require "store.sweep"

local server = {}

jit.opt.start("maxtrace=8000", "maxmcode=16384", "maxrecord=8000")

local WIRE_REPLY = 1
local HANDSHAKE = { hello = true, isMaster = true, ismaster = true }

local clients, client_count, clients_created = {}, 0, 0

-- ---- commands -----------------------------------------------------------------------------------

local commands = {}
for _, name in ipairs { "handshake", "sessions", "insert", "update", "delete", "find_and_modify",
  "find", "aggregate",
  "collections", "indexes", "statistics", "testing" } do
  for command, entry in pairs(require("store.commands." .. name)) do
    commands[command] = entry
  end
end

--- Known commands of MongoDB that the built-in store does without.
local LACKING = errors.set [[mapReduce group replSetInitiate replSetReconfig replSetStepDown
  addShard enableSharding shardCollection createUser updateUser dropUser usersInfo createRole
  saslStart saslContinue authenticate logout commitTransaction abortTransaction validate compact
  reIndex cloneCollectionAsCapped convertToCapped eval collMod fsync
  setFeatureCompatibilityVersion profile bulkWrite killOp]]

local function find_command(name)
  local command = commands[name]
  if command and not (command.is_test and not core.test_commands) then
    return command
  elseif LACKING[name] then
    errors.unsupported("the command " .. name)
  end
  errors.raise(errors.codes.CommandNotFound, "no such command: '" .. name .. "'")
end

-- ---- one request --------------------------------------------------------------------------------

local function write_concern(op, bytes)
  local t, w = bson.get(bytes, "w")
  local j = select(2, bson.get(bytes, "j"))
  op.is_durable = j == true or w == "majority"
  if bson.is_number(t) and bson.number(t, w) > 1 then
    op.unmet_concern = true
  elseif t == 2 and w ~= "majority" then
    errors.raise(79, "No write concern mode named '" .. w .. "' found in the built-in store")
  end
end

local function read_session(op, args)
  local lsid = args:document("lsid")
  op.session = lsid and session.key(lsid)
  local t, number = args.types.txnNumber, args.values.txnNumber
  if t and t ~= 18 then
    errors.raise(errors.codes.TypeMismatch, "txnNumber must be a long")
  elseif t and not op.session then
    errors.raise(errors.codes.InvalidOptions,
      "Transaction number requires a session ID to also be specified")
  end
  if args.types.autocommit or args.types.startTransaction then
    errors.unsupported("a multi-document transaction")
  end
  op.number = number
  op.statement = args:whole("stmtId", 0)
end

-- Every level but one is what a single connection to a single file gives of itself.
local LEVELS = errors.set "local available majority linearizable"

local function check_concerns(args)
  local concern = args:document("readConcern", bson.EMPTY)
  local t, level = bson.get(concern, "level")
  if t == 2 and level == "snapshot" then
    errors.unsupported("the read concern snapshot")
  elseif t ~= 0 and not (t == 2 and LEVELS[level]) then
    errors.raise(errors.codes.FailedToParse,
      "readConcern.level must be one of local, available, majority, linearizable")
  elseif args.types.apiVersion and args.values.apiVersion ~= "1" then
    errors.raise(322, "the only version of the API is \"1\"")
  end
end

local function read_general(op, args)
  op.db = args:text("$db") or op.db
  if not op.db then
    errors.raise(40414, "BSON field '$db' is missing but a required field")
  end
  check_concerns(args)
  read_session(op, args)
  local time = args:whole("maxTimeMS", 0, 0)
  op.deadline = time > 0 and op.started + time or nil
  local concern = args:document("writeConcern")
  if concern then
    write_concern(op, concern)
  end
end

-- A list of documents beside the body is one of the command's fields, and not in the body as well.
local function check_sections(op, args, command)
  for i = 1, #op.sections do -- no pairs here: the JIT cannot compile it
    local name = op.sections[i]
    if not (command.fields and command.fields[name]) or args.types[name] then
      errors.raise(40415, string.format(
        "the document sequence '%s' of %s is unknown or there twice", name, op.name))
    end
  end
end

local function execute(op)
  local command = find_command(op.name)
  local args = arguments.read(op.name, op.body, command.fields)
  check_sections(op, args, command)
  args.sections = op.sections
  read_general(op, args)
  op.is_retryable = op.number ~= nil and command.is_write
  if core.test_commands and failpoint.meet(op) then
    op.loses_connection = true
    return nil
  end
  return command.run(op, args)
end

local function on_failure(failure)
  if errors.is(failure) then
    return failure
  end
  local words = tostring(failure)
  if words:find("not enough memory", 1, true) then
    return { code = errors.codes.ExceededMemoryLimit, name = "ExceededMemoryLimit", message =
      "the built-in store has no memory left for this command; "
        .. "let it work on fewer or smaller documents" }
  end
  io.stderr:write(debug.traceback("store: " .. words, 2), "\n")
  return { code = 1, name = "InternalError", message = "the built-in store failed: " .. words }
end

local function answer(op, bytes)
  if op.loses_connection then
    core.close(op.connection)
  elseif op.wants_reply then
    core.send(op.connection, op.operation, op.request, bytes)
  else
    core.finish(op.connection)
  end
end

local function run(op)
  local ok, result = xpcall(execute, on_failure, op)
  if not ok then
    transaction.abandon(op)
    local built, bytes = pcall(reply.failed, result, op.is_retryable or false)
    result = built and bytes or reply.failed({ code = 1, message = "the built-in store failed" },
      false)
  end
  answer(op, result)
end

local function refused(op)
  if client_count > core.limits.connections and not op.client.is_counted then
    op.loses_connection = false
    answer(op, reply.failed({ code = 6, name = "HostUnreachable", message =
      string.format("the built-in store has no room for more than %d connections",
        core.limits.connections) }, false))
    core.close(op.connection)
    return true
  end
  op.client.is_counted = true
  return false
end

-- Old drivers wrap what they ask.
local function unwrap(body)
  local t, inner = bson.get(body, "$query")
  if t ~= 3 then
    t, inner = bson.get(body, "query")
  end
  return t == 3 and inner or body
end

--- A request arrived.
function server.receive(connection, request, operation, wants_reply, body, sections, database)
  body = operation == WIRE_REPLY and unwrap(body) or body
  local p = bson.pointer(body)
  local name = p[4] ~= 0 and bson.name(p, 4) or ""
  local op = {
    connection = connection, request = request, operation = operation, wants_reply = wants_reply,
    body = body,
    sections = sections, name = name, started = file.now(), client = clients[connection] or {},
    db = database and database:match("^(.-)%.%$cmd$"),
  }
  if refused(op) then
    return
  elseif operation == WIRE_REPLY and not HANDSHAKE[name] then
    answer(op, reply.failed({ code = 352, name = "UnsupportedOpQueryCommand", message =
      "Unsupported OP_QUERY command: " .. name .. "; the client driver is too old" }, false))
    return
  end
  scheduler.start(op, run)
end

--- A client has come.
function server.opened(connection)
  client_count, clients_created = client_count + 1, clients_created + 1
  clients[connection] = { id = connection }
end

--- A socket was closed: what it asked for ends.
function server.closed(connection)
  if clients[connection] then
    clients[connection] = nil
    client_count = client_count - 1
  end
  for _, op in pairs(scheduler.all()) do
    if op.connection == connection then
      scheduler.finish(op, errors.codes.Interrupted, "the client has closed its connection")
    end
  end
end

--- What is to be done now: old things are swept away, and commands get their slices.
---@return any what scheduler.turn returns
function server.turn()
  local ok, failure = pcall(sweep.look)
  if not ok then
    io.stderr:write("store: the sweep failed: ", errors.is(failure) and failure.message
      or tostring(failure), "\n")
  end
  return scheduler.turn()
end

require("store.counters").connections = function()
  return client_count, clients_created
end

core.alarm(0)
return server
