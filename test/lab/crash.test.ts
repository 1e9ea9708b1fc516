import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { skip } from '../skip.ts'
import { type Lab, openLab } from './crash/lab.ts'
import { type Point, points } from './crash/points.ts'

/** Points by chance, besides those below. */
const BY_CHANCE = 14
/** What has gone wrong before, and one of each other kind. */
const FOUND: readonly Omit<Point, 'number' | 'jump'>[] = [
  { kind: 'ENOSPC', victim: 2, at: 1, again: 1 },
  { kind: 'EIO', victim: 2, at: 4, again: 1 },
  { kind: 'EIO', victim: 1, at: 12, again: 1 },
  { kind: 'double', victim: 1, at: 7, again: 2 },
  { kind: 'dead', victim: 1, at: 1, again: 1, during: 'n1:plan' },
  { kind: 'runner', victim: 3, at: 1, again: 1, during: 'n3:make' }
]
const ON_A_DISK: readonly Omit<Point, 'number' | 'jump'>[] = [
  { kind: 'cut', victim: 2, at: 2, again: 1, during: 'n2:make' },
  { kind: 'cut', victim: 2, at: 4, again: 1 }
]

describe('three nodes that crash', function () {
  this.timeout(240_000)
  const seed = Number.parseInt(process.env['CB_SEED'] ?? Math.floor(Math.random() * 0x10000).toString(16), 16)
  let lab: Lab
  before(async function () {
    if (process.platform !== 'linux' || !existsSync('/usr/bin/strace')) skip(this, 'faults are made by strace, on Linux')
    lab = await openLab()
  })
  after(() => lab?.close())

  it(`bring every goal to the same end, with no completed step run again and none in doubt unsaid (CB_SEED=${seed.toString(16)})`, async () => {
    const found = [...FOUND, ...(lab.scope.cuts ? ON_A_DISK : []), ...(lab.scope.clocks ? [CLOCK] : [])]
    const chosen = found.map((point, at) => ({ ...point, number: 1_000 + at, jump: '+400d' }))
    let struck = 0
    for (const point of [...chosen, ...points(BY_CHANCE, seed, lab.scope)]) {
      const outcome = await lab.strike(point)
      assert.deepEqual(outcome.wrong, [], JSON.stringify(outcome))
      if (outcome.struck) struck++
    }
    assert.ok(struck >= found.length, `${struck} faults were reached`)
    assert.deepEqual(await lab.settle(), [])
  })
})

const CLOCK: Omit<Point, 'number' | 'jump'> = { kind: 'clock', victim: 3, at: 1, again: 1 }
