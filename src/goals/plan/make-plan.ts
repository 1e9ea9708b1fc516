/** Plans a goal: the walk of pursuit with a hand that only writes down. Reads facts through the probe; has no effect. */
import { bind } from '../config/bind.ts'
import { showPath } from '../expression/path.ts'
import type { Fact, FactQuery, Probe, Surroundings } from '../ports.ts'
import type { AgentProto, Complaint, GoalProto, Method, Program } from '../program/model.ts'
import { showPlace } from '../program/xml.ts'
import { bindingOf, configure, findGoal, openFrame } from '../pursuit/call.ts'
import type { Assignment, Candidate } from '../pursuit/events.ts'
import { type Ended, type Failure, failed, type Walked, went } from '../pursuit/failure.ts'
import { rootInstance } from '../pursuit/instance.ts'
import { faultsOf, type Step } from '../pursuit/step.ts'
import { describe, type Frame, type Hand, type Run, settle, walkGoal } from '../pursuit/walk.ts'
import { setIn } from '../expression/path.ts'
import type { Tree, Variables } from '../tree.ts'
import type { Plan, PlanMark, PlanNode } from './plan.ts'

/** Most goals and steps of one plan: beyond that it is a program that multiplies, and nobody reads its plan. About 700 MB. */
export const PLAN_NODES_MAX = 250_000

export interface Planning {
  readonly program: Program
  readonly agent?: AgentProto
  readonly goal: string
  readonly assignments: readonly Assignment[]
  readonly instances: ReadonlyMap<string, Tree>
  readonly surroundings: Surroundings
  readonly probe: Probe
}

/** What would happen if the goal were pursued now. Linear in the number of steps. */
export async function makePlan(planning: Planning): Promise<Plan> {
  const facts = new Map<string, Fact>()
  const hand = new PlanningHand(planning.probe, facts)
  const proto = findGoal(planning, planning.goal)
  if (proto === undefined)
    return plan(planning, {}, hand, [
      { place: { file: planning.program.name, line: 1, col: 1 }, message: `no goal is called ${planning.goal}` }
    ])
  const run = openRun(planning, hand, facts)
  const frame = openFrame(run, proto, rootInstance(planning.goal), [{ key: `${planning.goal}()`, text: planning.goal }])
  const bound = await settle(run, () => bind(planning.program, proto, { ...bindingOf(run), assignments: planning.assignments }))
  configure(frame, bound)
  const variables = { ...frame.variables }
  if (bound.errors.length > 0) return plan(planning, variables, hand, bound.errors)
  const ended = await walkGoal(frame, {})
  return plan(planning, variables, hand, ended.outcome === 'failed' ? [problem(proto, ended)] : [])
}

function problem(proto: GoalProto, ended: Extract<Ended, { outcome: 'failed' }>): Complaint {
  return { place: proto.place, message: ended.failure.reason }
}

/** The agent's variables are copied at the first write, so that planning changes nothing. */
function openRun(planning: Planning, hand: Hand, facts: Map<string, Fact>): Run {
  let agent: Variables = planning.surroundings.agent()
  return {
    id: 'plan',
    goal: planning.goal,
    program: planning.program,
    ...(planning.agent !== undefined && { agent: planning.agent }),
    hand,
    mode: 'plan',
    surroundings: { ...planning.surroundings, agent: () => agent },
    instances: planning.instances,
    writeAgent: (path, value) => {
      agent = setIn({ fields: agent }, path.slice(1), value).fields ?? agent
    },
    facts,
    seal: () => 'plan',
    shared: new Map(),
    outcomes: new Map(),
    chain: []
  }
}

function plan(planning: Planning, variables: Variables, hand: PlanningHand, problems: readonly Complaint[]): Plan {
  const { name, hash } = planning.program
  const summary = { do: 0, redo: 0, undo: 0, possible: 0, alreadyTrue: 0 }
  const nodes = hand.nodes()
  for (const node of nodes) {
    if (node.mark === '=') summary.alreadyTrue += 1
    else if (node.kind === 'step') summary[node.mark === '?' ? 'possible' : 'do'] += 1
  }
  return { version: 1, goal: planning.goal, program: { name, hash }, variables, nodes, summary, problems }
}

type Draft = { -readonly [K in keyof PlanNode]: PlanNode[K] }

/** Steps that may turn out to need nothing, or to fail, by what is not known yet. */
const LOOKING: ReadonlySet<Step['kind']> = new Set(['check', 'editFile', 'wait'])

class PlanningHand implements Hand {
  readonly #probe: Probe
  readonly #facts: Map<string, Fact>
  readonly #nodes: Draft[] = []
  readonly #goals = new Map<string, Draft>()
  /** The step before, per goal: in a plan everything within a method comes one after the other. */
  readonly #last = new Map<string, string>()
  #changesElsewhere = false

  constructor(probe: Probe, facts: Map<string, Fact>) {
    this.#probe = probe
    this.#facts = facts
  }

  nodes(): readonly PlanNode[] {
    return this.#nodes
  }

  /** What other nodes publish is not known any more once a goal on one of them is planned. */
  async gather(queries: readonly FactQuery[]): Promise<void> {
    const asked = this.#changesElsewhere ? queries.filter(query => query.kind !== 'state') : queries
    for (const query of queries) this.#facts.set(JSON.stringify(query), { kind: 'tree', value: { unknown: true } })
    const facts = await this.#probe.gather(asked)
    for (const [i, query] of asked.entries()) this.#facts.set(JSON.stringify(query), facts[i] ?? { kind: 'text', value: undefined })
  }

  goalBegan(frame: Frame): Promise<void> {
    const text = describe(frame.proto.describe, frame.scope)
    const caller = this.#callerOf(frame)
    const node: Draft = {
      id: frame.instance,
      kind: 'goal',
      ...(caller !== undefined && { parent: caller }),
      needs: this.#after(caller),
      mark: '+',
      text: frame.proto.name,
      ...(text !== undefined && { describe: text }),
      reads: [],
      writes: [],
      place: frame.proto.place
    }
    this.#nodes.push(node)
    this.#goals.set(frame.instance, node)
    return Promise.resolve()
  }

  goalEnded(frame: Frame, ended: Ended): Promise<void> {
    const node = this.#goals.get(frame.instance)
    if (node !== undefined) {
      node.mark = ended.outcome === 'already-true' ? '=' : ended.outcome === 'completed' ? '+' : '?'
      const caller = this.#callerOf(frame)
      if (caller !== undefined) this.#last.set(caller, frame.instance)
    }
    return Promise.resolve()
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

  methodFailed(_frame: Frame, _method: Method, _failure: Failure): Promise<void> {
    return Promise.resolve()
  }

  gaveBack(): void {}

  isUnderWay(): boolean {
    return false
  }

  wasChosen(): boolean {
    return false
  }

  whyFailed(): undefined {
    return undefined
  }

  mayRetry(): Promise<boolean> {
    return Promise.resolve(false)
  }

  reopen(): void {}

  #forgetElsewhere(): void {
    this.#changesElsewhere = true
    for (const key of this.#facts.keys()) if (key.startsWith('{"kind":"state"')) this.#facts.delete(key)
  }

  async step(frame: Frame, step: Step): Promise<Walked> {
    const prepared = await settle(frame.run, () => step.prepare())
    const fault = faultsOf(step, prepared)[0]
    if (fault !== undefined && step.statement.onFail !== 'ignore')
      return failed(frame.instance, 'step-failed', `${showPlace(fault.place)}: ${fault.message}`, {
        step: step.id,
        final: step.statement.onFail === 'suspend'
      })
    if (this.#nodes.length >= PLAN_NODES_MAX)
      return failed(frame.instance, 'step-failed', `the plan has more than ${PLAN_NODES_MAX} goals and steps`, {
        step: step.id,
        final: true
      })
    const possible = frame.possible || (prepared.unknown && LOOKING.has(step.kind))
    const mark: PlanMark = possible ? '?' : prepared.already === true ? '=' : '+'
    this.#nodes.push({
      id: step.id,
      kind: 'step',
      step: step.kind,
      parent: frame.instance,
      needs: this.#after(frame.instance),
      mark,
      text: prepared.show,
      ...(prepared.detail !== undefined && prepared.detail !== '' && { detail: prepared.detail }),
      ...(step.describe !== undefined && { describe: step.describe }),
      ...(step.peer !== undefined && { peer: step.peer }),
      reads: Object.keys(prepared.reads),
      writes: step.outputs.map(showPath),
      place: step.statement.place
    })
    this.#last.set(frame.instance, step.id)
    if (step.kind === 'remote') this.#forgetElsewhere()
    const foreseen = step.foresee?.(prepared) ?? { unknown: true as const }
    if (fault === undefined) for (const path of step.outputs) step.scope.write(path, foreseen)
    return went
  }

  #callerOf(frame: Frame): string | undefined {
    const end = Math.max(frame.instance.lastIndexOf('>'), 0)
    for (let at = end; at > 0; at = frame.instance.lastIndexOf('/', at - 1)) {
      const above = frame.instance.slice(0, at)
      if (this.#goals.has(above)) return above
    }
    return undefined
  }

  #after(goal: string | undefined): readonly string[] {
    const last = goal === undefined ? undefined : this.#last.get(goal)
    return last === undefined ? [] : [last]
  }
}
