/** Drives goals until they rest: so many at a time, on after a degraded store, and standing still when the daemon ends. */
import { CloudburstError } from '../../errors.ts'
import { instancesOf } from '../../goals/config/instances.ts'
import type { World } from '../../goals/ports.ts'
import type { GoalEvent, GoalEventBody, Write } from '../../goals/pursuit/events.ts'
import { pursue } from '../../goals/pursuit/pursue.ts'
import type { AgentChange, Agents } from '../agency/agents.ts'
import type { EffectCheck } from '../permissions/effect.ts'
import type { GoalFinder } from './goal-finder.ts'
import { type Holds, holdsStill, holdText } from './holds.ts'
import { answersFor, whyDenied } from './permitted.ts'
import { Places } from './places.ts'
import { begun } from './snapshots.ts'
import type { Programs } from '../programs/programs.ts'
import type { NodeJournal } from '../store/journal.ts'
import type { Log, Store } from '../store/store.ts'

/**
 * Goals that may be at work at once; each may hold several processes. The next ones wait their turn, accepted and journaled;
 * one that waits for a sub-goal elsewhere is not at work.
 */
const PURSUED_MAX = 200

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

export interface Driving {
  /** Starts to drive a goal, at its turn; nothing when it is driven already. */
  drive(id: string, cause: Cause): void
  /** Asks a goal to rest at its next step; undefined when it is not driven. @param why what its suspension says @returns when it rests */
  halt(id: string, why?: string): Promise<void> | undefined
  /** Why a goal is to rest that is still driven, as {@link halt} was told. */
  whyHalted(id: string): string | undefined
  /** Goals of an agent that are driven now. */
  ofAgent(agent: string): readonly string[]
  /** Resolves when the goal is not driven (any more). */
  rest(id: string): Promise<void>
  isDriven(id: string): boolean
  count(): number
  /** Carries the writes of a step or repair below `agent.` to the state of its agent. */
  agentWrites(goalId: string, writes: readonly Write[]): AgentChange | undefined
  /** From here on every walk stands still at its next event: the next daemon finds its place in the journal. */
  end(): void
}

interface Driven {
  readonly stop: AbortController
  readonly done: Promise<void>
  /** Known once its journal has been read. */
  agent?: string
}

export function openDriving(parts: DrivingParts): Driving {
  const { journal, programs, agents, log } = parts
  const driven = new Map<string, Driven>()
  const places = new Places(PURSUED_MAX)
  let ending = false
  const untilTheEnd: World['journal'] = {
    append: (id, body) => (ending ? new Promise(() => undefined) : journal.append(id, body)),
    read: id => journal.read(id)
  }

  /** Why a goal that begins or goes on by itself is to rest at once, if so: what a restart must not forget. */
  const whyHeld = async (
    id: string,
    cause: Cause,
    agentName: string | undefined,
    events: readonly GoalEvent[]
  ): Promise<string | undefined> => {
    if (cause !== 'first' && cause !== 'restart') return undefined
    const agent = agentName === undefined || !agents.has(agentName) ? undefined : agents.get(agentName)
    if (agent !== undefined && agent.status !== 'running' && agent.stopGoal?.id !== id) return `agent ${agent.name} is ${agent.status}`
    const hold = cause === 'restart' ? await parts.holds.get(id) : undefined
    return hold !== undefined && holdsStill(hold, events) ? holdText(hold) : undefined
  }
  const pursueOnce = async (id: string, cause: Cause, stopping: AbortController): Promise<void> => {
    const stop = stopping.signal
    const events = await begun(journal, id, await journal.read(id))
    // It was to be accepted, and could not be written down: whoever asked has been told.
    if (events.length === 0) return
    const proposed = events[0]?.body
    if (proposed?.type !== 'proposed') throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} is here`, { id })
    const entry = driven.get(id)
    if (entry !== undefined && proposed.agent !== undefined) entry.agent = proposed.agent
    const source = programOf(events) ?? proposed.program
    const program = await programs.withHash(source.hash)
    if (program === undefined) {
      const reason = `program ${source.name} is not here any more`
      await journal.append(id, { type: 'suspended', code: 'program-missing', reason })
      return
    }
    const held = await whyHeld(id, cause, proposed.agent, events)
    if (held !== undefined) stopping.abort(held)
    const agent = proposed.agent === undefined ? undefined : program.agents.get(agents.get(proposed.agent).proto)
    const by = answersFor(events)?.by ?? proposed.by
    const messenger: World['messenger'] = {
      dispatch: (goal, signal) => places.aside(() => parts.messenger.dispatch({ ...goal, by }, signal), stop)
    }
    const { permits } = parts
    const asked = { program: source.hash, goal: proposed.goal }
    const world: World = {
      ...parts,
      journal: untilTheEnd,
      messenger,
      surroundings: parts.finder.surroundings(proposed.agent),
      ...(permits !== undefined && { whyDenied: () => whyDenied({ permits, programs }, events, asked) })
    }
    const instances = instancesOf(program)
    const before = proposed.undoes ?? proposed.checks
    const past = before === undefined ? undefined : await Promise.all(before.map(each => journal.read(each)))
    const rests = await pursue({
      id,
      program,
      ...(agent !== undefined && { agent }),
      instances,
      world,
      events,
      ...(past !== undefined && { past }),
      cause,
      stop
    })
    // It may have been asked to rest during its last step.
    if (rests === 'completed' && stop.aborted) await parts.holds.drop(id).catch(() => undefined)
  }
  const driveToRest = async (id: string, first: Cause, stop: AbortController): Promise<void> => {
    for (let cause = first; !ending; cause = 'restart') {
      try {
        return await pursueOnce(id, cause, stop)
      } catch (error) {
        if (!(error instanceof CloudburstError) || error.code !== 'CB_STORE_DEGRADED') throw error
        await storeReady(parts.store, stop.signal)
      }
    }
  }
  /** An error of ours must not lose the goal: it waits, with everything achieved, for a retry by a better version. */
  const giveUp = async (id: string, error: unknown): Promise<void> => {
    log.error({ err: error, goal: id }, 'a goal could not be driven')
    if (journal.damaged.has(id)) return
    const reason = `an error of cloudburst itself: ${error instanceof Error ? error.message : String(error)}`
    await journal.append(id, { type: 'suspended', code: 'internal', reason }).catch(() => undefined)
  }
  const atItsTurn = async (id: string, cause: Cause, stop: AbortController): Promise<void> => {
    await places.take(stop.signal)
    try {
      await driveToRest(id, cause, stop)
    } catch (error) {
      if (!ending) await giveUp(id, error)
    } finally {
      driven.delete(id)
      places.give()
    }
  }

  return {
    drive: (id, cause) => {
      if (driven.has(id) || ending) return
      const stop = new AbortController()
      // Entered before it begins, so that its first event already knows its agent.
      const begin = Promise.withResolvers<void>()
      driven.set(id, { stop, done: begin.promise.then(() => atItsTurn(id, cause, stop)) })
      begin.resolve()
    },
    halt: (id, why) => {
      const entry = driven.get(id)
      entry?.stop.abort(why)
      return entry?.done
    },
    whyHalted: id => {
      const signal = driven.get(id)?.stop.signal
      return signal?.aborted && typeof signal.reason === 'string' ? signal.reason : undefined
    },
    ofAgent: agent => [...driven.keys()].filter(id => journal.find(id)?.agent === agent),
    rest: async id => {
      await driven.get(id)?.done
    },
    isDriven: id => driven.has(id),
    count: () => driven.size,
    agentWrites: (goalId, writes) => {
      const agent = driven.get(goalId)?.agent ?? journal.find(goalId)?.agent
      return agent === undefined ? undefined : agents.write(agent, writes)
    },
    end: () => {
      ending = true
    }
  }
}

/** The program that a person has put in the place of the first one, if so. */
function programOf(events: readonly GoalEvent[]): { readonly name: string; readonly hash: string } | undefined {
  const edited = events.findLast(({ body }) => body.type === 'repaired' && body.program !== undefined)?.body
  return edited?.type === 'repaired' ? edited.program : undefined
}

async function storeReady(store: Store, stop: AbortSignal): Promise<void> {
  if (store.state === 'ready') return
  await new Promise<void>(resolve => {
    const end = store.onState(state => {
      if (state !== 'ready') return
      end()
      resolve()
    })
    stop.addEventListener('abort', () => resolve(), { once: true })
  })
}
