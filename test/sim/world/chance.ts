/** Chance that one number decides: the same seed draws the same. */
export interface Chance {
  /** From 0 to 1, 1 excluded. */
  next(): number
  /** A whole number from 0 to `below`, excluded. */
  int(below: number): number
  /** True once in `1 / probability` times. */
  once(probability: number): boolean
  pick<T>(from: readonly T[]): T
  /** Between the two. */
  between(from: number, to: number): number
  hex(digits: number): string
  /** Chance of its own, so that one draw more there changes nothing here. */
  fork(): Chance
}

/** Source: mulberry32, by Tommy Ettinger (public domain). */
export function chanceOf(seed: number): Chance {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    int: below => Math.floor(next() * below),
    once: probability => next() < probability,
    pick: from => from[Math.floor(next() * from.length)]!,
    between: (from, to) => from + next() * (to - from),
    hex: digits => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join(''),
    fork: () => chanceOf(Math.floor(next() * 2 ** 32))
  }
}
