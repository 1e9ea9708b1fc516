/** Requests of others: each makes a run once, however often it is sent. */
import { CloudburstError } from '../../errors.ts'
import type { GoalEvent, GoalEventBody } from '../../goals/pursuit/events.ts'
import { acceptKey } from './records.ts'
import type { Op, Store } from './store.ts'

/** A request of somebody else, to be accepted once. */
export interface Acceptance {
  /** Peer id of the caller and the id it chose. */
  readonly caller: string
  readonly request: string
  readonly goalId: string
  readonly body: Extract<GoalEventBody, { type: 'proposed' }>
  /** Epoch milliseconds until which the caller may ask again. */
  readonly acceptBefore: number
  /**
   * Called once when the run has its place and is on its way to disk: nothing of what is appended from here on is there
   * without it. Not called for a request that was accepted before.
   */
  readonly onPlaced?: () => void
}

export type Accepted = { readonly goalId: string; readonly repeated: boolean }

/** How to make a run: its first event and what joins the batch. */
export interface Acceptor {
  has(goalId: string): boolean
  propose(goalId: string, body: GoalEventBody, extra: readonly Op[]): Promise<GoalEvent>
}

/** @returns accepts a request, or answers with the run that it made before */
export function accepting(store: Store, { has, propose }: Acceptor): (acceptance: Acceptance, extra: readonly Op[]) => Promise<Accepted> {
  const running = new Map<string, Promise<Accepted>>()

  const once = async (key: string, { goalId, acceptBefore, body, onPlaced }: Acceptance, extra: readonly Op[]): Promise<Accepted> => {
    const recorded = await store.get<{ goalId: string }>(key)
    if (recorded !== undefined) return { goalId: recorded.goalId, repeated: true }
    if (has(goalId)) throw new CloudburstError('CB_VALUE_INVALID', `a run ${goalId} exists already`, { id: goalId })
    const proposed = propose(goalId, body, [{ type: 'put', key, value: { goalId, acceptBefore } }, ...extra])
    onPlaced?.()
    await proposed
    return { goalId, repeated: false }
  }
  return (acceptance, extra) => {
    const key = acceptKey(acceptance.caller, acceptance.request)
    const same = running.get(key)
    if (same !== undefined) return same.then(({ goalId }) => ({ goalId, repeated: true }))
    const accepted = once(key, acceptance, extra).finally(() => running.delete(key))
    running.set(key, accepted)
    return accepted
  }
}
