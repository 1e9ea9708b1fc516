/** Many simulated nodes: how fast, and a goal for all of them over slow lines with some of them down. */
import assert from 'node:assert/strict'
import { allOf, type TableRow } from './world/many.ts'
import { playOne } from './world/workers.ts'

/** Of simulated time by time of the processor, once a mesh has come up: the figure. It is twice that, for a machine that is busy with other things. */
const PACE = 10

describe('a hundred simulated nodes', () => {
  it(`come up, work at ${PACE}× real time and come to rest`, async () => {
    const report = await playOne({
      seed: 1,
      nodes: 100,
      degree: 8,
      attack: '',
      disks: '',
      faults: [],
      troubledMs: 30_000,
      goalEveryMs: 3_000
    })
    assert.deepEqual(report.violations, [])
    const { virtualMs, cpuMs } = report.steady
    const pace = virtualMs / cpuMs
    const what = `${(virtualMs / 1000).toFixed(0)} s in ${(cpuMs / 1000).toFixed(1)} s of the processor`
    console.log(`      ${what}, with ${report.goals.sent} goals: ${pace.toFixed(1)}× real time, of ${PACE}× that are wanted`)
    assert.ok(pace >= PACE, `${pace.toFixed(1)}× real time`)
  }).timeout(240_000)
})

describe('a goal for two hundred simulated hosts, 80 ms away, of which one in twenty is down', () => {
  it('comes to a whole and true table', async () => {
    const { rows, truth, tookMs } = await allOf({ seed: 3, hosts: 200, roundTripMs: 80, down: 10, denying: 4, failing: 6 })
    const count = (state: TableRow['state']): number => rows.filter(row => row.state === state).length
    console.log(
      `      in ${(tookMs / 1000).toFixed(1)} s: ${count('done')} done, ${count('suspended')} suspended, ${count('unreachable')} unreachable, ${count('denied')} denied`
    )
    assert.deepEqual(rows, truth)
    assert.equal(rows.length, 200)
  }).timeout(240_000)
})
