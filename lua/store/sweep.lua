--- What happens of itself now and then: old cursors and remembered replies go, documents beyond
--- their time (TTL indexes) are removed.
local ffi = require "ffi"
local bson = require "store.bson"
local catalog = require "store.catalog"
local cursor = require "store.cursor"
local file = require "store.file"
local query = require "store.query"
local session = require "store.session"

local sweep = {}

local EVERY = 60000
local next_at = file.now() + EVERY

local function filter_of(path, moment)
  return bson.build { { path, bson.build_value { { "$lt", bson.date(moment) } } } }
end

local function expire(c, ix)
  local filter = filter_of(ix.parts[1].path, os.time() * 1000 - ix.expire * 1000)
  local list = {}
  local context = { tick = function() end }
  for id, p, size in query.records(c, filter, nil, context) do
    list[#list + 1] = { id, ffi.string(p, size) }
  end
  for _, entry in ipairs(list) do
    if not ix.test or ix.test(entry[2]) then
      c:remove(entry[1], entry[2])
    end
  end
end

local function all()
  session.sweep()
  for _, c in ipairs(catalog.list()) do
    for _, ix in ipairs(c.indexes) do
      if ix.expire then
        expire(c, ix)
      end
    end
  end
end

--- To be called at each turn; does something once a minute.
function sweep.look()
  local moment = file.now()
  if moment < next_at then
    return
  end
  next_at = moment + EVERY
  cursor.sweep()
  file.begin(false)
  local ok, failure = pcall(all)
  if ok then
    file.commit()
    catalog.keep()
  else
    file.rollback()
    catalog.undo()
    error(failure, 0)
  end
end

return sweep
