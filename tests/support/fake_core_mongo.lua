-- "moonlit.core.mongo" without a server: what is sent is kept, and answers are taken from a list.

local bson = require "moonlit.core.bson"

local fake = { sent = {}, answers = {}, released = 0, file = "app.lua", line = 7 }

---Forget everything; the answers to come: tables (an `error` field makes it a refusal, `lease` a
---cursor that stays open).
function fake.expect(...)
  fake.sent, fake.answers, fake.released = {}, { ... }, 0
end

local function answer()
  local next_answer = table.remove(fake.answers, 1) or error("nothing was to be sent", 3)
  if next_answer.error then return false, next_answer.error end
  local lease = next_answer.lease
  next_answer.lease = nil
  return true, bson.decode(bson.encode(next_answer)), lease and { open = true } or nil
end

function fake.run(database, bytes, kind, keeps_cursor, milliseconds)
  fake.sent[#fake.sent + 1] = {
    database = database, command = bson.decode(bytes), kind = kind, keeps_cursor = keeps_cursor,
    milliseconds = milliseconds,
  }
  return answer()
end

function fake.more(lease, database, bytes)
  if not lease.open then return false, { message = "the cursor is closed" } end
  fake.sent[#fake.sent + 1] = { database = database, command = bson.decode(bytes), lease = lease }
  return answer()
end

function fake.release(lease)
  lease.open = false
  fake.released = fake.released + 1
end

function fake.default_database() return "moonlit" end
function fake.place() return fake.file, fake.line end

---What was sent last, as JSON without spaces.
function fake.last()
  return (bson.json(fake.sent[#fake.sent].command):gsub("%s", ""))
end

package.preload["moonlit.core.mongo"] = function() return fake end

return fake
