/** The simulator is only as good as what it catches: each of these products has one mistake. */
import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { simulate as sound } from './world/simulate.ts'
import { BUILT, simulatorOf } from './variants/build.ts'
import { VARIANTS } from './variants/variants.ts'

/** Seeds that may be played until one catches the mistake. */
const SEEDS_MAX = 40
/** Enough for the product as it is, in milliseconds. */
const REST_WITHIN_MS = 150_000

describe('the simulator', () => {
  for (const [number, variant] of VARIANTS.entries()) {
    it(`catches that ${variant.name}`, async () => {
      const simulate = await simulatorOf(variant, number)
      for (let seed = 1; seed <= (variant.seeds ?? SEEDS_MAX); seed++) {
        const mesh = { seed, attack: variant.attack ?? '', disks: variant.disks ?? ('' as const), restWithinMs: REST_WITHIN_MS }
        const { violations } = await simulate(mesh)
        if (violations.length === 0) continue
        if (process.env.CLOUDBURST_VARIANTS !== undefined) console.log(`      seed ${seed}: ${violations[0]}`)
        assert.deepEqual((await sound(mesh)).violations, [], `seed ${seed} is not about the mistake`)
        return
      }
      assert.fail('no seed caught it')
    }).timeout(240_000)
  }

  after(async () => {
    const own = (await readdir(BUILT).catch(() => [])).filter(name => name.endsWith(`-${process.pid}.mjs`))
    await Promise.all(own.map(name => rm(join(BUILT, name))))
  })
})
