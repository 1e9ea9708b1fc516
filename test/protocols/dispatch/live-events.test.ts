import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import { type EventSource, liveEvents } from '../../../src/protocols/dispatch/live-events.ts'

const event = (seq: number): GoalEvent => ({ goalId: 'g', seq, at: seq, body: { type: 'started', stretch: 1, cause: 'first' } })
const seqs = (events: readonly GoalEvent[] | undefined) => (events ?? []).map(({ seq }) => seq)
const turn = () => new Promise<void>(resolve => setImmediate(resolve))

/** A source to which events come while it is read. */
function source() {
  const events: GoalEvent[] = []
  const listeners = new Set<(event: GoalEvent) => void>()
  let longest = 0
  const it: EventSource & { add(): void; listeners: Set<(event: GoalEvent) => void>; readonly longest: number } = {
    listeners,
    get longest() {
      return longest
    },
    add() {
      events.push(event(events.length + 1))
      for (const listener of listeners) listener(events.at(-1)!)
    },
    read: async (_goalId, from, most = Infinity) => {
      const now = events.filter(({ seq }) => seq >= from).slice(0, most)
      longest = Math.max(longest, now.length)
      await turn()
      return now
    },
    subscribe: (_goalId, listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
  return it
}

describe('live events', () => {
  it('come without gap or repeat, however reading and happening interleave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(400), { minLength: 1, maxLength: 6 }), fc.nat(20), async (bursts, slow) => {
        const from = source()
        const total = bursts.reduce((sum, each) => sum + each, 0)
        const stop = new AbortController()
        const seen: number[] = []
        const reading = (async () => {
          if (total === 0) return
          for await (const some of liveEvents(from, 'g', 1, stop.signal)) {
            for (const { seq } of some) {
              seen.push(seq)
              if (seen.length % (slow + 1) === 0) await turn()
              if (seq === total) return
            }
          }
        })()
        for (const burst of bursts) {
          for (let at = 0; at < burst; at++) from.add()
          await turn()
        }
        await reading
        assert.deepEqual(
          seen,
          Array.from({ length: total }, (_, at) => at + 1)
        )
        assert.equal(from.listeners.size, 0)
      }),
      { numRuns: 40 }
    )
  }).timeout(20_000)

  it('are read from their source page by page, while more come', async () => {
    const from = source()
    const total = 3_500
    for (let at = 0; at < total - 500; at++) from.add()
    const seen: number[] = []
    for await (const some of liveEvents(from, 'g', 1, new AbortController().signal)) {
      for (let at = 0; at < 250 && seen.length >= 1_000 && seen.length < 3_000; at++) from.add()
      seen.push(...seqs(some))
      if (seen.length === total) break
    }
    assert.deepEqual(
      seen,
      Array.from({ length: total }, (_, at) => at + 1)
    )
    assert.equal(from.longest, 1_000)
  })

  it('end when nobody wants them any more', async () => {
    const from = source()
    const stop = new AbortController()
    const waiting = liveEvents(from, 'g', 1, stop.signal).next()
    await turn()
    stop.abort()
    assert.equal((await waiting).done, true)
    assert.equal(from.listeners.size, 0)
  })

  it('are found at their source when one was not told', async () => {
    const from = source()
    const reading = liveEvents(from, 'g', 1, new AbortController().signal)
    const first = reading.next()
    await turn()
    from.add()
    assert.deepEqual(seqs((await first).value ?? []), [1])
    const second = reading.next()
    await turn()
    const told = [...from.listeners]
    from.listeners.clear()
    from.add()
    for (const listener of told) from.listeners.add(listener)
    from.add()
    assert.deepEqual(seqs((await second).value ?? []), [2, 3])
    await reading.return()
  })

  it('say so when their source has a gap', async () => {
    const broken: EventSource = { read: async () => [event(2)], subscribe: () => () => undefined }
    await assert.rejects(liveEvents(broken, 'g', 1, new AbortController().signal).next(), { code: 'CB_STORE_DAMAGED' })
  })
})
