import assert from 'node:assert/strict'
import { base58btc } from 'multiformats/bases/base58'
import { CloudburstError } from '../../src/errors.ts'
import { seal } from '../../src/crypto/dsse.ts'
import { GRANT_LIFETIME_MAX_MS, GRANT_TYPE, type GrantWords, openGrant, rootOf, sealGrant } from '../../src/crypto/grant.ts'
import { generateIdentity, type Identity } from '../../src/crypto/identity.ts'

const HOUR = 3_600_000
/** Peer id of the key of order one, for which anybody can sign. */
const identityPoint = base58btc.baseEncode(Uint8Array.of(0, 0x24, 8, 1, 0x12, 0x20, 1, ...new Uint8Array(31)))
const [authority, alice, bob, carol] = [generateIdentity(), generateIdentity(), generateIdentity(), generateIdentity()] as const

function words(subject: Identity, change: Partial<GrantWords> = {}): GrantWords {
  const allows = [{ capabilities: ['goal:dispatch' as const], goals: ['deploy'] }]
  return {
    id: 'g1',
    subject: subject.peer,
    email: 'alice@example.org',
    allows,
    at: 1_000,
    notBefore: 1_000,
    expiry: 1_000 + HOUR,
    ...change
  }
}

function refused(envelope: Uint8Array): string {
  try {
    openGrant(envelope)
  } catch (error) {
    assert.ok(error instanceof CloudburstError && error.code === 'CB_SIGNATURE_INVALID', String(error))
    return error.message
  }
  return 'it was taken'
}

/** A grant that says whatever it is told to, well signed. */
function saying(payload: object, signer = authority): Uint8Array {
  return seal(signer, GRANT_TYPE, Buffer.from(JSON.stringify(payload)))
}

describe('a grant', () => {
  it('says what was signed, and by whom', () => {
    const grant = openGrant(sealGrant(authority, words(alice, { fresh: 300_000 })))
    const { issuer, subject, email, allows, fresh, parent } = grant
    assert.deepEqual(
      { issuer, subject, email, allows, fresh, parent },
      {
        issuer: authority.peer,
        subject: alice.peer,
        email: 'alice@example.org',
        allows: [{ capabilities: ['goal:dispatch'], goals: ['deploy'] }],
        fresh: 300_000,
        parent: undefined
      }
    )
  })

  it('is refused when any bit of it was flipped, or means the same', () => {
    const envelope = sealGrant(authority, words(alice))
    const whole = JSON.stringify(openGrant(envelope), (key, value) => (key === 'envelope' ? undefined : value))
    for (let at = 0; at < envelope.length; at++) {
      const bent = Uint8Array.from(envelope)
      bent[at] = bent[at]! ^ 4
      try {
        assert.equal(
          JSON.stringify(openGrant(bent), (key, value) => (key === 'envelope' ? undefined : value)),
          whole
        )
      } catch (error) {
        assert.ok(error instanceof CloudburstError, String(error))
      }
    }
  })

  it('is refused when it is cut anywhere', () => {
    const envelope = sealGrant(authority, words(alice))
    for (let length = 0; length < envelope.length; length += 7) assert.notEqual(refused(envelope.subarray(0, length)), 'it was taken')
  })

  const good = {
    v: 1,
    id: 'g',
    subject: alice.peer,
    email: 'a@b',
    allows: [{ capabilities: ['goal:plan'] }],
    at: 1,
    notBefore: 1,
    expiry: 2
  }
  const wrong: ReadonlyArray<[string, object, RegExp]> = [
    ['an unknown field', { ...good, admin: true }, /wrong admin/],
    ['another version', { ...good, v: 2 }, /wrong v/],
    ['an unknown capability', { ...good, allows: [{ capabilities: ['goal:everything'] }] }, /wrong capabilities/],
    ['everything', { ...good, allows: [{ capabilities: ['*'] }] }, /wrong capabilities/],
    ['an unknown bound', { ...good, allows: [{ capabilities: ['goal:plan'], hosts: ['a'] }] }, /wrong hosts/],
    ['no e-mail', { ...good, email: 'alice' }, /wrong email/],
    ['a key of small order', { ...good, subject: identityPoint }, /wrong subject/],
    ['an end before its beginning', { ...good, notBefore: 3 }, /wrong expiry/],
    ['a life that is too long', { ...good, expiry: 2 + GRANT_LIFETIME_MAX_MS }, /wrong expiry/],
    ['a fraction of a millisecond', { ...good, expiry: 2.5 }, /wrong expiry/],
    ['no number', { ...good, at: '1' }, /wrong at/]
  ]
  for (const [what, payload, message] of wrong) it(`is refused with ${what}`, () => assert.match(refused(saying(payload)), message))

  it('is taken when nothing is wrong with it: the table above can fail', () => assert.equal(refused(saying(good)), 'it was taken'))

  it('is of its type: other signed words of the same key are none', () => {
    const other = seal(authority, 'application/vnd.cloudburst.state+cbor', Buffer.from(JSON.stringify(good)))
    assert.match(refused(other), /not of type/)
  })

  it('may be handed on once, by its holder', () => {
    const root = sealGrant(authority, words(alice))
    const handed = openGrant(sealGrant(alice, words(bob, { id: 'g2', email: 'bob@example.org' }), root))
    assert.equal(handed.issuer, alice.peer)
    assert.equal(rootOf(handed).issuer, authority.peer)
    assert.throws(() => sealGrant(carol, words(bob), root), /belongs to/)
    assert.throws(() => sealGrant(bob, words(carol), handed.envelope), /wrong parent|handed on once/)
  })
})
