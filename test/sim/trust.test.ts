/**
 * Revocation when the network is cut: nodes whose clocks are apart and jump, heartbeats that are late, doubled or lost, and a
 * grant that is taken back at a moment of chance, half of the time while somebody uses what was handed on of it. The decision is the real one; time and network are made up.
 */
import assert from 'node:assert/strict'
import { type Grant, openGrant, sealGrant } from '../../src/crypto/grant.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'
import type { Revocations, Revoked } from '../../src/crypto/revocation.ts'
import { decide, type Trusted } from '../../src/node/permissions/decide.ts'
import { RevocationBook } from '../../src/node/permissions/revocation-book.ts'
import { CLOCK_LEEWAY_MS } from '../../src/node/permissions/rights.ts'
import { HEARTBEAT_MS } from '../../src/node/permissions/spreading.ts'

const SCHEDULES = Number(process.env['CLOUDBURST_TRUST_RUNS'] ?? 1_000)
const SEED = Number(process.env['CLOUDBURST_SEED'] ?? 1)
const MINUTE = 60_000
const START = Date.parse('2026-06-01T00:00:00Z')
const place = { file: 'p.xml', line: 1, col: 1 }
const ops = generateIdentity()
const alice = generateIdentity()
const bob = generateIdentity()

/** Mulberry32: the same seed, the same schedule. */
function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Schedule {
  readonly fresh: number
  /** Of the true time. */
  readonly revokedAt: number
  readonly cutFrom: number
  readonly healedAt: number
  readonly expiry: number
  /** Clock minus true time. */
  readonly authoritySkew: number
  readonly nodeSkew: number
  /** Alice has handed it on to Bob, who uses it, and what she has is taken back. */
  readonly handedOn: boolean
  /** The node's clock is set back by this at that time, within what good clocks are apart. */
  readonly jump: { readonly at: number; readonly by: number }
}

function scheduleOf(random: () => number): Schedule {
  const between = (low: number, high: number): number => Math.floor(low + random() * (high - low))
  const revokedAt = between(5 * MINUTE, 40 * MINUTE)
  const cutFrom = between(0, revokedAt + 5 * MINUTE)
  // Two good clocks are apart by no more than the leeway: each by half of it from the truth.
  const skew = (): number => between(-CLOCK_LEEWAY_MS / 2, CLOCK_LEEWAY_MS / 2)
  const nodeSkew = skew()
  return {
    fresh: between(5, 30) * MINUTE,
    revokedAt,
    cutFrom,
    healedAt: cutFrom + between(0, 80 * MINUTE),
    expiry: between(20, 90) * MINUTE,
    authoritySkew: skew(),
    nodeSkew,
    handedOn: random() < 0.5,
    jump: { at: between(0, 60 * MINUTE), by: between(0, nodeSkew + CLOCK_LEEWAY_MS / 2) }
  }
}

/** Walks one schedule in steps of 5 s. @returns when the grant was last allowed, in true time, and whether it ever was */
function lastAllowed(schedule: Schedule, random: () => number): { readonly last: number; readonly clockAtLast: number } {
  const { fresh, revokedAt, cutFrom, healedAt, authoritySkew, nodeSkew, jump } = schedule
  const at = START + authoritySkew
  const words = { id: 'g', subject: alice.peer, email: 'a@b', allows: [{ capabilities: ['goal:dispatch' as const] }], at, notBefore: at }
  const root = sealGrant(ops, { ...words, expiry: at + schedule.expiry, fresh })
  const onward = { ...words, id: 'h', subject: bob.peer, expiry: at + schedule.expiry * 2 }
  const grant: Grant = openGrant(schedule.handedOn ? sealGrant(alice, onward, root) : root)
  const book = new RevocationBook()
  const ceiling = { capabilities: ['goal:dispatch' as const] }
  const trusted: Trusted = {
    authorities: [{ name: 'ops', key: ops.peer, ceiling, place }],
    permits: [],
    grantsOf: () => [grant],
    revocations: book
  }
  const onTheWay: { readonly list: Revocations; readonly arrives: number }[] = []
  let steady = 0
  const result = { last: Number.NEGATIVE_INFINITY, clockAtLast: 0 }
  for (let t = 0; t < 100 * MINUTE; t += 5_000) {
    if (t % HEARTBEAT_MS === 0) {
      const taken = t >= revokedAt
      const list = listOf(START + t + authoritySkew, taken, schedule)
      // Late by up to half a minute, sometimes much later; lost while the network is cut.
      const delay = random() < 0.9 ? random() * 20_000 : random() * 20 * MINUTE
      const copies = random() < 0.2 ? 2 : 1
      for (let copy = 0; copy < copies; copy++) onTheWay.push({ list, arrives: t + delay * (1 + copy) })
    }
    const isCut = t >= cutFrom && t < healedAt
    const clock = START + t + nodeSkew - (t >= jump.at ? jump.by : 0)
    steady = Math.max(steady, clock)
    for (const { list, arrives } of onTheWay.splice(0)) {
      if (arrives > t) onTheWay.push({ list, arrives })
      else if (!isCut) book.learn(list, steady)
    }
    if (!decide(trusted, { peer: grant.subject, since: steady }, 'goal:dispatch', {}, steady).allowed) continue
    result.last = t
    result.clockAtLast = steady
  }
  return result
}

/** What a node has once the signature held; signing is tried elsewhere, and would take most of the time here. */
function listOf(at: number, taken: boolean, { expiry }: Schedule): Revocations {
  const revoked: readonly Revoked[] = taken ? [{ grant: 'g', until: START + expiry + 120 * MINUTE }] : []
  return { issuer: ops.peer, number: taken ? 2 : 1, at, revoked, envelope: new Uint8Array() }
}

describe('a grant that was taken back while the network is cut', function () {
  this.timeout(300_000)

  it(`is refused no later than its freshness and its end say, over ${SCHEDULES} schedules`, () => {
    let everAllowed = 0
    let cut = 0
    let latest = Number.NEGATIVE_INFINITY
    for (let run = 0; run < SCHEDULES; run++) {
      const seed = SEED * 1_000_003 + run
      const random = chance(seed)
      const schedule = scheduleOf(random)
      const { last, clockAtLast } = lastAllowed(schedule, random)
      if (last < 0) continue
      everAllowed++
      if (schedule.cutFrom < schedule.revokedAt && schedule.healedAt > schedule.revokedAt + schedule.fresh) cut++
      const afterFresh = last - (schedule.revokedAt + schedule.fresh)
      latest = Math.max(latest, afterFresh)
      assert.ok(afterFresh <= 0, `seed ${seed}: allowed ${afterFresh} ms after its freshness had ended: ${JSON.stringify(schedule)}`)
      assert.ok(clockAtLast < START + schedule.authoritySkew + schedule.expiry, `seed ${seed}: allowed after its end by this node's clock`)
    }
    console.log(
      `      ${SCHEDULES} schedules from seed ${SEED}: ${everAllowed} used the grant, ${cut} were cut off for all of its freshness; ` +
        `the last use was ${Math.round(-latest / 1_000)} s before revocation + fresh`
    )
    assert.ok(everAllowed > SCHEDULES / 2 && cut > SCHEDULES / 20, 'the schedules try too little')
  })
})
