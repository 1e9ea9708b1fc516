/** Drives goals until they rest: so many at a time, on after a degraded store, and standing still when the daemon ends. */
import { availableParallelism } from 'node:os'
import { CloudburstError } from '../../errors.ts'
import { GIVEN_UP, type World } from '../../goals/ports.ts'
import { Circuits } from '../../goals/pursuit/circuits.ts'
import { AT_ONE_PEER_MAX, HERE_LEAST, HERE_PER_PROCESSOR, Turns } from '../../goals/pursuit/turns.ts'
import type { GoalEventBody, Write } from '../../goals/pursuit/events.ts'
import type { AgentChange } from '../agency/agents.ts'
import type { Store } from '../store/store.ts'
import { Places } from './places.ts'
import { type Cause, type DrivingParts, pursueStretch } from './stretch.ts'

/**
 * Goals that may be at work at once; each may hold several processes. The next ones wait their turn, accepted and journaled;
 * one that waits for a sub-goal elsewhere is not at work.
 */
const PURSUED_MAX = 200

export interface Driving {
  /** Starts to drive a goal, at its turn; nothing when it is driven already. */
  drive(id: string, cause: Cause): void
  /** Asks a goal to rest at its next step; undefined when it is not driven. @param why what its suspension says @returns when it rests */
  halt(id: string, why?: string): Promise<void> | undefined
  /** The same at once: it waits no longer for what it has asked of other nodes. @returns when it rests */
  leave(id: string): Promise<void> | undefined
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
  /** Ends its waiting for sub-goals on other nodes. */
  readonly leave: AbortController
  readonly done: Promise<void>
  /** Known once its journal has been read. */
  agent?: string
}

const RESTS: ReadonlySet<GoalEventBody['type']> = new Set(['suspended', 'completed', 'cancelled'])

export function openDriving(parts: DrivingParts): Driving {
  const { journal, agents } = parts
  const driven = new Map<string, Driven>()
  const places = new Places(PURSUED_MAX)
  const circuits = new Circuits()
  const turns = new Turns({ here: Math.max(HERE_LEAST, HERE_PER_PROCESSOR * availableParallelism()), perPeer: AT_ONE_PEER_MAX })
  let ending = false
  const untilTheEnd: World['journal'] = {
    append: (id, body) => (ending ? new Promise(() => undefined) : journal.append(id, body)),
    read: id => journal.read(id)
  }

  const know = (id: string, agent: string): void => {
    const entry = driven.get(id)
    if (entry !== undefined) entry.agent = agent
  }
  /** Once the store can be written: that the goal came to rest may have been written all the same. Then it waits for a person, or is over. */
  const hasComeToRest = async (id: string, before: number, stop: AbortSignal): Promise<boolean> => {
    for (;;) {
      await storeReady(parts.store, stop)
      // Its acceptance is not there, as it seems: nothing behind it is.
      if (journal.find(id) === undefined) return false
      try {
        return (await journal.read(id, before + 1)).some(({ body }) => RESTS.has(body.type))
      } catch (error) {
        if (!(error instanceof CloudburstError) || error.code !== 'CB_STORE_DEGRADED') throw error
      }
    }
  }
  const driveToRest = async (id: string, first: Cause, stopping: AbortController, leaving: AbortSignal): Promise<void> => {
    const before = journal.find(id)?.seq ?? 0
    for (let cause = first, unknown = 0; !ending; cause = 'restart') {
      try {
        return await pursueStretch(
          { ...parts, circuits, turns },
          { id, cause, stopping, leaving, places, journal: untilTheEnd, isOf: agent => know(id, agent) }
        )
      } catch (error) {
        if (!(error instanceof CloudburstError)) throw error
        if (error.code === 'CB_RUN_UNKNOWN') {
          // Its acceptance, which the walk runs ahead of, could not be written: whether it is on disk all the same is looked at once.
          // If it is not, whoever accepts the goal anew has it driven anew.
          if (unknown > 0 && journal.find(id) === undefined) return
          if (unknown > 1) throw error
          unknown++
        } else if (error.code !== 'CB_STORE_DEGRADED') throw error
        if (await hasComeToRest(id, before, stopping.signal)) return
      }
    }
  }
  const atItsTurn = async (id: string, cause: Cause, stop: AbortController, leave: AbortSignal): Promise<void> => {
    await places.take(stop.signal)
    try {
      await driveToRest(id, cause, stop, leave)
    } catch (error) {
      if (!ending) await giveUp(parts, id, error)
    } finally {
      driven.delete(id)
      places.give()
    }
  }

  return {
    drive: (id, cause) => {
      if (driven.has(id) || ending) return
      const [stop, leave] = [new AbortController(), new AbortController()]
      // Entered before it begins, so that its first event already knows its agent.
      const begin = Promise.withResolvers<void>()
      driven.set(id, { stop, leave, done: begin.promise.then(() => atItsTurn(id, cause, stop, leave.signal)) })
      begin.resolve()
    },
    leave: id => {
      const entry = driven.get(id)
      entry?.stop.abort()
      entry?.leave.abort(GIVEN_UP)
      return entry?.done
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

/** An error of ours must not lose the goal: it waits, with everything achieved, for a retry by a better version. */
async function giveUp({ journal, log }: DrivingParts, id: string, error: unknown): Promise<void> {
  log.error({ err: error, goal: id }, 'a goal could not be driven')
  if (journal.damaged.has(id)) return
  const reason = `an error of cloudburst itself: ${error instanceof Error ? error.message : String(error)}`
  await journal.append(id, { type: 'suspended', code: 'internal', reason }).catch(() => undefined)
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
