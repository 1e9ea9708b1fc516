/** Sub-goals on other nodes: the Messenger port over this node's dispatches. */
import { CloudburstError } from '../errors.ts'
import type { Messenger, RemoteGoal, RemoteOutcome } from '../goals/ports.ts'
import type { Dispatches } from './dispatches.ts'
import type { Programs } from './programs.ts'
import type { NodeJournal } from './store/journal.ts'

export interface MessengerParts {
  readonly dispatches: Pick<Dispatches, 'send' | 'outcome'>
  readonly journal: Pick<NodeJournal, 'summary'>
  readonly programs: Pick<Programs, 'find'>
  /** The one peer that a selector names. @throws CloudburstError CB_PEER_UNKNOWN */
  readonly peer: (selector: string) => { readonly peer: string; readonly node: string }
}

export function makeMessenger({ dispatches, journal, programs, peer }: MessengerParts): Messenger {
  const dispatch = async (goal: RemoteGoal, signal: AbortSignal): Promise<RemoteOutcome> => {
    const { name, hash } = await programs.find(goal.program)
    const assignments = Object.entries(goal.arguments).map(([variable, value]) => ({ path: `goal.${variable}`, value }))
    const order = { id: goal.id, ...peer(goal.peer), goal: goal.goal, program: { name, hash }, assignments, chain: goal.chain }
    const record = await dispatches.outcome(await dispatches.send(order), signal)
    const summary = await journal.summary(goal.id)
    if (record.error !== undefined) return { kind: 'failed', message: record.error.message }
    if (summary?.status === 'completed') return { kind: 'completed', results: summary.results ?? {} }
    return { kind: 'failed', message: `it was ${summary?.status ?? 'lost'} there` }
  }
  return {
    dispatch: async (goal, signal) => {
      try {
        return await dispatch(goal, signal)
      } catch (error) {
        if (error instanceof CloudburstError && error.code !== 'CB_STORE_DEGRADED') return { kind: 'failed', message: error.message }
        throw error
      }
    }
  }
}
