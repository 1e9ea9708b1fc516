import type { Audit, AuditEntry } from './audit.ts'

/** Denials of strangers that are written down at once after a silence, and after them one in so many milliseconds. */
export const STRANGER_LINES_AT_ONCE_MAX = 60
export const STRANGER_LINE_INTERVAL_MS = 10_000

/**
 * Writes denials of those who may do nothing here anyway: the first ones each, then one now and then that says how many it stands for.
 * Else anybody on the network could fill the log until what was written before is gone.
 * @param now epoch milliseconds
 */
export function sparingly(audit: Pick<Audit, 'record'>, now: () => number): (entry: AuditEntry) => void {
  let left = STRANGER_LINES_AT_ONCE_MAX
  let at = now()
  let unsaid = 0
  return entry => {
    const passed = Math.max(0, now() - at)
    left = Math.min(STRANGER_LINES_AT_ONCE_MAX, left + passed / STRANGER_LINE_INTERVAL_MS)
    at = now()
    if (left < 1) {
      unsaid++
      return
    }
    left--
    audit.record(unsaid === 0 ? entry : { ...entry, reason: `${entry.reason} (and ${unsaid} denials of strangers before it)` })
    unsaid = 0
  }
}
