import assert from 'node:assert/strict'
import { CloudburstError } from '../../src/errors.ts'
import { seal } from '../../src/crypto/dsse.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'
import { openSuccession, sealSuccession, SUCCESSION_TYPE } from '../../src/crypto/succession.ts'

const [old, next, mallory] = [generateIdentity(), generateIdentity(), generateIdentity()] as const

function refused(envelope: Uint8Array): boolean {
  try {
    openSuccession(envelope)
    return false
  } catch (error) {
    assert.ok(error instanceof CloudburstError && error.code === 'CB_SIGNATURE_INVALID', String(error))
    return true
  }
}

function wrapped(signer: typeof old, inner: Uint8Array): Uint8Array {
  return seal(signer, SUCCESSION_TYPE, Buffer.from(JSON.stringify({ v: 1, old: Buffer.from(inner).toString('base64') })))
}

describe('a succession', () => {
  const words = (from: string, to: string): Uint8Array => Buffer.from(JSON.stringify({ v: 1, from, to, at: 5 }))

  it('is signed by both keys', () => {
    const { from, to, at } = openSuccession(sealSuccession(old, next, 5))
    assert.deepEqual({ from, to, at }, { from: old.peer, to: next.peer, at: 5 })
  })

  const forged: ReadonlyArray<[string, Uint8Array]> = [
    ['the old key has not signed', wrapped(next, seal(mallory, SUCCESSION_TYPE, words(old.peer, next.peer)))],
    ['the new key has not signed', wrapped(mallory, seal(old, SUCCESSION_TYPE, words(old.peer, next.peer)))],
    ['is to the same key', wrapped(old, seal(old, SUCCESSION_TYPE, words(old.peer, old.peer)))],
    ['only the old key has signed', seal(old, SUCCESSION_TYPE, words(old.peer, next.peer))],
    [
      'says more',
      wrapped(next, seal(old, SUCCESSION_TYPE, Buffer.from(JSON.stringify({ v: 1, from: old.peer, to: next.peer, at: 5, x: 1 }))))
    ]
  ]
  for (const [what, envelope] of forged) it(`is refused when it ${what}`, () => assert.ok(refused(envelope)))
})
