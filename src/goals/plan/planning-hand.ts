/** The hand that only writes down: what would be done, and, for a goal with a history, what of it would be kept. */
import { factKey } from '../expression/fact-key.ts'
import { showPath } from '../expression/path.ts'
import type { Fact, FactQuery, Probe } from '../ports.ts'
import type { Method, Path } from '../program/model.ts'
import { showPlace } from '../program/xml.ts'
import type { Asked } from '../pursuit/call.ts'
import type { Candidate } from '../pursuit/events.ts'
import { type Ended, failed, type Walked, went } from '../pursuit/failure.ts'
import type { History } from '../pursuit/history.ts'
import { correctionsOf } from '../pursuit/correct.ts'
import { callerOf } from '../pursuit/instance.ts'
import { methodsFor } from '../pursuit/methods.ts'
import { Keeping, type Verdict } from '../pursuit/keeping.ts'
import { triesLeft } from '../pursuit/persist.ts'
import { faultsOf, foreseenAt, type Prepared, type Step } from '../pursuit/step.ts'
import type { SentGoal } from '../pursuit/sent-goals.ts'
import type { Begun } from '../pursuit/undo.ts'
import { describe, type Frame, type Hand, type Listed, settle } from '../pursuit/walk.ts'
import type { Tree, Variables } from '../tree.ts'
import { Sequence, type Sides } from './sequence.ts'
import type { PlanMark, PlanNode } from './plan.ts'

/** Most goals and steps of one plan: beyond that it is a program that multiplies, and nobody reads its plan. About 700 MB. */
export const PLAN_NODES_MAX = 250_000

type Draft = { -readonly [K in keyof PlanNode]: PlanNode[K] }

/** Steps that may turn out to need nothing, or to fail, by what is not known yet. */
const LOOKING: ReadonlySet<Step['kind']> = new Set(['check', 'editFile', 'wait'])

export class PlanningHand implements Hand {
  readonly #probe: Probe
  /** What the walk knows of the machine. */
  readonly known = new Map<string, Fact>()
  /** Steps that would fail before they did anything: pursuing begins them all the same. */
  readonly faulty: string[] = []
  /** Beginnings of steps that pursuing may do where the plan fails: at what can be corrected, or may not be needed at all. */
  readonly unsure: string[] = []
  #mayGoOn = false
  readonly #nodes: Draft[] = []
  readonly #goals = new Map<string, Draft>()
  readonly #sequence = new Sequence()
  readonly #history: History
  readonly #keeping: Keeping
  readonly #values = new Map<string, Tree>()
  readonly #looked = new Map<string, Fact>()
  /** Paths of the caller that the arguments of a sub-goal are made of. */
  readonly #argumentReads = new Map<string, readonly string[]>()
  #changesElsewhere = false
  readonly #most: number
  #isUndoing = false
  /** The method that is undone now. */
  #takenBack: Draft | undefined

  /**
   * @param history what was done before; empty for a goal that is only planned
   * @param most goals and steps; what comes then is not planned
   */
  constructor(probe: Probe, history: History, most = PLAN_NODES_MAX) {
    this.#most = most
    this.#probe = probe
    this.#history = history
    this.#keeping = new Keeping(history)
  }

  /** See {@link Keeping.rebound}. */
  rebound(frame: Frame, before: Variables): void {
    this.#keeping.rebound(frame.instance, before, frame.variables, this.#history.seq)
  }

  /** From here on what is planned takes back what was done. */
  takesAllBack(): void {
    this.#isUndoing = true
  }

  /** First the method at `path`. */
  takesBack({ frame, method, path }: Begun): void {
    const { instance, proto } = frame
    this.#takenBack = {
      id: path,
      kind: 'goal',
      needs: this.#takenBack === undefined ? [] : [this.#takenBack.id],
      mark: '-',
      text: instance === proto.name ? instance : `${proto.name} (${instance})`,
      method: method.name,
      reads: [],
      writes: [],
      place: method.place
    }
    this.#nodes.push(this.#takenBack)
    this.#goals.set(path, this.#takenBack)
  }

  /** What was done on another node, and nothing takes back. */
  leaves({ step: id, goal, peer, place }: SentGoal): void {
    const because = 'nothing that its program says takes it back'
    const more = { mark: '=' as const, text: `${goal} on ${peer}`, because, reads: [], writes: [], place, peer }
    this.#nodes.push({ id, kind: 'step', step: 'remote', needs: [], ...more })
  }

  nodes(): readonly PlanNode[] {
    return this.#nodes
  }

  get isFull(): boolean {
    return this.#nodes.length >= this.#most
  }

  /** What steps read outside their goals, as it was when it was first read; what earlier steps would write is not known. */
  values(): ReadonlyMap<string, Tree> {
    return this.#values
  }

  /** The first answer to each question about the machine: later ones may not be known any more. */
  facts(): ReadonlyMap<string, Fact> {
    return this.#looked
  }

  /** What other nodes publish is not known any more once a goal on one of them is planned. */
  async gather(queries: readonly FactQuery[]): Promise<void> {
    const asked = this.#changesElsewhere ? queries.filter(query => query.kind !== 'state') : queries
    const facts = await this.#probe.gather(asked)
    for (const [i, query] of asked.entries()) {
      const key = factKey(query)
      const fact = facts[i] ?? { kind: 'text', value: undefined }
      this.known.set(key, fact)
      if (!this.#looked.has(key)) this.#looked.set(key, fact)
    }
    if (asked.length === queries.length) return
    for (const query of queries) if (query.kind === 'state') this.known.set(factKey(query), { kind: 'tree', value: { unknown: true } })
  }

  goalBegan(frame: Frame, args: Variables): Promise<void> {
    if (this.#keeping.begin(frame, args) === undefined) this.#keeping.began(frame, args, this.#history.seq)
    const text = describe(frame.proto.describe, frame.scope)
    const caller = callerOf(frame.instance, each => this.#goals.has(each))
    const node: Draft = {
      id: frame.instance,
      kind: 'goal',
      ...(caller !== undefined && { parent: caller }),
      needs: this.#sequence.after(caller),
      mark: '+',
      text: frame.proto.name,
      ...(text !== undefined && { describe: text }),
      reads: this.#argumentReads.get(frame.instance) ?? [],
      writes: [],
      place: frame.proto.place
    }
    this.#nodes.push(node)
    this.#goals.set(frame.instance, node)
    return Promise.resolve()
  }

  goalEnded(frame: Frame, ended: Ended): Promise<void> {
    if (ended.outcome === 'failed') this.#failed(frame)
    const node = this.#goals.get(frame.instance)
    if (node !== undefined) {
      const done = this.#isUndoing ? '-' : '+'
      node.mark = ended.outcome === 'already-true' ? '=' : ended.outcome === 'completed' ? done : '?'
      const caller = callerOf(frame.instance, each => this.#goals.has(each))
      if (caller !== undefined) this.#sequence.ended(caller, frame.instance)
    }
    return Promise.resolve()
  }

  /** A correction may put right what the plan fails at. */
  #failed(frame: Frame): void {
    const { instance, possible, mayGoOn, run, proto } = frame
    this.#mayGoOn ||= possible || mayGoOn === true || methodsFor(run, proto).some(method => correctionsOf(frame, method).length > 0)
    if (this.#mayGoOn) this.unsure.push(`${instance}/`, `${instance}>`)
  }

  methodChosen(frame: Frame, method: Method, candidates: readonly Candidate[]): Promise<void> {
    const node = this.#goals.get(frame.instance)
    if (node !== undefined) {
      node.method = method.name
      node.candidates = candidates
      const text = describe(method.describe, frame.scope)
      if (node.describe === undefined && text !== undefined) node.describe = text
    }
    return Promise.resolve()
  }

  methodFailed(): Promise<void> {
    return Promise.resolve()
  }

  evaluated(frame: Frame, path: string, now: Listed): Promise<Tree> {
    return Promise.resolve(this.#keeping.evaluated(frame, path, now) ?? now.value)
  }

  wasMet(frame: Frame, paths: readonly string[]): boolean {
    return this.#keeping.wasMet(frame, paths)
  }

  wasPassedOver(frame: Frame, method: string, paths: readonly string[]): boolean {
    return this.#keeping.wasPassedOver(frame, method, paths)
  }

  gaveBack(frame: Frame, to: Path, from: string): void {
    const goal = this.#goals.get(from.slice(0, from.lastIndexOf(':')))
    if (goal !== undefined) goal.writes = [...goal.writes, showPath(to)]
    this.#keeping.gaveBack(frame, to, from)
  }

  recall(frame: Frame): void {
    this.#keeping.recall(frame)
  }

  given(frame: Frame, instance: string, now: Asked): Variables {
    this.#argumentReads.set(instance, pathsOf(now))
    return this.#keeping.given(frame, instance, now)
  }

  shared(): Promise<void> {
    return Promise.resolve()
  }

  notTrue(frame: Frame): Promise<void> {
    const reason = `${frame.proto.name} was done but does not hold any more`
    if (frame.wasReached === true) frame.again = { reason, since: this.#history.seq + 1 }
    return Promise.resolve()
  }

  preferred(instance: string): string | undefined {
    return this.#history.preferred.get(instance)
  }

  isUnderWay(): boolean {
    return false
  }

  wasChosen(instance: string, method: string): boolean {
    return this.#history.instances.get(instance)?.chosen.has(method) ?? false
  }

  whyFailed(instance: string, method: string): string | undefined {
    return this.#history.instances.get(instance)?.failed.get(method)
  }

  mayRetry(): Promise<boolean> {
    return Promise.resolve(false)
  }

  blockEnded(): void {}

  sideBySide(instance: string, most: number): Sides {
    return this.#sequence.sideBySide(instance, most)
  }

  reopen(): void {}

  #forgetElsewhere(): void {
    this.#changesElsewhere = true
    for (const key of this.known.keys()) if (key.startsWith('{"kind":"state"')) this.known.delete(key)
  }

  async step(frame: Frame, step: Step): Promise<Walked> {
    const verdict = expected(step, this.#keeping.judge(frame, step))
    if (verdict.verdict === 'failed')
      return failed(frame.instance, 'step-failed', verdict.said, { step: step.id, final: step.statement.onFail === 'suspend' })
    const prepared = await settle(frame.run, () => step.prepare())
    const fault = verdict.verdict === 'do' ? faultsOf(step, prepared)[0] : undefined
    const { onFail } = step.statement
    if (fault !== undefined) this.faulty.push(step.id)
    if (fault !== undefined && onFail !== 'ignore')
      return failed(frame.instance, 'step-failed', `${showPlace(fault.place)}: ${fault.message}`, {
        step: step.id,
        final: onFail === 'suspend'
      })
    if (this.isFull)
      return failed(frame.instance, 'step-failed', `the plan has more than ${this.#most} goals and steps`, {
        step: step.id,
        final: true
      })
    this.#note(frame, step, prepared, verdict)
    if (verdict.verdict === 'keep') this.#keeping.keep(frame, step, verdict.writes)
    else if (verdict.verdict === 'do' && fault === undefined) this.#foresee(frame, step, prepared)
    return went
  }

  #note(frame: Frame, step: Step, prepared: Prepared, verdict: Verdict): void {
    const method = this.#takenBack?.id.startsWith(`${frame.instance}/`) ? this.#takenBack.id : frame.instance
    const parent = this.#isUndoing && !this.#goals.has(method) ? undefined : method
    const because = verdict.verdict === 'do' ? verdict.again : verdict.verdict === 'skip' ? (verdict.because ?? 'skipped') : undefined
    this.#nodes.push({
      id: step.id,
      kind: 'step',
      step: step.kind,
      ...(parent !== undefined && { parent }),
      needs: this.#sequence.after(parent),
      mark: this.#markOf(frame, step, prepared, verdict),
      text: prepared.show,
      ...(because !== undefined && { because }),
      ...(prepared.detail !== undefined && prepared.detail !== '' && { detail: prepared.detail }),
      ...(step.describe !== undefined && { describe: step.describe }),
      ...(prepared.peer !== undefined && { peer: prepared.peer }),
      reads: [...new Set([...Object.keys(prepared.reads), ...(step.argumentReads ?? [])])],
      writes: step.outputs.map(showPath),
      ...(step.how?.abreast !== undefined && { abreast: step.how.abreast }),
      place: step.statement.place
    })
    if (parent !== undefined) this.#sequence.ended(parent, step.id)
    for (const [path, value] of Object.entries(prepared.reads))
      if (path.startsWith('agent.') && value.unknown !== true && !this.#values.has(path)) this.#values.set(path, value)
  }

  #markOf(frame: Frame, step: Step, prepared: Prepared, verdict: Verdict): PlanMark {
    if (verdict.verdict !== 'do') return '='
    if (frame.possible || (prepared.unknown && LOOKING.has(step.kind))) return '?'
    if (this.#isUndoing && prepared.already !== true) return '-'
    if (this.#history.steps.has(step.id)) return '~'
    return prepared.already === true ? '=' : '+'
  }

  /** What the step would write is not known, which is not the same as undefined; what read it before is not as it was. */
  #foresee(frame: Frame, step: Step, prepared: Prepared): void {
    if (step.kind === 'remote') this.#forgetElsewhere()
    for (const path of step.outputs) {
      step.scope.write(path, foreseenAt(step, prepared, path))
      this.#keeping.mayChange(frame, path, this.#history.seq)
    }
  }
}

/** What is planned for a step: of one that is said to have failed, what its statement says about failures. */
function expected({ statement }: Step, verdict: Verdict): Verdict {
  if (verdict.verdict !== 'failed') return verdict
  if (triesLeft(statement) > 0) return { verdict: 'do', again: verdict.said }
  return statement.onFail === 'ignore' ? { verdict: 'skip', because: `${verdict.said}; its failure is ignored` } : verdict
}

function pathsOf({ reads }: Asked): readonly string[] {
  return [...new Set(Object.values(reads).flat())]
}
