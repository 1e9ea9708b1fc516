/** What waited for what among the parts of one goal, by when each began and ended: side by side nothing waits for its neighbour. */
export class Order {
  readonly #running = new Set<string>()
  /** Ended, and nothing has begun after them yet; the first that ended first. */
  readonly #open = new Set<string>()
  /** What ended last before the newest began. */
  #last: string | undefined

  /** @returns what it has waited for. Linear in all parts together */
  began(id: string): readonly string[] {
    const before = this.#waitedFor().filter(each => each !== id)
    for (const each of before) this.#open.delete(each)
    this.#last = before.at(-1)
    this.#running.add(id)
    return before
  }

  ended(id: string): void {
    this.#running.delete(id)
    this.#open.add(id)
  }

  #waitedFor(): readonly string[] {
    const [first] = this.#open
    // One that begins beside others has the place that the first has left; or it has waited as they have.
    if (first === undefined) return this.#last === undefined ? [] : [this.#last]
    return this.#running.size > 0 ? [first] : [...this.#open]
  }
}
