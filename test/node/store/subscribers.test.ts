import assert from 'node:assert/strict'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import { subscribers } from '../../../src/node/store/subscribers.ts'

describe('who wants to be told of events', () => {
  const event = (goalId: string, seq: number): GoalEvent => ({ goalId, seq, at: 0, body: { type: 'started', stretch: 1, cause: 'first' } })

  it('is told of its goal, or of all, in order, until it has had enough', () => {
    const readers = subscribers()
    const told: string[] = []
    const hear = (name: string) => (heard: GoalEvent) => void told.push(`${name}:${heard.goalId}${heard.seq}`)
    const ends = [readers.subscribe('a', hear('one')), readers.subscribe('a', hear('two')), readers.subscribe('*', hear('all'))]
    readers.tell(event('a', 1))
    readers.tell(event('b', 1))
    ends[0]!()
    readers.tell(event('a', 2))
    assert.equal(told.join(' '), 'one:a1 two:a1 all:a1 all:b1 two:a2 all:a2')
    for (const end of ends) end()
    readers.tell(event('a', 3))
    assert.equal(told.length, 6)
  })

  it('is not forgotten because somebody else has ended twice', () => {
    const readers = subscribers()
    let told = 0
    const first = readers.subscribe('a', () => undefined)
    first()
    readers.subscribe('a', () => told++)
    first()
    readers.tell(event('a', 1))
    assert.equal(told, 1)
  })
})
