import assert from 'node:assert/strict'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import type { RunSummary } from '../../../src/goals/pursuit/summary.ts'
import { summarise } from '../../../src/goals/pursuit/summarise.ts'
import { feed, type OutputSource } from '../../../src/node/goals/feed.ts'

const ID = '01J00000000000000000000000'
const by = { peer: 'p', node: 'n' }
const silent: OutputSource = { readOutput: async () => new Uint8Array(), onOutput: () => () => undefined }

/** Events of one goal, kept in memory. */
function journal() {
  const events: GoalEvent[] = []
  const listeners = new Set<(event: GoalEvent) => void>()
  return {
    add(body: GoalEvent['body']): void {
      const event = { goalId: ID, seq: events.length + 1, at: 1, body }
      events.push(event)
      for (const listener of listeners) listener(event)
    },
    readDurable: async (_id: string, from = 1) => events.filter(({ seq }) => seq >= from),
    summary: async (): Promise<RunSummary | undefined> => summarise(events),
    subscribe: (_id: string, listener: (event: GoalEvent) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

const proposed: GoalEvent['body'] = {
  type: 'proposed',
  version: 1,
  goal: 'g',
  program: { name: 'p', hash: 'h' },
  mode: 'pursue',
  assignments: [],
  by,
  chain: []
}

describe('a feed that follows', () => {
  it('waits for the first event of a goal that was accepted elsewhere and not heard of yet', async () => {
    const source = journal()
    const asked = Promise.withResolvers<void>()
    const awaited = async (): Promise<boolean> => {
      asked.resolve()
      return true
    }
    const items = feed(source, silent, { id: ID, follow: true, awaited }, new AbortController().signal)
    const first = items.next()
    await asked.promise
    source.add(proposed)
    source.add({ type: 'cancelled', by })
    assert.deepEqual([(await first).value?.type, (await items.next()).value?.type, (await items.next()).done], ['event', 'event', true])
  })

  it('tells all of a goal that came and ended while it asked whether one was on its way', async () => {
    const source = journal()
    const awaited = async (): Promise<boolean> => {
      source.add(proposed)
      source.add({ type: 'cancelled', by })
      return false
    }
    const items = feed(source, silent, { id: ID, follow: true, awaited }, new AbortController().signal)
    const told = [await items.next(), await items.next(), await items.next()]
    assert.deepEqual(
      told.map(({ value, done }) => done || (value.type === 'event' && value.event.body.type)),
      ['proposed', 'cancelled', true]
    )
  })

  it('ends at once for a goal that nothing is to be heard of', async () => {
    const items = feed(journal(), silent, { id: ID, follow: true }, new AbortController().signal)
    assert.equal((await items.next()).done, true)
  })

  it('ends when what was awaited is refused', async () => {
    let open = true
    let refuse: (reason: string) => void = () => undefined
    const asked = Promise.withResolvers<void>()
    const awaited = async (): Promise<boolean> => {
      asked.resolve()
      return open
    }
    const items = feed(journal(), silent, { id: ID, follow: true, awaited }, new AbortController().signal, listener => {
      refuse = listener
      return () => undefined
    })
    const first = items.next()
    await asked.promise
    open = false
    refuse('denied')
    assert.deepEqual((await first).value, { type: 'waiting', reason: 'denied' })
    assert.equal((await items.next()).done, true)
  })
})
