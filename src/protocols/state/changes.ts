/** What has changed lately, for those who watch. */
import type { Seen } from './contract.ts'
import type { Changed, Origin } from './origin.ts'

/** Changes kept for those who watch and are slow, or come back: beyond it they start from the whole value. */
export const CHANGES_KEPT = 1_000
/** So many more are let gather before the oldest are dropped, all at once. */
export const CHANGES_SLACK = 200

/** The latest changes of all origins, counted from 1. */
export class Changes {
  readonly recent: Seen[] = []
  #count = 0

  /** How many there have been. */
  get count(): number {
    return this.#count
  }

  add({ origin, name }: Origin, changed: readonly Changed[]): void {
    for (const { path: below, at, value } of changed) {
      const path = `nodes.${name}.${below}`
      const n = ++this.#count
      this.recent.push(value === undefined ? { path, at, origin, n } : { path, value, at, origin, n })
    }
    // Not one by one: each time all behind would move up.
    if (this.recent.length > CHANGES_KEPT + CHANGES_SLACK) this.recent.splice(0, this.recent.length - CHANGES_KEPT)
  }
}
