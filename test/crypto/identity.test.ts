import assert from 'node:assert/strict'
import { createPublicKey, verify as rawVerify } from 'node:crypto'
import '../../src/polyfill.ts'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { base58btc } from 'multiformats/bases/base58'
import {
  generateIdentity,
  identityFromPem,
  identityToPem,
  isPeerId,
  peerIdOf,
  publicKeyOf,
  rawPrivateKey,
  sign,
  verify
} from '../../src/crypto/identity.ts'

/** y of every point of small order, in all its encodings, with either sign. Source: computed below. */
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
]

function withSign(hex: string, sign: 0 | 0x80): Buffer {
  const bytes = Buffer.from(hex, 'hex')
  bytes[31]! |= sign
  return bytes
}

function idOfRaw(raw: Uint8Array): string {
  return base58btc.baseEncode(Buffer.concat([Buffer.from('002408011220', 'hex'), raw]))
}

describe('an identity', () => {
  it('has the peer id that libp2p gives its key', () => {
    const identity = generateIdentity()
    assert.equal(identity.peer, peerIdFromPrivateKey(privateKeyFromRaw(rawPrivateKey(identity))).toString())
    assert.match(identity.peer, /^12D3KooW/)
    assert.equal(peerIdOf(publicKeyOf(identity.peer)!), identity.peer)
  })

  it('is the same after it was written and read', () => {
    const identity = generateIdentity()
    assert.equal(identityFromPem(identityToPem(identity)).peer, identity.peer)
    assert.throws(() => identityFromPem('no key'), /not a PKCS#8 PEM private key/)
  })

  it('signs what only its peer id verifies', () => {
    const [one, other] = [generateIdentity(), generateIdentity()]
    const bytes = Buffer.from('statement')
    const signature = sign(one, bytes)
    assert.ok(verify(one.peer, bytes, signature))
    assert.equal(verify(other.peer, bytes, signature), false)
    assert.equal(verify(one.peer, Buffer.from('Statement'), signature), false)
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const flipped = Uint8Array.from(signature)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(verify(one.peer, bytes, flipped), false, `bit ${bit}`)
    }
    assert.equal(verify(one.peer, bytes, signature.subarray(1)), false)
  })
})

describe('a key of small order', () => {
  it('would let anybody sign: node:crypto accepts an all-zero signature for it', () => {
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(LOW_ORDER[1]!, 'hex')])
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    const signature = Buffer.concat([Buffer.from(LOW_ORDER[1]!, 'hex'), Buffer.alloc(32)])
    assert.ok(rawVerify(null, Buffer.from('anything'), key, signature))
    assert.equal(verify(idOfRaw(Buffer.from(LOW_ORDER[1]!, 'hex')), Buffer.from('anything'), signature), false)
  })

  for (const hex of LOW_ORDER) {
    for (const sign of [0, 0x80] as const) {
      it(`is refused: ${hex.slice(0, 8)}… with sign ${sign}`, () => {
        const raw = withSign(hex, sign)
        assert.equal(isPeerId(idOfRaw(raw)), false)
        assert.throws(() => peerIdOf(raw), /small order/)
      })
    }
  }

  it('is each of the list, and eight times it is nothing', () => {
    for (const hex of LOW_ORDER) assert.ok(isOfSmallOrder(hex), hex)
    assert.equal(isOfSmallOrder(Buffer.from(publicKeyOf(generateIdentity().peer)!).toString('hex')), false)
  })
})

describe('a peer id', () => {
  for (const text of ['', 'x', '12D3KooW', 'QmNPubsDWATVngE3d5WDSNe7eVrFLuk38qb9t6vdLnu2aK', '0OIl', '../../etc/passwd']) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(isPeerId(text), false))
  }
})

/** Whether eight times a point with this y is the neutral element. Source: RFC 8032, 5.1; y alone, by the doubling formula. */
function isOfSmallOrder(hex: string): boolean {
  const p = 2n ** 255n - 19n
  const mod = (n: bigint): bigint => ((n % p) + p) % p
  const power = (base: bigint, exponent: bigint): bigint => {
    let result = 1n
    for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) if (e & 1n) result = mod(result * b)
    return result
  }
  const inverse = (n: bigint): bigint => power(n, p - 2n)
  const d = mod(-121665n * inverse(121666n))
  let y = mod(BigInt(`0x${Buffer.from(hex, 'hex').reverse().toString('hex')}`) & (2n ** 255n - 1n))
  for (let times = 0; times < 3; times++) {
    const yy = mod(y * y)
    const xx = mod((yy - 1n) * inverse(mod(d * yy + 1n)))
    // y(2P) = (y² + x²) / (1 - d·x²·y²)
    y = mod((yy + xx) * inverse(mod(1n - d * xx * yy)))
  }
  return y === 1n
}
