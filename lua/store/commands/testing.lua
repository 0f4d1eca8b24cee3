--- Commands for tests, with --test-commands alone.
local failpoint = require "store.failpoint"
local reply = require "store.reply"

local function configure(_, args)
  failpoint.configure(args)
  return reply.fine {}
end

return { configureFailPoint = { run = configure, is_test = true } }
