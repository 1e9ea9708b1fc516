/**
 * The goals that this node pursues: accepted once, repaired, cancelled, found again after a restart.
 * What each of them did is in the journal; nothing here could not be read again from there.
 */
import type { Announced } from '../../goals/plan/conformance.ts'
import type { Plan } from '../../goals/plan/plan.ts'
import type { Clock, Driver, Messenger, Probe, Random, Vault, World } from '../../goals/ports.ts'
import type { Principal, Write } from '../../goals/pursuit/events.ts'
import type { Variables } from '../../goals/tree.ts'
import type { GoalRequest } from '../../protocols/agency/calls.ts'
import type { AgentChange, Agents } from '../agency/agents.ts'
import type { EffectCheck } from '../permissions/effect.ts'
import type { Programs } from '../programs/programs.ts'
import type { NodeJournal } from '../store/journal.ts'
import type { Log, Store } from '../store/store.ts'
import { openAccepting } from './accepting.ts'
import { openDriving } from './driving.ts'
import { type GoalFinder, goalFinder } from './goal-finder.ts'
import { openHolds } from './holds.ts'
import { type Leaving, openLeaving } from './leaving.ts'
import { mayDispatch, mayRepair } from './permitted.ts'
import { type LookedAgain, openPlanning } from './planning.ts'
import { openRepairs, type Repairs } from './repairs.ts'
import { openResting, type Resting, type RestingParts } from './resting.ts'

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
  const { journal } = parts
  const finder = goalFinder(parts)
  const holds = openHolds(parts.store)
  const driving = openDriving({ ...parts, finder, holds })
  const repairs = openRepairs(parts, driving, finder)
  const leaving = openLeaving(journal, repairs.cancel)
  const planning = openPlanning(parts, finder)
  const resume = (id: string): void => {
    const run = journal.find(id)
    if (run === undefined || run.mirrored || journal.damaged.has(id)) return
    if (run.status === 'proposed' || run.status === 'pursuing') driving.drive(id, 'restart')
  }
  const resumeAll = (): void => {
    for (const { id } of journal.runs()) resume(id)
  }
  journal.onReread(resumeAll)
  const accept = openAccepting(parts, { finder, planning, leaving, driving, resume })
  const permit: RestingParts['permit'] = (by, { program, goal }) => mayRepair(parts, by, { program: program.hash, goal, vars: [] })
  const resting = openResting({ ...parts, driving, holds, permit, ...stopGoals(parts, finder, accept) })
  const forgetHold = (id: string): Promise<void> => holds.drop(id).catch(() => undefined)
  return {
    plan: planning.plan,
    lookAgain: planning.lookAgain,
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
