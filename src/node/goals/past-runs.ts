/** Earlier runs of a goal: those that are meant when it is to be undone or checked again. Looks only; changes nothing. */
import { isDeepStrictEqual } from 'node:util'
import { CloudburstError } from '../../errors.ts'
import { understand } from '../../goals/config/assignment.ts'
import { getIn } from '../../goals/expression/path.ts'
import { showTree, toPlain } from '../../goals/expression/plain.ts'
import { holdsSealed } from '../../goals/expression/secrets.ts'
import type { GoalEvent } from '../../goals/pursuit/events.ts'
import { canTakeBack, type Deeds, deedsOf } from '../../goals/pursuit/undo.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import type { Variables } from '../../goals/tree.ts'
import type { GoalRequest } from '../../protocols/agency/calls.ts'
import type { NodeJournal } from '../store/journal.ts'
import { isOver } from '../store/run-index.ts'
import type { Found } from './goal-finder.ts'

/** Runs of one goal that are looked into, newest first: each is read whole. What was done before them is not undone. */
const RUNS_LOOKED_AT_MAX = 1_000
/** Runs that a refusal names: the person then says which. */
const NAMED_MAX = 5

/** Runs by which the time of a plan is estimated, and steps of them: some 100 ms of reading. */
const RUNS_MEASURED_MAX = 5
const STEPS_MEASURED_MAX = 5_000

/** Configurations of one goal that are checked again at a time. */
const CHECKED_MAX = 100

type PastRuns = Pick<NodeJournal, 'summaries' | 'read'>

/** A run that has done something which its program can undo. */
export interface DoneRun {
  readonly id: string
  readonly events: readonly GoalEvent[]
  readonly variables: Variables
}

/** The same, with what its journal says. */
export interface Past extends DoneRun {
  readonly run: RunSummary
  readonly deeds: Deeds
}

/**
 * The runs of this goal, with the values that the request names, whose work nobody has undone yet; the newest first.
 * @throws CloudburstError CB_BUSY while it is being undone, CB_VALUE_INVALID
 */
export async function* pastRuns(journal: PastRuns, found: Found, request: GoalRequest): AsyncGenerator<Past> {
  const undone = new Set<string>()
  let looked = 0
  for await (const run of journal.summaries(each => each.goal === request.goal && !each.mirrored && !each.compacted)) {
    if (run.program.name !== found.program.name || run.agent !== found.agentName || undone.has(run.id)) continue
    if (++looked > RUNS_LOOKED_AT_MAX) break
    if (run.undoes !== undefined) {
      if (run.status === 'completed') for (const id of run.undoes) undone.add(id)
      else if (!isOver(run.status)) throw open(run, `goal ${run.id} undoes it already: look at that`)
      continue
    }
    const events = await journal.read(run.id)
    const deeds = deedsOf(events)
    if (deeds.configured === undefined || deeds.history.undoing !== undefined) continue
    const { variables } = deeds.configured
    if (matches(found, request, variables)) yield { id: run.id, run, events, deeds, variables }
  }
}

/**
 * Those of them that have done something which the program can undo.
 * @throws CloudburstError CB_BUSY while one of them is open, CB_USAGE when they had different values, CB_VALUE_INVALID
 */
export async function runsToUndo(journal: PastRuns, found: Found, request: GoalRequest): Promise<readonly DoneRun[]> {
  const done: DoneRun[] = []
  const source = { program: found.program, ...(found.agentProto !== undefined && { agent: found.agentProto }) }
  for await (const past of pastRuns(journal, found, request)) {
    const { run, deeds } = past
    if (!isOver(run.status)) throw open(run, `goal ${run.id} is ${run.status}: cancel it, which undoes what it has done`)
    if (canTakeBack(source, deeds)) done.push(past)
  }
  requireOne(request.goal, found, done)
  return done
}

/** The newest completed run for each configuration. */
export async function latestRuns(journal: PastRuns, found: Found, request: GoalRequest): Promise<readonly Past[]> {
  const latest = new Map<string, Past>()
  for await (const past of pastRuns(journal, found, request)) {
    const key = JSON.stringify(compared(found.proto.parameters, past.variables))
    if (past.run.status === 'completed' && !latest.has(key)) latest.set(key, past)
    if (latest.size >= CHECKED_MAX) break
  }
  return [...latest.values()]
}

/** Events of the newest runs of this goal, as many as are read in a moment: what says how long its steps take. */
export async function recentRuns(journal: PastRuns, { program, proto }: Found, goal: string): Promise<readonly (readonly GoalEvent[])[]> {
  const recent: (readonly GoalEvent[])[] = []
  let steps = 0
  for await (const run of journal.summaries(
    each => each.goal === goal && each.status === 'completed' && !each.mirrored && !each.compacted
  )) {
    if (run.program.name !== program.name || proto.name !== goal) continue
    steps += run.steps.done
    if (steps > STEPS_MEASURED_MAX || recent.length >= RUNS_MEASURED_MAX) break
    recent.push(await journal.read(run.id).catch(() => []))
  }
  return recent
}

function matches({ program, proto, agentProto }: Found, { assignments }: GoalRequest, variables: Variables): boolean {
  const to = { proto, ...(agentProto !== undefined && { agent: agentProto }) }
  return assignments.every(assignment => {
    const { path, tree } = understand(program, to, assignment)
    const had = getIn({ fields: variables }, path.slice(1))
    // Whether a secret is the same nobody can tell: one that is given is what the goal is undone with.
    return path[0] === 'goal' && had !== undefined && (holdsSealed(had) || isDeepStrictEqual(toPlain(had), toPlain(tree)))
  })
}

/** Work that was done with different values is not the same work. @throws CloudburstError CB_USAGE */
function requireOne(goal: string, { proto }: Found, done: readonly DoneRun[]): void {
  const values = new Map(done.map(({ id, variables }) => [JSON.stringify(compared(proto.parameters, variables)), { id, variables }]))
  if (values.size <= 1) return
  const all = [...values.values()]
  const names = proto.parameters
    .map(({ name }) => name)
    .filter(name => new Set(all.map(({ variables }) => JSON.stringify(variables[name]))).size > 1)
  const words = ({ id, variables }: (typeof all)[number]): string =>
    `${names.map(name => `goal.${name}=${variables[name] === undefined ? '' : showTree(variables[name])}`).join(' ')} (${id})`
  const more = all.length > NAMED_MAX ? ` and ${all.length - NAMED_MAX} more` : ''
  throw new CloudburstError(
    'CB_USAGE',
    `${goal} was pursued with different values: ${all.slice(0, NAMED_MAX).map(words).join(', ')}${more}; say which`,
    { command: 'plan' }
  )
}

/** Of secrets nobody can tell whether they are the same. */
function compared(parameters: readonly { readonly name: string }[], variables: Variables): unknown {
  return parameters.map(({ name }) => {
    const tree = variables[name]
    return tree === undefined || holdsSealed(tree) ? null : toPlain(tree)
  })
}

function open({ id, goal }: RunSummary, message: string): CloudburstError {
  return new CloudburstError('CB_BUSY', message, { id, goal })
}
