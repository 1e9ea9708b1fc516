/** Suggestions for mistyped words: elements, attributes, paths, goals, peers, commands. */

/** Farthest edit distance at which a word is still worth suggesting: a third of its length, at least 1 and at most 3 edits. */
function reach(word: string): number {
  return Math.min(3, Math.max(1, Math.floor(word.length / 3)))
}

/** The candidate nearest to `word`, or undefined when none is near. The first of equals wins. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = reach(word) + 1
  for (const candidate of candidates) {
    if (candidate === word) continue
    const distance = candidate.toLowerCase() === word.toLowerCase() ? 0 : editDistance(word, candidate, least)
    if (distance < least) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** ` (did you mean X?)`, or nothing. `show` says how X is written, e.g. with brackets. */
export function didYouMean(word: string, candidates: Iterable<string>, show = (candidate: string): string => candidate): string {
  const near = closest(word, candidates)
  return near === undefined ? '' : ` (did you mean ${show(near)}?)`
}

/**
 * Optimal string alignment distance: insertions, deletions, replacements, and swaps of neighbours count one each.
 * Gives `limit` as soon as it cannot be less.
 */
export function editDistance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = above
    above = row
  }
  return Math.min(limit, above[b.length]!)
}
