/** Plans a goal: the walk of pursuit with a hand that only writes down. Reads facts through the probe; has no effect. */
import { bind } from '../config/bind.ts'
import { parsePath, setIn } from '../expression/path.ts'
import type { Probe, Surroundings } from '../ports.ts'
import type { AgentProto, Complaint, GoalProto, Program } from '../program/model.ts'
import { bindingOf, configure, findGoal, openFrame } from '../pursuit/call.ts'
import type { Assignment, GoalEvent, GoalEventBody } from '../pursuit/events.ts'
import type { Failure } from '../pursuit/failure.ts'
import { foldHistory } from '../pursuit/history.ts'
import { rootInstance } from '../pursuit/instance.ts'
import { configurationOf } from '../pursuit/configured.ts'
import { deedsOf, undo } from '../pursuit/undo.ts'
import { type Checked, lookAgain } from '../pursuit/drift.ts'
import { type Run, settle, walkGoal } from '../pursuit/walk.ts'
import type { Tree, Variables } from '../tree.ts'
import { basisOf } from './basis.ts'
import type { Plan, PlanMark, PlanNode } from './plan.ts'
import { PlanningHand } from './planning-hand.ts'

export interface Planning {
  readonly program: Program
  readonly agent?: AgentProto
  readonly goal: string
  readonly assignments: readonly Assignment[]
  readonly instances: ReadonlyMap<string, Tree>
  readonly surroundings: Surroundings
  readonly probe: Probe
  /** Of the person who asked, as in LANG. */
  readonly locale?: string
  /** What happened to the goal so far, for the preview of a repair; the repair is the last event. */
  readonly events?: readonly GoalEvent[]
  /** Events of runs of the same goal with the same values that are to be undone instead, the newest first. */
  readonly undoes?: readonly (readonly GoalEvent[])[]
}

/** What would happen if the goal were pursued now. Linear in the number of steps. */
export async function makePlan(planning: Planning): Promise<Plan> {
  const hand = new PlanningHand(planning.probe, foldHistory(planning.events ?? []))
  const { variables, problems } = await walkThrough(planning, hand)
  const { name, hash } = planning.program
  const nodes = hand.nodes()
  const basis = basisOf({ name, hash }, { variables, facts: hand.facts(), values: hand.values() }, nodes)
  return { version: 1, goal: planning.goal, program: { name, hash }, variables, nodes, summary: summaryOf(nodes), basis, problems }
}

/** The goal's variables, and why it could not be planned further; the rest is written down by the hand. */
export async function walkThrough(planning: Planning, hand: PlanningHand): Promise<Pick<Plan, 'variables' | 'problems'>> {
  const events = planning.events ?? []
  const proto = findGoal(planning, planning.goal)
  if (proto === undefined) {
    const place = { file: planning.program.name, line: 1, col: 1 }
    return { variables: {}, problems: [{ place, message: `no goal is called ${planning.goal}` }] }
  }
  const run = openRun(planning, hand)
  const undoes = planning.undoes ?? (events.some(({ body }) => body.type === 'undoing') ? [events] : undefined)
  if (undoes !== undefined) return await planUndo(proto, run, hand, undoes)
  const frame = openFrame(run, proto, rootInstance(planning.goal), [{ key: `${planning.goal}()`, text: planning.goal }])
  const known = configurationOf(events)
  if (known !== undefined) configure(frame, known)
  const bound =
    known === undefined
      ? await settle(run, () => bind(planning.program, proto, { ...bindingOf(run), assignments: planning.assignments }))
      : undefined
  if (bound !== undefined) configure(frame, bound)
  const before = events.findLast(({ body }) => body.type === 'configured')?.body
  if (bound !== undefined && before?.type === 'configured') hand.rebound(frame, before.variables)
  const variables = { ...frame.variables }
  if (bound !== undefined && bound.errors.length > 0) return { variables, problems: bound.errors }
  const ended = await walkGoal(frame, {})
  return { variables, problems: ended.outcome === 'failed' ? [problem(proto, ended)] : [] }
}

/** What goals with a post, reached by an earlier run of the same goal, are now. Has no effect. */
export async function checkAgain(planning: Planning, events: readonly GoalEvent[]): Promise<readonly Checked[]> {
  const hand = new PlanningHand(planning.probe, foldHistory([]))
  return await lookAgain(openRun(planning, hand), hand, deedsOf(events))
}

/** What undoing would do. */
async function planUndo(
  proto: GoalProto,
  run: Run,
  hand: PlanningHand,
  undoes: readonly (readonly GoalEvent[])[]
): Promise<Pick<Plan, 'variables' | 'problems'>> {
  const done = undoes.map(deedsOf)
  hand.takesAllBack()
  const undone = await undo(run, hand, done, { begun: begun => hand.takesBack(begun), stays: sent => hand.leaves(sent) })
  return { variables: done[0]?.configured?.variables ?? {}, problems: undone.ok ? [] : [problem(proto, undone)] }
}

/** A reason that names a place is a complaint there; any other is one of the goal. */
function problem(proto: GoalProto, ended: { readonly failure: Pick<Failure, 'reason'> }): Complaint {
  const [, file, line, col, message] = /^([^\s:][^:]*):(\d+):(\d+): (.*)$/s.exec(ended.failure.reason) ?? []
  if (file === undefined || message === undefined) return { place: proto.place, message: ended.failure.reason }
  return { place: { file, line: Number(line), col: Number(col) }, message }
}

function countedAs(mark: Exclude<PlanMark, '='>): keyof Plan['summary'] {
  switch (mark) {
    case '+':
      return 'do'
    case '~':
      return 'redo'
    case '-':
      return 'undo'
    case '?':
      return 'possible'
  }
}

/** The agent's variables with what the repair that is previewed sets of them. */
function setBy(repair: GoalEventBody | undefined, agent: Variables): Variables {
  let tree: Tree = { fields: agent }
  for (const { path, value } of repair?.type === 'repaired' ? repair.assignments : []) {
    if (path.startsWith('agent.') && typeof value !== 'string') tree = setIn(tree, parsePath(path).slice(1), value)
  }
  return tree.fields ?? agent
}

/** The agent's variables are copied at the first write, so that planning changes nothing. */
function openRun(planning: Planning, hand: PlanningHand): Run {
  let agent: Variables = setBy(planning.events?.at(-1)?.body, planning.surroundings.agent())
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
    facts: hand.known,
    seal: () => 'plan',
    shared: new Map(),
    outcomes: new Map(),
    chain: [],
    ...(planning.locale !== undefined && { locale: planning.locale })
  }
}

/** Steps by what would become of them; goals only where nothing is to be done for them. */
export function summaryOf(nodes: readonly PlanNode[]): Plan['summary'] {
  const summary = { do: 0, redo: 0, undo: 0, possible: 0, alreadyTrue: 0 }
  for (const node of nodes) {
    if (node.mark === '=') summary.alreadyTrue += 1
    else if (node.kind === 'step') summary[countedAs(node.mark)] += 1
  }
  return summary
}
