import assert from 'node:assert/strict'
import { CloudburstError } from '../../src/errors.ts'
import { open, preAuthEncoding, seal } from '../../src/crypto/dsse.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'

const TYPE = 'application/vnd.cloudburst.test'
const MAX = 64 * 1024

function refused(envelope: Uint8Array, type = TYPE, max = MAX): boolean {
  try {
    open(envelope, type, max)
    return false
  } catch (error) {
    assert.ok(error instanceof CloudburstError && error.code === 'CB_SIGNATURE_INVALID', String(error))
    return true
  }
}

describe('a signed statement', () => {
  const identity = generateIdentity()
  const payload = Buffer.from('{"n":1}')
  const envelope = seal(identity, TYPE, payload)

  it('signs the encoding that the DSSE protocol gives as its example', () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'))
    assert.equal(Buffer.from(encoded).toString(), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  })

  it('gives back the bytes and who signed them', () => {
    const { signer, payload: back } = open(envelope, TYPE, MAX)
    assert.equal(signer, identity.peer)
    assert.deepEqual(Buffer.from(back), payload)
  })

  it('is refused as another type, and when it is too long', () => {
    assert.ok(refused(envelope, 'application/other'))
    assert.ok(refused(envelope, TYPE, envelope.length - 1))
  })

  it('is refused when it is cut at any byte', () => {
    for (let length = 0; length < envelope.length; length++) assert.ok(refused(envelope.subarray(0, length)))
  })

  it('means the same or is refused, whichever bit is flipped', () => {
    for (let bit = 0; bit < envelope.length * 8; bit++) {
      const flipped = Uint8Array.from(envelope)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      if (refused(flipped)) continue
      const { signer, payload: back } = open(flipped, TYPE, MAX)
      assert.deepEqual([signer, Buffer.from(back)], [identity.peer, payload], `bit ${bit}`)
    }
  })

  it('is refused with two signatures, none, or another signer', () => {
    const value = JSON.parse(Buffer.from(envelope).toString())
    const of = (change: object): Buffer => Buffer.from(JSON.stringify({ ...value, ...change }))
    assert.ok(refused(of({ signatures: [] })))
    assert.ok(refused(of({ signatures: [value.signatures[0], value.signatures[0]] })))
    assert.ok(refused(of({ signatures: [{ ...value.signatures[0], keyid: generateIdentity().peer }] })))
    assert.ok(refused(of({ payload: Buffer.from('{"n":2}').toString('base64') })))
    assert.ok(refused(Buffer.from('null')))
  })
})
