/**
 * The hand that only looks at what was done: each step that was done is kept, whatever has changed since; one that was not ends
 * its method. It has no effects, so planning and pursuing share it. See docs/decisions/0010-undo.md.
 */
import type { FactQuery } from '../ports.ts'
import type { Path } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import type { Asked } from './call.ts'
import { failed, type Walked, went } from './failure.ts'
import type { History } from './history.ts'
import { isDone, Keeping, misfitOf } from './keeping.ts'
import type { Step } from './step.ts'
import type { Frame, Hand, Listed } from './walk.ts'

export class LookingHand implements Hand {
  readonly #history: History
  readonly #keeping: Keeping
  readonly #gather: Hand['gather']
  readonly #onSent: (frame: Frame, step: string) => void

  /**
   * @param gather of the hand that acts afterwards
   * @param onSent told of each sub-goal on another node that the walk comes to
   */
  constructor(history: History, gather: Hand['gather'], onSent: (frame: Frame, step: string) => void = () => undefined) {
    this.#onSent = onSent
    this.#history = history
    this.#keeping = new Keeping(history)
    this.#gather = gather
  }

  async gather(queries: readonly FactQuery[]): Promise<void> {
    await this.#gather(queries)
  }

  step(frame: Frame, step: Step): Promise<Walked> {
    if (step.kind === 'remote') this.#onSent(frame, step.id)
    const record = this.#history.steps.get(step.id)
    const decided = this.#history.decided.get(step.id)
    const isSkipped = decided?.verdict === 'skip' && decided.seq > (record?.beganSeq ?? 0)
    if (isSkipped) return Promise.resolve(went)
    if (record === undefined || !isDone(record))
      return Promise.resolve(failed(frame.instance, 'step-failed', 'it was not done', { step: step.id }))
    if (misfitOf(step, record.writes) === undefined) this.#keeping.keep(frame, step, record.writes)
    return Promise.resolve(went)
  }

  goalBegan(frame: Frame, args: Variables): Promise<void> {
    this.#keeping.begin(frame, args)
    return Promise.resolve()
  }

  given(frame: Frame, instance: string, now: Asked): Variables {
    return this.#keeping.given(frame, instance, now)
  }

  evaluated(frame: Frame, path: string, now: Listed): Promise<Tree> {
    return Promise.resolve(this.#keeping.evaluated(frame, path, now) ?? now.value)
  }

  wasMet(): boolean {
    return true
  }

  wasPassedOver(): boolean {
    return false
  }

  gaveBack(frame: Frame, to: Path, from: string): void {
    this.#keeping.gaveBack(frame, to, from)
  }

  recall(frame: Frame): void {
    this.#keeping.recall(frame)
  }

  isUnderWay(): boolean {
    return true
  }

  wasChosen(instance: string, method: string): boolean {
    return this.#history.instances.get(instance)?.chosen.has(method) ?? false
  }

  preferred(instance: string): string | undefined {
    return this.#history.preferred.get(instance)
  }

  whyFailed(): undefined {}

  mayRetry(): Promise<boolean> {
    return Promise.resolve(false)
  }

  goalEnded(): Promise<void> {
    return Promise.resolve()
  }

  methodChosen(): Promise<void> {
    return Promise.resolve()
  }

  methodFailed(): Promise<void> {
    return Promise.resolve()
  }

  notTrue(): Promise<void> {
    return Promise.resolve()
  }

  shared(): Promise<void> {
    return Promise.resolve()
  }

  reopen(): void {}

  blockEnded(): void {}
}
