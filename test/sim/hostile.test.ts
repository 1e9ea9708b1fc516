/** A peer that is permitted, and keeps to no rule: what it tries is in world/attacks.ts. */
import assert from 'node:assert/strict'
import { ATTACKS } from './world/attacks.ts'
import { simulate } from './world/simulate.ts'

/** What five nodes together may keep on account of one hostile peer, in bytes: its own megabyte at each, and some. */
const KEPT_BYTES_MAX = 5 * 4 * 1024 * 1024

describe('a hostile peer', () => {
  for (const attack of Object.keys(ATTACKS)) {
    it(`forges nothing, divides nobody and fills no memory with ${attack}`, async () => {
      const { violations, kept, goals } = await simulate({ seed: 5, nodes: 5, attack, faults: ['kill'], troubledMs: 8_000 })
      assert.deepEqual(violations, [])
      assert.ok(goals.sent > 0, 'the honest nodes had nothing to do')
      assert.ok(kept < KEPT_BYTES_MAX, `${kept} bytes of records are kept`)
    }).timeout(120_000)
  }

  it('who tells each node another history is found out by all', async () => {
    const { violations, forks } = await simulate({ seed: 5, nodes: 5, attack: 'one history for each', faults: [], troubledMs: 15_000 })
    assert.deepEqual(violations, [])
    assert.equal(forks, 5)
  }).timeout(120_000)
})
