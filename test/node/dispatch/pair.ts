/** A dispatcher and an executor in one process, for the tests of this folder. */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { open, seal } from '../../../src/crypto/dsse.ts'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import { type DispatchOrder, type Dispatches, type DispatchParts, openDispatches } from '../../../src/node/dispatch/dispatches.ts'
import { keptStreams } from '../../../src/node/dispatch/kept-streams.ts'
import type { DispatchOp } from '../../../src/node/dispatch/dispatch-records.ts'
import { RECEIPT_TYPE } from '../../../src/protocols/dispatch/receipt.ts'
import { dispatchHandler } from '../../../src/protocols/dispatch/server.ts'
import { decodeJson } from '../../../src/protocols/wire/json-text.ts'
import { callerWith } from '../../fakes/caller.ts'
import { dialerTo, type PairOptions } from '../../fakes/channel-pair.ts'
import { eventsOf, fakeExecutor } from '../../fakes/executor.ts'
import { type MemoryStore, memoryStore } from '../../fakes/memory-store.ts'

export const HASH = 'a'.repeat(64)
export const ID = '01JD0000000000000000000000'
export const [server, dispatcher] = [generateIdentity(), generateIdentity()]
export const order = (change: Partial<DispatchOrder> = {}): DispatchOrder => ({
  id: ID,
  peer: server.peer,
  node: 'web1',
  goal: 'publish',
  program: { name: 'site', hash: HASH },
  assignments: [],
  ...change
})

/** A mirror of events as the journal keeps it, in the store. */
export function mirrorIn(store: MemoryStore) {
  const events = async (goalId: string) => (await store.get<GoalEvent[]>(`m!${goalId}`)) ?? []
  return {
    events,
    summary: async (goalId: string) => {
      const all = await events(goalId)
      const status = all.at(-1)?.body.type === 'completed' ? ('completed' as const) : ('pursuing' as const)
      return all.length === 0 ? undefined : { seq: all.length, status }
    },
    mirror: async (goalId: string, fresh: readonly GoalEvent[], extra: readonly DispatchOp[] = [], options = { sync: false }) => {
      const known = await events(goalId)
      assert.equal(fresh[0]!.seq, known.length + 1, 'a gap or a repeat reached the journal')
      await store.batch([{ type: 'put', key: `m!${goalId}`, value: [...known, ...fresh] }, ...extra], options)
    }
  }
}

/** A dispatcher and an executor, whose connections and lives the test rules. */
export function pair() {
  const executor = fakeExecutor(server.peer, new Set(), { seal: (type, payload) => seal(server, type, payload) })
  executor.onAccept = request => {
    for (const event of eventsOf(request.id, request, dispatcher.peer)) executor.happen(event)
  }
  const caller = callerWith(['goal:dispatch', 'program:load'], dispatcher.peer)
  const store = memoryStore()
  const world = {
    executor,
    caller,
    store,
    journal: mirrorIn(store),
    connections: 0,
    /** Decides each dial: throw to refuse it. */
    dial: (_n: number): PairOptions => ({}),
    up: new Set<(peer: string) => void>(),
    warned: [] as string[]
  }
  const dialer = keptStreams(dialerTo(dispatchHandler(executor), caller, server.peer, () => world.dial(++world.connections)))
  const parts: DispatchParts = {
    store,
    journal: world.journal,
    dialer,
    self: dispatcher.peer,
    onPeerUp: listener => {
      world.up.add(listener)
      return () => world.up.delete(listener)
    },
    programFiles: async hash => [{ name: 'site.xml', text: hash }],
    openReceipt: envelope => open(envelope, RECEIPT_TYPE, 4096),
    // Pauses are for the world; here they only give way.
    clock: { now: () => Date.now(), sleep: (ms, signal) => wait(Math.min(ms, 1), undefined, signal === undefined ? {} : { signal }) },
    random: { id: () => ID },
    log: { info: () => undefined, warn: (_what, message) => void world.warned.push(message) }
  }
  return { ...world, world, parts, start: () => started(parts) }
}

export const opened: Dispatches[] = []
export const started = async (parts: DispatchParts): Promise<Dispatches> => {
  const dispatches = await openDispatches(parts)
  opened.push(dispatches)
  return dispatches
}

/** The events in a message, alone or several together. */
export const eventsIn = (message: unknown): readonly GoalEvent[] => {
  const { event, events } = message as { event?: GoalEvent; events?: Uint8Array }
  if (events !== undefined) return decodeJson(events) as GoalEvent[]
  return event === undefined ? [] : [event]
}
export const isEvent = (message: unknown, goalId: string, seq: number): boolean =>
  eventsIn(message).some(event => event.goalId === goalId && event.seq === seq)
export const deadline = () => AbortSignal.timeout(5_000)
export const seqs = (events: readonly GoalEvent[]) => events.map(({ seq }) => seq)
