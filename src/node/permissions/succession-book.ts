/** Which key has taken the place of which. The first successor of a key stays its successor; kept over restarts. */
import { openSuccession, type Succession } from '../../crypto/succession.ts'
import type { StorePart } from '../store/part.ts'

const PREFIX = 't!succession!'
/** Longest line of keys, and most that are remembered of all: a key lives for years. */
const LINE_MAX = 16
const SUCCESSIONS_MAX = 4_000
/** Most that are passed on: those who were away for long ask whoever has replaced its key. */
const SUCCESSIONS_TOLD_MAX = 64

export class SuccessionBook {
  readonly #store: StorePart
  readonly #byFrom = new Map<string, Succession>()
  readonly #byTo = new Map<string, Succession>()

  private constructor(store: StorePart) {
    this.#store = store
  }

  static async open(store: StorePart): Promise<SuccessionBook> {
    const book = new SuccessionBook(store)
    for await (const [, value] of store.range({ prefix: PREFIX })) book.#put(openSuccession(Buffer.from(value as string, 'base64')))
    return book
  }

  /** @returns whether it was news: neither key was part of another succession in this place */
  add(succession: Succession): boolean {
    const { from, to, envelope } = succession
    if (this.#byFrom.has(from) || this.#byTo.has(to) || this.#byFrom.size >= SUCCESSIONS_MAX) return false
    if (this.lineOf(from).length >= LINE_MAX || this.#byFrom.has(to)) return false
    this.#put(succession)
    const value = Buffer.from(envelope).toString('base64')
    // Not waited for: it is shown again with the next hello.
    this.#store.batch([{ type: 'put', key: PREFIX + from, value }], { sync: true }).catch(() => undefined)
    return true
  }

  /** The keys that `peer` stands for, its own first; none when another one has taken its place. */
  lineOf(peer: string): readonly string[] {
    if (this.#byFrom.has(peer)) return []
    const line = [peer]
    for (let each = this.#byTo.get(peer); each !== undefined && line.length < LINE_MAX; each = this.#byTo.get(each.from))
      line.push(each.from)
    return line
  }

  /** The key that speaks for `peer` now: its last successor, or itself. */
  successorOf(peer: string): string {
    let last = peer
    for (let steps = 0; steps < LINE_MAX; steps++) last = this.#byFrom.get(last)?.to ?? last
    return last
  }

  /** The successions of these keys, from or to: as they were signed, the oldest first. */
  of(peers: readonly string[]): readonly Uint8Array[] {
    return [...this.#byFrom.values()]
      .filter(({ from, to }) => peers.includes(to) || peers.includes(from))
      .toSorted((a, b) => a.at - b.at)
      .map(({ envelope }) => envelope)
  }

  /** The latest of all, as they were signed, the oldest first. */
  latest(): readonly Uint8Array[] {
    const all = [...this.#byFrom.values()].toSorted((a, b) => a.at - b.at)
    return all.slice(-SUCCESSIONS_TOLD_MAX).map(({ envelope }) => envelope)
  }

  #put(succession: Succession): void {
    this.#byFrom.set(succession.from, succession)
    this.#byTo.set(succession.to, succession)
  }
}
