/** Requests of others: each makes a run once, however often it is sent. */
import { isDeepStrictEqual } from 'node:util'
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

/** What is remembered of a request. */
export interface RequestNote {
  readonly goalId: string
  readonly acceptBefore: number
  /** The run was there already, asked for by somebody else: known as long as the run is. */
  readonly joined?: true
}

/** How to make a run: its first event and what joins the batch. */
export interface Acceptor {
  has(goalId: string): boolean
  /** All events of a run, those on their way to disk included. */
  read(goalId: string): Promise<readonly GoalEvent[]>
  propose(goalId: string, body: GoalEventBody, extra: readonly Op[]): Promise<GoalEvent>
}

/** @returns accepts a request, or answers with the run that it made before */
export function accepting(
  store: Store,
  { has, read, propose }: Acceptor
): (acceptance: Acceptance, extra: readonly Op[]) => Promise<Accepted> {
  const running = new Map<string, Promise<Accepted>>()

  const once = async (key: string, { goalId, acceptBefore, body, onPlaced }: Acceptance, extra: readonly Op[]): Promise<Accepted> => {
    const recorded = await store.get<{ goalId: string }>(key)
    if (recorded !== undefined) return { goalId: recorded.goalId, repeated: true }
    if (has(goalId)) {
      refuseOther(goalId, await read(goalId), body)
      const note: RequestNote = { goalId, acceptBefore, joined: true }
      await store.batch([{ type: 'put', key, value: note }], { sync: true })
      return { goalId, repeated: true }
    }
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

/**
 * A sub-goal that several nodes ask for is one run: the id is derived from root run, goal and arguments, so all of these are the same.
 * @throws CloudburstError CB_VALUE_INVALID when they are not; CB_USAGE when the run waits for the one that asks
 */
function refuseOther(goalId: string, events: readonly GoalEvent[], asked: Acceptance['body']): void {
  const there = events[0]?.body
  const isSame =
    there?.type === 'proposed' &&
    rootOf(there) !== undefined &&
    isDeepStrictEqual(
      [rootOf(there), there.goal, there.program.hash, there.agent, there.mode, there.assignments],
      [rootOf(asked), asked.goal, asked.program.hash, asked.agent, asked.mode, asked.assignments]
    )
  if (!isSame) throw new CloudburstError('CB_VALUE_INVALID', `a run ${goalId} exists already, for something else`, { id: goalId })
  const waited = asked.chain.find(link => openSubGoals(events).some(id => link.startsWith(`${id}:`)))
  if (waited !== undefined)
    throw new CloudburstError('CB_USAGE', `goal ${asked.goal} and ${waited} would wait for each other: ${asked.chain.join(' → ')}`, {
      id: goalId
    })
}

function rootOf({ chain }: Acceptance['body']): string | undefined {
  return chain[0]
}

/** Runs on other nodes that the run waits for. */
function openSubGoals(events: readonly GoalEvent[]): readonly string[] {
  const open = new Map<string, string>()
  for (const { body } of events) {
    if (body.type === 'step-began' && body.run !== undefined) open.set(body.step, body.run)
    if (body.type === 'step-ended') open.delete(body.step)
  }
  return [...open.values()]
}
