/** The lattice of outcomes: false < possible < true. AND is the least, OR the greatest, NOT turns it over. */
import type { Outcome } from './result.ts'

const rank: Readonly<Record<Outcome, number>> = { false: 0, possible: 1, true: 2 }

/** False dominates, then possible. */
export function and(a: Outcome, b: Outcome): Outcome {
  return rank[a] <= rank[b] ? a : b
}

/** True dominates, then possible. */
export function or(a: Outcome, b: Outcome): Outcome {
  return rank[a] >= rank[b] ? a : b
}

/** Possible stays possible. */
export function not(a: Outcome): Outcome {
  if (a === 'possible') return a
  return a === 'true' ? 'false' : 'true'
}

/** All of them: true when there are none. */
export function all(outcomes: Iterable<Outcome>): Outcome {
  let result: Outcome = 'true'
  for (const outcome of outcomes) result = and(result, outcome)
  return result
}
