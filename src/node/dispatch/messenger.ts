/** Sub-goals on other nodes: the Messenger port over this node's dispatches. A node that is asked for itself pursues by itself. */
import { CloudburstError, fromErrorData } from '../../errors.ts'
import { GIVEN_UP, type Messenger, type RemoteGoal, type RemoteOutcome } from '../../goals/ports.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import type { PeerInfo } from '../control/contract.ts'
import { isNeededHere } from '../goals/leaving.ts'
import type { GivingUp } from './dispatch-records.ts'
import type { Dispatches } from './dispatches.ts'
import { SUB_GOAL_ACCEPT_WITHIN_MS } from './dispatch-order.ts'
import { chosen, freshId, locate, nextId } from './locating.ts'
import { over } from './own-outcome.ts'
import { takeBack } from './taking-back.ts'
import type { Programs } from '../programs/programs.ts'
import type { Runs } from '../goals/runs.ts'
import type { NodeJournal } from '../store/journal.ts'

export interface MessengerParts {
  readonly dispatches: Pick<Dispatches, 'send' | 'outcome' | 'find'>
  readonly journal: Pick<NodeJournal, 'summary' | 'summaries' | 'read' | 'subscribe' | 'find'>
  readonly programs: Pick<Programs, 'find'>
  readonly runs: () => Pick<Runs, 'accept'>
  readonly self: Principal
  /** The nodes that a selector names, this one included. @throws CloudburstError CB_PEER_UNKNOWN */
  readonly find: (selector: string) => readonly PeerInfo[]
  /** Gives up this node's part in a goal, here or where it was sent: it ends when nobody else keeps it. @throws like the call `cancel` */
  readonly cancel: (id: string, by: Principal, how: Omit<GivingUp, 'leave'>) => Promise<{ readonly kept: boolean }>
  /** The same for nobody who waits: durable on return, and told to a node that is away once it is there. */
  readonly giveUp: (id: string, by: Principal, how: Omit<GivingUp, 'leave'>) => Promise<void>
  readonly unheard: (id: string, error: unknown) => void
  /** What only this node can make of an id, and makes again: a name that nobody else can take. */
  readonly ours: (id: string) => string
}

/** The messenger of this node. */
export function makeMessenger(parts: MessengerParts): Messenger {
  return {
    locate: async (goal, runOn, anew) => await locate(parts, goal, runOn, anew),
    takeBack: async (asked, signal) => await told(() => takeBack(parts, asked, signal), signal),
    dispatch: async (asked, signal) => {
      let goal = asked
      const ask = async (): Promise<RemoteOutcome> => {
        goal = { ...asked, id: await freshId(parts, asked.id) }
        try {
          return await dispatch(parts, goal, signal)
        } catch (error) {
          if (!isTaken(error)) throw error
          goal = { ...asked, id: await freshId(parts, nextId(parts, goal.id)) }
          return await dispatch(parts, goal, signal)
        }
      }
      const late = (): RemoteOutcome => {
        // not waited for: a node that cannot be reached must not hold up the goal whose time is over
        cancelOwn(parts, goal).catch(failure => parts.unheard(goal.id, failure))
        return { kind: 'failed', message: 'it took too long' }
      }
      return await told(ask, signal, late)
    }
  }
}

/** What is known of a failure is an answer; what the store cannot do is not. */
async function told(ask: () => Promise<RemoteOutcome>, signal: AbortSignal, late?: () => RemoteOutcome): Promise<RemoteOutcome> {
  try {
    return await ask()
  } catch (error) {
    if (signal.aborted && signal.reason === GIVEN_UP) return { kind: 'left' }
    if (signal.aborted && late !== undefined) return late()
    if (error instanceof CloudburstError && error.code !== 'CB_STORE_DEGRADED') return { kind: 'failed', message: error.message }
    throw error
  }
}

/** Ends the goal whose caller has no time left, unless others of this node or another wait for it too: this one only stops waiting. */
async function cancelOwn({ giveUp, journal, self }: MessengerParts, { id, chain }: RemoteGoal): Promise<void> {
  if (await isNeededHere(journal, id, { chain, done: false })) return
  await giveUp(id, self, { why: 'it took longer than its caller allows', undo: false })
}

/** Whether the id is that of another goal, there or here: of somebody who has nothing to do with this one, as it seems. */
function isTaken(error: unknown): boolean {
  return error instanceof CloudburstError && error.details['taken'] === true
}

async function dispatch(parts: MessengerParts, goal: RemoteGoal, signal: AbortSignal): Promise<RemoteOutcome> {
  const { dispatches, journal, programs, runs, self } = parts
  const { id, chain } = goal
  const { name, hash } = await programs.find(goal.program)
  const assignments = Object.entries(goal.arguments).map(([variable, value]) => ({ path: `goal.${variable}`, value }))
  const target = chosen(parts.find(goal.node ?? goal.peer), goal.peer)
  if (target.status === 'self') {
    // On behalf of whoever the calling goal is for; carried by this node itself.
    await runs().accept({ id, goal: goal.goal, program: hash, assignments, by: goal.by ?? self, caller: self.peer, chain })
    await over(journal, id, signal)
  } else {
    // A goal of this node under that id, which somebody else has asked for: its events are not those of this one.
    if (journal.find(id)?.mirrored === false && (await dispatches.find(id)) === undefined)
      throw new CloudburstError('CB_VALUE_INVALID', `a run ${id} exists here already`, { id, taken: true })
    const order = {
      id,
      peer: target.peer,
      node: target.name,
      goal: goal.goal,
      program: { name, hash },
      assignments,
      chain,
      acceptWithinMs: SUB_GOAL_ACCEPT_WITHIN_MS,
      ...(goal.by !== undefined && { by: goal.by })
    }
    const record = await dispatches.outcome(await dispatches.send(order), signal)
    if (record.error?.details?.['taken'] === true) throw fromErrorData(record.error)
    if (record.error !== undefined) return { kind: 'failed', message: record.error.message }
  }
  const summary = await journal.summary(id)
  if (summary?.status === 'completed') return { kind: 'completed', results: summary.results ?? {} }
  return { kind: 'failed', message: `it was ${summary?.status ?? 'lost'} there` }
}
