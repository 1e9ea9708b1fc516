/** The journal of one goal, as the stretch that pursues it writes there: in order, and nothing behind what was lost. */
import assert from 'node:assert/strict'
import type { Journal } from '../ports.ts'
import type { GoalEventBody } from './events.ts'

export class Pen {
  readonly #goalId: string
  readonly #journal: Journal
  #seq: number
  /** Why an event that was not waited for is not on disk: nothing may be written behind it. */
  #broken: { readonly error: unknown } | undefined
  /** Done when the newest event that was not waited for is on disk or lost. */
  #newest: Promise<void> | undefined
  /** The same for the newest outcome of a step. */
  #outcome: Promise<void> | undefined

  /** @param seq of the last event that is there */
  constructor(goalId: string, journal: Journal, seq: number) {
    this.#goalId = goalId
    this.#journal = journal
    this.#seq = seq
  }

  /** Number of the newest event. */
  get seq(): number {
    return this.#seq
  }

  /** Appends; the next event that is waited for is durable only with this one. @returns its number */
  async note(body: GoalEventBody): Promise<number> {
    return await this.append(body, false)
  }

  /** Appends and waits until the event is durable. */
  async record(body: GoalEventBody): Promise<number> {
    return await this.append(body, true)
  }

  /** Appends the outcome of a step: the next event that is waited for carries it to disk, as the intent of the next step does. */
  async outcome(body: GoalEventBody): Promise<number> {
    const seq = await this.append(body, false)
    this.#outcome = this.#newest
    return seq
  }

  /** Waits until the outcomes of all steps are on disk. @throws CloudburstError CB_STORE_DEGRADED */
  async outcomesKept(): Promise<void> {
    await this.#outcome
    if (this.#broken !== undefined) throw this.#broken.error
  }

  /**
   * Nobody else writes to the journal of a goal that is pursued, so the number is known beforehand.
   * Without `wait` the next waited-for event carries this one to disk: they share its sync, in order.
   */
  async append(body: GoalEventBody, wait: boolean): Promise<number> {
    if (this.#broken !== undefined) throw this.#broken.error
    const seq = ++this.#seq
    const appended = this.#journal.append(this.#goalId, body)
    if (wait) assert.equal((await appended).seq, seq, 'somebody else wrote to the journal of a goal that is pursued')
    else {
      this.#newest = appended.then(
        () => undefined,
        (error: unknown) => void (this.#broken ??= { error })
      )
    }
    return seq
  }
}
