/** Taking goals on: what is asked is found, configured and permitted, and becomes one synced event; from there on it is this node's duty. */
import { CloudburstError } from '../../errors.ts'
import { type Assignable, assigned } from '../../goals/config/assignment.ts'
import { type Assignment, EVENT_VERSION, type GoalEventBody } from '../../goals/pursuit/events.ts'
import { type Giver, sealAssignments } from '../secrets/sealing.ts'
import type { Driving } from './driving.ts'
import type { Found, GoalFinder } from './goal-finder.ts'
import type { Leaving } from './leaving.ts'
import { latestRuns, runsToUndo } from './past-runs.ts'
import { mayDispatch, mayRepair } from './permitted.ts'
import type { PlanningRuns } from './planning.ts'
import type { Proposal, Runs, RunsParts } from './runs.ts'
import { beginningAt } from './snapshots.ts'

/**
 * Goals that may be open here at a time, suspended ones too: each is looked at by every start, and read by whoever looks for
 * what waits. Beyond it none is accepted until some are over.
 */
export const OPEN_GOALS_MAX = 10_000

export interface Accepting {
  readonly finder: GoalFinder
  readonly planning: PlanningRuns
  readonly leaving: Leaving
  readonly driving: Driving
  /** Drives a goal on that is there and not over. */
  readonly resume: (id: string) => void
}

type Proposed = Extract<GoalEventBody, { type: 'proposed' }>

/** See {@link Runs.accept}. */
export function openAccepting(parts: RunsParts, { finder, planning, leaving, driving, resume }: Accepting): Runs['accept'] {
  const { journal, agents } = parts
  return async proposal => {
    const found = await finder.find(proposal)
    const given = await givenTo(finder, found, proposal)
    const target = await planning.targetOf(proposal)
    await requirePermits(parts, found, proposal)
    const special = await specialOf(parts, leaving, found, proposal)
    const { agentName, agentProto, program } = found
    const leaves = agentName !== undefined && agents.has(agentName) && agents.get(agentName).stopGoal?.id === proposal.id
    if (agentName !== undefined && agentProto !== undefined && !leaves) await agents.ensure(program, agentProto, agentName)
    const goalId = proposal.id ?? parts.random.id()
    requirePlace(parts, goalId, proposal.goal, leaves)
    const assignments = sealAssignments(parts.vault, goalId, program, assignable(found), given, giverOf(parts, proposal))
    const accepted = await journal.accept({
      caller: proposal.caller ?? proposal.by.peer,
      request: goalId,
      goalId,
      body: { ...proposed({ ...proposal, assignments }, found), ...special, ...(target !== undefined && { target }) },
      acceptBefore: proposal.acceptBefore ?? parts.clock.now(),
      // It is driven while it goes to disk: no step has an effect before its intent is there, which lies behind.
      onPlaced: () => driving.drive(goalId, 'first')
    })
    // Once more for one that was accepted before: a write that failed may have been made after all, and then nobody drives it.
    if (accepted.repeated) resume(accepted.goalId)
    return { id: accepted.goalId, repeated: accepted.repeated }
  }
}

/** @throws CloudburstError CB_DENIED */
async function requirePermits(parts: RunsParts, { program }: Found, proposal: Proposal): Promise<void> {
  const { by, goal, destroy, takesBack, from } = proposal
  const asked = { program: program.hash, goal, vars: proposal.assignments.map(({ path }) => path) }
  await mayDispatch(parts, by, asked)
  if (destroy === true || takesBack !== undefined || from !== undefined) mayRepair(parts, by, asked)
}

/** @throws CloudburstError CB_VALUE_INVALID when the id is that of a goal elsewhere, CB_BUSY */
function requirePlace({ journal, sentTo }: RunsParts, id: string, goal: string, leaves: boolean): void {
  const elsewhere = sentTo?.(id)
  // Its events come from there: a run of that id here would stand in their place.
  if (elsewhere !== undefined)
    throw new CloudburstError('CB_VALUE_INVALID', `a goal ${id} was sent from here to ${elsewhere.node}`, { id, taken: true })
  if (!leaves && journal.open >= OPEN_GOALS_MAX && journal.find(id) === undefined)
    throw new CloudburstError('CB_BUSY', `${journal.open} goals are open here already: repair or cancel what waits, then ask again`, {
      goal,
      limit: OPEN_GOALS_MAX
    })
}

/** What it does instead of pursuing its goal from the beginning, if so. */
async function specialOf(
  parts: RunsParts,
  leaving: Leaving,
  found: Found,
  proposal: Proposal
): Promise<Pick<Proposed, 'undoes' | 'checks' | 'from'>> {
  const { journal } = parts
  const undoes = await undoneBy(parts, leaving, found, proposal)
  const checks = proposal.refreshOnly === true ? (await latestRuns(journal, found, proposal)).map(({ id }) => id) : undefined
  const from = proposal.from === undefined ? undefined : await beginningAt(journal, proposal.goal, proposal.from)
  return { ...(undoes !== undefined && { undoes }), ...(checks !== undefined && { checks }), ...(from !== undefined && { from }) }
}

function proposed(proposal: Proposal, { program: { name, hash }, agentName: agent }: Found): Proposed {
  const { goal, mode = 'pursue', assignments, by, chain = [], locale, stepwise, sshReuse, abreast, announced } = proposal
  return {
    type: 'proposed',
    version: EVENT_VERSION,
    goal,
    program: { name, hash },
    ...(agent !== undefined && { agent }),
    mode,
    assignments,
    by,
    chain,
    ...(locale !== undefined && { locale }),
    ...(stepwise === true && { stepwise }),
    ...(sshReuse === true && { sshReuse }),
    ...(abreast !== undefined && { abreast }),
    ...(announced !== undefined && { planned: announced })
  }
}

/** The runs that it undoes instead of pursuing its goal, the newest first; undefined for one that pursues. */
async function undoneBy(
  { journal }: RunsParts,
  leaving: Leaving,
  found: Found,
  proposal: Proposal
): Promise<readonly string[] | undefined> {
  if (proposal.takesBack !== undefined) return await leaving.toUndo(proposal.takesBack, proposal.caller ?? proposal.by.peer)
  return proposal.destroy === true ? (await runsToUndo(journal, found, proposal)).map(({ id }) => id) : undefined
}

/** The values that it begins with: of one that is under way already each must fit as it is, any other is configured. */
async function givenTo(finder: GoalFinder, found: Found, proposal: Proposal): Promise<readonly Assignment[]> {
  if (proposal.destroy === true || proposal.refreshOnly === true || proposal.takesBack !== undefined) return proposal.assignments
  if (proposal.from === undefined) return await finder.configure(found, proposal, 'pursue')
  const to = assignable(found)
  return proposal.assignments.map(each => ({ path: each.path, value: assigned(found.program, to, each) }))
}

function assignable({ proto, agentProto }: Found): Assignable {
  return { results: true, proto, ...(agentProto !== undefined && { agent: agentProto }) }
}

/** This node's own people, or a peer that asks on behalf of its. */
function giverOf({ peer }: RunsParts, { by, caller = by.peer }: Proposal): Giver {
  return caller === peer['id']?.value ? 'own' : 'peer'
}
