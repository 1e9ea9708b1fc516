/** What one origin, and one neighbour, may cost a node: how fast records come, and how many nodes a neighbour may speak of that nobody here knows. */

/** Records of one origin that are taken at once, and per second from then on: a node publishes twenty times a second at most. */
export const RECORDS_BURST_MAX = 300
export const RECORDS_PER_SECOND_MAX = 50
/** Origins without a permit here that are taken on the word of one neighbour: a rack behind a node that knows them. */
export const INTRODUCED_PER_PEER_MAX = 200

/** Lets so many through at once, and so many a second. */
export class Pace {
  readonly #now: () => number
  readonly #origins = new Map<string, { left: number; at: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether one more record of this origin may be taken now. */
  take(origin: string): boolean {
    const now = this.#now()
    const known = this.#origins.get(origin) ?? { left: RECORDS_BURST_MAX, at: now }
    // A clock that is set back gives nothing and takes nothing.
    const left = Math.min(RECORDS_BURST_MAX, known.left + (Math.max(0, now - known.at) * RECORDS_PER_SECOND_MAX) / 1000)
    this.#origins.set(origin, { left: left < 1 ? left : left - 1, at: now })
    return left >= 1
  }

  forget(origin: string): void {
    this.#origins.delete(origin)
  }
}

/** Who has told us first of each origin that nobody here knows. */
export class Introductions {
  readonly #byPeer = new Map<string, Set<string>>()

  /** Whether `from` may tell of one more origin; taken down if so. */
  take(origin: string, from: string): boolean {
    const told = this.#byPeer.get(from) ?? new Set()
    if (!told.has(origin) && told.size >= INTRODUCED_PER_PEER_MAX) return false
    this.#byPeer.set(from, told.add(origin))
    return true
  }

  forget(origin: string): void {
    for (const told of this.#byPeer.values()) told.delete(origin)
  }
}
