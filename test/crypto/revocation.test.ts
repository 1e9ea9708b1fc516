import assert from 'node:assert/strict'
import { seal } from '../../src/crypto/dsse.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'
import { openRevocations, REVOCATIONS_BYTES_MAX, REVOCATIONS_MAX, REVOCATIONS_TYPE, sealRevocations } from '../../src/crypto/revocation.ts'

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
