local fake = require "fake_core_mongo"
local mongo = require "moonlit.mongo"
local bson = require "moonlit.bson"

local db = mongo.database()
local products = db.products

local function batch(id, ...)
  return { cursor = { id = bson.int64(id), ns = "moonlit.products", firstBatch = bson.array { ... } } }
end

local function next_batch(id, ...)
  return { cursor = { id = bson.int64(id), ns = "moonlit.products", nextBatch = bson.array { ... } } }
end

local function refusal(f, ...)
  local ok, problem = pcall(f, ...)
  if ok then error("it was not refused", 2) end
  return tostring(problem)
end

local function has(text, words)
  if not text:find(words, 1, true) then error(("%q is not in %q"):format(words, text), 2) end
end

describe("handles", function()
  it("are made of names and equal by them", function()
    expect(tostring(mongo.database("shop").items)):to_be("collection shop.items")
    expect(db.products == db:collection("products")):to_be(true)
    expect(db.products == mongo.database("other").products):to_be(false)
    expect(mongo.database("shop"):name()):to_be("shop")
    expect(db:name()):to_be("moonlit")
    expect(products:name()):to_be("products")
  end)
  it("cannot be changed, stored or called with a dot", function()
    has(refusal(function() products.x = 1 end), "cannot be changed")
    has(refusal(bson.bytes, { h = products }), "h: this collection handle cannot")
    has(refusal(bson.bytes, { h = db }), "h: this database handle cannot")
    has(refusal(products.find, {}), "with a colon")
    has(refusal(function() return db.command() end), "with a colon")
  end)
  it("know the nearest method", function()
    has(refusal(function() return products:find_onee {} end), 'did you mean "find_one"?')
    has(refusal(function() return products:xyzzy {} end), 'no method "xyzzy"')
    has(refusal(function() return db:comand {} end), 'a database has no method "comand"; did you mean "command"?')
    has(refusal(function() for _ in products do end end), "go over products:find{}")
  end)
  it("refuse names that the server refuses", function()
    for _, name in ipairs { "", "a$b", ".a", "a.", "a\0b" } do
      has(refusal(db.collection, db, name), "collection's name")
    end
    for _, name in ipairs { "", "a b", "a.b", ("x"):rep(64), 5 } do
      has(refusal(mongo.database, name), "database's name")
    end
  end)
end)

describe("find", function()
  it("sends nothing before the first document is asked for", function()
    fake.expect(batch(0, { n = 1 }, { n = 2 }))
    local cursor = products:find({ n = { ["$gt"] = 0 } }, { sort = { _id = -1 }, limit = 10 })
    expect(#fake.sent):to_be(0)
    local sum = 0
    for document in cursor do sum = sum + document.n end
    expect(sum):to_be(3)
    expect(fake.last()):to_be(
      '{"find":"products","filter":{"n":{"$gt":0}},"sort":{"_id":-1},"limit":10}')
    expect(fake.sent[1].kind):to_be("read")
    expect(fake.sent[1].database):to_be(nil)
    expect(cursor:next()):to_be(nil)
  end)
  it("fetches batch after batch through its lease", function()
    local first = batch(77, { n = 1 }, { n = 2 })
    first.lease = true
    fake.expect(first, next_batch(77), next_batch(77, { n = 3 }), next_batch(0, { n = 4 }))
    local seen = {}
    for document in products:find({}, { batch_size = 2 }) do seen[#seen + 1] = document.n end
    expect(table.concat(seen, " ")):to_be("1 2 3 4")
    expect(#fake.sent):to_be(4)
    expect(fake.last()):to_be('{"getMore":77,"collection":"products","batchSize":2}')
    expect(bson.type(fake.sent[2].command, "getMore")):to_be("long")
    expect(fake.released):to_be(1)
  end)
  it("keeps a cursor's number beyond 2^53", function()
    local first = batch("9007199254740993", { n = 1 })
    first.lease = true
    fake.expect(first, next_batch(0))
    products:find():list()
    expect(tostring(fake.sent[2].command.getMore)):to_be("9007199254740993LL")
  end)
  it("is closed at the server when the script closes it", function()
    local first = batch(77, { n = 1 })
    first.lease = true
    fake.expect(first)
    local cursor = products:find {}
    expect(cursor:next().n):to_be(1)
    cursor:close()
    expect(fake.released):to_be(1)
    expect(cursor:next()):to_be(nil)
    cursor:close()
    expect(fake.released):to_be(1)
  end)
  it("can be tried again when it could not be opened", function()
    fake.expect({ error = { message = "no server" } }, batch(0, { n = 1 }))
    local cursor = products:find {}
    has(refusal(cursor.next, cursor), "no server")
    expect(cursor:next().n):to_be(1)
  end)
  it("keeps the order of a sort that has several names", function()
    fake.expect(batch(0))
    products:find({}, { sort = { { "b", 1 }, { "a", -1 } }, hint = "b_1_a_-1" }):list()
    has(fake.last(), '"sort":{"b":1,"a":-1},"hint":"b_1_a_-1"')
    has(refusal(products.find, products, {}, { sort = { a = 1, b = 1 } }),
      'write sort = { {"a", 1}, {"b", -1} }')
    has(refusal(products.find, products, {}, { sort = { { "a" } } }), "item 1 of sort is not a pair")
    has(refusal(products.find, products, {}, { hint = { a = 1, b = 1 } }), "hint")
  end)
  it("takes a projection as a list of names too", function()
    fake.expect(batch(0))
    products:find({}, { projection = { "name" } }):list()
    has(fake.last(), '"projection":{"name":1}')
    fake.expect(batch(0))
    products:find({}, { projection = { "name", "n", _id = 0 } }):list()
    local sent = fake.sent[1].command.projection
    expect(sent.name + sent.n + sent._id):to_be(2)
    has(refusal(products.find, products, {}, { projection = { "name", 5 } }), "must be a list of names")
  end)
  it("raises for options it does not know, with the nearest", function()
    has(refusal(products.find, products, {}, { limitt = 1 }), 'find has no option "limitt"; did you mean "limit"?')
    has(refusal(products.find, products, {}, { limit = "x" }), "limit must be a whole number")
    has(refusal(products.find, products, {}, { limit = -1 }), "limit must be a whole number")
    has(refusal(products.find, products, {}, { max_time = 0 }), "max_time must be a number of seconds")
    has(refusal(products.find, products, {}, 5), "the options must be a table")
    has(refusal(products.find, products, {}, { 5 }), "the options must have names")
  end)
  it("never takes a text for a filter", function()
    has(refusal(products.find, products, "{}"), "write { _id = value }")
    has(refusal(products.find, products, bson.oid()), "write { _id = value }")
    has(refusal(products.find, products, { 1, 2 }), "got a list")
    has(refusal(products.find, products, { a = { b = print } }), "find: filter.a.b: a function cannot")
  end)
  it("refuses to compare documents whose order nobody knows", function()
    fake.expect(batch(0), batch(0))
    local sentence = 'find: documents are compared with the order of their names'
    has(refusal(products.find, products, { point = { x = 1, y = 2 } }), sentence)
    has(refusal(products.find, products, { ["$or"] = { { _id = { x = 1, y = 2 } } } }), sentence)
    products:find({ point = bson.doc { { "x", 1 }, { "y", 2 } }, n = { ["$gt"] = 1, ["$lt"] = 9 }, one = { x = 1 } }):list()
    products:find({ list = { ["$elemMatch"] = { x = 1, y = 2 } }, tags = { "a", "b" } }):list()
    local cyclic = {}
    cyclic["$and"] = { cyclic }
    has(refusal(function() products:find(cyclic):list() end), "contains itself")
  end)
  it("names the script's own line", function()
    has(refusal(products.find, products, "{}"), "app.lua:7: find: ")
  end)
  it("counts max_time in seconds", function()
    fake.expect(batch(0))
    products:find({}, { max_time = 1.5 }):list()
    expect(fake.sent[1].milliseconds):to_be(1500)
  end)
end)

describe("options", function()
  it("are documented where they are taken", function()
    local classes = 0
    for _, file in ipairs { "specs", "index" } do
      local source = assert(io.open("lua/moonlit/mongo/" .. file .. ".lua")):read("*a")
      for fields, entries in source:gmatch("%-%-%-@class moonlit%.%w+Options\n(.-)\n[%w_%. ]+ = options%.spec {(.-)\n}") do
        local documented, taken = {}, {}
        for name in fields:gmatch("@field ([%w_]+)?") do documented[#documented + 1] = name end
        for name in entries:gmatch('{ "([%w_]+)"') do taken[#taken + 1] = name end
        table.sort(documented)
        table.sort(taken)
        expect(table.concat(documented, " ")):to_be(table.concat(taken, " "))
        classes = classes + 1
      end
    end
    expect(classes):to_be(13)
  end)
end)

describe("the other reads", function()
  it("find_one gives the first document or nil", function()
    fake.expect(batch(0, { n = 5 }), batch(0))
    expect(products:find_one({ n = 5 }).n):to_be(5)
    expect(fake.last()):to_be('{"find":"products","filter":{"n":5},"limit":1,"singleBatch":true}')
    expect(products:find_one()):to_be(nil)
  end)
  it("count_documents counts what matches", function()
    fake.expect(batch(0, { _id = 1, n = 12 }), batch(0))
    expect(products:count_documents { a = 1 }):to_be(12)
    has(fake.last(), '{"aggregate":"products","pipeline":[{"$match":{"a":1}},{"$group":{')
    expect(products:count_documents({}, { skip = 1, limit = 2 })):to_be(0)
    has(fake.last(), '{"$skip":1},{"$limit":2}')
    has(refusal(products.count_documents, products, {}, { limit = 0 }), "at least 1")
  end)
  it("estimated_document_count asks the statistics", function()
    fake.expect { n = 3 }
    expect(products:estimated_document_count()):to_be(3)
    expect(fake.last()):to_be('{"count":"products"}')
  end)
  it("distinct gives a list", function()
    fake.expect { values = { 1, "x", { a = 1 } } }
    local values = products:distinct("tag", { n = 1 })
    expect(#values):to_be(3)
    expect(values[3].a):to_be(1)
    expect(fake.last()):to_be('{"distinct":"products","key":"tag","query":{"n":1}}')
    has(refusal(products.distinct, products, {}), "a field's name")
  end)
  it("aggregate is a lazy read unless it writes", function()
    fake.expect(batch(0, { n = 1 }), batch(0), batch(0))
    local cursor = products:aggregate({ { ["$match"] = { a = 1 } } }, { batch_size = 5 })
    expect(#fake.sent):to_be(0)
    expect(cursor:next().n):to_be(1)
    expect(fake.last()):to_be(
      '{"aggregate":"products","pipeline":[{"$match":{"a":1}}],"cursor":{"batchSize":5}}')
    products:aggregate { { ["$out"] = "copy" } }
    expect(fake.sent[2].kind):to_be("write")
    products:aggregate({}):list()
    has(fake.last(), '"pipeline":[]')
    has(refusal(products.aggregate, products, { ["$match"] = {} }), "must be a list")
  end)
  it("keep the order of a $sort, wherever it stands, and refuse one that a table cannot tell", function()
    fake.expect(batch(0), batch(0), { n = 1, nModified = 1 })
    local order = { { "b", 1 }, { "a", -1 } }
    local facet = { ["$facet"] = { x = { { ["$sort"] = order } } } }
    products:aggregate({ { ["$sort"] = order }, facet }):list()
    has(fake.last(), '"pipeline":[{"$sort":{"b":1,"a":-1}},{"$facet":{"x":[{"$sort":{"b":1,"a":-1}}]}}]')
    expect(facet["$facet"].x[1]["$sort"]):to_be(order)
    products:aggregate({ { ["$setWindowFields"] = { sortBy = order } }, { ["$set"] = { sortBy = bson.array { 1 } } } }):list()
    has(fake.last(), '{"$setWindowFields":{"sortBy":{"b":1,"a":-1}}},{"$set":{"sortBy":[1]}}')
    products:update_many({}, { ["$push"] = { l = { ["$each"] = { 1 }, ["$sort"] = -1 } } })
    has(fake.last(), '"$sort":-1')
    local refused = 'write ["$sort"] = { {"a", 1}, {"b", -1} }'
    has(refusal(products.aggregate, products, { { ["$sort"] = { a = 1, b = 1 } } }), refused)
    has(refusal(products.update_one, products, {}, { ["$push"] = { l = { ["$sort"] = { a = 1, b = 1 } } } }), refused)
    has(refusal(db.command, db, { { "aggregate", "x" }, { "pipeline", { { ["$sort"] = { a = 1, b = 1 } } } } }), refused)
    local cyclic = {}
    cyclic[1] = { ["$match"] = cyclic }
    has(refusal(function() products:aggregate(cyclic):list() end), "contains itself")
  end)
  it("command is a write unless it is known as a read", function()
    fake.expect({ ok = 1 }, { ok = 1 }, { ok = 1 }, { ok = 1 })
    db:command { ping = 1 }
    expect(fake.sent[1].kind):to_be("read")
    db:command { { "collMod", "products" }, { "validator", {} } }
    expect(fake.sent[2].kind):to_be("write")
    expect(fake.last()):to_be('{"collMod":"products","validator":{}}')
    db:command({ reIndex = 1 }, { kind = "read", max_time = 2 })
    expect(fake.sent[3].kind):to_be("read")
    expect(fake.sent[3].milliseconds):to_be(2000)
    db:command(bson.doc { { "aggregate", "x" }, { "pipeline", { { ["$merge"] = "y" } } } })
    expect(fake.sent[4].kind):to_be("write")
    has(refusal(db.command, db, { a = 1, b = 2 }), 'has none; write { {"a", 1}, {"b", -1} }')
    has(refusal(db.command, db, {}), "the command is empty")
    has(refusal(db.command, db, "ping"), "write { ping = 1 }")
  end)
  it("lists databases, collections and indexes", function()
    fake.expect({ databases = { { name = "b" }, { name = "a" } } }, batch(0, { name = "x" }),
      batch(0, { name = "x" }), batch(0, { name = "_id_" }))
    expect(table.concat(mongo.databases(), " ")):to_be("a b")
    expect(fake.sent[1].database):to_be("admin")
    expect(db:collection_names()[1]):to_be("x")
    expect(db:list_collections():next().name):to_be("x")
    expect(products:list_indexes():list()[1].name):to_be("_id_")
    expect(fake.last()):to_be('{"listIndexes":"products","cursor":{}}')
  end)
end)
