// The query language once more, on plain values and without a thought for speed: what the store is compared
// with. Missing is undefined; a function that the server would refuse throws.

const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v) && !(v instanceof Date) && !(v instanceof RegExp)
const isIndex = (name) => /^(0|[1-9]\d*)$/.test(name)
const refuse = (words) => { throw new Error(words) }

// ---- order ----

const EMPTY_ARRAY = Symbol('an empty array, in a sort') // below null

function rank(v) {
  if (v === EMPTY_ARRAY || v === undefined) return 2
  if (v === null) return 3
  if (typeof v === 'number') return 4
  if (typeof v === 'string') return 5
  if (isObject(v)) return 6
  if (Array.isArray(v)) return 7
  return typeof v === 'boolean' ? 10 : 11
}

const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

export function compare(a, b) {
  const ranks = order(rank(a), rank(b))
  if (ranks !== 0 || rank(a) < 4) return ranks
  if (!isObject(a) && !Array.isArray(a)) return order(+a || a, +b || b)
  const [one, other] = [Object.entries(a), Object.entries(b)]
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    const result = order(rank(one[i][1]), rank(other[i][1])) || order(one[i][0], other[i][0]) || compare(one[i][1], other[i][1])
    if (result !== 0) return result
  }
  return order(one.length, other.length)
}

const equal = (a, b) => compare(a, b) === 0

// ---- filters ----

/** All that a path leads to; any element of an array that is an object may go on. */
function reach(v, parts) {
  if (parts.length === 0) return [v]
  const [name, ...rest] = parts
  if (isObject(v)) return reach(v[name], rest)
  if (!Array.isArray(v)) return [undefined]
  const at = isIndex(name) && name in v ? reach(v[name], rest) : []
  return [...at, ...v.filter(isObject).flatMap((element) => reach(element, parts))]
}

const expand = (values) => values.flatMap((v) => (Array.isArray(v) ? [v, ...v] : [v]))
const isNothing = (v) => v === undefined || v === null
const same = (wanted) => (v) => {
  if (wanted instanceof RegExp) return typeof v === 'string' && new RegExp(wanted).test(v)
  return wanted === null ? isNothing(v) : v !== undefined && equal(v, wanted)
}

const ordered = (holds, orEqual) => (wanted) => (v) => {
  if (isNothing(wanted)) return orEqual && isNothing(v)
  return rank(v) === rank(wanted) && holds(compare(v, wanted))
}

const TESTS = {
  $eq: same,
  $gt: ordered((c) => c > 0, false), $gte: ordered((c) => c >= 0, true), $lt: ordered((c) => c < 0, false), $lte: ordered((c) => c <= 0, true),
  $in: (list) => (v) => list.some((one) => same(one)(v)),
  $mod: ([by, rest]) => (v) => typeof v === 'number' && Math.trunc(v) % by === rest,
  $type: (name) => (v) => v !== undefined &&
    { number: 4, string: 5, object: 6, array: 7, bool: 10, date: 11, null: 3 }[name] === rank(v),
}
const NEGATED = { $ne: '$eq', $nin: '$in' }
const hasOperators = (condition) => isObject(condition) && Object.keys(condition)[0]?.startsWith('$')

function holds(values, operator, argument) {
  if (NEGATED[operator]) return !holds(values, NEGATED[operator], argument)
  if (operator === '$not') return !holdsAll(values, argument)
  if (operator === '$exists') return values.some((v) => v !== undefined) === argument
  if (operator === '$size') return values.some((v) => Array.isArray(v) && v.length === argument)
  if (operator === '$all') return argument.every((one) => holds(values, '$eq', one))
  if (operator === '$elemMatch') return values.some((v) => Array.isArray(v) && v.some((element) => elementMatches(element, argument)))
  return expand(values).some(TESTS[operator](argument))
}

const holdsAll = (values, condition) => (hasOperators(condition)
  ? Object.entries(condition).every(([operator, argument]) => holds(values, operator, argument))
  : holds(values, '$eq', condition))

function elementMatches(element, condition) {
  if (Array.isArray(element) && !hasOperators(condition)) return matches({ ...element }, condition)
  if (!hasOperators(condition)) return isObject(element) && matches(element, condition)
  return Object.entries(condition).every(([operator, argument]) => TESTS[operator](argument)(element))
}

export function matches(doc, filter) {
  return Object.entries(filter).every(([name, condition]) => {
    if (name === '$and') return condition.every((one) => matches(doc, one))
    if (name === '$or') return condition.some((one) => matches(doc, one))
    if (name === '$nor') return !condition.some((one) => matches(doc, one))
    return holdsAll(reach(doc, name.split('.')), condition)
  })
}

// ---- sorting ----

function sortValues(v, parts) {
  if (parts.length === 0) return Array.isArray(v) ? (v.length > 0 ? v : [EMPTY_ARRAY]) : [v ?? null]
  const [name, ...rest] = parts
  if (isObject(v)) return sortValues(v[name], rest)
  if (!Array.isArray(v) || v.length === 0) return [null]
  if (isIndex(name) && name in v) return sortValues(v[name], rest)
  return v.flatMap((element) => (isObject(element) ? sortValues(element, parts) : [null]))
}

function sortKey(doc, path, direction) {
  return sortValues(doc, path.split('.')).reduce((best, v) => (compare(v, best) === -direction ? v : best))
}

export function sort(docs, spec) {
  return [...docs].sort((a, b) => {
    for (const [path, direction] of Object.entries(spec)) {
      const result = compare(sortKey(a, path, direction), sortKey(b, path, direction)) * direction
      if (result !== 0) return result
    }
    return 0
  })
}

// ---- projections ----

function shown(v, paths, including) {
  const here = new Map()
  for (const [name, ...rest] of paths) here.set(name, [...(here.get(name) ?? []), rest])
  const child = (value, rests) => {
    if (rests.some((rest) => rest.length === 0)) return including ? value : undefined
    if (isObject(value)) return shown(value, rests, including)
    if (!Array.isArray(value)) return including ? undefined : value
    return value.map((element) => child(element, rests)).filter((element) => element !== undefined)
  }
  return Object.fromEntries(Object.entries(v).flatMap(([name, value]) => {
    const rests = here.get(name)
    const kept = rests ? child(value, rests) : including ? undefined : value
    return kept === undefined ? [] : [[name, kept]]
  }))
}

const collide = (paths) => paths.some((one) => paths.some((other) => other.startsWith(one + '.')))

export function project(doc, spec) {
  const names = Object.keys(spec).filter((name) => name !== '_id')
  if (collide(names)) refuse('two paths collide')
  const including = spec[names[0]] === 1
  const withId = including === (spec._id !== 0) ? ['_id'] : []
  return shown(doc, [...names, ...withId].map((path) => path.split('.')), including)
}

// ---- updates ----

/** The value with f(old) at the path; f may give undefined, which removes. */
function place(v, parts, f, creates) {
  if (parts.length === 0) return f(v)
  const [name, ...rest] = parts
  if (v === undefined) return creates ? place({}, parts, f, creates) : undefined
  if (Array.isArray(v)) {
    if (!isIndex(name)) return creates ? refuse('an array has no such field') : v
    const list = [...v]
    const made = place(list[name], rest, f, creates)
    if (made === undefined && !(name in list)) return v
    while (list.length < Number(name)) list.push(null)
    list[name] = made ?? null
    return list
  }
  if (!isObject(v)) return creates ? refuse('a value has no fields') : v
  const made = place(v[name], rest, f, creates)
  const copy = { ...v, [name]: made }
  if (made === undefined) delete copy[name]
  return copy
}

const numeric = (v) => (typeof v === 'number' ? v : refuse('not a number'))
const list = (v) => (v === undefined ? [] : Array.isArray(v) ? v : refuse('not an array'))
const slice = (all, n) => (n === undefined ? all : n < 0 ? all.slice(n) : all.slice(0, n))

function pushed(old, argument) {
  const isClause = isObject(argument) && '$each' in argument
  const all = [...list(old), ...(isClause ? argument.$each : [argument])]
  if (!isClause) return all
  return slice(argument.$sort ? all.sort((a, b) => compare(a, b) * argument.$sort) : all, argument.$slice)
}

const CHANGES = {
  $set: (argument) => () => argument,
  $inc: (argument) => (old) => (old === undefined ? argument : numeric(old) + argument),
  $mul: (argument) => (old) => (old === undefined ? 0 : numeric(old) * argument + 0),
  $min: (argument) => (old) => (old === undefined || compare(argument, old) < 0 ? argument : old),
  $max: (argument) => (old) => (old === undefined || compare(argument, old) > 0 ? argument : old),
  $push: (argument) => (old) => pushed(old, argument),
  $addToSet: (argument) => (old) => (list(old).some((one) => equal(one, argument)) ? old : [...list(old), argument]),
}
const REMOVALS = {
  $unset: () => () => undefined,
  $pull: (argument) => (old) => (old === undefined ? old : list(old).filter((one) => !same(argument)(one))),
  $pop: (argument) => (old) => (old === undefined ? old : argument === 1 ? list(old).slice(0, -1) : list(old).slice(1)),
}

function change(doc, operator, path, argument) {
  if (operator === '$rename') {
    const { [path]: moved, ...rest } = doc
    return moved === undefined ? doc : { ...rest, [argument]: moved }
  }
  const creates = operator in CHANGES
  return place(doc, path.split('.'), (creates ? CHANGES : REMOVALS)[operator](argument), creates)
}

export function update(doc, spec) {
  const steps = Object.entries(spec).flatMap(([operator, fields]) => Object.entries(fields).map((field) => [operator, ...field]))
  if (collide(steps.map(([, path]) => path)) || new Set(steps.map(([, path]) => path)).size < steps.length) refuse('two paths conflict')
  return steps.sort((a, b) => order(a[1], b[1])).reduce((made, step) => change(made, ...step), doc)
}

// ---- pipelines ----

function pathValue(v, parts) {
  if (parts.length === 0) return v
  if (Array.isArray(v)) return v.filter(isObject).map((element) => pathValue(element, parts)).filter((value) => value !== undefined)
  return isObject(v) ? pathValue(v[parts[0]], parts.slice(1)) : undefined
}

const truth = (v) => !isNothing(v) && v !== false && v !== 0
const typeName = (v) => ({ 2: 'missing', 3: 'null', 4: Number.isInteger(v) ? 'int' : 'double', 5: 'string', 6: 'object', 7: 'array', 10: 'bool', 11: 'date' }[rank(v)])

const FUNCTIONS = {
  $eq: (a, b) => equal(a, b), $gt: (a, b) => compare(a, b) > 0, $cmp: (a, b) => compare(a, b), $ifNull: (a, b) => (isNothing(a) ? b : a),
  $and: (...all) => all.every(truth), $not: (a) => !truth(a), $isArray: (a) => Array.isArray(a), $isNumber: (a) => typeof a === 'number',
  $type: typeName, $add: (a, b) => numeric(a) + b, $size: (a) => (Array.isArray(a) ? a.length : refuse('not an array')),
  $concatArrays: (...all) => (all.some(isNothing) ? null : all.flatMap(list)),
}

function evaluate(doc, expression) {
  if (typeof expression === 'string' && expression.startsWith('$')) return pathValue(doc, expression.slice(1).split('.'))
  if (Array.isArray(expression)) return expression.map((one) => evaluate(doc, one) ?? null)
  if (!isObject(expression)) return expression
  const [[name, argument]] = Object.entries(expression)
  const all = Array.isArray(argument) ? argument : [argument]
  if (name === '$cond') return evaluate(doc, truth(evaluate(doc, all[0])) ? all[1] : all[2])
  if (all.length !== FUNCTIONS[name].length && FUNCTIONS[name].length > 0) refuse('a wrong number of arguments')
  return FUNCTIONS[name](...all.map((one) => evaluate(doc, one)))
}

const numbers = (values) => values.filter((v) => typeof v === 'number')
const extreme = (sign) => (values) => values.filter((v) => !isNothing(v))
  .reduce((best, v) => (best === undefined || compare(v, best) === sign ? v : best), undefined) ?? null

const ACCUMULATORS = {
  $sum: (values) => numbers(values).reduce((sum, v) => sum + v, 0),
  $avg: (values) => (numbers(values).length ? ACCUMULATORS.$sum(values) / numbers(values).length : null),
  $min: extreme(-1), $max: extreme(1), $first: (values) => values[0] ?? null, $last: (values) => values.at(-1) ?? null,
  $push: (values) => values.filter((v) => v !== undefined),
}

function group(docs, { _id, ...fields }) {
  const groups = []
  for (const doc of docs) {
    const id = evaluate(doc, _id) ?? null
    let found = groups.find((one) => equal(one.id, id))
    if (!found) groups.push(found = { id, docs: [] })
    found.docs.push(doc)
  }
  return groups.map(({ id, docs }) => ({ _id: id, ...Object.fromEntries(Object.entries(fields).map(([name, spec]) => {
    const [[accumulator, expression]] = Object.entries(spec)
    return [name, ACCUMULATORS[accumulator](docs.map((doc) => evaluate(doc, expression)))]
  })) }))
}

/** The value at a path that enters no array. */
const straight = (v, parts) => (parts.length === 0 ? v : isObject(v) ? straight(v[parts[0]], parts.slice(1)) : undefined)

function unwind(doc, { path, preserveNullAndEmptyArrays: keeps }) {
  const parts = path.slice(1).split('.')
  const v = straight(doc, parts)
  if (isNothing(v)) return keeps ? [doc] : []
  if (!Array.isArray(v)) return [doc]
  if (v.length === 0) return keeps ? [place(doc, parts, () => undefined, false)] : []
  return v.map((element) => place(doc, parts, () => element, true))
}

const withField = (doc, name, v) => {
  const { [name]: _, ...rest } = doc
  return v === undefined ? rest : { ...doc, [name]: v }
}

const STAGES = {
  $match: (docs, filter) => docs.filter((doc) => matches(doc, filter)),
  $sort: (docs, spec) => sort(docs, spec),
  $skip: (docs, n) => docs.slice(n),
  $limit: (docs, n) => docs.slice(0, n),
  $unset: (docs, name) => docs.map((doc) => withField(doc, name, undefined)),
  $addFields: (docs, { x }) => docs.map((doc) => withField(doc, 'x', evaluate(doc, x))),
  $project: (docs, { y }) => docs.map((doc) => withField({ _id: doc._id }, 'y', evaluate(doc, y))),
  $unwind: (docs, spec) => docs.flatMap((doc) => unwind(doc, spec)),
  $group: group,
}

export const aggregate = (docs, pipeline) => pipeline.reduce((made, stage) => {
  const [[name, spec]] = Object.entries(stage)
  return STAGES[name](made, spec)
}, docs)
