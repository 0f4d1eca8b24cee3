// The independent model: what the person did, and so what must have happened. It knows the promises
// alone: each press acts exactly once, whole and in order, with the values that stood when it was
// pressed; Stop ends the action of the moment between two of its steps, and drops the presses behind.

export class Model {
  level = 0
  changes = [[]] // the values between the presses
  presses = 0
  stops = 0
  // In order. Of a segment that a Stop ended, some presses acted whole, one perhaps in part, none behind.
  segments = [{ presses: [], stopped: false }]

  /** @param {(name: string, level: number) => string[]} steps what one press leaves in the database */
  constructor(steps) { this.steps = steps }

  set(level) {
    this.level = level
    this.changes.at(-1).push(level)
  }

  press(name) {
    this.presses++
    this.changes.push([])
    this.segments.at(-1).presses.push(this.steps(name, this.level))
  }

  stop() {
    this.stops++
    this.segments.at(-1).stopped = true
    this.settle()
  }

  /** Whatever was pressed so far has acted. */
  settle() { this.segments.push({ presses: [], stopped: false }) }

  /**
   * What on_change was told: adjacent values merge, newest wins, and a press is a barrier. So between two
   * presses some values are told, in order, and the last one surely; a Stop may have cut a callback.
   */
  allowsChanges(told, at = 0, index = 0) {
    const group = this.changes[index]
    if (!group) return at === told.length
    const isLast = index === this.changes.length - 1
    for (let from = 0, count = 0; ; count++) {
      const ends = group.length === 0 || (count > 0 && told[at + count - 1] === group.at(-1))
      const isEnough = ends || (this.stops > 0 && !isLast)
      if (isEnough && this.allowsChanges(told, at + count, index + 1)) return true
      from = group.indexOf(told[at + count], from) + 1
      if (from === 0) return false
    }
  }

  /** Could this have happened? `log`: the steps found in the database, in their order. */
  allows(log) { return this.#matches(log, 0, 0) }

  #matches(log, at, index) {
    const segment = this.segments[index]
    if (!segment) return at === log.length
    if (!segment.stopped) {
      const all = segment.presses.flat()
      return isAt(log, at, all) && this.#matches(log, at + all.length, index + 1)
    }
    const whole = segment.presses.flat()
    for (let steps = whole.length; steps >= 0; steps--) {
      if (isAt(log, at, whole.slice(0, steps)) && this.#matches(log, at + steps, index + 1)) return true
    }
    return false
  }

  toString() {
    const words = ({ presses, stopped }) => presses.flat().join(' ') + (stopped ? ' (Stop)' : '')
    return this.segments.filter(({ presses }) => presses.length > 0).map(words).join(' | ')
  }
}

const isAt = (log, at, steps) => steps.every((step, i) => log[at + i] === step)

/** A small random generator: the same seed gives the same walk. (mulberry32) */
export function randomOf(seed) {
  let a = seed
  const next = () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  /** A whole number from 0 to n - 1. */
  next.below = (n) => Math.floor(next() * n)
  next.of = (list) => list[next.below(list.length)]
  return next
}
