import assert from 'node:assert/strict'
import { estimated, measured } from '../../../src/goals/plan/estimate.ts'
import type { Plan, PlanNode } from '../../../src/goals/plan/plan.ts'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import { planText } from '../../../src/goals/render/plan.ts'

const node = (id: string, more: Partial<PlanNode> = {}): PlanNode => ({
  id,
  kind: 'step',
  needs: [],
  mark: '+',
  text: id,
  reads: [],
  writes: [],
  place: { file: 'f', line: 1, col: 1 },
  ...more
})
const plan = (...nodes: readonly PlanNode[]): Plan => ({
  version: 1,
  goal: 'g',
  program: { name: 'p', hash: 'h' },
  variables: {},
  nodes,
  summary: { do: nodes.length, redo: 0, undo: 0, possible: 0, alreadyTrue: 0 },
  basis: {},
  problems: []
})
const run = (steps: Readonly<Record<string, number>>, status: 'completed' | 'failed' = 'completed'): GoalEvent[] =>
  Object.entries(steps).map(([step, durationMs], at) => ({
    goalId: 'i',
    seq: at + 1,
    at,
    body: { type: 'step-ended', step, attempt: 1, status, durationMs, writes: [] }
  }))

describe('the estimate of a plan', () => {
  it('goes from the fastest of each step to the slowest', () => {
    const known = measured([run({ a: 100, b: 50 }), run({ a: 300 }), run({ b: 9_000 }, 'failed')])
    const made = estimated(plan(node('a'), node('b')), known)
    assert.deepEqual(made.estimate, { leastMs: 150, mostMs: 350, known: 2, steps: 2 })
    assert.deepEqual(made.nodes[0]?.took, { leastMs: 100, mostMs: 300 })
    assert.equal(planText(made, { colour: false }).at(-1), 'estimate: 0.1 s to 0.3 s, by earlier runs')
  })

  it('is shorter where steps may be done at a time, and where they may not happen', () => {
    const known = measured([run({ 'g/f[a]/s': 1_000, 'g/f[b]/s': 1_000, maybe: 500 })])
    const { estimate } = estimated(
      plan(node('g/f[a]/s', { abreast: 2 }), node('g/f[b]/s', { abreast: 2 }), node('maybe', { mark: '?' })),
      known
    )
    assert.deepEqual(estimate, { leastMs: 1_000, mostMs: 2_500, known: 3, steps: 3 })
  })

  it('takes for a new item of a loop what its others took', () => {
    const { estimate } = estimated(plan(node('g/f[new]/s')), measured([run({ 'g/f[a]/s': 10, 'g/f[b]/s': 30 })]))
    assert.deepEqual(estimate, { leastMs: 10, mostMs: 30, known: 1, steps: 1 })
  })

  it('says of how many steps nothing is known, and nothing where none is', () => {
    const made = estimated(plan(node('a'), node('b'), node('c', { mark: '=' })), measured([run({ a: 2_000 })]))
    assert.match(
      planText(made, { colour: false }).at(-1) ?? '',
      /^estimate: about 2\.0 s, .* for 1 of 2 steps; nothing is known of the others$/
    )
    assert.equal(estimated(plan(node('a')), measured([])).estimate, undefined)
  })
})
