import assert from 'node:assert/strict'
import { type GrantWords, sealGrant } from '../../../src/crypto/grant.ts'
import { generateIdentity, type Identity } from '../../../src/crypto/identity.ts'
import { seal } from '../../../src/crypto/dsse.ts'
import { sealSuccession, SUCCESSION_TYPE } from '../../../src/crypto/succession.ts'
import { HANDED_ON_REVOCATIONS_MAX, sealRevocations } from '../../../src/crypto/revocation.ts'
import type { Log } from '../../../src/node/files/live-file.ts'
import { decide, type PermissionList } from '../../../src/node/permissions/decide.ts'
import { GRANTS_PER_KEY_MAX } from '../../../src/node/permissions/grant-book.ts'
import { openTrust, type Trust } from '../../../src/node/permissions/trust.ts'
import { memoryTicketStore } from '../mesh/ticket-store.ts'

const START = Date.parse('2026-06-01T00:00:00Z')
const HOUR = 3_600_000
const place = { file: 'p.xml', line: 1, col: 1 }
const [ops, rogue, alice, self] = [generateIdentity(), generateIdentity(), generateIdentity(), generateIdentity()] as const
const list: PermissionList = {
  authorities: [{ name: 'ops', key: ops.peer, ceiling: { capabilities: ['agency:hello'] }, place }],
  permits: []
}

function grant(signer: Identity, subject: Identity, change: Partial<GrantWords> = {}): Uint8Array {
  const allows = [{ capabilities: ['agency:hello' as const] }]
  const words = { id: 'g', subject: subject.peer, email: 'alice@example.org', allows, at: START, notBefore: START, expiry: START + HOUR }
  return sealGrant(signer, { ...words, ...change })
}

describe('what a node relies on', () => {
  let store: ReturnType<typeof memoryTicketStore>
  let at: number
  let warned: string[]
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_, message) => void warned.push(message),
    error: () => undefined
  }
  const open = async (): Promise<Trust> => {
    const here = { peer: self.peer, name: 'here', labels: {} }
    const permissions = { current: list, onChange: () => () => undefined }
    return await openTrust({ permissions, here: () => here, own: [self.peer], store, log, now: () => at })
  }
  const lets = (trust: Trust): boolean =>
    decide(trust.current, { peer: alice.peer, since: trust.now() }, 'agency:hello', {}, trust.now()).allowed
  beforeEach(() => {
    store = memoryTicketStore()
    at = START
    warned = []
  })

  it('outlives a restart: grants, what was taken back, and the time', async () => {
    const before = await open()
    assert.ok(before.take(grant(ops, alice)))
    await before.close()
    const between = await open()
    assert.ok(lets(between))
    assert.ok(between.take(sealRevocations(ops, { number: 1, at, revoked: [{ grant: 'g', until: START + HOUR }] })))
    await between.close()
    const after = await open()
    assert.ok(!lets(after))
    assert.equal(after.lists().length, 1)
    await after.close()
  })

  it('does not go back in time with the clock, here or after a restart', async () => {
    const before = await open()
    before.take(grant(ops, alice))
    at = START + HOUR
    assert.ok(!lets(before))
    at = START + HOUR / 2
    assert.ok(!lets(before), 'the clock was set back')
    await before.close()
    const after = await open()
    assert.ok(!lets(after), 'and after a restart')
    assert.match(warned.join(), /set back/)
    await after.close()
  })

  it('takes nothing in twice, nothing that is over, and nothing of anybody else', async () => {
    const trust = await open()
    assert.ok(trust.take(grant(ops, alice)))
    assert.ok(!trust.take(grant(ops, alice)))
    assert.ok(!trust.take(grant(rogue, alice)))
    assert.ok(!trust.take(sealRevocations(rogue, { number: 1, at, revoked: [{ grant: 'g', until: START + HOUR }] })))
    at = START + HOUR
    assert.ok(!trust.take(grant(ops, alice, { id: 'late' })))
    const bent = Buffer.from(grant(ops, alice, { id: 'bent' }))
      .toString()
      .replace('"payload":"ey', '"payload":"ez')
    assert.throws(() => trust.take(Buffer.from(bent)), /is not signed by/)
    await trust.close()
  })

  it('holds so many grants of one key, the first ones go', async () => {
    const trust = await open()
    for (let at = 0; at < GRANTS_PER_KEY_MAX + 5; at++) trust.take(grant(ops, alice, { id: `g${at}` }))
    assert.equal(trust.shown().length, GRANTS_PER_KEY_MAX)
    assert.equal(trust.shown()[0]?.id, 'g5')
    await trust.close()
  })

  it('lets a new key go on for an old one, and the old one no more', async () => {
    const [next, third] = [generateIdentity(), generateIdentity()]
    const may = (trust: Trust, who: Identity): boolean =>
      decide(trust.current, { peer: who.peer, since: trust.now() }, 'agency:hello', {}, trust.now()).allowed
    const before = await open()
    before.take(grant(ops, alice))
    assert.ok(!before.take(sealSuccession(rogue, next, at)), 'of nobody known here')
    assert.ok(before.take(sealSuccession(alice, next, at)))
    assert.ok(!before.take(sealSuccession(alice, third, at)), 'the first successor stays')
    await before.close()
    const trust = await open()
    assert.deepEqual(
      [alice, next, third].map(who => may(trust, who)),
      [false, true, false]
    )
    assert.ok(trust.take(sealSuccession(next, third, at)))
    assert.deepEqual(
      [alice, next, third].map(who => may(trust, who)),
      [false, false, true]
    )
    const until = START + HOUR
    assert.ok(trust.take(sealRevocations(ops, { number: 1, at, revoked: [{ subject: alice.peer, before: START + 1, until }] })))
    assert.ok(!may(trust, third), 'what the first one had was taken back')
    await trust.close()
  })

  it('takes in what a holder takes back of what it has handed on, and nothing else of it', async () => {
    const [bob, carol] = [generateIdentity(), generateIdentity()]
    const may = (trust: Trust, who: Identity): boolean =>
      decide(trust.current, { peer: who.peer, since: trust.now() }, 'agency:hello', {}, trust.now()).allowed
    const words = { email: 'a@b', allows: [{ capabilities: ['agency:hello' as const] }], at: START, notBefore: START, expiry: START + HOUR }
    const root = grant(ops, alice)
    const handed = (to: Identity, id: string): Uint8Array => sealGrant(alice, { ...words, id, subject: to.peer }, root)
    const until = START + HOUR
    const takes = (who: Identity, id: string, number = 1, holds = [root]): Uint8Array =>
      sealRevocations(who, { number, at, revoked: [{ grant: id, until }] }, holds)
    const trust = await open()
    for (const envelope of [root, grant(ops, bob, { id: 'bobs' }), handed(bob, 'b'), handed(carol, 'c')]) assert.ok(trust.take(envelope))

    assert.ok(!trust.take(takes(rogue, 'c')), 'of one who shows the grant of another')
    assert.ok(!trust.take(takes(alice, 'c', 1, [grant(rogue, alice)])), 'of one who holds what nobody here has let anybody sign')
    assert.ok(!trust.take(sealRevocations(alice, { number: 1, at, revoked: [{ grant: 'c', until }] })), 'as if it were an authority')
    assert.ok(trust.take(takes(bob, 'c', 1, [grant(ops, bob, { id: 'bobs' })])), 'bob says so, and has something to hand on')
    assert.ok(may(trust, carol), 'what alice has handed on, bob does not take back')
    assert.ok(trust.take(takes(alice, 'bobs')))
    assert.ok(may(trust, bob), 'what the authority has granted, alice does not take back')
    assert.ok(trust.take(takes(alice, 'c', 2)))
    assert.ok(!may(trust, carol))
    assert.ok(may(trust, alice))
    assert.ok(!trust.take(takes(alice, 'c', 3)), 'said again it is no news')
    await trust.close()
    const after = await open()
    assert.ok(!may(after, carol), 'it outlives a restart')
    assert.equal(after.lists().length, 2)
    await after.close()
  })

  it('takes in what the successor of a holder takes back', async () => {
    const [next, carol] = [generateIdentity(), generateIdentity()]
    const trust = await open()
    const root = grant(ops, alice)
    const words = { id: 'c', email: 'c@b', allows: [{ capabilities: ['agency:hello' as const] }], at: START, notBefore: START }
    for (const envelope of [root, sealGrant(alice, { ...words, subject: carol.peer, expiry: START + HOUR }, root)]) trust.take(envelope)
    const may = (): boolean => decide(trust.current, { peer: carol.peer, since: at }, 'agency:hello', {}, at).allowed
    assert.ok(may())
    const list = { number: 1, at, revoked: [{ grant: 'c', until: START + HOUR }] }
    assert.ok(!trust.take(sealRevocations(next, list, [root])), 'who has not taken its place yet')
    assert.ok(trust.take(sealSuccession(alice, next, at)))
    assert.ok(trust.take(sealRevocations(next, list, [root])))
    assert.ok(!may())
    await trust.close()
  })

  it('remembers no more of a holder than it may say, whatever it says', async () => {
    const trust = await open()
    const root = grant(ops, alice)
    let taken = 0
    for (let number = 1; number <= 10; number++) {
      const revoked = Array.from({ length: HANDED_ON_REVOCATIONS_MAX }, (_, each) => ({
        grant: `g${number}-${each}`,
        until: Number.MAX_SAFE_INTEGER
      }))
      if (trust.take(sealRevocations(alice, { number, at, revoked }, [root]))) taken++
    }
    assert.equal(taken, 4)
    await trust.close()
  })

  it('refuses a succession that the old key has not signed', async () => {
    const trust = await open()
    trust.take(grant(ops, alice))
    const words = Buffer.from(JSON.stringify({ v: 1, from: alice.peer, to: rogue.peer, at }))
    const old = Buffer.from(seal(rogue, SUCCESSION_TYPE, words)).toString('base64')
    assert.throws(() => trust.take(seal(rogue, SUCCESSION_TYPE, Buffer.from(JSON.stringify({ v: 1, old })))), /signed by both keys/)
    await trust.close()
  })

  it('tells of grants of its own, whoever signed them: they are for others to judge', async () => {
    const trust = await open()
    let told = 0
    trust.onOwn(() => told++)
    assert.ok(trust.take(grant(rogue, self)))
    assert.equal(told, 1)
    assert.equal(trust.own().length, 1)
    await trust.close()
  })
})
