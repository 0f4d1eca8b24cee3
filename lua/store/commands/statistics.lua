--- What tools and shells ask a server about itself: as much as there is to say.
local bson = require "store.bson"
local catalog = require "store.catalog"
local core = require "store.core"
local counters = require "store.counters"
local cursor = require "store.cursor"
local errors = require "store.errors"
local file = require "store.file"
local reply = require "store.reply"
local scheduler = require "store.scheduler"

local function operations()
  local list = {}
  for _, name in ipairs { "insert", "query", "update", "delete", "getmore", "command" } do
    list[#list + 1] = { name, bson.int64(counters.operations[name]) }
  end
  return bson.build_value(list)
end

local function server_status()
  local current, total = counters.connections()
  return reply.fine {
    { "host", "moonlit" }, { "version", "6.0.0" }, { "process", "moonlit store" },
    { "pid", bson.int64(core.pid) },
    { "uptime", bson.double(os.time() - counters.started) },
    { "localTime", bson.date(os.time() * 1000) },
    { "connections", bson.build_value {
      { "current", current }, { "available", core.limits.connections - current },
      { "totalCreated", bson.int64(total) } } },
    { "opcounters", operations() },
    { "mem", bson.build_value { { "lua",
      bson.int64(math.floor(collectgarbage("count") * 1024)) } } },
    { "metrics", bson.build_value {
      { "cursor", bson.build_value { { "open",
        bson.build_value { { "total", cursor.count() } } } } } } },
    { "storageEngine", bson.build_value { { "name", "sqlite" }, { "persistent", true } } },
    { "moonlit", bson.build_value { { "active", scheduler.count() - 1 },
      { "killed", scheduler.killed } } },
  }
end

local function sizes(list)
  local documents, bytes, indexes = 0, 0, 0
  for _, c in ipairs(list) do
    documents, bytes, indexes = documents + c:count(), bytes + file.size(c.tree),
      indexes + #c.indexes
  end
  return documents, bytes, indexes
end

-- The unit in which sizes are told.
local function scale_of(args)
  return math.max(args:whole("scale", 1, 1), 1)
end

local function coll_stats(op, args)
  local ns = op.db .. "." .. args:collection()
  local documents, bytes, indexes = sizes { catalog.find(ns) }
  local average = documents > 0 and math.floor(bytes / documents) or nil
  bytes = math.floor(bytes / scale_of(args))
  return reply.fine {
    { "ns", ns }, { "size", bson.int64(bytes) }, { "count", documents },
    { "avgObjSize", average }, { "storageSize", bson.int64(bytes) },
    { "scaleFactor", scale_of(args) },
    { "capped", false }, { "nindexes", indexes }, { "totalIndexSize", 0 },
    { "indexSizes", bson.build_value {} },
  }
end

local function db_stats(op, args)
  local list = catalog.list(op.db)
  local documents, bytes, indexes = sizes(list)
  local average = documents > 0 and bytes / documents or 0
  bytes = bytes / scale_of(args)
  return reply.fine {
    { "db", op.db }, { "collections", #list }, { "views", 0 }, { "objects", documents },
    { "avgObjSize", bson.double(average) }, { "scaleFactor", scale_of(args) },
    { "dataSize", bson.double(bytes) },
    { "storageSize", bson.double(bytes) }, { "indexes", indexes }, { "indexSize", bson.double(0) },
  }
end

local function get_parameter(_, args)
  local list = {}
  if args.types.featureCompatibilityVersion or args.values.getParameter == "*" then
    list[1] = { "featureCompatibilityVersion", bson.build_value { { "version", "6.0" } } }
  elseif args.types.authenticationMechanisms then
    list[1] = { "authenticationMechanisms", bson.list {} }
  else
    errors.raise(errors.codes.InvalidOptions, "no option found to get")
  end
  return reply.fine(list)
end

local function host_info()
  return reply.fine {
    { "system", bson.build_value { { "currentTime", bson.date(os.time() * 1000) },
      { "hostname", "moonlit" } } },
    { "os", bson.build_value { { "type", "Linux" } } }, { "extra", bson.build_value {} },
  }
end

local function command_line()
  return reply.fine { { "argv", bson.list { "moonlit", "store", core.folder } },
    { "parsed", bson.build_value {} } }
end

local function connection_status()
  return reply.fine { { "authInfo", bson.build_value {
    { "authenticatedUsers", bson.list {} }, { "authenticatedUserRoles", bson.list {} } } } }
end

local function get_log()
  return reply.fine { { "totalLinesWritten", 0 }, { "log", bson.list {} } }
end

local function whats_my_uri()
  return reply.fine { { "you", core.address } }
end

local function set_status()
  return reply.fine {
    { "set", "moonlit" }, { "myState", 1 },
    { "members", bson.list { bson.build_value {
      { "_id", 0 }, { "name", core.address }, { "health", bson.double(1) }, { "state", 1 },
      { "stateStr", "PRIMARY" },
      { "self", true } } } },
  }
end

local function operation(op)
  return bson.build_value {
    { "type", "op" }, { "opid", op.id }, { "active", true }, { "op", "command" },
    { "ns", op.db or "" },
    { "command", op.name }, { "connectionId", op.connection },
    { "microsecs_running", bson.int64(math.floor((file.now() - op.started) * 1000)) },
  }
end

local function current_op()
  local list = {}
  for _, op in pairs(scheduler.all()) do
    list[#list + 1] = operation(op)
  end
  return reply.fine { { "inprog", bson.list(list) } }
end

return {
  serverStatus = { run = server_status }, collStats = { run = coll_stats },
  collstats = { run = coll_stats }, dbStats = { run = db_stats }, dbstats = { run = db_stats },
  getParameter = { run = get_parameter }, hostInfo = { run = host_info },
  getCmdLineOpts = { run = command_line }, connectionStatus = { run = connection_status },
  getLog = { run = get_log }, whatsmyuri = { run = whats_my_uri },
  replSetGetStatus = { run = set_status }, currentOp = { run = current_op },
}
