/**
 * `timeout` of blocks, loops and sub-goals: the time of everything in them, from the first step that is really done there.
 * The journal says when that was, so a restart does not lengthen it; a repair by a person begins it anew.
 */
import assert from 'node:assert/strict'
import { showPlace } from '../program/xml.ts'
import type { Place } from '../program/model.ts'
import type { GoalEventBody } from './events.ts'
import { type Failure, failed, type Walked } from './failure.ts'
import type { History, TimedBlock } from './history.ts'

/** What a block, loop or sub-goal says about its time. */
export interface TimeLimit {
  /** Of the block, as steps have paths. */
  readonly path: string
  readonly timeoutS: number
  readonly place: Place
}

/** How much of its time each block has had. */
export class TimeLimits {
  readonly #blocks: Map<string, TimedBlock>
  readonly #now: () => number
  readonly #note: (body: GoalEventBody) => void

  /** @param note appends to the journal, to be on disk with the intent that follows */
  constructor(history: Pick<History, 'blocks'>, now: () => number, note: (body: GoalEventBody) => void) {
    this.#blocks = new Map(Array.from(history.blocks, ([path, block]) => [path, { ...block }]))
    this.#now = now
    this.#note = note
  }

  /** Before a step is done: begins the time of the blocks around it. @returns the block whose time is over, as a failure */
  enter(instance: string, step: string, limits: readonly TimeLimit[] = []): Walked | undefined {
    for (const limit of limits) {
      const { path, timeoutS, place } = limit
      const block = this.#blocks.get(path)
      if (block?.beganAt === undefined) {
        if (block?.over === true) return overtime(instance, step, limit, { known: true })
        this.#note({ type: 'block-began', block: path, timeoutS, place })
        this.#blocks.set(path, { ...block, beganAt: this.#now(), timesOver: block?.timesOver ?? 0 })
      } else if (this.#endOf(limit) <= this.#now()) return overtime(instance, step, limit)
    }
    return undefined
  }

  /** The innermost block whose time is over: the outermost when several are. */
  over(limits: readonly TimeLimit[] = []): TimeLimit | undefined {
    return limits.find(limit => this.#endOf(limit) <= this.#now())
  }

  /** Epoch milliseconds: when the first of `limits` is over; undefined when nothing limits. */
  deadline(limits: readonly TimeLimit[] = []): number | undefined {
    return limits.length === 0 ? undefined : Math.min(...limits.map(limit => this.#endOf(limit)))
  }

  /** How often the time of blocks around it has run out: what is asked of another node then is asked anew. */
  rounds(limits: readonly TimeLimit[] = []): number {
    return limits.reduce((sum, { path }) => sum + (this.#blocks.get(path)?.timesOver ?? 0), 0)
  }

  /** The block has come to its end, well or not; what is tried of it after that has its whole time again. */
  left({ path }: TimeLimit, outcome: 'completed' | 'failed' | 'timed-out'): void {
    const block = this.#blocks.get(path)
    if (block?.beganAt === undefined) return
    const over = outcome === 'timed-out'
    this.#note({ type: 'block-ended', block: path, outcome })
    this.#blocks.set(path, { timesOver: block.timesOver + Number(over), over })
  }

  /** The block is tried once more. */
  renew(path: string): void {
    const block = this.#blocks.get(path)
    if (block !== undefined) this.#blocks.set(path, { timesOver: block.timesOver })
  }

  #endOf({ path, timeoutS }: TimeLimit): number {
    const beganAt = this.#blocks.get(path)?.beganAt
    return beganAt === undefined ? Number.POSITIVE_INFINITY : beganAt + timeoutS * 1000
  }
}

/** What is over, in words. */
export function overText({ timeoutS, place }: TimeLimit): string {
  return `timed out: the ${timeoutS} s of the block at ${showPlace(place)} are over`
}

/** Nothing in the block may go on: only the block itself may be tried again or ignored. */
function overtime(instance: string, step: string, limit: TimeLimit, more: Partial<Failure> = {}): Walked {
  return failed(instance, 'timed-out', overText(limit), { step, final: true, limit: limit.path, ...more })
}

/** A failure within the block as that of the block: final no more when it was this block whose time was over. */
export function outOf({ path }: TimeLimit, failure: Failure): Failure {
  if (failure.limit !== path) return failure
  assert(failure.final, 'what has no time left cannot go on')
  const { limit: _, ...rest } = failure
  return { ...rest, final: false }
}
