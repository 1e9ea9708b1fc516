/**
 * The hand that does things: intent to the journal, the step, outcome to the journal; and that keeps what was done
 * before, unless something it read has changed since.
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { showPath } from '../expression/path.ts'
import { keepSecretTypes, markSecrets, maskText, sealSecrets } from '../expression/secrets.ts'
import type { FactQuery, World } from '../ports.ts'
import type { GoalProto, Method, Path, StatementBase } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import type { Asked, Link } from './call.ts'
import { brief } from './brief.ts'
import type { Candidate, GoalEventBody, Write } from './events.ts'
import { type Ended, type Failure, failed, type Walked, went } from './failure.ts'
import { type History, pausedSince, type StepRecord } from './history.ts'
import { Keeping, misfitOf, outputOf } from './keeping.ts'
import { Origins, typed } from './origins.ts'
import { triesLeft } from './persist.ts'
import { type How, isBelow, Recall } from './recall.ts'
import { faultsOf, type Performed, type Prepared, type Step } from './step.ts'
import { overText, type TimeLimit, TimeLimits } from './time-limits.ts'
import { describe, type Frame, type Hand, type Run, settle } from './walk.ts'

/** Longest wait between two tries of one step, in milliseconds: an hour is as good as suspended. */
const BACKOFF_MS_MAX = 3_600_000

/** Which try of a step it is, and whether none is left after it. */
interface TryNumber {
  readonly attempt: number
  readonly last: boolean
}

/** Steps that touch nothing but the goal's own values and files: their intent need not be on disk before they are done. */
const WITHIN: ReadonlySet<Step['kind']> = new Set(['update', 'check', 'tempFile'])

export class PursuingHand implements Hand {
  readonly #goalId: string
  readonly #world: World
  readonly #history: History
  readonly #stop: AbortSignal
  readonly #recall: Recall
  readonly #keeping: Keeping
  readonly #limits: TimeLimits
  readonly #facts: Run['facts']
  /** Values that each step read when it was last tried. */
  readonly #reads = new Map<string, Readonly<Record<string, Tree>>>()
  /** Goals that were done in this stretch and yet are not true, with their names. */
  readonly #lost = new Map<string, string>()
  readonly #origins = new Origins()
  /** Secrets looked up in this stretch: what a command repeats of them is not written down. */
  readonly #opened = new Set<string>()
  #seq: number
  /** Why an event that was not waited for is not on disk: nothing may be written behind it. */
  #broken: { readonly error: unknown } | undefined
  /** Done when the newest event that was not waited for is on disk or lost. */
  #newest: Promise<void> | undefined
  /** The same for the newest outcome of a step. */
  #outcome: Promise<void> | undefined

  /** @param stop fires when a person asks to suspend: no further step begins */
  constructor(goalId: string, world: World, history: History, facts: Run['facts'], stop: AbortSignal) {
    this.#goalId = goalId
    this.#world = world
    this.#history = history
    this.#recall = new Recall(history)
    this.#keeping = new Keeping(history, this.#recall)
    this.#limits = new TimeLimits(
      history,
      () => world.clock.now(),
      body => void this.#append(body, false)
    )
    this.#facts = facts
    this.#stop = stop
    this.#seq = history.seq
  }

  async gather(queries: readonly FactQuery[]): Promise<void> {
    const { probe, vault } = this.#world
    const ofMachine = queries.filter(query => query.kind !== 'secret')
    const facts = ofMachine.length === 0 ? [] : await probe.gather(ofMachine)
    for (const [i, query] of ofMachine.entries()) {
      const fact = facts[i]
      if (fact !== undefined) this.#facts.set(JSON.stringify(query), fact)
    }
    for (const query of queries) {
      if (query.kind !== 'secret') continue
      const value = await vault.open(query.sealed)
      if (value !== undefined) this.#opened.add(value)
      this.#facts.set(JSON.stringify(query), { kind: 'text', value })
    }
  }

  async goalBegan(frame: Frame, args: Variables): Promise<void> {
    if (this.#keeping.begin(frame, args) !== undefined) return
    const text = describe(frame.proto.describe, frame.scope)
    const { instance, proto } = frame
    const seq = await this.#append(
      {
        type: 'goal-began',
        instance,
        goal: proto.name,
        place: proto.place,
        ...(proto.debug === true && { debug: true }),
        ...(text !== undefined && { describe: text }),
        arguments: args,
        ...(frame.call !== undefined && { call: frame.call })
      },
      false
    )
    frame.begunAnew = true
    this.#keeping.began(frame, args, seq)
  }

  given(frame: Frame, instance: string, now: Asked): Variables {
    const args = this.#keeping.given(frame, instance, now)
    this.#origins.note(frame, instance, args, now.reads)
    return args
  }

  async shared(instance: string, { name, place }: GoalProto, args: Variables, { call }: Link): Promise<void> {
    const before = this.#history.instances.get(instance)
    if (before !== undefined && before.call === call && isDeepStrictEqual(before.arguments, args)) return
    const told = { ...(call !== undefined && { call }) }
    await this.#append({ type: 'goal-began', instance, goal: name, place, arguments: args, ...told }, false)
    await this.#append({ type: 'goal-ended', instance, outcome: 'shared' }, false)
  }

  async notTrue(frame: Frame): Promise<void> {
    if (frame.wasReached !== true) return
    const again = `${frame.proto.name} was done but does not hold any more`
    const { arguments: args = {}, call } = this.#history.instances.get(frame.instance) ?? {}
    const since = await this.#append(
      {
        type: 'goal-began',
        instance: frame.instance,
        goal: frame.proto.name,
        place: frame.proto.place,
        arguments: args,
        ...(call !== undefined && { call }),
        again
      },
      false
    )
    frame.begunAnew = true
    frame.again = { reason: again, since }
  }

  async goalEnded(frame: Frame, ended: Ended): Promise<void> {
    const { instance, grounds, proto } = frame
    const before = this.#history.instances.get(instance)
    if (ended.outcome === 'possible' || (ended.outcome === 'failed' && ended.failure.code === 'stepping')) return
    const results = ended.outcome === 'completed' && frame.proto.post.length > 0 ? { ...ended.results } : undefined
    const lost = ended.outcome === 'failed' && ended.failure.code === 'post-not-true' && ended.failure.instance === instance
    if (ended.outcome !== 'failed') this.#origins.forget(instance)
    if (lost) this.#lost.set(instance, proto.name)
    else this.#lost.delete(instance)
    const isForPeople = lost && frame.how?.lenient !== true
    const isTold = before?.ended === ended.outcome && (before.lost ?? false) === isForPeople && frame.begunAnew !== true
    if (isTold && (results === undefined || isDeepStrictEqual(before.results, results))) return
    const why = { ...(grounds !== undefined && { grounds }) }
    if (ended.outcome === 'failed') {
      const { reason, code, candidates } = ended.failure
      const told = { ...why, ...(isForPeople && { lost: isForPeople }), ...(code === 'no-method' && { candidates }) }
      await this.#append({ type: 'goal-ended', instance, outcome: 'failed', reason, ...told }, false)
    } else {
      const { outcome } = ended
      const told = { ...(outcome === 'already-true' && why), ...(results !== undefined && { results }) }
      await this.#append({ type: 'goal-ended', instance, outcome, ...told }, false)
    }
  }

  async methodChosen(frame: Frame, method: Method, candidates: readonly Candidate[]): Promise<void> {
    if (this.#history.instances.get(frame.instance)?.chosen.has(method.name)) return
    this.#recall.chose(frame.instance, method.name, frame.how)
    const text = describe(method.describe, frame.scope)
    await this.#append(
      {
        type: 'method-chosen',
        instance: frame.instance,
        method: method.name,
        place: method.place,
        candidates,
        ...((method.debug === true || frame.proto.debug === true) && { debug: true }),
        ...(frame.grounds !== undefined && { grounds: frame.grounds }),
        ...(text !== undefined && { describe: text })
      },
      false
    )
  }

  async methodFailed(frame: Frame, method: Method, failure: Failure): Promise<void> {
    if (!failure.final)
      await this.#append({ type: 'method-failed', instance: frame.instance, method: method.name, reason: failure.reason }, false)
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
    if (verdict.verdict !== 'do') return went
    const tries = triesLeft(step.statement) + 1
    if (record !== undefined && verdict.again === undefined && this.#recall.isGivenUp(step.id, record, tries, step.how))
      return failed(frame.instance, 'step-failed', record.ended?.reason ?? 'failed', { step: step.id, known: true })

    const interrupted = record !== undefined && record.ended === undefined
    const rest = (): Walked => failed(frame.instance, 'requested', 'suspended on request', { final: true })
    if (this.#stop.aborted && !interrupted) return rest()
    if (this.#history.stepwise && !interrupted && !this.#wasOffered(step, record)) return await this.#offer(frame, step)
    const settled = interrupted ? await this.#settleInterrupted(frame, step, record) : undefined
    if (settled === undefined && this.#stop.aborted) return rest()
    return settled ?? (await this.#tryRepeatedly(frame, step, tries, record?.began.attempt ?? 0, verdict.again))
  }

  async #tryRepeatedly(frame: Frame, step: Step, tries: number, before: number, again: string | undefined): Promise<Walked> {
    for (let made = 1; ; made++) {
      const late = this.#limits.enter(frame.instance, step.id, step.how?.limits)
      if (late !== undefined) return late
      const last = made >= tries
      const walked = await this.#try(frame, step, { attempt: before + made, last }, again)
      if (walked.ok || walked.failure.final || last || this.#stop.aborted) return walked
      await this.#backOff(step.statement, made - 1, step.how)
    }
  }

  /** A person has said that this step is to be done. */
  #wasOffered(step: Step, record: StepRecord | undefined): boolean {
    const decided = this.#history.decided.get(step.id)
    return decided !== undefined && decided.seq > (record?.beganSeq ?? 0)
  }

  /** Waits for a person's decision, with what the step would do. */
  async #offer(frame: Frame, step: Step): Promise<Walked> {
    const prepared = await settle(frame.run, () => step.prepare())
    this.#reads.set(step.id, prepared.reads)
    return failed(frame.instance, 'stepping', prepared.show, { step: step.id, final: true })
  }

  async mayRetry(path: string, policy: StatementBase, tries: number, how?: How): Promise<boolean> {
    if (tries >= triesLeft(policy) || this.#stop.aborted) return false
    this.reopen(path)
    this.#redoLost(path)
    this.#limits.renew(path)
    await this.#backOff(policy, tries, how)
    return !this.#stop.aborted
  }

  /** What was kept of goals below `path` whose posts did not hold is not kept by the next try. */
  #redoLost(path: string): void {
    for (const [instance, name] of this.#lost) {
      if (!isBelow(instance, path)) continue
      this.#keeping.redo(instance, { reason: `${name} is not true although all was done`, since: this.#seq + 1 })
      this.#lost.delete(instance)
    }
  }

  blockEnded(limit: TimeLimit, outcome: 'completed' | 'failed' | 'timed-out'): void {
    this.#limits.left(limit, outcome)
  }

  reopen(path: string): void {
    this.#recall.reopen(path, this.#seq)
  }

  async #backOff({ backoffS }: StatementBase, tries: number, how: How | undefined): Promise<void> {
    const { clock } = this.#world
    const left = Math.max(0, (this.#limits.deadline(how?.limits) ?? Number.POSITIVE_INFINITY) - clock.now())
    await clock.sleep(Math.min(BACKOFF_MS_MAX, backoffS * 1000 * 2 ** tries, left), this.#stop).catch(() => undefined)
  }

  async #goneOf(step: Step, { ended, writes }: StepRecord): Promise<string | undefined> {
    if (step.gone === undefined || ended?.status !== 'completed') return undefined
    return await step.gone(this.#world, writes)
  }

  /** A try that a crash interrupted: how it ended when that can be found out; undefined when it simply has to run again. */
  async #settleInterrupted(frame: Frame, step: Step, record: StepRecord): Promise<Walked | undefined> {
    if (step.recover === undefined) return undefined
    const tried = { goalId: this.#goalId, step: step.id, attempt: record.began.attempt }
    const startedAt = this.#world.clock.now()
    const outcome = await step.recover(this.#world, tried, record.beganAt)
    if (outcome.exit?.kind === 'not-started') return undefined
    if (outcome.status === 'in-doubt' && step.statement.idempotent) return undefined
    return await this.#end(frame, step, { attempt: record.began.attempt, last: true }, outcome, startedAt)
  }

  async #try(frame: Frame, step: Step, { attempt, last }: TryNumber, again: string | undefined): Promise<Walked> {
    const prepared = await settle(frame.run, () => step.prepare())
    const startedAt = this.#world.clock.now()
    this.#reads.set(step.id, prepared.reads)
    const began = {
      type: 'step-began',
      step: step.id,
      instance: frame.instance,
      attempt,
      kind: step.kind,
      key: step.key,
      show: prepared.show,
      ...(step.describe !== undefined && { describe: step.describe }),
      place: step.statement.place,
      ...((step.how?.debug === true || step.statement.debug === true) && { debug: true as const }),
      reads: brief(prepared.reads),
      ...(again !== undefined && { again }),
      ...(Object.keys(prepared.env ?? {}).length > 0 && { env: Object.keys(prepared.env ?? {}) }),
      ...(step.given !== undefined && step.given),
      ...(step.peer !== undefined && { peer: step.peer })
    } as const
    const intent = this.#append(began, !WITHIN.has(step.kind))
    const before = this.#recall.record(step.id)?.writes ?? []
    this.#recall.keep(step.id, { began, beganSeq: this.#seq, beganAt: startedAt, writes: before }, step.how)
    const wrong = faultsOf(step, prepared)[0]
    if (wrong !== undefined || prepared.unknown) {
      const reason =
        wrong === undefined ? 'a value is not known' : `${wrong.place.file}:${wrong.place.line}:${wrong.place.col}: ${wrong.message}`
      return await this.#end(frame, step, { attempt, last }, { status: 'failed', writes: [], reason }, startedAt)
    }
    await intent
    const outcome = await this.#perform(step, prepared, attempt)
    return await this.#end(frame, step, { attempt, last }, outcome, startedAt)
  }

  async #perform(step: Step, prepared: Prepared, attempt: number): Promise<Performed> {
    const record = this.#history.steps.get(step.id)
    const since = attempt === (record?.began.attempt ?? 0) + 1 && record !== undefined ? pausedSince(record) : undefined
    const signal = this.#stop
    const until = this.#limits.deadline(step.how?.limits)
    const round = this.#limits.rounds(step.how?.limits)
    return await step.perform(this.#world, prepared, {
      goalId: this.#goalId,
      step: step.id,
      attempt,
      signal,
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
      ...(round > 0 && { round })
    })
  }

  /** Writes the outcome down, makes its results visible, and says whether the walk may go on. */
  async #end(frame: Frame, step: Step, { attempt, last }: TryNumber, performed: Performed, startedAt: number): Promise<Walked> {
    const misfit = misfitOf(
      step,
      performed.writes.map(({ path, value }) => ({ path: showPath(path), value }))
    )
    const settled: Performed = misfit === undefined ? performed : { ...performed, status: 'failed', writes: [], reason: misfit }
    const over = settled.status === 'failed' ? this.#limits.over(step.how?.limits) : undefined
    const outcome: Performed = over === undefined ? settled : { ...settled, reason: overReason(settled, over) }
    const ignored = outcome.status === 'failed' && step.statement.onFail === 'ignore' && last && over === undefined
    const writes: Write[] = outcome.writes.map(({ path, value }) => ({
      path: showPath(path),
      value: this.#sealed(frame, step, path, value)
    }))
    const ended = {
      type: 'step-ended',
      step: step.id,
      attempt,
      status: ignored ? 'ignored' : outcome.status,
      ...(outcome.exit !== undefined && { exit: outcome.exit }),
      durationMs: Math.max(0, this.#world.clock.now() - startedAt),
      writes,
      ...(outcome.reason !== undefined && { reason: maskText(outcome.reason, this.#opened) }),
      ...(outcome.tail !== undefined && outcome.tail !== '' && { tail: maskText(outcome.tail, this.#opened) }),
      ...(outcome.note !== undefined && outcome.note !== '' && { note: outcome.note })
    } as const
    // The next event that is waited for carries it to disk: the intent of the next step, or how the goal comes to rest.
    const seq = await this.#append(ended, false)
    this.#outcome = this.#newest
    this.#forgetFacts()
    const record = this.#recall.record(step.id)
    const dated = this.#keeping.done(frame, step, writes, seq)
    if (record !== undefined)
      this.#recall.keep(step.id, { ...record, ended, writes: ended.status === 'failed' ? record.writes : dated }, step.how)
    if (outcome.status === 'completed' || ignored) return went
    if (over !== undefined)
      return failed(frame.instance, 'timed-out', overReason(settled, over), { step: step.id, final: true, limit: over.path })
    const code = codeOf(step, outcome.status)
    const final = code !== 'step-failed' || step.statement.onFail === 'suspend'
    return failed(frame.instance, code, outcome.reason ?? 'failed', { step: step.id, final })
  }

  /** What may be written down of a result: secrets, and what goes where a secret was, as references. */
  #sealed(frame: Frame, step: Step, path: Path, value: Tree): Tree {
    const before = step.scope.read(outputOf(step, showPath(path)))
    return sealSecrets(markSecrets(keepSecretTypes(before, value), this.#opened), frame.run.seal)
  }

  /** A step may have changed anything about the machine; time and identifiers stay. */
  #forgetFacts(): void {
    for (const key of this.#facts.keys()) if (!key.startsWith('{"kind":"now"') && !key.startsWith('{"kind":"uuid"')) this.#facts.delete(key)
  }

  /** What a person may want to change after a failure: what the step read, or the goal was given, and where that came from. */
  valuesOf({ step, instance }: Failure): Variables {
    const own = step === undefined ? this.#origins.argumentsOf(instance) : (this.#reads.get(step) ?? {})
    return { ...typed(instance, own), ...this.#origins.of(instance, own) }
  }

  /** Appends; the next event that is waited for is durable only with this one. @returns its number */
  async note(body: GoalEventBody): Promise<number> {
    return await this.#append(body, false)
  }

  /** Appends and waits until the event is durable. */
  async record(body: GoalEventBody): Promise<number> {
    return await this.#append(body, true)
  }

  /** Waits until the outcomes of all steps are on disk. @throws CloudburstError CB_STORE_DEGRADED */
  async outcomesKept(): Promise<void> {
    await this.#outcome
    if (this.#broken !== undefined) throw this.#broken.error
  }

  /** See {@link Keeping.rebound}. */
  rebound(frame: Frame, before: Variables, seq: number): void {
    this.#keeping.rebound(frame.instance, before, frame.variables, seq)
  }

  /**
   * This hand is the only one that writes to the journal of its goal, so it knows the number beforehand.
   * Without `wait` the next waited-for event carries this one to disk: they share its sync, in order.
   */
  async #append(body: GoalEventBody, wait: boolean): Promise<number> {
    if (this.#broken !== undefined) throw this.#broken.error
    const seq = ++this.#seq
    const appended = this.#world.journal.append(this.#goalId, body)
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

/** Of a command that was ended with its block there is no more to say; of another failure there is. */
function overReason({ exit, reason }: Performed, over: TimeLimit): string {
  return exit?.kind === 'timed-out' || reason === undefined ? overText(over) : `${reason}; ${overText(over)}`
}

/** A wait ends at once when a person asks to suspend; nothing was stopped that would have to be looked after. */
function codeOf(step: Step, status: Performed['status']): Failure['code'] {
  if (status === 'stopped') return step.kind === 'wait' ? 'requested' : 'stopped'
  return status === 'in-doubt' ? 'in-doubt' : 'step-failed'
}
