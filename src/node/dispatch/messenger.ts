/** Sub-goals on other nodes: the Messenger port over this node's dispatches. A node that is asked for itself pursues by itself. */
import { CloudburstError, fromErrorData } from '../../errors.ts'
import type { Messenger, RemoteGoal, RemoteOutcome } from '../../goals/ports.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import { subRunId } from '../../goals/pursuit/remote.ts'
import type { PeerInfo } from '../control/contract.ts'
import type { Dispatches } from './dispatches.ts'
import { SUB_GOAL_ACCEPT_WITHIN_MS } from './dispatch-order.ts'
import type { Programs } from '../programs/programs.ts'
import type { Runs } from '../goals/runs.ts'
import type { NodeJournal } from '../store/journal.ts'
import { isOver } from '../store/run-index.ts'

export interface MessengerParts {
  readonly dispatches: Pick<Dispatches, 'send' | 'outcome' | 'find'>
  readonly journal: Pick<NodeJournal, 'summary' | 'subscribe' | 'find'>
  readonly programs: Pick<Programs, 'find'>
  readonly runs: () => Pick<Runs, 'accept'>
  readonly self: Principal
  /** The nodes that a selector names, this one included. @throws CloudburstError CB_PEER_UNKNOWN */
  readonly find: (selector: string) => readonly PeerInfo[]
  /** Ends a goal that nobody waits for any more, here or where it was sent. */
  readonly cancel: (id: string, why: string) => Promise<void>
  readonly unheard: (id: string, error: unknown) => void
  /** What only this node can make of an id, and makes again: a name that nobody else can take. */
  readonly ours: (id: string) => string
}

/** The messenger of this node. */
export function makeMessenger(parts: MessengerParts): Messenger {
  return {
    dispatch: async (asked, signal) => {
      let goal = asked
      try {
        goal = { ...asked, id: await freshId(parts, asked.id) }
        try {
          return await dispatch(parts, goal, signal)
        } catch (error) {
          if (!isTaken(error)) throw error
          goal = { ...asked, id: await freshId(parts, nextId(parts, goal.id)) }
          return await dispatch(parts, goal, signal)
        }
      } catch (error) {
        if (signal.aborted) {
          // not waited for: a node that cannot be reached must not hold up the goal whose time is over
          cancelOwn(parts, goal).catch(failure => parts.unheard(goal.id, failure))
          return { kind: 'failed', message: 'it took too long' }
        }
        if (error instanceof CloudburstError && error.code !== 'CB_STORE_DEGRADED') return { kind: 'failed', message: error.message }
        throw error
      }
    }
  }
}

/** Ends the goal whose caller has no time left, unless another caller began it and still waits for it: this one only stops waiting. */
async function cancelOwn({ cancel, journal }: MessengerParts, { id, chain }: RemoteGoal): Promise<void> {
  const begun = await journal.summary(id)
  if (begun?.chain !== undefined && begun.chain.at(-1) !== chain.at(-1)) return
  await cancel(id, 'it took longer than its caller allows')
}

/** The id of the next try: what was refused or abandoned under an id stays so, and may be asked for anew under another. */
async function freshId(parts: MessengerParts, id: string): Promise<string> {
  for (let next = id; ; next = nextId(parts, next)) {
    const state = (await parts.dispatches.find(next))?.state
    if (state !== 'refused' && state !== 'abandoned') return next
  }
}

/** Others may work out the first id of a sub-goal, and take it before its caller does; not the ones behind it. */
function nextId({ ours }: MessengerParts, id: string): string {
  return subRunId(id, 'again', {}, ours(id))
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
  const target = chosen(parts.find(goal.peer), goal.peer)
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

/** One of several that do equally well: reachable ones first, then by name, so that the same question has the same answer. */
function chosen(found: readonly PeerInfo[], selector: string): PeerInfo {
  const reachable = ({ status }: PeerInfo): number => (status === 'self' || status === 'up' ? 0 : 1)
  const [first] = found.toSorted((a, b) => reachable(a) - reachable(b) || (a.name < b.name ? -1 : 1))
  if (first === undefined) throw new CloudburstError('CB_PEER_UNKNOWN', `no node is ${selector}`, { peer: selector })
  return first
}

/** Waits for the outcome of a goal of this node: a suspended one is waited for too. */
async function over(journal: MessengerParts['journal'], id: string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const end = journal.subscribe(id, () => look())
    const stop = (): void => done(() => reject(signal.reason))
    const done = (settle: () => void): void => {
      end()
      signal.removeEventListener('abort', stop)
      settle()
    }
    const look = (): void => {
      journal.summary(id).then(
        summary => {
          if (summary !== undefined && isOver(summary.status)) done(resolve)
        },
        error => done(() => reject(error))
      )
    }
    signal.addEventListener('abort', stop, { once: true })
    look()
  })
}
