// The store beside a second, naive implementation of the query language: random documents, filters, sorts,
// projections, updates and pipelines must give the same in both. SEED=n asks otherwise, ROUNDS=n asks more.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { Store } from '../support/store.mjs'
import { Random } from '../support/random_query.mjs'
import * as naive from '../support/naive_store.mjs'

const seed = Number(process.env.SEED ?? 20261)
const rounds = Number(process.env.ROUNDS ?? 300)
let store, db

before(async () => {
  store = await Store.start()
  db = (await store.connect()).db('oracle')
})
after(async () => assert.equal(await store.stop(), 0))

// Regular expressions are not to be lost in the words of a failure; the order of fields is to be compared.
const text = (value) => JSON.stringify(value, (_, v) => (v instanceof RegExp ? String(v) : v))

/** What one side says; that it refuses is an answer. */
async function answer(ask) {
  try {
    return text(await ask())
  } catch {
    return 'refused'
  }
}

/** Asks `rounds` questions over fresh documents, half of them with an index. */
async function compare(name, ask) {
  let answered = 0
  for (let round = 0; round < rounds; round++) {
    const random = new Random(`${seed} ${name} ${round}`)
    const documents = random.documents()
    const items = db.collection(name)
    await items.deleteMany({})
    await items.insertMany(documents)
    if (round % 20 === 10) await items.createIndex({ [random.path()]: 1 })
    if (round % 20 === 0) await items.dropIndexes()
    const { question, ours, theirs } = ask(random, items, documents)
    const [mine, other] = [await answer(ours), await answer(theirs)]
    assert.equal(mine, other, `seed ${seed}, ${name} ${round}: ${text(question)}\nof ${text(documents)}`)
    if (mine !== 'refused') answered++
  }
  assert.ok(answered > rounds / 4, `${answered} of ${rounds} were answered`)
}

test(`filters match the same documents (seed ${seed})`, () => compare('find', (random, items, documents) => {
  const filter = random.filter()
  return {
    question: filter,
    ours: () => items.find(filter).sort({ _id: 1 }).toArray(),
    theirs: () => documents.filter((doc) => naive.matches(doc, filter)),
  }
}))

test(`sorts, skips and limits give the same documents in the same order (seed ${seed})`, () => compare('sort', (random, items, documents) => {
  const [sort, skip, limit] = [random.sort(), random.below(4), 1 + random.below(9)]
  return {
    question: { sort, skip, limit },
    ours: () => items.find().sort(sort).skip(skip).limit(limit).toArray(),
    theirs: () => naive.sort(documents, sort).slice(skip, skip + limit),
  }
}))

test(`projections show the same fields (seed ${seed})`, () => compare('project', (random, items, documents) => {
  const projection = random.projection()
  return {
    question: projection,
    ours: () => items.find({}, { projection }).sort({ _id: 1 }).toArray(),
    theirs: () => documents.map((doc) => naive.project(doc, projection)),
  }
}))

test(`updates make the same documents (seed ${seed})`, () => compare('update', (random, items, documents) => {
  const [filter, change] = [random.chance(0.5) ? {} : random.filter(), random.update()]
  return {
    question: { filter, change },
    ours: async () => {
      await items.updateMany(filter, change)
      return items.find().sort({ _id: 1 }).toArray()
    },
    theirs: () => documents.map((doc) => (naive.matches(doc, filter) ? naive.update(doc, change) : doc)),
  }
}))

test(`pipelines give the same documents (seed ${seed})`, () => compare('aggregate', (random, items, documents) => {
  const pipeline = random.pipeline()
  return {
    question: pipeline,
    ours: () => items.aggregate(pipeline).toArray(),
    theirs: () => naive.aggregate(documents, pipeline),
  }
}))
