--- hello and its kin: who the store says it is. It answers as the primary of a replica set of one,
--- which opens the drivers' gates for retryable writes.
local bson = require "store.bson"
local core = require "store.core"
local reply = require "store.reply"

local SET = "moonlit"

local function wall_clock()
  return bson.date(os.time() * 1000)
end

-- Drivers send their app name once, at the first hello.
local function note_client(op, args)
  local t, client = args.types.client, args.values.client
  local application = t == 3 and select(2, bson.get(client, "application"))
  op.client.app_name = application and select(2, bson.get(application, "name"))
    or op.client.app_name
end

local function hello(op, args)
  note_client(op, args)
  return reply.fine {
    { "helloOk", true }, { "ismaster", true }, { "isWritablePrimary", true },
    { "secondary", false },
    { "setName", SET }, { "setVersion", 1 }, { "hosts", bson.list { core.address } },
    { "primary", core.address },
    { "me", core.address }, { "maxBsonObjectSize", core.limits.document },
    { "maxMessageSizeBytes", core.limits.message }, { "maxWriteBatchSize", core.limits.batch },
    { "localTime", wall_clock() }, { "logicalSessionTimeoutMinutes",
      core.limits.session_time / 60000 },
    { "connectionId", op.connection }, { "minWireVersion", 0 }, { "maxWireVersion", 17 },
    { "readOnly", false },
  }
end

local function ping()
  return reply.fine {}
end

local function build_info()
  return reply.fine {
    { "version", "6.0.0" }, { "versionArray", bson.list { 6, 0, 0, 0 } },
    { "gitVersion", "moonlit-" .. core.version },
    { "modules", bson.list { "moonlit" } }, { "storageEngines", bson.list { "sqlite" } },
    { "bits", 64 },
    { "debug", false }, { "maxBsonObjectSize", core.limits.document }, { "moonlit", core.version },
  }
end

return {
  hello = { run = hello }, isMaster = { run = hello }, ismaster = { run = hello },
  ping = { run = ping }, buildInfo = { run = build_info }, buildinfo = { run = build_info },
}
