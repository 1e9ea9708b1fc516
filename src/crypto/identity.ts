import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes
} from 'node:crypto'
import { base58btc } from 'multiformats/bases/base58'
import { CloudburstError } from '../errors.ts'

/** Ed25519 signatures and public keys, in bytes (RFC 8032). */
export const SIGNATURE_BYTES = 64
export const PUBLIC_KEY_BYTES = 32

/** What a node or a person is: an Ed25519 key pair, known to others by its libp2p peer id. */
export interface Identity {
  /** `12D3KooW…` */
  readonly peer: string
  readonly privateKey: KeyObject
}

/** Multihash "identity" of the protobuf {type: Ed25519, data: 32 bytes}, without the data. Source: libp2p specs, peer-ids. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
/** DER of SubjectPublicKeyInfo for Ed25519, without the key. Source: RFC 8410. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * The y coordinates (sign bit off) of Ed25519 points of small order, canonical or not. For such a "key",
 * signatures can be made that anybody's message satisfies. Source: RFC 8032, 5.1; the list in libsodium's ed25519_ref10.
 */
const LOW_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
])

/** A new identity from the system's random source. */
export function generateIdentity(): Identity {
  return identityOf(generateKeyPairSync('ed25519').privateKey)
}

/** `identity` as PKCS#8 PEM: what `openssl pkey` reads. It is the secret itself. */
export function identityToPem(identity: Identity): string {
  return identity.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/**
 * The identity in a PKCS#8 PEM text.
 * @throws CloudburstError CB_USAGE when it is not an unencrypted Ed25519 private key; the text is not in the message
 */
export function identityFromPem(pem: string): Identity {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new CloudburstError('CB_USAGE', 'the identity key is not a PKCS#8 PEM private key')
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new CloudburstError('CB_USAGE', `the identity key is ${key.asymmetricKeyType}, not ed25519`)
  return identityOf(key)
}

/** Seed and public key, 64 bytes, in the form that libp2p takes. It is the secret itself. */
export function rawPrivateKey(identity: Identity): Uint8Array {
  const { d, x } = identity.privateKey.export({ format: 'jwk' })
  return Buffer.concat([Buffer.from(d ?? '', 'base64url'), Buffer.from(x ?? '', 'base64url')])
}

/** Ed25519 signature over `bytes`. */
export function sign(identity: Identity, bytes: Uint8Array): Uint8Array {
  return signBytes(null, bytes, identity.privateKey)
}

/** Whether `signature` over `bytes` was made by the key of `peer`. False for anything malformed and for keys of small order. */
export function verify(peer: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (signature.byteLength !== SIGNATURE_BYTES) return false
  const key = verifyingKey(peer)
  return key !== undefined && verifyBytes(null, bytes, key, signature)
}

/** Keys that verified before: making one costs as much as two signatures. */
const verifyingKeys = new Map<string, KeyObject>()
/** Most of them: a neighborhood of three hundred fits several times, and strangers cannot fill the memory. */
const VERIFYING_KEYS_MAX = 1_024

function verifyingKey(peer: string): KeyObject | undefined {
  const known = verifyingKeys.get(peer)
  if (known !== undefined) return known
  const raw = publicKeyOf(peer)
  if (raw === undefined) return undefined
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' })
  if (verifyingKeys.size >= VERIFYING_KEYS_MAX) verifyingKeys.clear()
  verifyingKeys.set(peer, key)
  return key
}

/**
 * The 32 bytes of the public key in a peer id; undefined when it is not the id of a usable Ed25519 key:
 * other key types, wrong length, not base58, or one of the keys of small order.
 */
export function publicKeyOf(peer: string): Uint8Array | undefined {
  let bytes: Uint8Array
  try {
    bytes = base58btc.baseDecode(peer)
  } catch {
    return undefined
  }
  if (bytes.byteLength !== PEER_ID_PREFIX.byteLength + PUBLIC_KEY_BYTES) return undefined
  if (!PEER_ID_PREFIX.every((byte, at) => bytes[at] === byte)) return undefined
  const raw = bytes.subarray(PEER_ID_PREFIX.byteLength)
  return isLowOrder(raw) ? undefined : raw
}

/** Whether `text` is the peer id of a usable Ed25519 key. */
export function isPeerId(text: string): boolean {
  return publicKeyOf(text) !== undefined
}

/**
 * The peer id of a raw public key.
 * @throws CloudburstError CB_SIGNATURE_INVALID when the key is of small order
 */
export function peerIdOf(publicKey: Uint8Array): string {
  if (publicKey.byteLength !== PUBLIC_KEY_BYTES || isLowOrder(publicKey)) {
    throw new CloudburstError('CB_SIGNATURE_INVALID', 'the public key is of small order or of the wrong length: anybody could sign for it')
  }
  return base58btc.baseEncode(Buffer.concat([PEER_ID_PREFIX, publicKey]))
}

/** The last eight characters of a peer id: enough to tell peers apart by eye. */
export function shortPeer(peer: string): string {
  return peer.slice(-8)
}

function identityOf(privateKey: KeyObject): Identity {
  const { x } = privateKey.export({ format: 'jwk' })
  return { peer: peerIdOf(Buffer.from(x ?? '', 'base64url')), privateKey }
}

function isLowOrder(raw: Uint8Array): boolean {
  const y = Buffer.from(raw)
  y[PUBLIC_KEY_BYTES - 1] = y[PUBLIC_KEY_BYTES - 1]! & 0x7f
  return LOW_ORDER.has(y.toString('hex'))
}
