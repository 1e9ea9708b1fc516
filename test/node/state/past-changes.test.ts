import assert from 'node:assert/strict'
import { openPastChanges, type PastChanges } from '../../../src/node/state/past-changes.ts'
import { CHANGES_KEPT } from '../../../src/protocols/state/changes.ts'
import type { Replica, Seen } from '../../../src/protocols/state/replica.ts'
import { memoryStore } from '../../fakes/memory-store.ts'

/** The changes of one life of a replica. */
function life() {
  const changes: Seen[] = []
  let listener = (): void => undefined
  let n = 0
  return {
    changes: () => changes,
    count: () => n,
    subscribe: (told: Parameters<Replica['subscribe']>[0]) => {
      listener = () => told({})
      return () => undefined
    },
    set: (path: string, value: number | undefined, at: number) => {
      changes.push({ n: ++n, path, origin: 'o', at, ...(value !== undefined && { value: { value } }) })
      changes.splice(0, Math.max(0, changes.length - CHANGES_KEPT))
      listener()
    }
  }
}

const told = (changes: readonly { path: string; value?: { value?: unknown }; at: number }[]) =>
  changes.map(({ path, value, at }) => `${path}=${value?.value ?? ''}@${at}`)

async function write(store: ReturnType<typeof memoryStore>, past: PastChanges): Promise<void> {
  await store.batch(past.ops() as Parameters<typeof store.batch>[0], { sync: false })
  past.written()
}

describe('past changes', () => {
  it('are told over restarts, and what is only said again is none', async () => {
    const store = memoryStore()
    const [first, second] = [life(), life()]
    const before = await openPastChanges(store, first)
    first.set('a', 1, 1)
    first.set('b', 1, 1)
    first.set('a', 2, 2)
    await write(store, before)
    assert.deepEqual(before.ops(), [], 'nothing is written twice')
    const after = await openPastChanges(store, second)
    second.set('a', 2, 3)
    second.set('b', undefined, 3)
    second.set('a', 1, 4)
    assert.deepEqual(told(after.latest()), ['a=1@1', 'b=1@1', 'a=2@2', 'b=@3', 'a=1@4'])
  })

  it('are as many as are kept, in the store too', async () => {
    const store = memoryStore()
    const one = life()
    const past = await openPastChanges(store, one)
    for (let at = 1; at <= 3 * CHANGES_KEPT; at++) {
      one.set('a', at, at)
      if (at % 100 !== 0) continue
      await write(store, past)
    }
    assert.equal(past.latest().length, CHANGES_KEPT)
    const again = await openPastChanges(store, life())
    assert.ok(again.latest().length >= CHANGES_KEPT && again.latest().length < CHANGES_KEPT + 100)
    assert.equal(again.latest().at(-1)?.at, 3 * CHANGES_KEPT)
  })

  it('that could not be written are written the next time', async () => {
    const store = memoryStore()
    const one = life()
    const past = await openPastChanges(store, one)
    one.set('a', 1, 1)
    past.ops()
    one.set('a', 2, 2)
    await write(store, past)
    assert.deepEqual(told((await openPastChanges(store, life())).latest()), ['a=1@1', 'a=2@2'])
  })
})
