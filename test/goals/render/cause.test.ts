import assert from 'node:assert/strict'
import { byCause, causeOf } from '../../../src/goals/render/cause.ts'
import type { RunSummary, StepReport, Suspension } from '../../../src/goals/pursuit/summary.ts'

const step: StepReport = {
  step: 'g/m/copy[web1]',
  show: 'copy',
  place: { file: 'x.xml', line: 1, col: 1 },
  attempt: 1,
  durationMs: 5,
  exit: { kind: 'exited', code: 4 },
  tail: 'connecting\nno route to host\n'
}

function suspension(some: Partial<StepReport> = {}, more: Partial<Suspension> = {}): Suspension {
  return {
    code: 'step-failed',
    reason: 'exited with 4 after 5 ms',
    step: { ...step, ...some },
    candidates: [],
    kept: [],
    values: {},
    ...more
  }
}

describe('the cause of a suspension', () => {
  const cases: ReadonlyArray<{ it: string; other: Suspension; same: boolean }> = [
    { it: 'does not depend on the item', other: suspension({ step: 'g/m/copy[web2]' }), same: true },
    { it: 'does not depend on how long it took', other: suspension({ durationMs: 9 }, { reason: 'exited with 4 after 9 ms' }), same: true },
    { it: 'does not depend on what was printed before', other: suspension({ tail: 'x\nno route to host' }), same: true },
    { it: 'depends on the step', other: suspension({ step: 'g/m/move[web1]' }), same: false },
    { it: 'depends on the exit', other: suspension({ exit: { kind: 'exited', code: 5 } }), same: false },
    { it: 'depends on the last line', other: suspension({ tail: 'no space left' }), same: false }
  ]
  for (const { it: name, other, same } of cases) {
    it(name, () => assert.equal(causeOf(suspension()).id === causeOf(other).id, same))
  }

  it('is the same for steps that said nothing, however long each took and whatever failed beside it', () => {
    const silent = (reason: string): string => causeOf(suspension({ tail: '' }, { reason })).id
    assert.equal(silent('exited with 4 after 13 ms'), silent('exited with 4 after 1.2 s; 3 more failed beside it'))
    assert.notEqual(silent('exited with 4 after 13 ms'), silent('killed by SIGKILL after 13 ms'))
  })

  it('groups goals: that of most first, those that wait longest first', () => {
    const run = (id: string, updatedAt: number, suspended: Suspension): RunSummary => ({
      id,
      goal: 'g',
      program: { name: 'p', hash: 'h' },
      status: 'suspended',
      seq: 3,
      createdAt: 0,
      updatedAt,
      by: { peer: 'p', node: 'n' },
      assignments: [],
      steps: { done: 0, failed: 1, running: 0 },
      suspended
    })
    const other = suspension({ tail: 'no space left' })
    const groups = byCause([run('a', 3, suspension()), run('b', 1, other), run('c', 2, suspension())])
    assert.deepEqual(
      groups.map(({ runs }) => runs.map(({ id }) => id)),
      [['c', 'a'], ['b']]
    )
  })
})
