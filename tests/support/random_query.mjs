// Random documents, and questions about them, from a seed: the same seed asks the same again.

const FIELDS = ['a', 'b', 'c']

export class Random {
  /** @param {string} seed */
  constructor(seed) {
    this.state = 2166136261
    for (const character of seed) this.state = Math.imul(this.state ^ character.charCodeAt(0), 16777619) >>> 0
    for (let i = 0; i < 8; i++) this.next()
  }

  /** mulberry32: 32 bits of state, a number of [0, 1). */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  below(n) { return Math.floor(this.next() * n) }
  chance(share) { return this.next() < share }
  pick(list) { return list[this.below(list.length)] }
  times(n, make) { return Array.from({ length: n }, (_, i) => make(i)) }

  // ---- documents ----

  number() { return this.pick([() => this.below(6) - 1, () => this.below(12) / 4])() }
  scalar() {
    return this.pick([() => this.number(), () => this.number(), () => this.number(), () => this.pick(['', 'a', 'ab', 'b', 'B']),
      () => null, () => this.chance(0.5), () => new Date(this.below(4) * 1000)])()
  }

  value(depth = 2) {
    if (depth === 0 || this.chance(0.6)) return this.scalar()
    if (this.chance(0.5)) return this.times(this.below(4), () => this.value(depth - 1))
    return this.object(depth - 1)
  }

  object(depth) {
    return Object.fromEntries(FIELDS.filter(() => this.chance(0.6)).map((name) => [name, this.value(depth)]))
  }

  documents() { return this.times(4 + this.below(12), (_id) => ({ _id, ...this.object(2) })) }
  field() { return this.pick(FIELDS) }
  path() {
    return this.pick([() => this.field(), () => this.field(), () => `${this.field()}.${this.field()}`,
      () => `${this.field()}.${this.field()}`, () => `${this.field()}.${this.below(3)}`])()
  }

  // ---- filters ----

  condition() {
    return this.pick([
      () => this.value(1), () => ({ $eq: this.value(1) }), () => ({ $ne: this.scalar() }), () => ({ $gt: this.scalar() }),
      () => ({ $gte: this.scalar(), $lt: this.scalar() }), () => ({ $lte: this.scalar() }),
      () => ({ $in: this.times(1 + this.below(6), () => this.scalar()) }), () => ({ $nin: this.times(1 + this.below(3), () => this.scalar()) }),
      () => ({ $exists: this.chance(0.5) }), () => ({ $size: this.below(4) }), () => ({ $not: { $gt: this.number() } }),
      () => ({ $all: this.times(1 + this.below(2), () => this.scalar()) }), () => ({ $mod: [2 + this.below(2), this.below(2)] }),
      () => ({ $type: this.pick(['number', 'string', 'array', 'object', 'bool', 'date', 'null']) }),
      () => ({ $elemMatch: { $gte: this.number(), $lt: 4 } }), () => ({ $elemMatch: { [this.field()]: this.scalar() } }),
      () => new RegExp(this.pick(['^a', 'b$', 'B']), this.pick(['', 'i'])),
    ])()
  }

  filter(depth = 1) {
    const plain = Object.fromEntries(this.times(1 + this.below(2), () => [this.path(), this.condition()]))
    if (depth === 0 || this.chance(0.6)) return plain
    return { [this.pick(['$and', '$or', '$nor'])]: this.times(1 + this.below(3), () => this.filter(depth - 1)) }
  }

  sort() {
    const keys = this.times(1 + this.below(2), () => [this.path(), this.pick([1, -1])])
    return Object.fromEntries([...keys, ['_id', 1]])
  }

  // ---- projections ----

  projection() {
    const including = this.chance(0.5)
    const fields = [...new Set(this.times(1 + this.below(2), () => this.path()))]
    const shown = Object.fromEntries(fields.map((path) => [path, including ? 1 : 0]))
    return this.chance(0.3) ? { ...shown, _id: 0 } : shown
  }

  // ---- updates ----

  update() {
    const path = this.path()
    return this.pick([
      () => ({ $set: { [path]: this.value(1) } }), () => ({ $unset: { [path]: '' } }), () => ({ $inc: { [path]: this.number() } }),
      () => ({ $mul: { [path]: this.number() } }), () => ({ $min: { [path]: this.scalar() } }), () => ({ $max: { [path]: this.scalar() } }),
      () => ({ $push: { [path]: this.value(1) } }), () => ({ $pull: { [path]: this.scalar() } }), () => ({ $addToSet: { [path]: this.scalar() } }),
      () => ({ $push: { [path]: { $each: this.times(3, () => this.number()), $sort: this.pick([1, -1]), $slice: this.below(7) - 3 } } }),
      () => ({ $pop: { [path]: this.pick([1, -1]) } }), () => ({ $rename: { [this.field()]: 'd' } }),
      () => ({ $set: { [path]: this.scalar() }, $inc: { e: 1 } }),
    ])()
  }

  // ---- pipelines ----

  expression(depth = 2) {
    if (depth === 0 || this.chance(0.3)) return this.pick([() => `$${this.path()}`, () => `$${this.field()}`, () => this.number()])()
    const [one, other] = [this.expression(depth - 1), this.expression(depth - 1)]
    return this.pick([
      () => ({ $eq: [one, other] }), () => ({ $gt: [one, other] }), () => ({ $cmp: [one, other] }), () => ({ $ifNull: [one, other] }),
      () => ({ $cond: [one, other, 'no'] }), () => ({ $and: [one, other] }), () => ({ $not: [one] }), () => ({ $isArray: [one] }),
      () => ({ $type: one }), () => ({ $add: [{ $cond: [{ $isNumber: one }, one, 0] }, 1] }), () => ({ $isNumber: one }),
      () => ({ $cond: [{ $isArray: [one] }, { $size: { $ifNull: [one, []] } }, -1] }), () => [one, other],
    ])()
  }

  accumulator() {
    const path = `$${this.path()}`
    return this.pick([() => ({ $sum: path }), () => ({ $sum: 1 }), () => ({ $avg: path }), () => ({ $min: path }), () => ({ $max: path }),
      () => ({ $first: path }), () => ({ $last: path }), () => ({ $push: path })])()
  }

  stage() {
    return this.pick([
      () => ({ $match: this.filter() }), () => ({ $addFields: { x: this.expression() } }), () => ({ $project: { y: [this.expression()] } }),
      () => ({ $unset: this.field() }), () => ({ $skip: this.below(3) }), () => ({ $limit: 1 + this.below(9) }),
      () => ({ $unwind: { path: `$${this.path()}`, preserveNullAndEmptyArrays: this.chance(0.5) } }),
    ])()
  }

  pipeline() {
    const stages = [{ $sort: this.sort() }, ...this.times(1 + this.below(2), () => this.stage())]
    if (this.chance(0.3)) stages.push({ $group: { _id: `$${this.path()}`, v: this.accumulator(), w: this.accumulator() } })
    return stages
  }
}
