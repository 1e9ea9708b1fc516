import assert from 'node:assert/strict'
import { seal } from '../../src/crypto/dsse.ts'
import { openGrant, sealGrant } from '../../src/crypto/grant.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'
import {
  HANDED_ON_REVOCATIONS_MAX,
  openRevocations,
  REVOCATIONS_BYTES_MAX,
  REVOCATIONS_MAX,
  REVOCATIONS_TYPE,
  sealRevocations
} from '../../src/crypto/revocation.ts'

const authority = generateIdentity()
const subject = generateIdentity().peer

describe('a list of revocations', () => {
  it('says what was signed, and by whom', () => {
    const revoked = [
      { grant: 'g1', until: 9 },
      { subject, before: 5, until: 9 }
    ]
    const { issuer, number, at, revoked: said } = openRevocations(sealRevocations(authority, { number: 2, at: 7, revoked }))
    assert.deepEqual({ issuer, number, at, said }, { issuer: authority.peer, number: 2, at: 7, said: revoked })
  })

  it('fits into one message of gossip however full it is', () => {
    const revoked = Array.from({ length: REVOCATIONS_MAX }, () => ({ subject, before: Date.now(), until: Date.now() }))
    assert.ok(sealRevocations(authority, { number: 1, at: Date.now(), revoked }).byteLength <= REVOCATIONS_BYTES_MAX)
  })

  it('of a holder brings along grants of authorities, and nothing that was handed on itself', () => {
    const [holder, next] = [generateIdentity(), generateIdentity()]
    const allows = [{ capabilities: ['agency:hello' as const] }]
    const words = { id: 'g', email: 'a@b', allows, at: 1, notBefore: 1, expiry: 9 }
    const root = sealGrant(authority, { ...words, subject: holder.peer })
    const list = { number: 1, at: 2, revoked: [{ grant: 'g', until: 9 }] }
    assert.deepEqual(openRevocations(sealRevocations(holder, list, [root])).holds, [openGrant(root)])
    const handed = sealGrant(holder, { ...words, subject: next.peer }, root)
    assert.throws(() => sealRevocations(next, list, [handed]), /cannot be handed on again/)
    assert.throws(() => sealRevocations(holder, list, Array(5).fill(root)), /wrong holds/)
    const many = Array.from({ length: HANDED_ON_REVOCATIONS_MAX + 1 }, () => ({ grant: 'g', until: 9 }))
    assert.throws(() => sealRevocations(holder, { ...list, revoked: many }, [root]), /wrong revoked/)
  })

  for (const entry of [
    { until: 1 },
    { grant: 'g', subject, before: 1, until: 1 },
    { subject, until: 1 },
    { grant: 'g' },
    { grant: 'g', until: 1, x: 1 }
  ])
    it(`is refused with ${JSON.stringify(entry).slice(0, 40)}`, () => {
      const payload = Buffer.from(JSON.stringify({ v: 1, number: 1, at: 1, revoked: [entry] }))
      assert.throws(() => openRevocations(seal(authority, REVOCATIONS_TYPE, payload)), /wrong/)
    })
})
