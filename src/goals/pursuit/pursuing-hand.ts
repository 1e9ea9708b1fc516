/**
 * The hand that does things: intent to the journal, the step, outcome to the journal; and that keeps what was done
 * before, unless something it read has changed since.
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { parsePath, showPath } from '../expression/path.ts'
import { keepSecretTypes, markSecrets, maskText, sealSecrets } from '../expression/secrets.ts'
import type { FactQuery, World } from '../ports.ts'
import type { Method, Path, StatementBase } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import type { Candidate, GoalEventBody, Write } from './events.ts'
import { type Ended, type Failure, failed, type Walked, went } from './failure.ts'
import { Freshness, qualify } from './freshness.ts'
import { type DatedWrite, type History, pausedSince, type StepRecord } from './history.ts'
import { triesLeft } from './persist.ts'
import { Recall } from './recall.ts'
import { faultsOf, type Performed, type Prepared, type Step } from './step.ts'
import { describe, type Frame, type Hand, type Run, settle } from './walk.ts'

/** Longest wait between two tries of one step, in milliseconds: an hour is as good as suspended. */
const BACKOFF_MS_MAX = 3_600_000

/** Longest text and list of a value that was read, as the journal keeps it: a screenful. */
const READ_CHARS_MAX = 1024
const READ_ITEMS_MAX = 100

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
  readonly #fresh = new Freshness()
  readonly #recall: Recall
  readonly #facts: Run['facts']
  /** Values that each step read when it was last tried. */
  readonly #reads = new Map<string, Readonly<Record<string, Tree>>>()
  /** Secrets looked up in this stretch: what a command repeats of them is not written down. */
  readonly #opened = new Set<string>()
  #seq: number

  /** @param stop fires when a person asks to suspend: no further step begins */
  constructor(goalId: string, world: World, history: History, facts: Run['facts'], stop: AbortSignal) {
    this.#goalId = goalId
    this.#world = world
    this.#history = history
    this.#recall = new Recall(history)
    this.#facts = facts
    this.#stop = stop
    this.#seq = history.seq
    for (const [path, { seq }] of history.set) this.#fresh.mark(path, seq)
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
    const before = this.#history.instances.get(frame.instance)
    this.#override(frame)
    if (this.#recall.hasBegun(frame.instance, args)) return
    this.#recall.began(frame.instance, args, frame.how)
    for (const name of Object.keys(args)) this.#fresh.mark(`${frame.instance}:goal.${name}`, before?.argumentsSince.get(name) ?? 0)
    if (before !== undefined && isDeepStrictEqual(before.arguments, args)) {
      if (before.ended === 'completed' && frame.proto.post.length > 0)
        frame.again = `${frame.proto.name} was done but does not hold any more`
      return
    }
    const text = describe(frame.proto.describe, frame.scope)
    const event = await this.#append(
      {
        type: 'goal-began',
        instance: frame.instance,
        goal: frame.proto.name,
        place: frame.proto.place,
        ...(text !== undefined && { describe: text }),
        arguments: args
      },
      false
    )
    for (const [name, value] of Object.entries(args)) {
      if (!isDeepStrictEqual(before?.arguments[name], value)) this.#fresh.mark(`${frame.instance}:goal.${name}`, event)
    }
  }

  async goalEnded(frame: Frame, ended: Ended): Promise<void> {
    const before = this.#history.instances.get(frame.instance)?.ended
    if (before === ended.outcome || (ended.outcome === 'failed' && ended.failure.code === 'stepping')) return
    const told = {
      ...(frame.grounds !== undefined && { grounds: frame.grounds }),
      ...(ended.outcome === 'failed' && ended.failure.code === 'no-method' && { candidates: ended.failure.candidates })
    }
    if (ended.outcome === 'failed')
      await this.#append({ type: 'goal-ended', instance: frame.instance, outcome: 'failed', reason: ended.failure.reason, ...told }, false)
    else if (ended.outcome !== 'possible')
      await this.#append(
        { type: 'goal-ended', instance: frame.instance, outcome: ended.outcome, ...(ended.outcome === 'already-true' && told) },
        false
      )
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

  gaveBack(frame: Frame, to: readonly (string | number)[], from: string): void {
    this.#fresh.mark(qualify(frame.instance, showPath(to)), this.#fresh.changedAt(from))
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
    const stale = record === undefined ? undefined : ((await this.#goneOf(step, record)) ?? this.#stale(frame, step, record))
    if (record !== undefined && stale === undefined && isDone(record)) return this.#keep(frame, step, record)
    const left = triesLeft(step.statement)
    if (record !== undefined && stale === undefined && this.#recall.isGivenUp(step.id, record, left + 1, step.how))
      return failed(frame.instance, 'step-failed', record.ended?.reason ?? 'failed', { step: step.id, known: true })
    if (this.#stop.aborted) return failed(frame.instance, 'requested', 'suspended on request', { final: true })
    const decision = this.#history.stepwise ? await this.#decision(frame, step, record) : undefined
    if (decision !== undefined) return decision
    let attempt = record?.began.attempt ?? 0
    if (record !== undefined && record.ended === undefined) {
      const settled = await this.#settleInterrupted(frame, step, record)
      if (settled !== undefined) return settled
    }
    for (let tries = 0; ; tries++) {
      attempt += 1
      const last = tries >= left
      const walked = await this.#try(frame, step, { attempt, last }, stale ?? (record?.ended === undefined ? undefined : frame.again))
      if (walked.ok || walked.failure.final || last || this.#stop.aborted) return walked
      await this.#backOff(step.statement, tries)
    }
  }

  async mayRetry(path: string, policy: StatementBase, tries: number): Promise<boolean> {
    if (tries >= triesLeft(policy) || this.#stop.aborted) return false
    this.reopen(path)
    await this.#backOff(policy, tries)
    return !this.#stop.aborted
  }

  reopen(path: string): void {
    this.#recall.reopen(path, this.#seq)
  }

  async #backOff({ backoffS }: StatementBase, tries: number): Promise<void> {
    await this.#world.clock.sleep(Math.min(BACKOFF_MS_MAX, backoffS * 1000 * 2 ** tries), this.#stop).catch(() => undefined)
  }

  async #goneOf(step: Step, { ended, writes }: StepRecord): Promise<string | undefined> {
    if (step.gone === undefined || ended?.status !== 'completed') return undefined
    return await step.gone(this.#world, writes)
  }

  /** What a person has decided about the step; undefined: it is to be done. Without a decision the goal waits here. */
  async #decision(frame: Frame, step: Step, record: StepRecord | undefined): Promise<Walked | undefined> {
    const interrupted = record !== undefined && record.ended === undefined
    const decided = this.#history.decided.get(step.id)
    if (decided?.verdict === 'skip' && decided.seq > (record?.beganSeq ?? 0)) return went
    if (interrupted || (decided !== undefined && decided.seq > (record?.beganSeq ?? 0))) return undefined
    const prepared = await settle(frame.run, () => step.prepare())
    this.#reads.set(step.id, prepared.reads)
    return failed(frame.instance, 'stepping', prepared.show, { step: step.id, final: true })
  }

  /** Why a step that was done must be done again; undefined when it need not. */
  #stale(frame: Frame, step: Step, record: StepRecord): string | undefined {
    if (frame.again !== undefined) return frame.again
    const misfit = this.#misfitOf(step, record.writes)
    if (misfit !== undefined) return misfit
    if (record.began.key !== step.key) return 'its text was edited'
    const changed = this.#fresh.changedSince(
      Object.keys(record.began.reads).map(path => qualify(frame.instance, path)),
      this.#recall.staleFrom(step.id, record)
    )
    return changed === undefined ? undefined : `${changed.slice(changed.lastIndexOf(':') + 1)} has changed`
  }

  #keep(frame: Frame, step: Step, record: StepRecord): Walked {
    this.#recall.keep(step.id, record, step.how)
    for (const write of record.writes) this.#apply(frame, step, write)
    return went
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
      reads: brief(prepared.reads),
      ...(again !== undefined && { again }),
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
    return await step.perform(this.#world, prepared, {
      goalId: this.#goalId,
      step: step.id,
      attempt,
      signal,
      ...(since !== undefined && { since })
    })
  }

  /** Writes the outcome down, makes its results visible, and says whether the walk may go on. */
  async #end(frame: Frame, step: Step, { attempt, last }: TryNumber, performed: Performed, startedAt: number): Promise<Walked> {
    const misfit = this.#misfitOf(
      step,
      performed.writes.map(({ path, value }) => ({ path: showPath(path), value }))
    )
    const outcome: Performed = misfit === undefined ? performed : { ...performed, status: 'failed', writes: [], reason: misfit }
    const ignored = outcome.status === 'failed' && step.statement.onFail === 'ignore' && last
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
    const seq = await this.#append(ended, true)
    this.#forgetFacts()
    const record = this.#recall.record(step.id)
    const before = new Map(record?.writes.map(write => [write.path, write]))
    const dated = writes.map(write => {
      const same = before.get(write.path)
      return { ...write, since: same !== undefined && isDeepStrictEqual(same.value, write.value) ? same.since : seq }
    })
    for (const write of dated) this.#apply(frame, step, write, false)
    if (record !== undefined)
      this.#recall.keep(step.id, { ...record, ended, writes: ended.status === 'failed' ? record.writes : dated }, step.how)
    if (outcome.status === 'completed' || ignored) return went
    const code = codeOf(step, outcome.status)
    const final = code !== 'step-failed' || step.statement.onFail === 'suspend'
    return failed(frame.instance, code, outcome.reason ?? 'failed', { step: step.id, final })
  }

  /** What may be written down of a result: secrets, and what goes where a secret was, as references. */
  #sealed(frame: Frame, step: Step, path: Path, value: Tree): Tree {
    const before = step.scope.read(this.#outputOf(step, showPath(path)))
    return sealSecrets(markSecrets(keepSecretTypes(before, value), this.#opened), frame.run.seal)
  }

  /** Why one of `writes` cannot be made visible, if one cannot. */
  #misfitOf(step: Step, writes: readonly Write[]): string | undefined {
    for (const { path, value } of writes) {
      const why = step.scope.misfit(this.#outputOf(step, path), value)
      if (why !== undefined) return why
    }
    return undefined
  }

  /** As the program names it: a find symbol's item is not a path of the goal. */
  #outputOf(step: Step, path: string): Path {
    return step.outputs.find(each => showPath(each) === path) ?? parsePath(path)
  }

  /** Makes a result visible to what follows. What a person has set since stays as the person set it. */
  #apply(frame: Frame, step: Step, write: DatedWrite, kept = true): void {
    const path = qualify(frame.instance, write.path)
    const set = this.#history.set.get(path)
    const pinned = kept && set !== undefined && set.seq > write.since
    if (!write.path.startsWith('agent.') || !kept) step.scope.write(this.#outputOf(step, write.path), pinned ? set.value : write.value)
    this.#fresh.mark(path, pinned ? set.seq : write.since)
  }

  /** Values that people set in repairs go over arguments and defaults. */
  #override(frame: Frame): void {
    const own = `${frame.instance}:goal.`
    for (const [path, { value }] of this.#history.set) {
      if (!path.startsWith(own)) continue
      const place = parsePath(path.slice(frame.instance.length + 1))
      // what it was a part of may be gone from an edited program
      if (frame.scope.misfit(place, value) === undefined) frame.scope.write(place, value)
    }
  }

  /** A step may have changed anything about the machine; time and identifiers stay. */
  #forgetFacts(): void {
    for (const key of this.#facts.keys()) if (!key.startsWith('{"kind":"now"') && !key.startsWith('{"kind":"uuid"')) this.#facts.delete(key)
  }

  /** What a step read when it was tried in this stretch: what a person may want to change. */
  readsOf(step: string): Readonly<Record<string, Tree>> {
    return this.#reads.get(step) ?? {}
  }

  /** Appends and waits until the event is durable. */
  async record(body: GoalEventBody): Promise<void> {
    await this.#append(body, true)
  }

  /**
   * This hand is the only one that writes to the journal of its goal, so it knows the number beforehand.
   * Without `wait` the next waited-for event carries this one to disk: they share its sync, in order.
   */
  async #append(body: GoalEventBody, wait: boolean): Promise<number> {
    const seq = ++this.#seq
    const appended = this.#world.journal.append(this.#goalId, body)
    if (wait) assert.equal((await appended).seq, seq, 'somebody else wrote to the journal of a goal that is pursued')
    else appended.catch(() => undefined) // the next one fails too, and is waited for
    return seq
  }
}

/** A wait ends at once when a person asks to suspend; nothing was stopped that would have to be looked after. */
function codeOf(step: Step, status: Performed['status']): Failure['code'] {
  if (status === 'stopped') return step.kind === 'wait' ? 'requested' : 'stopped'
  return status === 'in-doubt' ? 'in-doubt' : 'step-failed'
}

function isDone(record: StepRecord): boolean {
  return record.ended?.status === 'completed' || record.ended?.status === 'ignored'
}

/** Values as a journal keeps them: long texts are cut, they are for people and can be found in the output. */
function brief(reads: Readonly<Record<string, Tree>>): Record<string, Tree> {
  return Object.fromEntries(Object.entries(reads).map(([path, tree]) => [path, cut(tree)]))
}

function cut(tree: Tree): Tree {
  if (typeof tree.value === 'string' && tree.value.length > READ_CHARS_MAX)
    return { ...tree, value: `${tree.value.slice(0, READ_CHARS_MAX)}…` }
  if (tree.fields !== undefined) return { ...tree, fields: brief(tree.fields) }
  if (tree.items !== undefined) return { ...tree, items: tree.items.slice(0, READ_ITEMS_MAX).map(cut) }
  return tree
}
