import assert from 'node:assert/strict'
import { Membership, type Standing } from '../../../src/node/mesh/membership.ts'
import { VirtualTime } from '../../sim/world/time.ts'

/** A small generator of its own (mulberry32): the same seed is the same run. */
function chanceOf(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Told {
  readonly by: number
  readonly of: string
  readonly standing: Standing
  readonly at: number
}

/**
 * Nodes that all know one another; `answers` says whether a question of one reaches another now, and how slowly; `late` how much too
 * late the timers of a node fire, and it reads no answer before.
 */
function group(
  count: number,
  seed: number,
  answers: (from: number, to: number, now: number) => number | undefined,
  late: (self: number, now: number) => number = () => 0
) {
  const time = new VirtualTime()
  const chance = chanceOf(seed)
  const told: Told[] = []
  const given: string[] = []
  const announced: { readonly by: number; readonly of: string; readonly at: number }[] = []
  const ask = async (from: number, to: number, within: number): Promise<number> => {
    assert.ok(Number.isInteger(within), 'timers take whole milliseconds')
    const took = answers(from, to, time.now)
    await time.sleep(Math.min(took ?? within, within))
    // Timers first, then what has come.
    const lag = late(from, time.now)
    await time.sleep(lag)
    if (lag > 0 && took !== undefined && took + lag > within) throw new Error('no answer was read')
    if (took === undefined || took > within) throw new Error('no answer')
    return took
  }
  const nodes: Membership[] = Array.from({ length: count }, (_, self) => {
    return new Membership({
      members: () => Array.from({ length: count }, (_, at) => `n${at}`).filter((_, at) => at !== self),
      probe: (peer, within) => ask(self, Number(peer.slice(1)), within),
      probeThrough: async (helper, peer, within) => {
        await ask(self, Number(helper.slice(1)), within)
        return await ask(Number(helper.slice(1)), Number(peer.slice(1)), within).then(
          () => true,
          () => false
        )
      },
      announce: suspect => {
        announced.push({ by: self, of: suspect, at: time.now })
        for (const [at, node] of nodes.entries()) if (at !== self && answers(self, at, time.now) !== undefined) node.heardSuspicion(suspect)
      },
      onStanding: (of, standing) => told.push({ by: self, of, standing, at: time.now }),
      giveUp: peer => given.push(`n${self} ${peer}`),
      clock: { now: () => time.now, sleep: (ms, signal) => time.sleep(ms + late(self, time.now), signal) },
      chance
    })
  })
  const run = async (ms: number): Promise<void> => {
    for (const node of nodes) node.start()
    await time.run(ms)
    for (const node of nodes) node.stop()
    await time.run(ms + 1)
  }
  return { told, given, announced, nodes, run }
}

const QUICK = 2
const seed = Number(process.env['CB_SEED'] ?? 20_261_123)
const away = (told: readonly Told[], of: string): Told[] => told.filter(each => each.of === of && each.standing === 'away')

describe(`membership (CB_SEED=${seed})`, () => {
  for (const count of [2, 5, 20, 40]) {
    it(`notices within five seconds that one of ${count} has fallen silent, at every other one, and that it is back`, async () => {
      const [silentAt, backAt] = [10_000, 40_000]
      const { told, run } = group(count, seed, (from, to, now) => {
        const silent = (from === 0 || to === 0) && now >= silentAt && now < backAt
        return silent ? undefined : QUICK
      })
      await run(60_000)
      const gone = away(told, 'n0')
      assert.equal(gone.length, count - 1)
      for (const { at, by } of gone) assert.ok(at - silentAt <= 5_000, `n${by} noticed after ${at - silentAt} ms`)
      const back = told.filter(({ of, standing, at }) => of === 'n0' && standing === 'alive' && at >= backAt)
      assert.equal(back.length, count - 1)
      assert.deepEqual(
        told.filter(({ by, of }) => by !== 0 && of !== 'n0' && of.startsWith('n')).filter(({ standing }) => standing === 'away'),
        []
      )
    })
  }

  it('says of one that is dead by a few, not by each', async () => {
    const { told, announced, run } = group(20, seed, (from, to, now) => ((from === 0 || to === 0) && now > 10_000 ? undefined : QUICK))
    await run(20_000)
    assert.equal(away(told, 'n0').length, 19)
    const said = announced.filter(({ of }) => of === 'n0')
    assert.ok(said.length >= 1 && said.length <= 6, `${said.length} nodes said so`)
  })

  it('says little when it is the one that is cut off', async () => {
    const { told, announced, run } = group(20, seed, (from, to, now) => ((from === 0 || to === 0) && now > 10_000 ? undefined : QUICK))
    await run(30_000)
    assert.equal(told.filter(({ by, standing }) => by === 0 && standing === 'away').length, 19)
    assert.ok(announced.filter(({ by }) => by === 0).length <= 5)
  })

  it('calls nobody dead, and suspects nobody aloud, while it is slow itself', async () => {
    const isSlow = (now: number): boolean => now > 10_000 && now < 40_000
    const { told, announced, run } = group(
      20,
      seed,
      () => QUICK,
      (self, now) => (self < 4 && isSlow(now) ? 700 : 0)
    )
    await run(60_000)
    assert.deepEqual(
      told.filter(({ standing }) => standing === 'away'),
      []
    )
    assert.deepEqual(announced, [])
  })

  it('notices a death though it is slow itself', async () => {
    const { told, run } = group(
      5,
      seed,
      (from, to, now) => ((from === 0 || to === 0) && now > 10_000 ? undefined : QUICK),
      self => (self === 1 ? 300 : 0)
    )
    await run(60_000)
    assert.ok(away(told, 'n0').some(({ by }) => by === 1))
  })

  it('calls nobody else dead in ten minutes with one node that flaps', async () => {
    const { told, run } = group(8, seed, (from, to, now) => {
      const flapping = (from === 3 || to === 3) && Math.floor(now / 3_000) % 2 === 1
      return flapping ? undefined : QUICK
    })
    await run(600_000)
    const false_ = told.filter(({ by, of, standing }) => standing === 'away' && of !== 'n3' && by !== 3)
    assert.deepEqual(false_, [])
  }).timeout(20_000)

  it('believes others who reach a node that one cannot, and waits longer itself', async () => {
    const { told, nodes, run } = group(6, seed, (from, to, now) => (from === 0 && to === 1 && now > 5_000 ? undefined : QUICK))
    await run(20_000)
    assert.deepEqual(away(told, 'n1'), [])
    assert.ok(told.some(({ by, of, standing }) => by === 0 && of === 'n1' && standing === 'suspect'))
    assert.ok(nodes[0]!.doubt >= 1)
  })

  it('gets used to a slow line', async () => {
    const { told, run } = group(4, seed, (from, to) => (from === 0 || to === 0 ? 300.123 : QUICK))
    await run(60_000)
    assert.deepEqual(
      told.filter(({ standing }) => standing !== 'alive'),
      []
    )
  })

  it('gets used to a line on which an answer takes a second', async () => {
    const { told, run } = group(4, seed, (from, to) => (from === 0 || to === 0 ? 1_000 : QUICK))
    await run(60_000)
    assert.deepEqual(
      told.filter(({ standing }) => standing !== 'alive'),
      []
    )
  })

  it('notices a death in five seconds soon after all were slow', async () => {
    const { told, run } = group(20, seed, (from, to, now) =>
      (from === 0 || to === 0) && now > 30_000 ? undefined : now < 15_000 ? 900 : QUICK
    )
    await run(50_000)
    const gone = away(told, 'n0')
    assert.equal(gone.length, 19)
    for (const { at, by } of gone) assert.ok(at - 30_000 <= 5_000, `n${by} noticed after ${at - 30_000} ms`)
  })

  it('says nothing of a connection that has been replaced meanwhile', async () => {
    for (let replacedAt = 1_000; replacedAt < 8_000; replacedAt += 150) {
      const time = new VirtualTime()
      let last: Standing = 'alive'
      const isCut = (): boolean => time.now >= replacedAt && time.now < replacedAt + 700
      const membership = new Membership({
        members: () => (isCut() ? [] : ['p']),
        probe: async (_, within) => {
          const isDead = time.now < replacedAt
          await time.sleep(isDead ? within : QUICK)
          if (isDead) throw new Error('no answer')
          return QUICK
        },
        probeThrough: () => Promise.resolve(false),
        announce: () => undefined,
        onStanding: (_, standing) => (last = standing),
        giveUp: () => undefined,
        clock: { now: () => time.now, sleep: (ms, signal) => time.sleep(ms, signal) },
        chance: chanceOf(seed + replacedAt)
      })
      membership.start()
      // The new connection counts as up until it is heard of.
      await time.run(replacedAt + 700)
      last = 'alive'
      await time.run(replacedAt + 5_000)
      membership.stop()
      assert.equal(last, 'alive', `replaced after ${replacedAt} ms`)
    }
  })

  it('gives a connection up on which nothing was answered for long', async () => {
    const { given, run } = group(3, seed, (from, to, now) => ((from === 2 || to === 2) && now > 1_000 ? undefined : QUICK))
    await run(120_000)
    assert.ok(given.includes('n0 n2') && given.includes('n1 n2'))
    assert.ok(!given.includes('n0 n1'))
  })
})
