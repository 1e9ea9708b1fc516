/**
 * The hand that does things: intent to the journal, the step, outcome to the journal; and that keeps what was done
 * before, unless something it read has changed since.
 */
import { isDeepStrictEqual } from 'node:util'
import { sealSecrets } from '../expression/secrets.ts'
import type { FactQuery, World } from '../ports.ts'
import type { GoalProto, Method, Path, StatementBase } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import type { Asked, Link } from './call.ts'
import { Doing, type DoingParts } from './doing.ts'
import type { Candidate } from './events.ts'
import { Facts } from './facts.ts'
import { type Ended, type Failure, type Walked, went } from './failure.ts'
import type { History, StepRecord } from './history.ts'
import { Keeping } from './keeping.ts'
import { Origins, typed } from './origins.ts'
import { Pen } from './pen.ts'
import { triesLeft } from './persist.ts'
import { type How, isBelow, Recall } from './recall.ts'
import type { Step } from './step.ts'
import type { Target } from './target.ts'
import { type TimeLimit, TimeLimits } from './time-limits.ts'
import { describe, type Frame, type Hand, type Listed, type Run } from './walk.ts'

/** Longest list that is kept, as JSON, in characters: what is longer is looked at anew in each stretch of work. */
const EVALUATED_CHARS_MAX = 100_000

export class PursuingHand implements Hand {
  /** The journal of the goal: what comes of it besides the walk is written with it too. */
  readonly pen: Pen
  readonly #world: World
  readonly #history: History
  readonly #stop: AbortSignal
  readonly #target: Target
  readonly #recall: Recall
  readonly #keeping: Keeping
  readonly #limits: TimeLimits
  readonly #facts: Facts
  readonly #doing: Doing
  /** Goals that were done in this stretch and yet are not true, with their names. */
  readonly #lost = new Map<string, string>()
  readonly #origins = new Origins()
  /** What each sub-goal reads and writes of the one that needs it. */
  readonly #ties = new Map<string, { readonly reads?: readonly string[]; readonly writes?: readonly string[] }>()

  /**
   * @param target once its `stop` fires, no further step begins
   * @param turns of its steps among those of other goals
   */
  constructor(
    goalId: string,
    world: World,
    history: History,
    facts: Run['facts'],
    target: Target,
    turns: Pick<DoingParts, 'most' | 'isAwaited'> = {}
  ) {
    const { stop } = target
    this.#target = target
    this.#world = world
    this.#history = history
    this.#stop = stop
    this.pen = new Pen(goalId, world.journal, history.seq)
    this.#recall = new Recall(history)
    this.#keeping = new Keeping(history, this.#recall)
    this.#limits = new TimeLimits(
      history,
      () => world.clock.now(),
      body => void this.pen.note(body)
    )
    this.#facts = new Facts(facts, world)
    const [recall, keeping, limits] = [this.#recall, this.#keeping, this.#limits]
    this.#doing = new Doing({ goalId, world, history, stop, recall, keeping, limits, facts: this.#facts, pen: this.pen, ...turns })
  }

  async gather(queries: readonly FactQuery[]): Promise<void> {
    await this.#facts.gather(queries)
  }

  async goalBegan(frame: Frame, args: Variables): Promise<void> {
    if (this.#keeping.begin(frame, args) !== undefined) return
    const text = describe(frame.proto.describe, frame.scope)
    const { instance, proto } = frame
    const seq = await this.pen.note({
      type: 'goal-began',
      instance,
      goal: proto.name,
      place: proto.place,
      ...(proto.debug === true && { debug: true }),
      ...(text !== undefined && { describe: text }),
      arguments: args,
      ...this.#ties.get(instance),
      ...(frame.call !== undefined && { call: frame.call })
    })
    frame.begunAnew = true
    this.#keeping.began(frame, args, seq)
  }

  given(frame: Frame, instance: string, now: Asked): Variables {
    const args = this.#keeping.given(frame, instance, now)
    this.#origins.note(frame, instance, args, now.reads)
    const reads = [...new Set(Object.values(now.reads).flat())]
    this.#ties.set(instance, { ...(reads.length > 0 && { reads }), ...(now.gives.length > 0 && { writes: now.gives }) })
    return args
  }

  async shared(instance: string, { name, place }: GoalProto, args: Variables, { call }: Link): Promise<void> {
    const before = this.#history.instances.get(instance)
    if (before !== undefined && before.call === call && isDeepStrictEqual(before.arguments, args)) return
    const told = { ...(call !== undefined && { call }) }
    await this.pen.note({ type: 'goal-began', instance, goal: name, place, arguments: args, ...told })
    await this.pen.note({ type: 'goal-ended', instance, outcome: 'shared' })
  }

  async notTrue(frame: Frame): Promise<void> {
    if (frame.wasReached !== true) return
    const again = `${frame.proto.name} was done but does not hold any more`
    const { arguments: args = {}, call } = this.#history.instances.get(frame.instance) ?? {}
    const since = await this.pen.note({
      type: 'goal-began',
      instance: frame.instance,
      goal: frame.proto.name,
      place: frame.proto.place,
      arguments: args,
      ...(call !== undefined && { call }),
      again
    })
    frame.begunAnew = true
    frame.again = { reason: again, since }
  }

  async goalEnded(frame: Frame, ended: Ended): Promise<void> {
    const { instance, grounds, proto } = frame
    const before = this.#history.instances.get(instance)
    if (ended.outcome === 'possible' || (ended.outcome === 'failed' && ended.failure.code === 'stepping')) return
    const results = ended.outcome === 'completed' && frame.proto.post.length > 0 ? { ...ended.results } : undefined
    const lost = ended.outcome === 'failed' && ended.failure.code === 'post-not-true' && ended.failure.instance === instance
    if (ended.outcome !== 'failed') {
      this.#origins.forget(instance)
      this.#target.reached(instance)
    }
    if (lost) this.#lost.set(instance, proto.name)
    else this.#lost.delete(instance)
    const isForPeople = lost && frame.how?.lenient !== true
    const isTold = before?.ended === ended.outcome && (before.lost ?? false) === isForPeople && frame.begunAnew !== true
    if (isTold && (results === undefined || isDeepStrictEqual(before.results, results))) return
    const why = { ...(grounds !== undefined && { grounds }) }
    if (ended.outcome === 'failed') {
      const { reason, code, candidates } = ended.failure
      const told = { ...why, ...(isForPeople && { lost: isForPeople }), ...(code === 'no-method' && { candidates }) }
      await this.pen.note({ type: 'goal-ended', instance, outcome: 'failed', reason, ...told })
    } else {
      const { outcome } = ended
      const told = { ...(outcome === 'already-true' && why), ...(results !== undefined && { results }) }
      await this.pen.note({ type: 'goal-ended', instance, outcome, ...told })
    }
  }

  async methodChosen(frame: Frame, method: Method, candidates: readonly Candidate[]): Promise<void> {
    if (this.#history.instances.get(frame.instance)?.chosen.has(method.name)) return
    this.#recall.chose(frame.instance, method.name, frame.how)
    const text = describe(method.describe, frame.scope)
    await this.pen.note({
      type: 'method-chosen',
      instance: frame.instance,
      method: method.name,
      place: method.place,
      candidates,
      ...((method.debug === true || frame.proto.debug === true) && { debug: true }),
      ...(frame.grounds !== undefined && { grounds: frame.grounds }),
      ...(text !== undefined && { describe: text })
    })
  }

  async methodFailed(frame: Frame, method: Method, failure: Failure): Promise<void> {
    if (!failure.final)
      await this.pen.note({ type: 'method-failed', instance: frame.instance, method: method.name, reason: failure.reason })
  }

  async evaluated(frame: Frame, path: string, now: Listed): Promise<Tree> {
    const before = this.#keeping.evaluated(frame, path, now)
    const value = before ?? sealSecrets(now.value, frame.run.seal)
    const { key, how } = now
    this.#recall.evaluated(path, { value, key }, how)
    if (before !== undefined || JSON.stringify(value).length > EVALUATED_CHARS_MAX) return value
    await this.pen.note({ type: 'evaluated', path, instance: frame.instance, value, key })
    return value
  }

  wasMet(frame: Frame, paths: readonly string[]): boolean {
    return this.#keeping.wasMet(frame, paths)
  }

  wasPassedOver(frame: Frame, method: string, paths: readonly string[]): boolean {
    return this.#keeping.wasPassedOver(frame, method, paths)
  }

  gaveBack(frame: Frame, to: Path, from: string): void {
    this.#keeping.gaveBack(frame, to, from)
  }

  recall(frame: Frame): void {
    this.#keeping.recall(frame)
  }

  preferred(instance: string): string | undefined {
    return this.#history.preferred.get(instance)
  }

  isUnderWay(instance: string): boolean {
    const record = this.#history.instances.get(instance)
    return this.#history.paused && record !== undefined && record.chosen.size > 0 && record.ended === undefined
  }

  wasChosen(instance: string, method: string): boolean {
    return (this.#history.instances.get(instance)?.chosen.has(method) ?? false) || this.#recall.wasChosen(instance, method)
  }

  whyFailed(instance: string, method: string): string | undefined {
    return this.#history.instances.get(instance)?.failed.get(method)
  }

  async step(frame: Frame, step: Step): Promise<Walked> {
    const record = this.#recall.record(step.id)
    const verdict = this.#keeping.judge(frame, step, record === undefined ? undefined : await this.#goneOf(step, record))
    if (verdict.verdict === 'keep') {
      if (record !== undefined) this.#recall.keep(step.id, record, step.how)
      this.#keeping.keep(frame, step, verdict.writes)
    }
    const isKept = verdict.verdict === 'keep' || verdict.verdict === 'skip'
    const walked = isKept ? went : await this.#doing.step(frame, step, record, verdict)
    if (walked.ok) this.#target.reached(step.id)
    return walked
  }

  async mayRetry(path: string, policy: StatementBase, tries: number, how?: How): Promise<boolean> {
    if (tries >= triesLeft(policy) || this.#stop.aborted) return false
    this.reopen(path)
    this.#redoLost(path)
    this.#limits.renew(path)
    await this.#doing.backOff(policy, tries, how)
    return !this.#stop.aborted
  }

  /** What the suspension is to say when it was asked for. */
  get whyAsked(): string | undefined {
    return typeof this.#stop.reason === 'string' ? this.#stop.reason : undefined
  }

  /** What was kept of goals below `path` whose posts did not hold is not kept by the next try. */
  #redoLost(path: string): void {
    for (const [instance, name] of this.#lost) {
      if (!isBelow(instance, path)) continue
      this.#keeping.redo(instance, { reason: `${name} is not true although all was done`, since: this.pen.seq + 1 })
      this.#lost.delete(instance)
    }
  }

  blockEnded(limit: TimeLimit, outcome: 'completed' | 'failed' | 'timed-out'): void {
    this.#limits.left(limit, outcome)
  }

  reopen(path: string): void {
    this.#recall.reopen(path, this.pen.seq)
  }

  async #goneOf(step: Step, { ended, writes }: StepRecord): Promise<string | undefined> {
    if (step.gone === undefined || ended?.status !== 'completed') return undefined
    return await step.gone(this.#world, writes)
  }

  /** What a person may want to change after a failure: what the step read, or the goal was given, and where that came from. */
  valuesOf({ step, instance }: Failure): Variables {
    const own = step === undefined ? this.#origins.argumentsOf(instance) : this.#doing.readsOf(step)
    return { ...typed(instance, own), ...this.#origins.of(instance, own) }
  }

  /** See {@link Keeping.rebound}. */
  rebound(frame: Frame, before: Variables, seq: number): void {
    this.#keeping.rebound(frame.instance, before, frame.variables, seq)
  }
}
