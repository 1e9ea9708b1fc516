/** A sign of life of a benchmark that takes its time. */

/** Between two signs, in milliseconds. */
const EVERY_MS = 5_000

const began = performance.now()
let last = began

/** Says on standard error how far it is, now and then. @param how e.g. `round 5 of 25` */
export function progress(how: string): void {
  const now = performance.now()
  if (now - last < EVERY_MS) return
  last = now
  console.error(`  ${Math.round((now - began) / 1000)} s: ${how}`)
}
