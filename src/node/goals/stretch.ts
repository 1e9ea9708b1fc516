/** One stretch of work of a goal: its journal, program and agent are found, and it is pursued until it rests. */
import { CloudburstError } from '../../errors.ts'
import { instancesOf } from '../../goals/config/instances.ts'
import type { World } from '../../goals/ports.ts'
import type { Program } from '../../goals/program/model.ts'
import type { GoalEvent, GoalEventBody, Principal } from '../../goals/pursuit/events.ts'
import { pursue } from '../../goals/pursuit/pursue.ts'
import type { Agents } from '../agency/agents.ts'
import type { EffectCheck } from '../permissions/effect.ts'
import type { Programs } from '../programs/programs.ts'
import type { NodeJournal } from '../store/journal.ts'
import type { Log, Store } from '../store/store.ts'
import type { GoalFinder } from './goal-finder.ts'
import { type Holds, holdsStill, holdText } from './holds.ts'
import { answersFor, whyDenied } from './permitted.ts'
import type { Places } from './places.ts'
import { begun } from './snapshots.ts'

/** Why a stretch of work begins. */
export type Cause = Extract<GoalEventBody, { type: 'started' }>['cause']

export interface DrivingParts extends Omit<World, 'journal' | 'surroundings'> {
  readonly store: Store
  readonly journal: NodeJournal
  readonly programs: Programs
  readonly agents: Agents
  readonly finder: GoalFinder
  readonly holds: Holds
  /** Absent: nobody but this node's own people can ask for anything. */
  readonly permits?: EffectCheck
  readonly log: Log
}

export interface Stretch {
  readonly id: string
  readonly cause: Cause
  /** Asks the goal to rest at its next step; a text as the reason is what its suspension says. */
  readonly stopping: AbortController
  /** Fires with GIVEN_UP when it is to wait for sub-goals elsewhere no longer. */
  readonly leaving: AbortSignal
  /** One that waits for a sub-goal elsewhere leaves its place to others. */
  readonly places: Places
  /** What the walk writes to: stands still once the daemon ends. */
  readonly journal: World['journal']
  /** Told which agent the goal is of, before its first event. */
  readonly isOf: (agent: string) => void
}

type Proposed = Extract<GoalEventBody, { type: 'proposed' }>

/** @throws CloudburstError CB_STORE_DEGRADED, CB_RUN_UNKNOWN */
export async function pursueStretch(parts: DrivingParts, stretch: Stretch): Promise<void> {
  const { id, cause, stopping } = stretch
  const events = await begun(parts.journal, id, await parts.journal.read(id))
  // It was to be accepted, and could not be written down: whoever asked has been told.
  if (events.length === 0) return
  const proposed = events[0]?.body
  if (proposed?.type !== 'proposed') throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} is here`, { id })
  if (proposed.agent !== undefined) stretch.isOf(proposed.agent)
  const source = programOf(events) ?? proposed.program
  const program = await parts.programs.withHash(source.hash)
  if (program === undefined) {
    const reason = `program ${source.name} is not here any more`
    await parts.journal.append(id, { type: 'suspended', code: 'program-missing', reason })
    return
  }
  const held = await whyHeld(parts, stretch, proposed.agent, events)
  if (held !== undefined) stopping.abort(held)
  const agent = agentOf(parts, program, proposed)
  const past = await pastOf(parts, proposed)
  const rests = await pursue({
    id,
    program,
    ...(agent !== undefined && { agent }),
    instances: instancesOf(program),
    world: worldOf(parts, stretch, proposed, events),
    events,
    ...(past !== undefined && { past }),
    cause,
    stop: stopping.signal
  })
  // It may have been asked to rest during its last step.
  if (rests === 'completed' && stopping.signal.aborted) await parts.holds.drop(id).catch(() => undefined)
}

/** Why a goal that begins or goes on by itself is to rest at once, if so: what a restart must not forget. */
async function whyHeld(
  { agents, holds }: DrivingParts,
  { id, cause }: Stretch,
  agentName: string | undefined,
  events: readonly GoalEvent[]
): Promise<string | undefined> {
  if (cause !== 'first' && cause !== 'restart') return undefined
  const agent = agentName === undefined || !agents.has(agentName) ? undefined : agents.get(agentName)
  if (agent !== undefined && agent.status !== 'running' && agent.stopGoal?.id !== id) return `agent ${agent.name} is ${agent.status}`
  const hold = cause === 'restart' ? await holds.get(id) : undefined
  return hold !== undefined && holdsStill(hold, events) ? holdText(hold) : undefined
}

/** What the goal touches the world by, on behalf of whoever answers for it. */
function worldOf(parts: DrivingParts, stretch: Stretch, proposed: Proposed, events: readonly GoalEvent[]): World {
  const { permits, programs } = parts
  const by = answersFor(events)?.by ?? proposed.by
  const asked = { program: (programOf(events) ?? proposed.program).hash, goal: proposed.goal }
  return {
    ...parts,
    journal: stretch.journal,
    messenger: messengerOf(parts.messenger, stretch, by),
    surroundings: parts.finder.surroundings(proposed.agent),
    ...(permits !== undefined && { whyDenied: () => whyDenied({ permits, programs }, events, asked) })
  }
}

/** Who waits for another node leaves its place to others meanwhile. */
function messengerOf(messenger: World['messenger'], { places, leaving, stopping }: Stretch, by: Principal): World['messenger'] {
  const aside = <T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> =>
    places.aside(() => ask(AbortSignal.any([leaving, signal])), stopping.signal)
  const { locate, takeBack } = messenger
  return {
    dispatch: (goal, signal) => aside(until => messenger.dispatch({ ...goal, by }, until), signal),
    ...(locate !== undefined && { locate: (goal, runOn, anew) => locate({ ...goal, by }, runOn, anew) }),
    ...(takeBack !== undefined && { takeBack: (goal, signal) => aside(until => takeBack({ ...goal, by }, until), signal) })
  }
}

function agentOf({ agents }: DrivingParts, program: Program, { agent }: Proposed): ReturnType<Program['agents']['get']> {
  return agent === undefined ? undefined : program.agents.get(agents.get(agent).proto)
}

/** Journals of the runs that the goal undoes or checks again. */
async function pastOf({ journal }: DrivingParts, { undoes, checks }: Proposed): Promise<readonly (readonly GoalEvent[])[] | undefined> {
  const before = undoes ?? checks
  return before === undefined ? undefined : await Promise.all(before.map(each => journal.read(each)))
}

/** The program that a person has put in the place of the first one, if so. */
function programOf(events: readonly GoalEvent[]): { readonly name: string; readonly hash: string } | undefined {
  const edited = events.findLast(({ body }) => body.type === 'repaired' && body.program !== undefined)?.body
  return edited?.type === 'repaired' ? edited.program : undefined
}
