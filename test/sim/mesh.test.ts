/**
 * Nodes that run the real protocol, state and pursuit code over a simulated network, disk, clock and machine, while things go
 * wrong. `npm run sim` plays 20,000 seeds; `npm run sim -- --seed N` plays one of them again.
 */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { type Played, playedIn } from './world/progress.ts'
import { simulate } from './world/simulate.ts'
import { summarise, summaryLine } from './world/summary.ts'
import { playAll } from './world/workers.ts'

const SEEDS = 300

describe('a simulated mesh', () => {
  it('does the same again from the same seed, bit for bit', async () => {
    const first = await simulate({ seed: 7 })
    const again = await simulate({ seed: 7 })
    assert.equal(again.hash, first.hash)
    assert.notEqual((await simulate({ seed: 8 })).hash, first.hash)
    assert.ok(first.executions > 0, 'nothing was done')
  }).timeout(120_000)

  it(`loses no goal, does none twice and comes to one mind, in ${SEEDS} seeds`, async () => {
    const reports: Played[] = []
    const all = Array.from({ length: SEEDS }, (_, at) => ({ seed: at + 1 }))
    await playAll(all, availableParallelism(), report => void reports.push(playedIn(report, '')))
    console.log(`      ${summaryLine(summarise(reports))}`)
    const bad = reports.filter(({ violations }) => violations.length > 0)
    assert.deepEqual(
      bad.map(({ seed, violations }) => ({ seed, violations })),
      []
    )
  }).timeout(600_000)
})
