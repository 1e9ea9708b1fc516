/**
 * What was done in this stretch, for the parts of a program that may be walked again within it: blocks and sub-goals
 * with retries, methods with corrections. A step that was done is kept then too, unless something it read was
 * written after the failure. Other steps are not remembered here: the journal has them.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Variables } from '../tree.ts'
import type { Evaluated, Given, History, StepRecord } from './history.ts'
import type { TimeLimit } from './time-limits.ts'

/** How the statements around a step want it to be treated. */
export interface How {
  /** It may be walked again in this stretch. */
  readonly recall?: true
  /** Its failure is ignored by a block around it: tried once, it is not tried again by a later stretch. */
  readonly lenient?: true
  /** It is told with what it reads and writes. */
  readonly debug?: true
  /** Blocks around it that have only so much time, the outermost first. */
  readonly limits?: readonly TimeLimit[]
  /** It is done beside others, which may write what it reads: in which order is not told by the program. */
  readonly parallel?: true
  /** How many such steps the blocks around it let be done at a time. */
  readonly abreast?: number
  /** Sub-goals are pursued anew: the body of a repeat. */
  readonly again?: true
}

interface Recalled {
  readonly record: StepRecord
  /** Number of the event after which a write makes the step run again. */
  from: number
}

export class Recall {
  readonly #history: History
  readonly #steps = new Map<string, Recalled>()
  readonly #begun = new Map<string, { readonly given: Omit<Given, 'seq'>; from: number }>()
  readonly #evaluated = new Map<string, { readonly made: Omit<Evaluated, 'seq'>; from: number }>()
  readonly #chosen = new Set<string>()
  readonly #reopened: string[] = []

  constructor(history: History) {
    this.#history = history
  }

  /** What is known of a step, the newest. */
  record(step: string): StepRecord | undefined {
    return this.#steps.get(step)?.record ?? this.#history.steps.get(step)
  }

  /** The event after which a change of what it read makes the step stale. */
  staleFrom(step: string, record: StepRecord): number {
    return Math.max(record.beganSeq, this.#steps.get(step)?.from ?? 0)
  }

  /** Remembers the step as `record` has it, when it may be met again. */
  keep(step: string, record: StepRecord, how: How | undefined): void {
    if (how?.recall === true) this.#steps.set(step, { record, from: this.#steps.get(step)?.from ?? 0 })
  }

  /** Whether the sub-goal began in this stretch with just these arguments. */
  hasBegun(instance: string, args: Variables): boolean {
    const before = this.#begun.get(instance)
    return before !== undefined && isDeepStrictEqual(before.given.arguments, args)
  }

  began(instance: string, given: Omit<Given, 'seq'>, how: How | undefined): void {
    if (how?.recall === true) this.#begun.set(instance, { given, from: 0 })
  }

  /** What the sub-goal was given in this stretch. */
  begun(instance: string): Given | undefined {
    const begun = this.#begun.get(instance)
    return begun === undefined ? undefined : { ...begun.given, seq: begun.from }
  }

  evaluated(path: string, made: Omit<Evaluated, 'seq'>, how: How | undefined): void {
    if (how?.recall === true) this.#evaluated.set(path, { made, from: 0 })
  }

  /** What the list or count of a statement was, in this stretch or before. */
  wasEvaluated(path: string): Evaluated | undefined {
    const here = this.#evaluated.get(path)
    return here === undefined ? this.#history.evaluated.get(path) : { ...here.made, seq: here.from }
  }

  wasChosen(instance: string, method: string): boolean {
    return this.#chosen.has(`${instance}\0${method}`)
  }

  chose(instance: string, method: string, how: How | undefined): void {
    if (how?.recall === true) this.#chosen.add(`${instance}\0${method}`)
  }

  /** Everything below `path` may be tried again; what is written after event `seq` counts as changed. */
  reopen(path: string, seq: number): void {
    this.#reopened.push(path)
    for (const [id, entry] of this.#steps) if (isBelow(id, path)) entry.from = seq
    for (const [id, entry] of this.#begun) if (isBelow(id, path)) entry.from = seq
    for (const [id, entry] of this.#evaluated) if (isBelow(id, path)) entry.from = seq
    for (const [id, instance] of this.#history.instances) if (isBelow(id, path)) instance.failed.clear()
  }

  /** Whether an earlier stretch has tried the step for good, and a block around it goes on without it. */
  isGivenUp(step: string, record: StepRecord, tries: number, how: How | undefined): boolean {
    if (how?.lenient !== true || record.ended?.status !== 'failed' || record.began.attempt < tries) return false
    return !this.#steps.has(step) && !this.#reopened.some(path => isBelow(step, path))
  }
}

/** Whether the step or goal `id` is somewhere in what is walked at `path`. */
export function isBelow(id: string, path: string): boolean {
  return id.startsWith(path) && /^[/>[.]/.test(id.slice(path.length))
}
