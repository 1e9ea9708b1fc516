/** Events of another node on their way to this node's journal: many at a time, in order, none waited for. */
import type { GoalEvent } from '../../goals/pursuit/events.ts'

/** Most writes of events on their way to the store at a time: they share its syncs. The outcome waits for all, being written behind them. */
const MIRRORED_AHEAD_MAX = 32
/** Most events in one of them. */
const GATHERED_MAX = 256

/** Writes that nobody waits for one by one. A failed one fails the next call; what is lost by then is asked for again. */
export class Mirroring {
  readonly #mirror: (events: readonly GoalEvent[]) => Promise<void>
  #gathered: GoalEvent[] = []
  #ahead = 0
  #last: Promise<void> | undefined
  #failure: unknown

  constructor(mirror: (events: readonly GoalEvent[]) => Promise<void>) {
    this.#mirror = mirror
  }

  /** Events that come in one turn of the event loop are one write. */
  async event(event: GoalEvent): Promise<void> {
    this.#gathered.push(event)
    if (this.#gathered.length === GATHERED_MAX) return await this.add(this.#mirror(this.take()))
    if (this.#gathered.length === 1) setImmediate(() => this.#flush())
    if (this.#failure !== undefined) throw this.#failure
    if (this.#ahead >= MIRRORED_AHEAD_MAX) await this.#last
  }

  /** What has been gathered and is not on its way yet: it is to be written by whoever takes it. */
  take(): readonly GoalEvent[] {
    const events = this.#gathered
    this.#gathered = []
    return events
  }

  #flush(): void {
    if (this.#gathered.length > 0) void this.add(this.#mirror(this.take())).catch(() => undefined)
  }

  /** Something else that is to be written before the outcome. */
  async add(written: Promise<void>): Promise<void> {
    this.#ahead++
    const done = written.then(
      () => void this.#ahead--,
      (error: unknown) => {
        this.#ahead--
        this.#failure ??= error
      }
    )
    this.#last = done
    if (this.#ahead >= MIRRORED_AHEAD_MAX) await done
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Waits for all of them. */
  async done(): Promise<void> {
    this.#flush()
    await this.#last
    if (this.#failure !== undefined) throw this.#failure
  }
}
