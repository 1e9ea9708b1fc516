import assert from 'node:assert/strict'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import type { RunSummary } from '../../../src/goals/pursuit/summary.ts'
import { heard } from '../../../src/node/goals/heard.ts'

const ID = '01J00000000000000000000000'

/** A journal that holds `seq` events, and tells the next one when it is told to. */
function journalAt(seq: number) {
  const listeners = new Set<(event: GoalEvent) => void>()
  return {
    listeners,
    tell(next: number): void {
      for (const listener of listeners) listener({ goalId: ID, seq: next, at: 1, body: { type: 'started', stretch: 1, cause: 'repair' } })
    },
    summary: async () => ({ seq }) as RunSummary,
    subscribe: (_id: string, listener: (event: GoalEvent) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

describe('what a peer has answered', () => {
  it('is waited for until its events are here', async () => {
    const journal = journalAt(3)
    let done = false
    const waiting = heard(journal, ID, 5).then(() => {
      done = true
    })
    journal.tell(4)
    await new Promise(setImmediate)
    assert.equal(done, false)
    journal.tell(5)
    await waiting
    assert.equal(journal.listeners.size, 0)
  })

  it('is not waited for when they are here already', () => heard(journalAt(5), ID, 5))

  it('is not waited for any longer than it takes a person to wonder', () => heard(journalAt(3), ID, 5, 10))
})
