// Never a silent wrong answer: what the store lacks it refuses, with the server's code and a sentence.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { Store, Wire, failure, Decimal128, Double, Int32, Long } from '../support/store.mjs'

let store, client, db, items

before(async () => {
  store = await Store.start()
  client = await store.connect()
  db = client.db('shop')
  items = db.collection('items')
  await items.insertMany([
    { _id: 1, n: 1, text: 'Abc', list: [1, 2], price: Decimal128.fromString('7') }, { _id: 2, n: 2, text: 'xbc', list: [{ x: 1 }] }, { _id: 3 },
  ])
})
after(async () => assert.equal(await store.stop(), 0))

/** Each of them must end with that code and those words. */
async function refuses(code, words, attempts) {
  for (const [name, attempt] of Object.entries(attempts)) {
    const error = await failure(typeof attempt === 'function' ? attempt() : db.command(attempt)).catch(() => assert.fail(`${name} was taken`))
    assert.equal(error.code, code, `${name}: ${error.message}`)
    assert.match(error.message, words, name)
  }
}

const wayOut = /works on MongoDB, not in the built-in store.*--database/
const named = (names, make) => Object.fromEntries(names.trim().split(/\s+/).map((name) => [name, make(name)]))
const find = (filter, options) => () => items.find(filter, options).toArray()
const aggregate = (...stages) => () => items.aggregate(stages).toArray()
const update = (change, options) => () => items.updateOne({ _id: 1 }, change, options)

test('commands that MongoDB has name the way out, others are unknown', async () => {
  await refuses(115, wayOut, named(`mapReduce replSetInitiate createUser usersInfo saslStart commitTransaction abortTransaction
    validate compact reIndex collMod convertToCapped bulkWrite fsync profile killOp`, (name) => ({ [name]: 'items' })))
  await refuses(59, /no such command/, named('sing finds', (name) => ({ [name]: 1 })))
})

test('stages, accumulators and expressions that MongoDB has name the way out, others are unknown', async () => {
  await refuses(115, wayOut, named(`$facet $bucket $bucketAuto $lookup $unionWith $merge $out $setWindowFields $graphLookup $densify
    $fill $changeStream $documents $redact $indexStats $collStats $currentOp $geoNear $search`, (name) => aggregate({ [name]: {} })))
  await refuses(115, wayOut, named('$top $topN $bottom $bottomN $firstN $lastN $maxN $minN $percentile $median $accumulator',
    (name) => aggregate({ $group: { _id: 1, x: { [name]: {} } } })))
  await refuses(115, wayOut, named(`$sin $cos $tan $zip $regexFind $regexFindAll $setField $unsetField $sortArray $bsonSize $binarySize
    $function $meta $tsSecond $sampleRate`, (name) => aggregate({ $project: { x: { [name]: 1 } } })))
  await refuses(40324, /Unrecognized pipeline stage/, { stage: aggregate({ $nope: 1 }) })
  await refuses(15952, /unknown group operator/, { accumulator: aggregate({ $group: { _id: 1, x: { $nope: 1 } } }) })
  await refuses(168, /Unrecognized expression/, { expression: aggregate({ $project: { x: { $nope: 1 } } }) })
})

test('operators of filters and updates that MongoDB has name the way out, others are unknown', async () => {
  await refuses(115, wayOut, {
    ...named('$bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear $geoWithin $geoIntersects $near $nearSphere', (name) => find({ n: { [name]: 1 } })),
    ...named('$where $text $jsonSchema $sampleRate', (name) => find({ [name]: 1 })),
    bit: update({ $bit: { n: { and: 1 } } }),
    'a $mod of a decimal': find({ price: { $mod: [2, 1] } }),
    'sums of decimals': aggregate({ $group: { _id: 1, x: { $sum: '$price' } } }),
    'a decimal increased': update({ $inc: { price: 1 } }),
    'a place as a time zone': aggregate({ $project: { x: { $hour: { date: new Date(), timezone: 'Europe/Berlin' } } } }),
    'a format of a date': aggregate({ $project: { x: { $dateFromString: { dateString: 'x', format: '%Y' } } } }),
  })
  await refuses(2, /unknown operator: \$nope/, { operator: find({ n: { $nope: 1 } }) })
  await refuses(2, /unknown top level operator/, { top: find({ $nope: 1 }) })
  await refuses(9, /Unknown modifier/, { modifier: update({ $nope: { n: 1 } }) })
  await refuses(9, /identifier/, { 'a filter about two': update({ $set: { 'list.$[x]': 9 } }, { arrayFilters: [{ x: 1, y: 2 }] }) })
  assert.deepEqual(await items.findOne({ _id: 1 }, { projection: { list: 1 } }), { _id: 1, list: [1, 2] })
})

test('options that would change the answer are refused', async () => {
  await refuses(115, wayOut, {
    ...named('tailable awaitData returnKey showRecordId oplogReplay', (name) => ({ find: 'items', [name]: true })),
    ...named('min max', (name) => ({ find: 'items', [name]: { n: 1 } })),
    ...named('find aggregate count distinct findAndModify create', (name) => ({ [name]: 'items', collation: { locale: 'de' } })),
    ...named('capped validator viewOn timeseries clusteredIndex expireAfterSeconds size max pipeline', (name) => ({ create: 'made', [name]: name === 'pipeline' ? [{}] : 1 })),
    'a snapshot': { find: 'items', readConcern: { level: 'snapshot' } },
    'a transaction': async () => client.withSession((session) => session.withTransaction(() => items.insertOne({}, { session }))),
  })
  await refuses(9, /readConcern/, { level: { find: 'items', readConcern: { level: 'nope' } } })
  await refuses(322, /API/, { version: { ping: 1, apiVersion: '2' } })
  await refuses(79, /write concern/i, { mode: { insert: 'items', documents: [{}], writeConcern: { w: 'nope' } } })
  assert.deepEqual((await db.listCollections().toArray()).map(({ name }) => name), ['items'])
})

test('options that are unknown are refused, in a statement of a batch too', async () => {
  const commands = {
    find: {}, getMore: { collection: 'items' }, killCursors: { cursors: [] }, count: {}, distinct: { key: 'n' },
    aggregate: { pipeline: [], cursor: {} }, insert: { documents: [{}] }, update: { updates: [] }, delete: { deletes: [] },
    findAndModify: { remove: true }, create: {}, drop: {}, createIndexes: { indexes: [] }, listIndexes: {}, dropIndexes: { index: 'x' },
    listCollections: {}, renameCollection: { to: 'shop.x' }, explain: {}, endSessions: {}, killSessions: {},
  }
  await refuses(40415, /unknown field/, Object.fromEntries(Object.entries(commands).map(([name, rest]) => [name, { [name]: 'items', ...rest, sideways: 1 }])))
  for (const command of [
    { update: 'items', updates: [{ q: {}, u: { $set: { n: 1 } }, sideways: 1 }] }, { delete: 'items', deletes: [{ q: {}, limit: 0, sideways: 1 }] },
  ]) {
    const { n, writeErrors } = await db.command(command)
    assert.deepEqual([n, writeErrors[0].code], [0, 40415])
  }
  await refuses(40415, /unknown field/, { index: { createIndexes: 'items', indexes: [{ key: { n: 1 }, name: 'n', sideways: 1 }] } })
  assert.equal(await items.countDocuments(), 3)
})

test('an index is found by its pattern whatever the type of its numbers, and not made twice', async () => {
  await items.createIndex({ n: new Int32(1), text: new Int32(-1) })
  await items.createIndex({ n: new Double(1), text: Long.fromNumber(-1) })
  assert.deepEqual((await items.indexes()).map(({ name }) => name), ['_id_', 'n_1_text_-1'])
  assert.equal((await items.find({ n: 2 }, { hint: { n: new Double(1), text: new Double(-1) } }).toArray()).length, 1)
  await refuses(67, wayOut, { wildcard: () => items.createIndex({ '$**': 1 }), ...named('text 2d 2dsphere hashed', (name) => () => items.createIndex({ n: name })) })
})

test('a hint that could leave documents out is refused', async () => {
  await items.createIndex({ price: 1 }, { partialFilterExpression: { n: { $gt: 1 } } })
  await items.createIndex({ list: 1 }, { hidden: true })
  await refuses(2, /hint/, {
    partial: find({}, { hint: 'price_1' }), hidden: find({}, { hint: 'list_1' }), unknown: find({}, { hint: 'nope' }),
    count: { count: 'items', hint: 'nope' }, 'a count of all': { count: 'items', hint: { nope: 1 } },
  })
  await refuses(67, /partial/, { expression: () => items.createIndex({ x: 1 }, { partialFilterExpression: { $expr: true } }) })
})

test('an explain of what is refused is refused', async () => {
  const explain = (command) => ({ explain: command })
  await refuses(59, /unknown command/, { command: explain({ sing: 'items' }) })
  await refuses(2, /unknown operator/, { filter: explain({ find: 'items', filter: { n: { $nope: 1 } } }) })
  await refuses(115, wayOut, { stage: explain({ aggregate: 'items', pipeline: [{ $lookup: {} }], cursor: {} }) })
})

test('a list of documents beside the body is known and not there twice', async () => {
  const wire = new Wire(store)
  const section = (name) => [name, [{ _id: 99 }]]
  assert.equal((await failure(wire.command({ find: 'items', $db: 'shop' }, [section('documents')]))).code, 40415)
  assert.equal((await failure(wire.command({ insert: 'items', documents: [{ _id: 98 }], $db: 'shop' }, [section('documents')]))).code, 40415)
  assert.equal(await failure(wire.command({ insert: 'items', $db: 'shop' }, [section('documents'), section('documents')])), wire.lost)
  assert.equal((await wire.command({ insert: 'items', $db: 'shop' }, [section('documents')])).n, 1)
  assert.equal((await items.deleteOne({ _id: 99 })).deletedCount, 1)
  wire.close()
})

test('sizes are told in the scale asked for', async () => {
  const [plain, scaled] = [await db.command({ dbStats: 1 }), await db.command({ dbStats: 1, scale: 2 })]
  assert.deepEqual([scaled.dataSize, scaled.scaleFactor], [plain.dataSize / 2, 2])
  const [all, half] = [await db.command({ collStats: 'items' }), await db.command({ collStats: 'items', scale: 2 })]
  assert.equal(half.size, Math.floor(all.size / 2))
})

test('regular expressions are those of PCRE2', async () => {
  const ids = async (filter) => (await items.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)
  assert.deepEqual(await ids({ text: /^a.c$/i }), [1])
  assert.deepEqual(await ids({ text: { $regex: '^a', $options: 'i' } }), [1])
  assert.deepEqual(await ids({ text: { $in: [/^x/, 5] } }), [2])
  assert.deepEqual(await ids({ text: { $not: /^A/ } }), [2, 3])
  assert.deepEqual(await ids({ text: /(?<=x)b/ }), [2])
  assert.deepEqual(await ids({ $expr: { $regexMatch: { input: '$text', regex: '^x' } } }), [2])
  await items.updateOne({ _id: 3 }, { $set: { text: 'ab'.repeat(100000) } })
  assert.deepEqual(await ids({ text: /^(?:a|b)*$/ }), [3])
  await items.updateOne({ _id: 3 }, { $unset: { text: 1 } })
  await refuses(51091, /regular expression is invalid/, { open: find({ text: { $regex: '(' } }) })
  await refuses(51156, /too much work/, { backtracking: find({ $expr: { $regexMatch: { input: 'a'.repeat(60), regex: '(a|aa)+[0-9]' } } }) })
})

test('an expression in a filter sees the document as a whole', async () => {
  const ids = async (expression) => (await items.find({ $expr: expression }).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)
  assert.deepEqual(await ids({ $eq: [['$$ROOT'], [{ _id: 3 }]] }), [3])
  assert.deepEqual(await ids({ $in: ['$$ROOT', [{ _id: 3 }]] }), [3])
  assert.deepEqual(await ids({ $eq: [{ $size: { $objectToArray: '$$CURRENT' } }, 4] }), [2])
})

test('a find goes in the order of storing when $natural says so', async () => {
  const ids = async (sort) => (await items.find().sort(sort).toArray()).map(({ _id }) => _id)
  assert.deepEqual(await ids({ $natural: 1 }), [1, 2, 3])
  assert.deepEqual(await ids({ $natural: -1 }), [3, 2, 1])
})
