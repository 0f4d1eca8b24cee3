// Every operation of the database from a script, each with its options, and every type of BSON, through
// the real binary, the driver and the built-in store. A case is a piece of Lua and what it gives; it
// has a collection of its own, `c`, with four documents in it.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { Moonlit } from '../support/moonlit.mjs'
import { Page } from '../support/page.mjs'

const head = `
local ui = require "moonlit"
local mongo = require "moonlit.mongo"
local bson = require "moonlit.bson"
local db = mongo.database "shop"
local c
local function names(cursor) local all = {} for d in cursor do all[#all + 1] = d.name end return table.concat(all, " ") end
local function all(options) return names(c:find({}, options or { sort = { n = 1 } })) end
local function case(number, f)
  c = db:collection("case" .. number)
  c:insert_many { { _id = 1, n = 1, name = "ant", tag = "a" }, { _id = 2, n = 2, name = "bee", tag = "b" },
    { _id = 3, n = 3, name = "cat", tag = "b" }, { _id = 4, n = 4, name = "dog" } }
  local ok, got = pcall(f)
  local code = not ok and type(got) == "table" and (got.code_name or "") .. " " .. (got.code or "") .. ": " or ""
  ui.text(ok and tostring(got) or "error " .. code .. tostring(got))
end
`

const reads = {
  'find is a lazy cursor and an iterator': ['return names(c:find { n = { ["$gt"] = 2 } })', 'cat dog'],
  'find sends nothing before it is gone over': ['local cursor = c:find {} c:insert_one { name = "eel" } return names(cursor)', 'ant bee cat dog eel'],
  'find:list gives a list': ['local list = c:find({}, { sort = { n = -1 } }):list() return #list .. list[1].name .. list[4].name', '4dogant'],
  'find with sort, skip and limit': ['return names(c:find({}, { sort = { n = -1 }, skip = 1, limit = 2 }))', 'cat bee'],
  'find with a sort of two names': ['return names(c:find({}, { sort = { { "tag", -1 }, { "n", -1 } } }))', 'cat bee ant dog'],
  'find with a projection as a document': ['return tostring(c:find({ n = 1 }, { projection = { _id = 0, n = 1 } }):next())', '{ "n" : 1 }'],
  'find with a projection as names': ['return tostring(c:find({ n = 1 }, { projection = { "n" } }):next())', '{ "_id" : 1, "n" : 1 }'],
  'find with names and without the _id': ['return tostring(c:find_one({ n = 1 }, { projection = { "n", _id = 0 } }))', '{ "n" : 1 }'],
  'find in batches of one': ['return names(c:find({}, { batch_size = 1, sort = { n = 1 } }))', 'ant bee cat dog'],
  'ipairs and pairs go over a cursor': ['local s = "" for i, d in ipairs(c:find({}, { sort = { n = 1 }, batch_size = 2 })) do s = s .. i .. d.name end for i, d in pairs(c:find { n = 4 }) do s = s .. i .. d.name end return s', '1ant2bee3cat4dog1dog'],
  'a cursor that is closed gives no more': ['local cursor = c:find({}, { batch_size = 1 }) cursor:next() cursor:close() return tostring(cursor:next())', 'nil'],
  'find with hint, comment, let, max_time and read_concern': ['return names(c:find({ n = 2 }, { hint = "_id_", comment = "why", let = { x = 1 }, max_time = 5, read_concern = { level = "local" } }))', 'bee'],
  'find_one gives a document': ['return c:find_one({ tag = "b" }, { sort = { n = -1 } }).name', 'cat'],
  'find_one gives nil when there is none': ['return tostring(c:find_one { n = 9 })', 'nil'],
  'find_one with skip and projection': ['return tostring(c:find_one({}, { sort = { n = 1 }, skip = 2, projection = { _id = 0, name = 1 } }))', '{ "name" : "cat" }'],
  'count_documents counts what matches': ['return c:count_documents() .. c:count_documents { tag = "b" } .. c:count_documents { n = 9 }', '420'],
  'count_documents with skip and limit': ['return c:count_documents({}, { skip = 1, limit = 2 }) .. c:count_documents({}, { skip = 3 })', '21'],
  'estimated_document_count': ['return c:estimated_document_count()', '4'],
  'distinct': ['local list = c:distinct "tag" return #list .. list[1] .. list[2] .. #c:distinct("tag", { n = 1 })', '2ab1'],
  'aggregate is a lazy cursor': ['return names(c:aggregate { { ["$match"] = { tag = "b" } }, { ["$sort"] = { n = -1 } } })', 'cat bee'],
  'aggregate in batches of one': ['return names(c:aggregate({ { ["$sort"] = { n = 1 } } }, { batch_size = 1, max_time = 5, comment = "why" }))', 'ant bee cat dog'],
  'aggregate groups': ['return c:aggregate({ { ["$group"] = { _id = bson.null, sum = { ["$sum"] = "$n" } } } }):next().sum', '10'],
  'command reads': ['return tostring(db:command { ping = 1 })', '{ "ok" : 1.0 }'],
  'command with several fields': ['return db:command({ { "count", c:name() }, { "query", { tag = "b" } } }, { kind = "read", max_time = 5 }).n', '2'],
}

const writes = {
  'insert_one tells the id that it made': ['local id = c:insert_one({ name = "eel" }).inserted_id return bson.type(id) .. c:find_one({ _id = id }).name', 'objectIdeel'],
  'insert_one keeps an id': ['return c:insert_one({ _id = "e", name = "eel" }, { comment = "why" }).inserted_id', 'e'],
  'insert_many tells ids and their number': ['local r = c:insert_many { { _id = 5, name = "eel" }, { name = "fox" } } return r.inserted_count .. r.inserted_ids[1] .. bson.type(r.inserted_ids[2]) .. all { skip = 4 }', '25objectIdeel fox'],
  'insert_many stops at an error, or goes on': [`
    local _, err = pcall(c.insert_many, c, { { _id = 5 }, { _id = 1 }, { _id = 6 } })
    local _, other = pcall(c.insert_many, c, { { _id = 7 }, { _id = 1 }, { _id = 8 } }, { ordered = false })
    return err.result.inserted_count .. err.write_errors[1].index .. other.result.inserted_count .. c:count_documents()`, '1227'],
  'update_one changes one': ['local r = c:update_one({ tag = "b" }, { ["$set"] = { x = 1 } }) return r.matched_count .. r.modified_count .. tostring(r.upserted_id) .. c:count_documents { x = 1 }', '11nil1'],
  'update_one with upsert': ['local r = c:update_one({ _id = 9 }, { ["$inc"] = { n = 9 } }, { upsert = true }) return r.matched_count .. r.modified_count .. r.upserted_id .. c:find_one({ _id = 9 }).n', '0099'],
  'update_one with a pipeline': ['c:update_one({ _id = 1 }, { { ["$set"] = { n = { ["$add"] = { "$n", 41 } } } } }) return c:find_one({ _id = 1 }).n', '42'],
  'update_many changes all': ['local r = c:update_many({ tag = "b" }, { ["$unset"] = { tag = 1 } }, { comment = "why" }) return r.matched_count .. r.modified_count .. c:count_documents { tag = { ["$exists"] = true } }', '221'],
  'push with each and sort': ['c:update_one({ _id = 1 }, { ["$push"] = { l = { ["$each"] = { 3, 1, 2 } } } }) c:update_one({ _id = 1 }, { ["$pull"] = { l = 1 } }) return tostring(c:find_one({ _id = 1 }).l)', '[ 3, 2 ]'],
  'setOnInsert': ['c:update_one({ _id = 9 }, { ["$setOnInsert"] = { name = "new" } }, { upsert = true }) c:update_one({ _id = 9 }, { ["$setOnInsert"] = { name = "old" }, ["$set"] = { x = 1 } }, { upsert = true }) return c:find_one({ _id = 9 }).name', 'new'],
  'replace_one puts a document in the place': ['local r = c:replace_one({ _id = 1 }, { name = "ape" }) return r.matched_count .. r.modified_count .. tostring(c:find_one { _id = 1 })', '11{ "_id" : 1, "name" : "ape" }'],
  'replace_one with upsert': ['return c:replace_one({ _id = 9 }, { name = "new" }, { upsert = true }).upserted_id', '9'],
  'delete_one': ['return c:delete_one({ tag = "b" }).deleted_count .. " " .. all()', '1 ant cat dog'],
  'delete_many': ['return c:delete_many({ tag = "b" }, { comment = "why" }).deleted_count .. " " .. all()', '2 ant dog'],
  'delete_many of everything': ['return c:delete_many({}).deleted_count .. c:count_documents()', '40'],
  'find_one_and_update gives the old or the new': [`
    local old = c:find_one_and_update({ _id = 1 }, { ["$inc"] = { n = 10 } })
    local new = c:find_one_and_update({ tag = "b" }, { ["$inc"] = { n = 10 } }, { returns = "after", sort = { n = -1 }, projection = { n = 1, _id = 0 } })
    return old.n .. tostring(new)`, '1{ "n" : 13 }'],
  'find_one_and_update with upsert, and of nothing': ['return c:find_one_and_update({ _id = 9 }, { ["$set"] = { n = 9 } }, { upsert = true, returns = "after" }).n .. tostring(c:find_one_and_update({ _id = 10 }, { ["$set"] = { n = 9 } }))', '9nil'],
  'find_one_and_replace': ['return c:find_one_and_replace({ _id = 1 }, { name = "ape" }).name .. c:find_one({ _id = 1 }).name', 'antape'],
  'find_one_and_delete': ['return c:find_one_and_delete({ tag = "b" }, { sort = { n = -1 } }).name .. " " .. all()', 'cat ant bee dog'],
  'unacknowledged writes': ['c:insert_one({ _id = 9 }, { write_concern = { w = 0 } }) c:insert_many({ { _id = 10 } }, { write_concern = { w = 0 } }) c:update_one({ _id = 9 }, { ["$set"] = { x = 1 } }, { write_concern = { w = 0 } }) c:delete_one({ _id = 10 }, { write_concern = { w = 0 } }) return c:count_documents()', '5'],
  'command writes': ['return db:command({ { "insert", c:name() }, { "documents", { { _id = 9 } } } }).n .. c:count_documents()', '15'],
  'aggregate with $out is refused in words': ['c:aggregate { { ["$out"] = "copy" } } return "done"', /CommandNotSupported|\$out/],
  'indexes are created, listed, enforced and dropped': [`
    local name = c:create_index({ { "tag", 1 }, { "n", -1 } }, { unique = true })
    local list = {}
    for index in c:list_indexes() do list[#list + 1] = index.name end
    local _, err = pcall(c.insert_one, c, { tag = "a", n = 1 })
    c:drop_index(name)
    c:insert_one { tag = "a", n = 1 }
    return table.concat(list, " ") .. " " .. err.code_name .. " " .. #c:list_indexes():list()`, '_id_ tag_1_n_-1 DuplicateKey 1'],
  'collections are listed and dropped': ['c:drop() c:drop() for _, name in ipairs(db:collection_names()) do if name == c:name() then return "there" end end return c:count_documents()', '0'],
}

const types = `
local values = {
  int32 = 3, least32 = -2147483648, most32 = 2147483647, beyond32 = 2147483648, beyond53 = bson.int64 "9007199254740993",
  least64 = bson.int64 "-9223372036854775808", most64 = bson.int64 "9223372036854775807", wide = bson.int64(5), three = bson.double(3),
  fraction = 3.25, infinite = 1/0, negative_zero = bson.double(-0.0), decimal = bson.decimal "1.10", oid = bson.oid "65a1b2c3d4e5f60718293a4b",
  date = bson.date(-1), binary = bson.binary("\\0\\1\\255", 128), old_binary = bson.binary("abc", 2), uuid = bson.uuid "00112233-4455-6677-8899-aabbccddeeff",
  null = bson.null, undefined = bson.undefined, array = bson.array {}, document = {}, regex = bson.regex("^a", "xi"), timestamp = bson.timestamp(4294967295, 7),
  minkey = bson.minkey, maxkey = bson.maxkey, code = bson.code "f()", scoped = bson.code("f()", { a = 1 }), symbol = bson.symbol "s",
  pointer = bson.dbpointer("c", bson.oid "65a1b2c3d4e5f60718293a4b"), yes = true, no = false, text = "ü\\0x", empty = "",
  nested = { { a = { 1, { b = bson.null } } } }, order = bson.doc { { "z", 1 }, { "a", 2 }, { "m", 3 } },
}
local kinds = { int32 = "int", beyond32 = "long", beyond53 = "long", wide = "long", three = "double", fraction = "double", decimal = "decimal", array = "array", document = "object" }
`

const documents = {
  'every type comes back as the bytes that were written': [`${types}
    local wrong = {}
    for name, value in pairs(values) do
      c:insert_one { _id = name, v = value }
      local back = c:find_one { _id = name }
      if bson.bytes(back) ~= bson.bytes(bson.doc { { "_id", name }, { "v", value } }) then wrong[#wrong + 1] = name end
      if kinds[name] and bson.type(back, "v") ~= kinds[name] then wrong[#wrong + 1] = name .. " is " .. bson.type(back, "v") end
    end
    return "wrong: " .. table.concat(wrong, " ")`, 'wrong: '],
  'a view written back is the same bytes': [`${types}
    c:insert_one { _id = "all", v = values }
    local view = c:find_one({ _id = "all" }).v
    c:insert_one { _id = "again", v = view }
    return tostring(bson.bytes(c:find_one({ _id = "again" }).v) == bson.bytes(view))`, 'true'],
  'fields keep their order': ['c:insert_one(bson.doc { { "_id", 9 }, { "z", 1 }, { "a", 2 }, { "m", 3 } }) return table.concat(bson.keys(c:find_one { _id = 9 }), " ")', '_id z a m'],
  'whole numbers beyond 2^53 are exact': ['c:insert_one { _id = 9, n = bson.int64 "9007199254740993" } return tostring(c:find_one({ _id = 9 }).n) .. tostring(c:find_one { n = bson.int64 "9007199254740992" })', '9007199254740993LLnil'],
  'a number of the database that is computed with is a number': ['return (c:find_one({ _id = 3 }).n + 0.5) * 2', '7'],
}

const refusals = {
  'a text where an id is wanted': ['c:find_one "x"', /filter must be a table/],
  'a key that the server has': ['c:insert_one { _id = 1 }', /^error DuplicateKey 11000: .*app\.lua:\d+: E11000/],
  'an operator that does not exist': ['c:find_one { n = { ["$near_by"] = 1 } }', /^error BadValue 2: .*\$near_by/],
  'a command that does not exist': ['db:command { nosuch = 1 }', /^error CommandNotFound 59:/],
  'a name with a NUL byte': ['c:insert_one { ["a\\0b"] = 1 }', /insert_one: the document: .*the name of a field cannot contain a NUL byte/],
  'a table too deep': ['local deep = {} for i = 1, 150 do deep = { a = deep } end c:insert_one(deep)', /nested deeper than 100 levels/],
  'a table that contains itself': ['local ring = {} ring.ring = ring c:insert_one(ring)', /insert_one: the document: ring: the table contains itself/],
  'a filter that contains itself': ['local ring = {} ring.ring = ring c:find_one(ring)', /filter\.ring: the table contains itself/],
  'a document of 17 MiB': ['c:insert_one { text = ("x"):rep(17 * 1024 * 1024) }', /insert_one: the document: the document would be larger than 16 MiB/],
  'a document that an update makes larger than 16 MiB': ['c:update_one({ _id = 1 }, { ["$set"] = { a = ("x"):rep(9 * 1024 * 1024) } }) c:update_one({ _id = 1 }, { ["$set"] = { b = ("x"):rep(9 * 1024 * 1024) } })', /^error .*(17419|10334|larger|too large)/],
  'a text that is no UTF-8': ['c:insert_one { x = "\\255" }', /x: the text is not valid UTF-8; bytes are written with bson\.binary/],
  'a list with a hole': ['c:insert_one { x = { 1, nil, 3 } }', /x: the list has a hole/],
  'a list with names': ['c:insert_one { x = { 1, a = 2 } }', /x: the table mixes/],
  'a function': ['c:insert_one { x = { y = print } }', /x\.y: a function cannot be written/],
  'the length of a cursor': ['return #c:find {}', /does not know how many are to come: ask count_documents/],
  'an item of a cursor by its number': ['return c:find {}[1]', /cannot be indexed: go over it, or take cursor:list\(\)\[1\]/],
  'a misspelt method of a cursor': ['return c:find {}:lisst()', /a cursor has no method "lisst"; did you mean "list"/],
  'a method of a cursor called with a dot': ['return c:find({}).list()', /with a colon on a cursor: cursor:list\(\)/],
  'a cursor to be stored': ['c:insert_one { x = c:find {} }', /x: this cursor cannot be written as BSON/],
  'a cursor where a list is wanted': ['c:insert_many(c:find {})', /must be a list of documents, .* got a cursor/],
  'an order that a table cannot tell': ['c:find({}, { sort = { a = 1, b = 1 } })', /write sort = \{ \{"a", 1\}, \{"b", -1\} \}/],
}

const everything = Object.entries({ ...reads, ...writes, ...documents, ...refusals })
let host, texts

before(async () => {
  const script = head + everything.map(([, [code]], i) => `case(${i}, function() ${code}\nend)`).join('\n')
  host = await Moonlit.start({ script })
  const page = await Page.open(host)
  await page.settled()
  texts = page.texts()
})
after(async () => assert.equal(await host.stop(), 0, host.log))

for (const [i, [name, [, wanted]]] of everything.entries()) {
  test(name in refusals ? `refused: ${name}` : name, () => {
    if (wanted instanceof RegExp) assert.match(texts[i], wanted)
    else assert.equal(texts[i], wanted)
  })
}
