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

  const suspended = (goalId: string, seq: number): GoalEvent => ({
    ...event(goalId, seq),
    body: { type: 'suspended', code: 'stopped', reason: 'stopped on request' }
  })

  it('is told of a suspension that is kept back together with what follows it, or once it is no longer', () => {
    const readers = subscribers()
    const told: string[] = []
    readers.subscribe('*', ({ goalId, seq }) => void told.push(`${goalId}${seq}`))
    const ends = [readers.withhold('a', 1), readers.withhold('b', 1)]
    readers.tell(event('a', 2))
    readers.tell(suspended('a', 3))
    readers.tell(suspended('b', 2))
    readers.tell(suspended('c', 1))
    assert.deepEqual(told, ['a2', 'c1'])
    assert.ok(readers.withholds(suspended('a', 3)) && !readers.withholds(suspended('a', 1)) && !readers.withholds(event('a', 3)))
    readers.tell(event('a', 4))
    ends[1]!()
    assert.deepEqual(told, ['a2', 'c1', 'a3', 'a4', 'b2'])
    ends[0]!()
    readers.tell(suspended('b', 3))
    assert.equal(told.length, 6)
    assert.ok(!readers.withholds(suspended('a', 5)))
  })

  it('misses no suspension that two have kept back', () => {
    const readers = subscribers()
    const told: number[] = []
    readers.subscribe('a', ({ seq }) => void told.push(seq))
    const one = readers.withhold('a', 1)
    readers.tell(suspended('a', 2))
    const two = readers.withhold('a', 2)
    two()
    one()
    assert.deepEqual(told, [2])
  })
})
