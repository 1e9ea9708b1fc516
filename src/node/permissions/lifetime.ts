/** When a permit holds. Source: ISO 8601-1, intervals and durations. */

/** Epoch milliseconds, the end not included; or a length that bounds each session, in milliseconds. */
export type Lifetime =
  | { readonly kind: 'interval'; readonly from: number; readonly until: number }
  | { readonly kind: 'duration'; readonly ms: number }

const DURATION = /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/

/** `2026-01-01T00:00:00Z/2027-01-01T00:00:00Z`, `2026-01-01/P30D` or `PT8H`; undefined when it is none of these, or ends before it begins. */
export function parseLifetime(text: string): Lifetime | undefined {
  const parts = text.split('/')
  if (parts.length === 1) {
    const ms = parseDuration(text)
    return ms === undefined ? undefined : { kind: 'duration', ms }
  }
  const [first, second, ...more] = parts as [string, string, ...string[]]
  const from = parseTime(first)
  if (from === undefined || more.length > 0) return undefined
  const length = parseDuration(second)
  const until = length === undefined ? parseTime(second) : from + length
  return until === undefined || until <= from ? undefined : { kind: 'interval', from, until }
}

/** Weeks to seconds; years and months have no length in milliseconds, so they are not known here. Undefined for anything else, and for nothing. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null) return undefined
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map(part => Number(part ?? 0)) as [number, number, number, number, number]
  const ms = ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
  return ms > 0 && Number.isSafeInteger(ms) ? ms : undefined
}

/** When a permit stops holding for a session that began at `since`: epoch milliseconds. */
export function endOf(lifetime: Lifetime, since: number): number {
  return lifetime.kind === 'interval' ? lifetime.until : since + lifetime.ms
}

/** Whether it holds at `now` for a session that began at `since`. */
export function holds(lifetime: Lifetime, since: number, now: number): boolean {
  return now < endOf(lifetime, since) && (lifetime.kind === 'duration' || now >= lifetime.from)
}

function parseTime(text: string): number | undefined {
  if (!TIME.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}
