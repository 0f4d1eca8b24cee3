local fake = require "fake_core_mongo"
local mongo = require "moonlit.mongo"
local bson = require "moonlit.bson"

local db = mongo.database("shop")
local products = db.products

local function caught(f, ...)
  local ok, problem = pcall(f, ...)
  if ok then error("it was not refused", 2) end
  return problem
end

local function has(text, words)
  text = tostring(text)
  if not text:find(words, 1, true) then error(("%q is not in %q"):format(words, text), 2) end
end

describe("insert_one", function()
  it("makes the _id first and tells it", function()
    fake.expect { n = 1 }
    local document = { name = "x" }
    local result = products:insert_one(document)
    local sent = fake.sent[1].command.documents[1]
    expect(bson.keys(sent)[1]):to_be("_id")
    expect(sent._id):to_be(result.inserted_id)
    expect(bson.type(sent._id)):to_be("objectId")
    expect(document._id):to_be(nil)
    expect(fake.sent[1].kind):to_be("write")
    expect(fake.sent[1].database):to_be("shop")
  end)
  it("keeps an _id that is there, and a view's bytes", function()
    fake.expect({ n = 1 }, { n = 1 })
    expect(products:insert_one({ _id = 7 }).inserted_id):to_be(7)
    local view = bson.doc { { "_id", 1 }, { "d", bson.double(3) } }
    products:insert_one(view)
    expect(fake.sent[2].command.documents[1]):to_be(view)
  end)
  it("names the place of what cannot be stored", function()
    has(caught(products.insert_one, products, { a = { print } }),
      "insert_one: the document: a[1]: a function cannot be written as BSON")
    has(caught(products.insert_one, products, "x"), "must be a document")
    has(caught(products.insert_one, products, { { a = 1 } }), "got a list")
  end)
  it("raises a write error with its code, name and line", function()
    fake.expect { n = 0, writeErrors = { { index = 0, code = 11000, errmsg = "E11000 duplicate key" } } }
    local err = caught(products.insert_one, products, { _id = 1 })
    expect(err.code):to_be(11000)
    expect(err.code_name):to_be("DuplicateKey")
    expect(err.message):to_be("E11000 duplicate key")
    expect(#err.labels):to_be(0)
    expect(tostring(err)):to_be("app.lua:7: E11000 duplicate key (DuplicateKey, code 11000)")
    expect(err.line):to_be(7)
    has("caught: " .. err, "caught: app.lua:7")
  end)
  it("raises what the server refuses as a whole", function()
    fake.expect { error = { message = "not primary", code = 10107, code_name = "NotWritablePrimary",
      labels = { "RetryableWriteError" } } }
    local err = caught(products.insert_one, products, {})
    expect(err.code):to_be(10107)
    expect(err.labels[1]):to_be("RetryableWriteError")
  end)
  it("raises an error of the write concern", function()
    fake.expect { n = 1, writeConcernError = { code = 64, errmsg = "waiting timed out" },
      errorLabels = { "X" } }
    local err = caught(products.insert_one, products, {})
    expect(err.code_name):to_be("WriteConcernFailed")
    expect(err.labels[1]):to_be("X")
  end)
end)

describe("insert_many", function()
  it("sends one command and tells all ids", function()
    fake.expect { n = 2 }
    local result = products:insert_many({ { _id = 1 }, { a = 1 } }, { ordered = false })
    expect(result.inserted_count):to_be(2)
    expect(result.inserted_ids[1]):to_be(1)
    expect(fake.sent[1].command.ordered):to_be(false)
    expect(#fake.sent[1].command.documents):to_be(2)
  end)
  it("splits what is too much for one command", function()
    fake.expect({ n = 3 }, { n = 1 })
    local text = ("x"):rep(5 * 1024 * 1024)
    local documents = {}
    for i = 1, 4 do documents[i] = { _id = i, text = text } end
    expect(products:insert_many(documents).inserted_count):to_be(4)
    expect(#fake.sent[1].command.documents):to_be(3)
    expect(fake.sent[2].command.documents[1]._id):to_be(4)
  end)
  it("splits lists that are too long", function()
    fake.expect({ n = 10000 }, { n = 2345 })
    local documents = {}
    for i = 1, 12345 do documents[i] = { _id = i } end
    expect(products:insert_many(documents).inserted_count):to_be(12345)
    expect(#fake.sent[2].command.documents):to_be(2345)
  end)
  it("counts the places of errors over all commands", function()
    local documents = {}
    for i = 1, 10001 do documents[i] = { _id = i } end
    fake.expect({ n = 9999, writeErrors = { { index = 4, code = 11000, errmsg = "first" } } },
      { n = 0, writeErrors = { { index = 0, code = 11000, errmsg = "second" } } })
    local err = caught(products.insert_many, products, documents, { ordered = false })
    expect(err.message):to_be("first")
    expect(err.write_errors[1].index):to_be(5)
    expect(err.write_errors[2].index):to_be(10001)
    expect(err.result.inserted_count):to_be(9999)
  end)
  it("stops at the first error when it is ordered", function()
    local documents = {}
    for i = 1, 10001 do documents[i] = { _id = i } end
    fake.expect { n = 4, writeErrors = { { index = 4, code = 11000, errmsg = "first" } } }
    expect(caught(products.insert_many, products, documents).code):to_be(11000)
    expect(#fake.sent):to_be(1)
  end)
  it("refuses what is no list of documents", function()
    has(caught(products.insert_many, products, {}), "the list has no document")
    has(caught(products.insert_many, products, { a = 1 }), "must be a list")
    has(caught(products.insert_many, products, { { a = 1 }, 5 }), "document 2")
  end)
end)

describe("updates", function()
  it("tell what they changed", function()
    fake.expect({ n = 1, nModified = 1 }, { n = 5, nModified = 4 },
      { n = 1, nModified = 0, upserted = { { index = 0, _id = 9 } } })
    local result = products:update_one({ a = 1 }, { ["$set"] = { b = 2 } })
    expect(result.matched_count):to_be(1)
    expect(result.modified_count):to_be(1)
    expect(fake.last()):to_be('{"update":"products","updates":[{"q":{"a":1},"u":{"$set":{"b":2}}}]}')
    expect(products:update_many({}, { ["$inc"] = { n = 1 } }).matched_count):to_be(5)
    has(fake.last(), '"multi":true')
    result = products:replace_one({ _id = 9 }, { x = 1 }, { upsert = true, comment = "why" })
    expect(result.upserted_id):to_be(9)
    expect(result.matched_count):to_be(0)
    has(fake.last(), '"upsert":true}],"comment":"why"}')
  end)
  it("take pipelines and array filters", function()
    fake.expect { n = 1, nModified = 1 }
    products:update_one({}, { { ["$set"] = { a = 1 } } }, { array_filters = { { x = 1 } } })
    has(fake.last(), '"u":[{"$set":{"a":1}}],"arrayFilters":[{"x":1}]')
  end)
  it("tell updates from replacements", function()
    has(caught(products.update_one, products, {}, { a = 1 }), "the update has no operator")
    has(caught(products.update_one, products, {}, {}), "the update has no operator")
    has(caught(products.update_one, products, {}), "the update must be a document")
    has(caught(products.replace_one, products, {}, { ["$set"] = {} }), "has the operator $set")
    has(caught(products.update_one, products, {}, { ["$set"] = { f = print } }),
      "update_one: update.$set.f: a function cannot")
    has(caught(products.update_one, products, { f = print }, { ["$set"] = {} }),
      "update_one: filter.f: a function cannot")
  end)
  it("delete what matches, and need a filter", function()
    fake.expect({ n = 1 }, { n = 3 })
    expect(products:delete_one({ a = 1 }).deleted_count):to_be(1)
    expect(fake.last()):to_be('{"delete":"products","deletes":[{"q":{"a":1},"limit":1}]}')
    expect(products:delete_many({}).deleted_count):to_be(3)
    has(fake.last(), '"limit":0')
    has(caught(products.delete_many, products), "write {} to mean every document")
  end)
end)

describe("find and modify", function()
  it("gives the document before or after", function()
    fake.expect({ value = { n = 1 } }, { value = { n = 2 } }, { value = bson.null })
    expect(products:find_one_and_update({}, { ["$inc"] = { n = 1 } }).n):to_be(1)
    expect(fake.last()):to_be('{"findAndModify":"products","query":{},"update":{"$inc":{"n":1}}}')
    local after = products:find_one_and_replace({}, { n = 2 },
      { returns = "after", sort = { n = 1 }, projection = { "n" } })
    expect(after.n):to_be(2)
    has(fake.last(), '"sort":{"n":1},"fields":{"n":1},"new":true}')
    expect(products:find_one_and_delete { n = 3 }):to_be(nil)
    has(fake.last(), '"remove":true')
    has(caught(products.find_one_and_update, products, {}, { ["$set"] = {} }, { returns = "x" }),
      '"before" or "after"')
    expect(fake.sent[1].kind):to_be("write")
  end)
end)

describe("indexes and collections", function()
  it("are created with the name that the keys make", function()
    fake.expect({ ok = 1 }, { ok = 1 }, { ok = 1 })
    expect(products:create_index({ { "a", 1 }, { "b", -1 } }, { unique = true })):to_be("a_1_b_-1")
    expect(fake.last()):to_be('{"createIndexes":"products","indexes":[{"key":{"a":1,"b":-1},'
      .. '"unique":true,"name":"a_1_b_-1"}]}')
    expect(products:create_index("text", { name = "mine" })):to_be("mine")
    local names = products:create_indexes { { keys = "a" }, { keys = { b = -1 }, sparse = true } }
    expect(table.concat(names, " ")):to_be("a_1 b_-1")
    has(caught(products.create_index, products, { a = 1, b = 1 }), "the order of several names")
    has(caught(products.create_index, products, {}), "the keys are empty")
    has(caught(products.create_indexes, products, { { a = 1 } }), "item 1 has no keys")
  end)
  it("are dropped; a collection that is not there is no error", function()
    fake.expect({ ok = 1 }, { ok = 1 }, { error = { code = 26, message = "ns not found" } },
      { error = { code = 13, message = "not authorized" } })
    products:drop_index("a_1")
    expect(fake.last()):to_be('{"dropIndexes":"products","index":"a_1"}')
    products:drop_index { a = 1 }
    products:drop()
    expect(caught(products.drop, products).code):to_be(13)
  end)
end)
