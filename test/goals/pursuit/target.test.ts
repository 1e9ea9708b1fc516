import assert from 'node:assert/strict'
import { EVENT_VERSION, type GoalEvent, type GoalEventBody } from '../../../src/goals/pursuit/events.ts'
import { targetOf } from '../../../src/goals/pursuit/target.ts'

const proposed: GoalEventBody = {
  type: 'proposed',
  version: EVENT_VERSION,
  goal: 'g',
  program: { name: 'p', hash: 'h' },
  mode: 'pursue',
  assignments: [],
  by: { peer: 'p', node: 'n' },
  chain: [],
  target: 'g/m/one'
}
const ended = (step: string, status: 'completed' | 'failed' = 'completed'): GoalEventBody => ({
  type: 'step-ended',
  step,
  attempt: 1,
  status,
  durationMs: 1,
  writes: []
})
const rested: GoalEventBody = { type: 'suspended', code: 'requested', reason: 'done' }
const events = (...bodies: readonly GoalEventBody[]): GoalEvent[] => bodies.map((body, at) => ({ goalId: 'i', seq: at + 1, at, body }))

describe('the target of a goal', () => {
  const never = new AbortController().signal

  it('lets it rest once it is reached, and for nothing else', () => {
    const { stop, reached } = targetOf(events(proposed), never)
    reached('g/m/two')
    assert.equal(stop.aborted, false)
    reached('g/m/one')
    assert.match(String(stop.reason), /^g\/m\/one is done, as was asked for/)
  })

  it('lets it rest at once when a crash came between its end and the rest', () => {
    assert.equal(targetOf(events(proposed, ended('g/m/one')), never).stop.aborted, true)
    assert.equal(targetOf(events(proposed, ended('g/m/one', 'failed')), never).stop.aborted, false)
  })

  it('is of no more meaning after that rest', () => {
    const { stop, reached } = targetOf(events(proposed, ended('g/m/one'), rested), never)
    reached('g/m/one')
    assert.equal(stop.aborted, false)
  })

  it('leaves a stop for another reason as it is', () => {
    const other = new AbortController()
    const { stop } = targetOf(events(proposed), other.signal)
    other.abort('suspended by ada')
    assert.equal(stop.reason, 'suspended by ada')
  })
})
