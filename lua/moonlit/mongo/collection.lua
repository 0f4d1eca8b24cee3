-- What can be done with a collection. Each method makes one command; see the server's manual for
-- what its options mean in detail.

local bson = require "moonlit.core.bson"
local command = require "moonlit.mongo.command"
local handle = require "moonlit.mongo.handle"
local options = require "moonlit.mongo.options"
local problem = require "moonlit.mongo.problem"
local specs = require "moonlit.mongo.specs"

---The documents of one name. A handle holds nothing but names: keep it wherever you like.
---@class moonlit.Collection
local Collection = {}

local function own_of(self, method)
  return handle.names(self, "collection", method)
end

-- ---- reading ----

---The documents that match, as a lazy cursor: `for doc in collection:find{ ... } do`. (waits when
---it is gone over)
---@param filter table? which documents, { tag = "b" }; all by default
---@param opts moonlit.FindOptions?
---@return moonlit.Cursor
function Collection:find(filter, opts)
  local own = own_of(self, "find")
  local pairs = { { "find", own.collection }, { "filter", options.filter("find", filter) } }
  local rest = options.append("find", specs.find, opts, pairs)
  return command.cursor("find", own.database, pairs, "read", command.milliseconds(rest),
    opts and opts.batch_size)
end

---The first document that matches, or nil. (waits)
---@param filter table? which documents, { tag = "b" }; all by default
---@param opts moonlit.FindOneOptions?
---@return moonlit.Document?
function Collection:find_one(filter, opts)
  local own = own_of(self, "find_one")
  local pairs = { { "find", own.collection }, { "filter", options.filter("find_one", filter) } }
  local rest = options.append("find_one", specs.find_one, opts, pairs)
  pairs[#pairs + 1] = { "limit", 1 }
  pairs[#pairs + 1] = { "singleBatch", true }
  local reply = command.run("find_one", own.database, pairs, "read", command.milliseconds(rest))
  return reply.cursor.firstBatch[1]
end

-- $out and $merge write, and stand last.
local function writes(pipeline)
  local last = pipeline[#pipeline]
  if type(last) ~= "table" and not bson.is_view(last) then return false end
  return last["$out"] ~= nil or last["$merge"] ~= nil
end

---The documents that a pipeline makes, as a lazy cursor. A pipeline that ends in $out or $merge is
---run at once. (waits)
---@param pipeline table[] { { ["$match"] = { tag = "b" } }, ... }
---@param opts moonlit.AggregateOptions?
---@return moonlit.Cursor
function Collection:aggregate(pipeline, opts)
  local own = own_of(self, "aggregate")
  pipeline = options.pipeline("aggregate", pipeline)
  local pairs = { { "aggregate", own.collection }, { "pipeline", pipeline } }
  local rest = options.append("aggregate", specs.aggregate, opts, pairs)
  pairs[#pairs + 1] = { "cursor", { batchSize = rest.batch_size } }
  local kind = writes(pipeline) and "write" or "read"
  local cursor = command.cursor("aggregate", own.database, pairs, kind, command.milliseconds(rest),
    rest.batch_size)
  if kind == "write" then cursor:list() end
  return cursor
end

---How many documents match. (waits)
---@param filter table? which documents, { tag = "b" }; all by default
---@param opts moonlit.CountOptions?
---@return integer
function Collection:count_documents(filter, opts)
  local own = own_of(self, "count_documents")
  local stages = { { ["$match"] = options.filter("count_documents", filter) } }
  local pairs = { { "aggregate", own.collection }, { "pipeline", stages }, { "cursor", {} } }
  local rest = options.append("count_documents", specs.count, opts, pairs)
  if rest.skip and rest.skip > 0 then stages[#stages + 1] = { ["$skip"] = rest.skip } end
  if rest.limit then
    if rest.limit == 0 then
      problem.misuse("count_documents: limit must be at least 1; leave it out to count all")
    end
    stages[#stages + 1] = { ["$limit"] = rest.limit }
  end
  stages[#stages + 1] = { ["$group"] = { _id = 1, n = { ["$sum"] = 1 } } }
  local reply = command.run("count_documents", own.database, pairs, "read",
    command.milliseconds(rest))
  local group = reply.cursor.firstBatch[1]
  return group and group.n or 0
end

---How many documents the collection has, from its statistics. (waits)
---@param opts moonlit.EstimateOptions?
---@return integer
function Collection:estimated_document_count(opts)
  local own = own_of(self, "estimated_document_count")
  local pairs = { { "count", own.collection } }
  local rest = options.append("estimated_document_count", specs.estimate, opts, pairs)
  return command.run("estimated_document_count", own.database, pairs, "read",
    command.milliseconds(rest)).n
end

---The different values of a field, as a list. (waits)
---@param field string its name, "tag" or "address.city"
---@param filter table? which documents, { tag = "b" }; all by default
---@param opts moonlit.DistinctOptions?
---@return any[]
function Collection:distinct(field, filter, opts)
  local own = own_of(self, "distinct")
  if type(field) ~= "string" or field == "" then
    problem.misuse("distinct: the first argument is a field's name: distinct(\"name\")")
  end
  local pairs = {
    { "distinct", own.collection }, { "key", field },
    { "query", options.filter("distinct", filter) },
  }
  local rest = options.append("distinct", specs.distinct, opts, pairs)
  local reply = command.run("distinct", own.database, pairs, "read", command.milliseconds(rest))
  local values = {}
  for value in bson.items(reply.values) do values[#values + 1] = value end
  return values
end

-- ---- inserting ----

local function with_id(what, place, document)
  options.document(what, place, document)
  local view, id = bson.with_id(document)
  if not view then problem.misuse(("%s: %s: %s"):format(what, place, id)) end
  return view, id
end

---Insert a document; it gets an _id first when it has none. (waits)
---@param document table it is not changed, the new _id is in the result
---@param opts moonlit.InsertOneOptions?
---@return { inserted_id: any }
function Collection:insert_one(document, opts)
  local own = own_of(self, "insert_one")
  local view, id = with_id("insert_one", "the document", document)
  local pairs = { { "insert", own.collection } }
  options.append("insert_one", specs.insert_one, opts, pairs)
  pairs[#pairs + 1] = { "documents", { view } }
  local reply = command.run("insert_one", own.database, pairs, "write")
  problem.check(reply, problem.collect(reply, 0, {}))
  return { inserted_id = id }
end

local BATCH_BYTES = 16 * 1024 * 1024
local BATCH_DOCUMENTS = 10000

-- Views of all documents, and their ids.
local function prepare(documents)
  local views, ids = {}, {}
  for i = 1, #documents do
    views[i], ids[i] = with_id("insert_many", ("document %d"):format(i), documents[i])
  end
  return views, ids
end

-- Up to which document one command holds those from `first` on.
local function batch_end(views, first)
  local bytes, last = 0, first
  for i = first, math.min(#views, first + BATCH_DOCUMENTS - 1) do
    bytes = bytes + bson.size(views[i]) + 16
    if bytes > BATCH_BYTES and i > first then break end
    last = i
  end
  return last
end

---Insert documents, in several commands when they are many. With { ordered = false } the rest is
---tried after an error; the error has `write_errors`, and `result` with what was done. (waits)
---@param documents table[] at least one
---@param opts moonlit.InsertManyOptions?
---@return { inserted_ids: any[], inserted_count: integer }
function Collection:insert_many(documents, opts)
  local own = own_of(self, "insert_many")
  documents = options.list("insert_many", "the documents", documents)
  if #documents == 0 then
    problem.misuse("insert_many: the list has no document; nothing would be inserted")
  end
  local head = { { "insert", own.collection } }
  options.append("insert_many", specs.insert_many, opts, head)
  local views, ids = prepare(documents)
  local errors, result = {}, { inserted_ids = ids, inserted_count = 0 }
  local first, reply = 1, nil
  while first <= #views do
    local last = batch_end(views, first)
    local pairs, batch = { unpack(head) }, {}
    for i = first, last do batch[#batch + 1] = views[i] end
    pairs[#pairs + 1] = { "documents", batch }
    reply = command.run("insert_many", own.database, pairs, "write")
    result.inserted_count = result.inserted_count + (reply.n or 0)
    problem.collect(reply, first - 1, errors)
    if errors[1] and not (opts and opts.ordered == false) then break end
    first = last + 1
  end
  problem.check(reply, errors, result)
  return result
end

-- ---- changing ----

-- The rest of the options belongs to the command, not to the statement.
local function append_rest(pairs, rest)
  pairs[#pairs + 1] = { "let", rest.let }
  pairs[#pairs + 1] = { "comment", rest.comment }
  pairs[#pairs + 1] = { "bypassDocumentValidation", rest.bypass_validation }
  pairs[#pairs + 1] = { "writeConcern", rest.write_concern }
end

local function update(self, what, filter, change, multi, opts)
  local own = own_of(self, what)
  local statement = { { "q", options.filter(what, filter) }, { "u", change } }
  local rest = options.append(what, specs.update, opts, statement)
  if multi then statement[#statement + 1] = { "multi", true } end
  local pairs = {
    { "update", own.collection }, { "updates", { command.statement(what, statement) } },
  }
  append_rest(pairs, rest)
  local reply = command.run(what, own.database, pairs, "write")
  local upserted = reply.upserted and reply.upserted[1]
  local result = {
    matched_count = upserted and 0 or reply.n,
    modified_count = reply.nModified,
    upserted_id = upserted and upserted._id,
  }
  problem.check(reply, problem.collect(reply, 0, {}), result)
  return result
end

---Change the first document that matches. (waits)
---@param filter table which documents, { tag = "b" }; {} means all
---@param change table operators, { ["$set"] = { ... } }, or a pipeline
---@param opts moonlit.UpdateOptions?
---@return { matched_count: integer, modified_count: integer, upserted_id: any }
function Collection:update_one(filter, change, opts)
  return update(self, "update_one", filter, options.update("update_one", change), false, opts)
end

---Change all documents that match. (waits)
---@param filter table which documents, { tag = "b" }; {} means all
---@param change table operators, { ["$set"] = { ... } }, or a pipeline
---@param opts moonlit.UpdateOptions?
---@return { matched_count: integer, modified_count: integer, upserted_id: any }
function Collection:update_many(filter, change, opts)
  return update(self, "update_many", filter, options.update("update_many", change), true, opts)
end

---Put a document in the place of the first one that matches. (waits)
---@param filter table which documents, { tag = "b" }; {} means all
---@param document table without operators; it keeps the _id of the old one
---@param opts moonlit.UpdateOptions?
---@return { matched_count: integer, modified_count: integer, upserted_id: any }
function Collection:replace_one(filter, document, opts)
  return update(self, "replace_one", filter, options.replacement("replace_one", document), false,
    opts)
end

local function delete(self, what, filter, limit, opts)
  local own = own_of(self, what)
  if filter == nil then
    problem.misuse(what .. ": the first argument is a filter; write {} to mean every document")
  end
  local statement = { { "q", options.filter(what, filter) }, { "limit", limit } }
  local rest = options.append(what, specs.delete, opts, statement)
  local pairs = {
    { "delete", own.collection }, { "deletes", { command.statement(what, statement) } },
  }
  append_rest(pairs, rest)
  local reply = command.run(what, own.database, pairs, "write")
  local result = { deleted_count = reply.n }
  problem.check(reply, problem.collect(reply, 0, {}), result)
  return result
end

---Delete the first document that matches. (waits)
---@param filter table which documents, { tag = "b" }; {} means all
---@param opts moonlit.DeleteOptions?
---@return { deleted_count: integer }
function Collection:delete_one(filter, opts)
  return delete(self, "delete_one", filter, 1, opts)
end

---Delete all documents that match. (waits)
---@param filter table which documents, { tag = "b" }; {} means all
---@param opts moonlit.DeleteOptions?
---@return { deleted_count: integer }
function Collection:delete_many(filter, opts)
  return delete(self, "delete_many", filter, 0, opts)
end

local function find_and(self, what, filter, spec, opts, action)
  local own = own_of(self, what)
  local pairs = { { "findAndModify", own.collection }, { "query", options.filter(what, filter) } }
  pairs[#pairs + 1] = action
  local rest = options.append(what, spec, opts, pairs)
  if rest.returns == "after" then pairs[#pairs + 1] = { "new", true } end
  local reply = command.run(what, own.database, pairs, "write", command.milliseconds(rest))
  problem.check(reply, {})
  local value = reply.value
  if value == bson.null then return nil end
  return value
end

---Change the first document that matches and return it as it was before, or with
---{ returns = "after" } as it is now; nil when none matched. (waits)
---@param filter table which documents, { tag = "b" }; {} means all
---@param change table operators or a pipeline
---@param opts moonlit.FindAndOptions?
---@return moonlit.Document?
function Collection:find_one_and_update(filter, change, opts)
  return find_and(self, "find_one_and_update", filter, specs.find_and, opts,
    { "update", options.update("find_one_and_update", change) })
end

---Put a document in the place of the first one that matches and return the old one, or with
---{ returns = "after" } the new one; nil when none matched. (waits)
---@param filter table which documents, { tag = "b" }; {} means all
---@param document table without operators; it keeps the _id of the old one
---@param opts moonlit.FindAndOptions?
---@return moonlit.Document?
function Collection:find_one_and_replace(filter, document, opts)
  return find_and(self, "find_one_and_replace", filter, specs.find_and, opts,
    { "update", options.replacement("find_one_and_replace", document) })
end

---Delete the first document that matches and return it; nil when none matched. (waits)
---@param filter table which documents, { tag = "b" }; {} means all
---@param opts moonlit.FindAndDeleteOptions?
---@return moonlit.Document?
function Collection:find_one_and_delete(filter, opts)
  return find_and(self, "find_one_and_delete", filter, specs.find_and_delete, opts,
    { "remove", true })
end

return Collection
