import assert from 'node:assert/strict'
import type { Plan, PlanNode } from '../../../src/goals/plan/plan.ts'
import { hasChanges, planLines, planText } from '../../../src/goals/render/plan.ts'

describe('a plan as text', () => {
  it('is a tree with marks, the legend and counts', () => {
    assert.deepEqual(planText(plan, { colour: false }), [
      'plan of publish (site@ab12cd34)',
      '+ publish by files  # Publish the site',
      '  + mkdir -p ${goal.directory} @node2',
      '  = directory',
      '  ? systemctl restart nginx',
      '! site.xml:9:5: goal.port is undefined',
      '+ will do · ~ will redo · - will undo · ? possible · = already true · @peer where',
      'plan: 1 to do, 0 to redo, 0 to undo, 1 possible, 1 already true'
    ])
  })

  it('is a line a command in its plain form, without what is true already', () => {
    assert.deepEqual(planLines(plan), ['PLAN  mkdir -p ${goal.directory}', 'PLAN  systemctl restart nginx'])
  })

  it('has changes unless every step is true already', () => {
    assert.equal(hasChanges(plan), true)
    assert.equal(hasChanges({ ...plan, nodes: [node({ id: 's', mark: '=' })] }), false)
  })
})

function node(some: Partial<PlanNode>): PlanNode {
  return {
    id: 'x',
    kind: 'step',
    needs: [],
    mark: '+',
    text: 'true',
    reads: [],
    writes: [],
    place: { file: 'site.xml', line: 1, col: 1 },
    ...some
  }
}

const plan: Plan = {
  version: 1,
  goal: 'publish',
  program: { name: 'site', hash: 'ab12cd34ef56' },
  variables: {},
  nodes: [
    node({ id: 'g', kind: 'goal', text: 'publish', method: 'files', describe: 'Publish the site' }),
    node({ id: 's1', parent: 'g', text: 'mkdir -p ${goal.directory}', peer: 'node2' }),
    node({ id: 'g2', parent: 'g', kind: 'goal', text: 'directory', mark: '=' }),
    node({ id: 's2', parent: 'g', text: 'systemctl restart nginx', mark: '?' })
  ],
  summary: { do: 1, redo: 0, undo: 0, possible: 1, alreadyTrue: 1 },
  basis: {},
  problems: [{ place: { file: 'site.xml', line: 9, col: 5 }, message: 'goal.port is undefined' }]
}
