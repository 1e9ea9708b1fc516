/**
 * The goals that this node pursues: accepted once, repaired, cancelled, found again after a restart.
 * What each of them did is in the journal; nothing here could not be read again from there.
 */
import { CloudburstError } from '../../errors.ts'
import { type Assignable, assigned } from '../../goals/config/assignment.ts'
import { instancesOf } from '../../goals/config/instances.ts'
import { withoutShells } from '../../goals/plan/without-shells.ts'
import { checkAgain, makePlan, type Planning } from '../../goals/plan/make-plan.ts'
import { estimated, measured } from '../../goals/plan/estimate.ts'
import type { Announced } from '../../goals/plan/conformance.ts'
import type { Plan } from '../../goals/plan/plan.ts'
import { upTo } from '../../goals/plan/target.ts'
import type { Clock, Driver, Messenger, Probe, Random, Vault, World } from '../../goals/ports.ts'
import { type Assignment, EVENT_VERSION, type GoalEventBody, type Principal, type Write } from '../../goals/pursuit/events.ts'
import { type Checked, type Elsewhere, reachedElsewhere } from '../../goals/pursuit/drift.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import type { AgentProto, GoalProto } from '../../goals/program/model.ts'
import type { Variables } from '../../goals/tree.ts'
import type { GoalRequest } from '../../protocols/agency/calls.ts'
import type { AgentChange, Agents } from '../agency/agents.ts'
import type { EffectCheck } from '../permissions/effect.ts'
import { latestRuns, type Past, recentRuns, runsToUndo } from './past-runs.ts'
import { openDriving } from './driving.ts'
import { type Found, type GoalFinder, goalFinder } from './goal-finder.ts'
import { openHolds } from './holds.ts'
import { type Leaving, openLeaving } from './leaving.ts'
import { type GoalAsked, requireDispatch, requireRepair } from './permitted.ts'
import type { Programs } from '../programs/programs.ts'
import { openRepairs, type Repairs } from './repairs.ts'
import { openResting, type Resting, type RestingParts } from './resting.ts'
import { type Giver, sealAssignments } from '../secrets/sealing.ts'
import { beginningAt } from './snapshots.ts'
import type { NodeJournal } from '../store/journal.ts'
import type { Log, Store } from '../store/store.ts'

/**
 * Goals that may be open here at a time, suspended ones too: each is looked at by every start, and read by whoever looks for
 * what waits. Beyond it none is accepted until some are over.
 */
export const OPEN_GOALS_MAX = 10_000

export interface RunsParts {
  readonly store: Store
  readonly journal: NodeJournal
  readonly programs: Programs
  readonly agents: Agents
  readonly driver: Driver
  readonly probe: Probe
  readonly messenger: Messenger
  readonly vault: Vault
  /** See {@link World.keepFile}. */
  readonly keepFile?: NonNullable<World['keepFile']>
  readonly clock: Clock
  readonly random: Random
  readonly host: Variables
  readonly peer: Variables
  /** Where the goal with this id was sent from here, if it was. */
  readonly sentTo?: (id: string) => { readonly node: string } | undefined
  /** Absent: nobody but this node's own people can ask for anything. */
  readonly permits?: EffectCheck
  readonly log: Log
}

/** A goal to be accepted: who asks, and under which id. */
export interface Proposal extends GoalRequest {
  readonly id?: string
  readonly mode?: 'pursue' | 'execute'
  readonly by: Principal
  readonly chain?: readonly string[]
  /** Of a dispatch: the caller's peer id; with the id it makes the request known, so that it is accepted once. */
  readonly caller?: string
  readonly acceptBefore?: number
  /** What the plan that is executed says may be done. */
  readonly announced?: Announced
  /** Of a dispatch: the run of the caller's that is to be taken back, unless others keep it. */
  readonly takesBack?: string
}

/** A run that was completed, looked at again. */
export interface LookedAgain {
  readonly past: Past
  readonly checked: readonly Checked[]
  /** What it had reached on other nodes, to be looked at there. */
  readonly elsewhere: readonly Elsewhere[]
}

export interface Runs extends Repairs, Pick<Leaving, 'leave'>, Omit<Resting, 'resumeStops'> {
  plan(request: GoalRequest): Promise<Plan>
  /** The newest runs of the goal that were completed, and how it stands now with what they had reached; only what is pure is asked. */
  lookAgain(request: GoalRequest): Promise<readonly LookedAgain[]>
  /** Durable on return: from here on the goal is this node's duty. @throws CloudburstError CB_CONFIG_INCOMPLETE, CB_GOAL_UNKNOWN, CB_BUSY … before anything is accepted */
  accept(proposal: Proposal): Promise<{ readonly id: string; readonly repeated: boolean }>
  /** Drives on what was at work when the daemon ended. Called once, after the start. */
  resumeAll(): void
  /** No goal is driven on from here: steps that run go on in the runner, and the next daemon goes on with the walk. */
  stop(): void
  /** Carries a step's writes below `agent.` to the state of its agent. */
  agentWrites(goalId: string, writes: readonly Write[]): AgentChange | undefined
  counts(): { readonly running: number; readonly suspended: number }
}

export function openRuns(parts: RunsParts): Runs {
  const { journal, agents } = parts
  const finder = goalFinder(parts)
  const holds = openHolds(parts.store)
  const driving = openDriving({ ...parts, finder, holds })
  const repairs = openRepairs(parts, driving, finder)
  const leaving = openLeaving(journal, repairs.cancel)
  const resume = (id: string): void => {
    const run = journal.find(id)
    if (run === undefined || run.mirrored || journal.damaged.has(id)) return
    if (run.status === 'proposed' || run.status === 'pursuing') driving.drive(id, 'restart')
  }
  const resumeAll = (): void => {
    for (const { id } of journal.runs()) resume(id)
  }
  journal.onReread(resumeAll)
  const planningOf = (found: Found, request: GoalRequest): Planning => ({
    program: found.program,
    ...(found.agentProto !== undefined && { agent: found.agentProto }),
    goal: request.goal,
    assignments: [],
    instances: instancesOf(found.program),
    surroundings: finder.preview(found),
    probe: request.probe === false ? withoutShells(parts.probe) : parts.probe,
    ...(request.locale !== undefined && { locale: request.locale })
  })
  const lookedAgain = async (request: GoalRequest): Promise<readonly LookedAgain[]> => {
    const found = await finder.find(request)
    const looked: LookedAgain[] = []
    for (const past of await latestRuns(journal, found, request)) {
      const checked = await checkAgain(planningOf(found, request), past.events)
      looked.push({ past, checked, elsewhere: reachedElsewhere(past.deeds) })
    }
    return looked
  }
  const planned = async (request: GoalRequest): Promise<{ readonly plan: Plan; readonly target?: string }> => {
    const found = await finder.find(request)
    const undoes = request.destroy === true ? (await runsToUndo(journal, found, request)).map(({ events }) => events) : undefined
    const assignments = undoes === undefined ? await finder.configure(found, request, 'plan') : []
    const made = await makePlan({ ...planningOf(found, request), assignments, ...(undoes !== undefined && { undoes }) })
    const plan = estimated(made, measured(await recentRuns(journal, found, request.goal)), request.abreast)
    return request.target === undefined ? { plan } : upTo(plan, request.target)
  }
  const accept: Runs['accept'] = async proposal => {
    const found = await finder.find(proposal)
    const undoes = await undoneBy(parts, leaving, found, proposal)
    const checks = proposal.refreshOnly === true ? (await latestRuns(journal, found, proposal)).map(({ id }) => id) : undefined
    const given = await givenTo(finder, found, proposal)
    const target = proposal.target === undefined ? undefined : (await planned(proposal)).target
    const { agentName, agentProto, program } = found
    const vars = proposal.assignments.map(({ path }) => path)
    await mayDispatch(parts, proposal.by, { program: program.hash, goal: proposal.goal, vars })
    if (undoes !== undefined || proposal.from !== undefined)
      mayRepair(parts, proposal.by, { program: program.hash, goal: proposal.goal, vars })
    const from = proposal.from === undefined ? undefined : await beginningAt(journal, proposal.goal, proposal.from)
    const leaves = agentName !== undefined && agents.has(agentName) && agents.get(agentName).stopGoal?.id === proposal.id
    if (agentName !== undefined && agentProto !== undefined && !leaves) await agents.ensure(program, agentProto, agentName)
    const goalId = proposal.id ?? parts.random.id()
    const elsewhere = parts.sentTo?.(goalId)
    // Its events come from there: a run of that id here would stand in their place.
    if (elsewhere !== undefined)
      throw new CloudburstError('CB_VALUE_INVALID', `a goal ${goalId} was sent from here to ${elsewhere.node}`, { id: goalId, taken: true })
    if (!leaves && journal.open >= OPEN_GOALS_MAX && journal.find(goalId) === undefined)
      throw new CloudburstError('CB_BUSY', `${journal.open} goals are open here already: repair or cancel what waits, then ask again`, {
        goal: proposal.goal,
        limit: OPEN_GOALS_MAX
      })
    const assignments = sealAssignments(
      parts.vault,
      goalId,
      program,
      assignable(found.proto, agentProto),
      given,
      proposal.caller === undefined ? giverOf(parts, proposal.by) : giverOf(parts, { peer: proposal.caller })
    )
    const caller = proposal.caller ?? proposal.by.peer
    const acceptBefore = proposal.acceptBefore ?? parts.clock.now()
    const accepted = await journal.accept({
      caller,
      request: goalId,
      goalId,
      body: {
        ...proposed({ ...proposal, assignments }, program, agentName),
        ...(undoes !== undefined && { undoes }),
        ...(target !== undefined && { target }),
        ...(proposal.announced !== undefined && { planned: proposal.announced }),
        ...(checks !== undefined && { checks }),
        ...(from !== undefined && { from })
      },
      acceptBefore,
      // It is driven while it goes to disk: no step has an effect before its intent is there, which lies behind.
      onPlaced: () => driving.drive(goalId, 'first')
    })
    // Once more for one that was accepted before: a write that failed may have been made after all, and then nobody drives it.
    if (accepted.repeated) resume(accepted.goalId)
    return { id: accepted.goalId, repeated: accepted.repeated }
  }
  const forgetHold = (id: string): Promise<void> => holds.drop(id).catch(() => undefined)
  const resting = openResting({
    ...parts,
    driving,
    holds,
    permit: (by, { program, goal }) => mayRepair(parts, by, { program: program.hash, goal, vars: [] }),
    ...stopGoals(parts, finder, accept)
  })
  return {
    plan: async request => (await planned(request)).plan,
    lookAgain: lookedAgain,
    accept,
    ...repairs,
    repair: async (request, by) => {
      await repairs.repair(request, by)
      await forgetHold(request.id)
    },
    cancel: async (id, ...rest) => {
      await repairs.cancel(id, ...rest)
      await forgetHold(id)
    },
    leave: leaving.leave,
    ...resting,
    resumeAll: () => {
      resumeAll()
      resting.resumeStops()
    },
    stop: () => driving.end(),
    agentWrites: (goalId, writes) => driving.agentWrites(goalId, writes),
    counts: () => ({ running: driving.count(), suspended: journal.runs().filter(run => run.status === 'suspended').length })
  }
}

function proposed(proposal: Proposal, { name, hash }: RunSummary['program'], agent?: string): Extract<GoalEventBody, { type: 'proposed' }> {
  const { goal, mode = 'pursue', assignments, by, chain = [], locale, stepwise, sshReuse, abreast } = proposal
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
    ...(abreast !== undefined && { abreast })
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
  const to = assignable(found.proto, found.agentProto)
  return proposal.assignments.map(each => ({ path: each.path, value: assigned(found.program, to, each) }))
}

function assignable(proto: GoalProto | undefined, agent: AgentProto | undefined): Assignable {
  return { results: true, ...(proto !== undefined && { proto }), ...(agent !== undefined && { agent }) }
}

/** The goals that programs want pursued when their agents are stopped. */
function stopGoals(parts: RunsParts, finder: GoalFinder, accept: Runs['accept']): Pick<RestingParts, 'stopGoal' | 'acceptStopGoal'> {
  const { programs, agents, random } = parts
  const requestFor = async (name: string): Promise<(GoalRequest & { readonly program: string }) | undefined> => {
    const { program, proto } = agents.get(name)
    const goal = (await programs.withHash(program.hash))?.agents.get(proto)?.onStop
    return goal === undefined ? undefined : { goal, program: program.hash, agent: name, assignments: [] }
  }
  return {
    stopGoal: async (name, by) => {
      const request = await requestFor(name)
      if (request === undefined) return undefined
      // Its steps are power like those of any goal: who may only load programs and control agents has not got it.
      await mayDispatch(parts, by, { program: request.program, goal: request.goal, vars: [] })
      await finder.configure(await finder.find(request), request, 'pursue')
      return random.id()
    },
    acceptStopGoal: async (name, id, by) => {
      const request = await requestFor(name)
      if (request !== undefined) await accept({ ...request, id, by })
    }
  }
}

/** This node's own people, or a peer that asks on behalf of its. */
function giverOf({ peer }: RunsParts, by: Pick<Principal, 'peer'>): Giver {
  return by.peer === peer['id']?.value ? 'own' : 'peer'
}

/** @throws CloudburstError CB_DENIED */
function mayRepair({ permits, programs }: RunsParts, by: Principal, asked: GoalAsked): void {
  if (permits !== undefined) requireRepair({ permits, programs }, by, asked)
}

/** @throws CloudburstError CB_DENIED */
async function mayDispatch(parts: RunsParts, by: Principal, asked: GoalAsked): Promise<void> {
  if (parts.permits !== undefined) await requireDispatch({ ...parts, permits: parts.permits }, by, asked)
}
