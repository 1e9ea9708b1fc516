/** Doing a step: its intent to the journal, the step, its outcome to the journal; as often as its statement says. */
import { CloudburstError } from '../../errors.ts'
import { hasFilesToKeep, keepFiles } from '../expression/artifacts.ts'
import { showPath } from '../expression/path.ts'
import { keepSecretTypes, sealSecrets } from '../expression/secrets.ts'
import type { World } from '../ports.ts'
import type { Path, StatementBase } from '../program/model.ts'
import type { Tree } from '../tree.ts'
import { brief } from './brief.ts'
import type { Write } from './events.ts'
import type { Facts } from './facts.ts'
import { type Failure, failed, type Walked, went } from './failure.ts'
import { type History, pausedSince, spentBy, type StepRecord } from './history.ts'
import { type Keeping, misfitOf, outputOf, type Verdict } from './keeping.ts'
import type { Pen } from './pen.ts'
import { triesLeft } from './persist.ts'
import type { How, Recall } from './recall.ts'
import { faultsOf, type Performed, type Prepared, type Step, type Try } from './step.ts'
import { overText, type TimeLimit, type TimeLimits } from './time-limits.ts'
import { type Frame, settle } from './walk.ts'

/** Longest wait between two tries of one step, in milliseconds: an hour is as good as suspended. */
const BACKOFF_MS_MAX = 3_600_000

/** Which try of a step it is, and whether none is left after it. */
interface TryNumber {
  readonly attempt: number
  /** Tries of one group are one request. */
  readonly group?: number
  readonly last: boolean
}

/** Of what is not kept as it was. */
type ToDo = Extract<Verdict, { readonly verdict: 'do' | 'failed' }>

/** Steps that touch nothing but the goal's own values and files: their intent need not be on disk before they are done. */
const WITHIN: ReadonlySet<Step['kind']> = new Set(['update', 'check', 'tempFile'])
/** Steps that take no turn: those, and waiting itself. */
const WITHOUT_TURN: ReadonlySet<Step['kind']> = new Set([...WITHIN, 'wait'])

/** What a stretch has that does steps. */
export interface DoingParts {
  readonly goalId: string
  readonly world: World
  readonly history: History
  /** Fires when a person asks to suspend: no further step begins. */
  readonly stop: AbortSignal
  readonly recall: Recall
  readonly keeping: Keeping
  readonly limits: TimeLimits
  readonly facts: Facts
  readonly pen: Pen
  /** Steps of the goal that may be done at a time; absent: as many as its program says. */
  readonly most?: number | undefined
  /** Another node waits for the goal. */
  readonly isAwaited?: boolean
}

export class Doing {
  readonly #parts: DoingParts
  /** Values that each step read when it was last tried. */
  readonly #reads = new Map<string, Readonly<Record<string, Tree>>>()

  constructor(parts: DoingParts) {
    this.#parts = parts
  }

  /** What the step read when it was tried in this stretch. */
  readsOf(step: string): Readonly<Record<string, Tree>> {
    return this.#reads.get(step) ?? {}
  }

  /**
   * Does a step that cannot be kept, or finds out how it ended, or takes a person's word that it failed.
   */
  async step(frame: Frame, step: Step, record: StepRecord | undefined, verdict: ToDo): Promise<Walked> {
    const again = verdict.verdict === 'do' ? verdict.again : undefined
    const tries = triesLeft(step.statement) + 1
    if (record !== undefined && again === undefined && this.#parts.recall.isGivenUp(step.id, record, tries, step.how))
      return failed(frame.instance, 'step-failed', record.ended?.reason ?? 'failed', { step: step.id, known: true })

    const interrupted = verdict.verdict === 'do' && record !== undefined && record.ended === undefined
    const rest = (): Walked => failed(frame.instance, 'requested', 'suspended on request', { final: true })
    if (this.#parts.stop.aborted && !interrupted) return rest()
    if (this.#parts.history.stepwise && !interrupted && !this.#wasOffered(step, record)) return await this.#offer(frame, step)
    const settled = record === undefined ? undefined : await this.#settle(frame, step, record, verdict, tries === 1)
    if (settled !== undefined && (settled.ok || settled.failure.final || tries === 1)) return settled
    if (this.#parts.stop.aborted) return settled ?? rest()
    if (settled !== undefined) await this.backOff(step.statement, 0, step.how)
    const denied = this.#parts.world.whyDenied?.()
    if (denied !== undefined) return failed(frame.instance, 'denied', denied, { final: true })
    const group = (record?.began.group ?? 0) + (again === undefined ? 0 : 1)
    const left = settled === undefined ? tries : tries - 1
    return await this.#tryRepeatedly(frame, step, { attempt: record?.began.attempt ?? 0, group, tries: left }, again)
  }

  /** How the last try ended, of which the journal does not say so yet; undefined when there is none, or it has to run again. */
  async #settle(frame: Frame, step: Step, record: StepRecord, verdict: ToDo, last: boolean): Promise<Walked | undefined> {
    const tried = { attempt: record.began.attempt, last }
    if (verdict.verdict === 'do') return record.ended === undefined ? await this.#settleInterrupted(frame, step, record, tried) : undefined
    const outcome: Performed = { status: 'failed', writes: [], reason: verdict.said }
    return await this.#end(frame, step, tried, outcome, this.#parts.world.clock.now())
  }

  /** As often as `tries` says, after the try numbered `attempt`. */
  async #tryRepeatedly(
    frame: Frame,
    step: Step,
    { attempt, group, tries }: { readonly attempt: number; readonly group: number; readonly tries: number },
    again: string | undefined
  ): Promise<Walked> {
    for (let made = 1; ; made++) {
      const late = this.#parts.limits.enter(frame.instance, step.id, step.how?.limits)
      if (late !== undefined) return late
      const last = made >= tries
      const walked = await this.#inTurn(frame, step, () => this.#try(frame, step, { attempt: attempt + made, group, last }, again))
      if (walked.ok || walked.failure.final || last || this.#parts.stop.aborted) return walked
      await this.backOff(step.statement, made - 1, step.how)
      const denied = this.#parts.world.whyDenied?.()
      if (denied !== undefined) return failed(frame.instance, 'denied', denied, { final: true })
    }
  }

  /** A person has said that this step is to be done. */
  #wasOffered(step: Step, record: StepRecord | undefined): boolean {
    const decided = this.#parts.history.decided.get(step.id)
    return decided !== undefined && decided.seq > (record?.beganSeq ?? 0)
  }

  /** Waits for a person's decision, with what the step would do. */
  async #offer(frame: Frame, step: Step): Promise<Walked> {
    const prepared = await settle(frame.run, () => step.prepare())
    this.#reads.set(step.id, prepared.reads)
    return failed(frame.instance, 'stepping', prepared.show, { step: step.id, final: true })
  }

  /** Waits as the policy says after the failure number `tries`, from 0. */
  async backOff({ backoffS }: StatementBase, tries: number, how: How | undefined): Promise<void> {
    const { clock } = this.#parts.world
    const left = Math.max(0, (this.#parts.limits.deadline(how?.limits) ?? Number.POSITIVE_INFINITY) - clock.now())
    await clock.sleep(Math.min(BACKOFF_MS_MAX, backoffS * 1000 * 2 ** tries, left), this.#parts.stop).catch(() => undefined)
  }

  /** A try that a crash interrupted: how it ended when that can be found out; undefined when it simply has to run again. */
  async #settleInterrupted(frame: Frame, step: Step, record: StepRecord, number: TryNumber): Promise<Walked | undefined> {
    if (step.recover === undefined) return undefined
    const tried = { goalId: this.#parts.goalId, step: step.id, attempt: record.began.attempt }
    const startedAt = this.#parts.world.clock.now()
    const outcome = await step.recover(this.#parts.world, tried, record.beganAt)
    if (outcome.exit?.kind === 'not-started') return undefined
    if (outcome.status === 'in-doubt' && step.statement.idempotent) return undefined
    return await this.#end(frame, step, number, outcome, startedAt)
  }

  /** Where many steps are to be done, of this goal and of others, it waits until it may begin: nothing of it is written down before. */
  async #inTurn(frame: Frame, step: Step, attempt: () => Promise<Walked>): Promise<Walked> {
    const { world, goalId, most, isAwaited, stop } = this.#parts
    if (world.turns === undefined || WITHOUT_TURN.has(step.kind)) return await attempt()
    const place = step.kind === 'remote' ? ((await settle(frame.run, () => step.prepare())).peer ?? '') : ''
    const back = await world.turns.take({ goalId, place, most, ...(isAwaited === true && { isAwaited }) }, stop)
    if (back === undefined) return failed(frame.instance, 'requested', 'suspended on request', { final: true })
    try {
      return await attempt()
    } finally {
      back()
    }
  }

  async #try(frame: Frame, step: Step, { attempt, group = 0, last }: TryNumber, again: string | undefined): Promise<Walked> {
    const tried = this.#tryOf(step, attempt, group)
    const prepared = await this.#prepare(frame, step, tried)
    const startedAt = this.#parts.world.clock.now()
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
      ...(group > 0 && { group }),
      ...(Object.keys(prepared.env ?? {}).length > 0 && { env: Object.keys(prepared.env ?? {}) }),
      ...(prepared.run !== undefined && { run: prepared.run }),
      ...(step.given !== undefined && step.given),
      ...(prepared.peer !== undefined && { peer: prepared.peer })
    } as const
    const intent = this.#parts.pen.append(began, !WITHIN.has(step.kind))
    const before = this.#parts.recall.record(step.id)
    const kept = { ...spentBy(before), writes: before?.writes ?? [] }
    this.#parts.recall.keep(step.id, { began, beganSeq: this.#parts.pen.seq, beganAt: startedAt, ...kept }, step.how)
    const wrong = faultsOf(step, prepared)[0]
    if (wrong !== undefined || prepared.unknown) {
      const reason =
        wrong === undefined ? 'a value is not known' : `${wrong.place.file}:${wrong.place.line}:${wrong.place.col}: ${wrong.message}`
      return await this.#end(frame, step, { attempt, last }, { status: 'failed', writes: [], reason }, startedAt)
    }
    await intent
    const outcome = await step.perform(this.#parts.world, prepared, tried)
    return await this.#end(frame, step, { attempt, last }, outcome, startedAt)
  }

  /** What it would do, and where, as far as that has to be known before its intent is written. */
  async #prepare(frame: Frame, step: Step, tried: Try): Promise<Prepared> {
    const prepared = await settle(frame.run, () => step.prepare())
    if (step.locate === undefined || prepared.unknown || faultsOf(step, prepared).length > 0) return prepared
    return await step.locate(this.#parts.world, prepared, tried)
  }

  #tryOf(step: Step, attempt: number, group: number): Try {
    const { goalId, history, limits, recall, stop } = this.#parts
    const record = history.steps.get(step.id)
    const since = attempt === (record?.began.attempt ?? 0) + 1 && record !== undefined ? pausedSince(record) : undefined
    const until = limits.deadline(step.how?.limits)
    const round = limits.rounds(step.how?.limits)
    const before = recall.record(step.id)
    return {
      goalId,
      step: step.id,
      attempt,
      signal: stop,
      ...(group > 0 && { group }),
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
      ...(round > 0 && { round }),
      ...(before?.ended?.status === 'failed' && { anew: true }),
      ...spentBy(before)
    }
  }

  /** Writes the outcome down, makes its results visible, and says whether the walk may go on. */
  async #end(frame: Frame, step: Step, { attempt, last }: TryNumber, done: Performed, startedAt: number): Promise<Walked> {
    const performed = step.kind === 'remote' ? done : await withFilesKept(step, done, this.#parts.world)
    const misfit = misfitOf(
      step,
      performed.writes.map(({ path, value }) => ({ path: showPath(path), value }))
    )
    const settled: Performed = misfit === undefined ? performed : { ...performed, status: 'failed', writes: [], reason: misfit }
    const over = settled.status === 'failed' ? this.#parts.limits.over(step.how?.limits) : undefined
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
      durationMs: Math.max(0, this.#parts.world.clock.now() - startedAt),
      writes,
      ...(outcome.reason !== undefined && { reason: this.#parts.facts.masked(outcome.reason) }),
      ...(outcome.tail !== undefined && outcome.tail !== '' && { tail: this.#parts.facts.masked(outcome.tail) }),
      ...(outcome.note !== undefined && outcome.note !== '' && { note: outcome.note })
    } as const
    const seq = await this.#parts.pen.outcome(ended)
    this.#parts.facts.forget()
    const record = this.#parts.recall.record(step.id)
    const dated = this.#parts.keeping.done(frame, step, writes, seq)
    if (record !== undefined)
      this.#parts.recall.keep(step.id, { ...record, ended, writes: ended.status === 'failed' ? record.writes : dated }, step.how)
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
    return sealSecrets(this.#parts.facts.marked(keepSecretTypes(before, value)), frame.run.seal)
  }
}

/** The outcome with the files that it names for places of type artifact kept, and named by what is in them. */
async function withFilesKept(step: Step, performed: Performed, { keepFile }: World): Promise<Performed> {
  const before = (path: Path): Tree | undefined => step.scope.read(outputOf(step, showPath(path)))
  if (!performed.writes.some(({ path, value }) => hasFilesToKeep(before(path), value))) return performed
  const unkept = (reason: string): Performed => ({ ...performed, status: 'failed', writes: [], reason })
  if (keepFile === undefined) return unkept('only a daemon keeps files for other nodes: start cloudburstd, and load the program')
  try {
    const writes: { readonly path: Path; readonly value: Tree }[] = []
    for (const { path, value } of performed.writes) writes.push({ path, value: await keepFiles(before(path), value, keepFile) })
    return { ...performed, writes }
  } catch (error) {
    if (error instanceof CloudburstError) return unkept(error.message)
    throw error
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
