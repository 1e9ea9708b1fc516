import assert from 'node:assert/strict'
import { ANNOUNCED_MAX, announcedBy, unplanned } from '../../../src/goals/plan/conformance.ts'
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
const unknown = (nodes: readonly PlanNode[], ...steps: readonly string[]): string[] =>
  unplanned(announcedBy({ nodes }), began(...steps)).map(({ step }) => step)

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
    const announced = announcedBy({ nodes: [node('g/m/f[a]/s')] })
    assert.deepEqual(unplanned(announced, [failed, ...began('g/m/f[b]/s')]), [])
    assert.equal(unplanned(announced, [...began('g/m/f[b]/s'), failed]).length, 1)
  })

  it('is still found where a plan has more steps than are named one by one', () => {
    const nodes = Array.from({ length: ANNOUNCED_MAX + 1 }, (_, i) => node(`g/m/r[${i}]/s`))
    assert.deepEqual(announcedBy({ nodes }).steps, ['g/m/r[*]/s'])
    assert.deepEqual(unknown(nodes, 'g/m/r[7]/s', 'g/m/r[7]/t'), ['g/m/r[7]/t'])
  })
})
