import assert from 'node:assert/strict'
import { openGrant, sealGrant } from '../../../src/crypto/grant.ts'
import { generateIdentity, type Identity } from '../../../src/crypto/identity.ts'
import { NOBODY } from '../../../src/node/permissions/decide.ts'
import { GRANTS_PER_KEY_MAX, GrantBook } from '../../../src/node/permissions/grant-book.ts'
import { openTrust } from '../../../src/node/permissions/trust.ts'
import { memoryStore } from '../../fakes/memory-store.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const now = 1_700_000_000_000
const us = generateIdentity()
const authority = generateIdentity()

function grant(issuer: Identity, subject: string, id: string): Uint8Array {
  const words = { id, subject, email: 'a@example.org', allows: [{ capabilities: ['agency:hello' as const] }] }
  return sealGrant(issuer, { ...words, at: now, notBefore: now, expiry: now + 86_400_000 })
}

describe('the grants of a node', () => {
  it('are not pushed out by those that others sign for its key', async () => {
    const book = await GrantBook.open(memoryStore() as never, [us.peer], now)
    assert.ok(book.add(openGrant(grant(authority, us.peer, 'real'))))
    for (let count = 0; count < GRANTS_PER_KEY_MAX * 3; count++) book.add(openGrant(grant(generateIdentity(), us.peer, `junk-${count}`)))
    const one = generateIdentity()
    for (let count = 0; count < GRANTS_PER_KEY_MAX * 3; count++) book.add(openGrant(grant(one, us.peer, `more-${count}`)))
    assert.equal(book.of(us.peer).length, GRANTS_PER_KEY_MAX)
    assert.ok(
      book.own(now).some(({ id }) => id === 'real'),
      'the real one is there'
    )
  })

  it('give way to newer ones of the same authority', async () => {
    const book = await GrantBook.open(memoryStore() as never, [us.peer], now)
    for (let count = 0; count <= GRANTS_PER_KEY_MAX; count++) assert.ok(book.add(openGrant(grant(authority, us.peer, `g${count}`))))
    const ids = book.of(us.peer).map(({ id }) => id)
    assert.deepEqual([ids.length, ids.includes('g0'), ids.includes(`g${GRANTS_PER_KEY_MAX}`)], [GRANTS_PER_KEY_MAX, false, true])
  })

  it('are not given to it by strangers who say hello', async () => {
    const permissions = { current: NOBODY, onChange: () => () => undefined }
    const here = () => ({ peer: us.peer, name: 'n1', labels: {} })
    const trust = await openTrust({ permissions, here, own: [us.peer], store: memoryStore() as never, log: quiet, now: () => now })
    assert.equal(trust.take(grant(generateIdentity(), us.peer, 'junk'), 'others'), false)
    assert.deepEqual(trust.own(), [])
    assert.equal(trust.take(grant(authority, us.peer, 'real')), true)
    await trust.close()
  })
})
