/** Requests of others: each makes a run once, however often it is sent. */
import { isDeepStrictEqual } from 'node:util'
import { CloudburstError } from '../../errors.ts'
import type { GoalEvent, GoalEventBody, Principal } from '../../goals/pursuit/events.ts'
import { keysBehind } from '../../protocols/behalf.ts'
import { ACCEPT_PREFIX, acceptKey } from './records.ts'
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
  /** Others may ask for the same, being a sub-goal: known as long as the run is. */
  readonly subGoal?: true
  /** Whoever asked has no need of it any more. */
  readonly left?: true
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
    const first: RequestNote = { goalId, acceptBefore, ...(body.chain.length > 0 && { subGoal: true }) }
    const proposed = propose(goalId, body, [{ type: 'put', key, value: first }, ...extra])
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

/** Peer ids of all who have asked for the run, and have not left it. */
export async function askersOf(store: Store, goalId: string): Promise<readonly string[]> {
  const askers: string[] = []
  for await (const [key, note] of store.range<RequestNote>({ prefix: ACCEPT_PREFIX }))
    if (note.goalId === goalId && note.left !== true) askers.push(key.slice(ACCEPT_PREFIX.length, key.lastIndexOf('!')))
  return askers
}

/** Whoever asked for the run under its own id has no need of it any more. Durable on return. */
export async function leave(store: Store, caller: string, goalId: string): Promise<void> {
  const key = acceptKey(caller, goalId)
  const before = (await store.get<RequestNote>(key)) ?? { goalId, acceptBefore: 0, joined: true }
  await store.batch([{ type: 'put', key, value: { ...before, left: true } satisfies RequestNote }], { sync: true })
}

/**
 * A sub-goal that several nodes ask for is one run: the id is derived from root run, goal and arguments, so all of these are the same.
 * @throws CloudburstError CB_VALUE_INVALID when they are not (`taken`); CB_USAGE when the run waits for the one that asks
 */
function refuseOther(goalId: string, events: readonly GoalEvent[], asked: Acceptance['body']): void {
  const there = events[0]?.body
  const isSame =
    there?.type === 'proposed' &&
    rootOf(there) !== undefined &&
    shareBeginner(there.by, asked.by) &&
    isDeepStrictEqual(
      [rootOf(there), there.goal, there.program.hash, there.agent, there.mode, there.assignments],
      [rootOf(asked), asked.goal, asked.program.hash, asked.agent, asked.mode, asked.assignments]
    )
  if (!isSame)
    throw new CloudburstError('CB_VALUE_INVALID', `a run ${goalId} exists already, for something else`, { id: goalId, taken: true })
  const waited = asked.chain.find(link => openSubGoals(events).some(id => link.startsWith(`${id}:`)))
  if (waited !== undefined)
    throw new CloudburstError('CB_USAGE', `goal ${asked.goal} and ${waited} would wait for each other: ${asked.chain.join(' → ')}`, {
      id: goalId
    })
}

/**
 * Whether one root may have led to both: somebody is behind both of them, by signed asks. Anybody may name a root; nobody who
 * was not asked by those behind it can show so. Where nothing is signed, a root is taken by its name.
 */
function shareBeginner(there: Principal, asked: Principal): boolean {
  if (there.behalf === undefined && asked.behalf === undefined) return true
  const keys = new Set(keysBehind(there))
  return keysBehind(asked).some(key => keys.has(key))
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
