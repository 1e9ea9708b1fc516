import assert from 'node:assert/strict'
import { ANNOUNCED_MAX, type Announced, announcedBy, unplanned } from '../../../src/goals/plan/conformance.ts'
import type { PlanNode } from '../../../src/goals/plan/plan.ts'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'

const place = { file: 'f', line: 1, col: 1 }
const node = (id: string, more: Partial<PlanNode> = {}): PlanNode => ({
  id,
  kind: 'step',
  needs: [],
  mark: '+',
  text: id,
  reads: [],
  writes: [],
  place,
  ...more
})
const began = (...steps: readonly string[]): GoalEvent[] =>
  steps.map((step, at) => ({
    goalId: 'i',
    seq: at + 1,
    at,
    body: { type: 'step-began', step, instance: 'g', attempt: 1, kind: 'send', key: 'k', show: step, place, reads: {} }
  }))
/** A stretch of work begins, having said what it may do. */
const started = (planned?: Announced, cause: 'first' | 'repair' = 'first'): GoalEvent => ({
  goalId: 'i',
  seq: 1,
  at: 1,
  body: { type: 'started', stretch: 1, cause, ...(planned !== undefined && { planned }) }
})
const found = (...events: readonly GoalEvent[]): string[] | undefined => unplanned(events)?.map(({ step }) => step)
const unknown = (nodes: readonly PlanNode[], ...steps: readonly string[]): string[] | undefined =>
  found(started(announcedBy(nodes)), ...began(...steps))

describe('what a plan did not know', () => {
  it('is each step with another id, once', () => {
    assert.deepEqual(unknown([node('g/m/one')], 'g/m/one', 'g/m/two', 'g/m/two', 'g/m/one.2'), ['g/m/two', 'g/m/one.2'])
  })

  it('is no item of a loop whose list was not known', () => {
    const nodes = [node('g/m/find[*]/copy'), node('g/m/find[*]>user/m/each[a]/send')]
    assert.deepEqual(unknown(nodes, 'g/m/find[web1]/copy', 'g/m/find[a].2/copy', 'g/m/find[x]>user/m/each[a]/send'), [])
    assert.deepEqual(unknown(nodes, 'g/m/find[x]>user/m/each[b]/send', 'g/m/find[x]/copy/more'), [
      'g/m/find[x]>user/m/each[b]/send',
      'g/m/find[x]/copy/more'
    ])
  })

  it('is no other method that the plan named, nor a correction; but one that was rejected', () => {
    const candidates = [
      { method: 'm', verdict: 'selected' },
      { method: 'n', verdict: 'queued' },
      { method: 'o', verdict: 'rejected' }
    ] as const
    const nodes = [node('g', { kind: 'goal', method: 'm', candidates }), node('g/m/one')]
    assert.deepEqual(unknown(nodes, 'g/n/x', 'g/n>h/m/y', 'g/m/correct[1]/z', 'g/o/x'), ['g/o/x'])
  })

  it('is no other item of a loop that is walked again after a failure', () => {
    const failed: GoalEvent = {
      goalId: 'i',
      seq: 2,
      at: 2,
      body: { type: 'step-ended', step: 'g/m/f[a]/s', attempt: 1, status: 'failed', durationMs: 1, writes: [] }
    }
    const announced = announcedBy([node('g/m/f[a]/s')])
    assert.deepEqual(found(started(announced), failed, ...began('g/m/f[b]/s')), [])
    assert.deepEqual(found(started(announced), ...began('g/m/f[b]/s'), failed), ['g/m/f[b]/s'])
  })

  it('is still found where a plan has more steps than are named one by one', () => {
    const nodes = Array.from({ length: ANNOUNCED_MAX + 1 }, (_, i) => node(`g/m/r[${i}]/s`))
    assert.deepEqual(announcedBy(nodes).steps, ['g/m/r[*]/s'])
    assert.deepEqual(unknown(nodes, 'g/m/r[7]/s', 'g/m/r[7]/t'), ['g/m/r[7]/t'])
  })

  it('is still found by its method where there are more loops than that', () => {
    const nodes = Array.from({ length: ANNOUNCED_MAX + 1 }, (_, i) => node(`g/m/s${i}`))
    assert.deepEqual(announcedBy(nodes).steps, ['g/m/**'])
    assert.deepEqual(unknown(nodes, 'g/m/s7', 'g/n/s7', 'g/mm/s7'), ['g/n/s7', 'g/mm/s7'])
  })

  it('is what neither the first plan nor that of a later stretch knew', () => {
    const [first, second] = [announcedBy([node('g/m/a')]), announcedBy([node('g/m/b')])]
    assert.deepEqual(found(started(first), ...began('g/m/a', 'g/m/b'), started(second, 'repair')), ['g/m/b'])
    assert.deepEqual(found(started(first), started(second, 'repair'), ...began('g/m/a', 'g/m/b', 'g/m/c')), ['g/m/c'])
  })

  it('cannot be told of a goal that did something without having said what', () => {
    assert.equal(found(started(), ...began('g/m/a')), undefined)
    assert.deepEqual(found(started()), [])
  })
})
