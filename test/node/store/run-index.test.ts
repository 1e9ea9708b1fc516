import assert from 'node:assert/strict'
import type { RunStatus } from '../../../src/goals/pursuit/summary.ts'
import { runIndex } from '../../../src/node/store/run-index.ts'
import type { RunEntry } from '../../../src/node/store/records.ts'

const entry = (id: string, status: RunStatus, seq: number, rest: Partial<RunEntry> = {}): RunEntry =>
  ({ summary: { id, goal: 'g', status, seq, createdAt: Number(id.slice(1)), updatedAt: seq }, head: '', ...rest }) as never

describe('the index of runs', () => {
  it('counts those of this node that are not over', () => {
    const index = runIndex()
    index.note(entry('r1', 'proposed', 1))
    index.note(entry('r1', 'pursuing', 2))
    index.note(entry('r2', 'suspended', 4))
    index.note(entry('r3', 'pursuing', 1, { mirrored: true }))
    assert.equal(index.open, 2)
    index.note(entry('r1', 'completed', 5))
    // Read from disk before, told after: what is older changes nothing.
    index.note(entry('r1', 'pursuing', 3))
    assert.equal(index.open, 1)
    index.note(entry('r2', 'pursuing', 5))
    assert.equal(index.open, 1)
    index.drop('r2')
    index.drop('r2')
    assert.deepEqual([index.open, index.size], [0, 2])
  })

  it('lists newest first, whatever came first', () => {
    const index = runIndex()
    for (const id of ['r2', 'r3', 'r1', 'r5', 'r4']) index.note(entry(id, 'completed', 1))
    index.drop('r3')
    assert.deepEqual(
      index.newestFirst().map(run => run.id),
      ['r5', 'r4', 'r2', 'r1']
    )
  })
})
