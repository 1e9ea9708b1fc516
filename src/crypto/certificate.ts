/**
 * X.509 for the control API beyond loopback: an authority of this node, and a leaf that is bound to the node's peer id, so that a
 * client can check by peer id that it talks to the right node, with or without the authority.
 * node-forge builds, node:crypto verifies: forge's own verifiers have failed too often.
 * Source: RFC 5280; what the binding signs is our own.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import forge from 'node-forge'
import { CloudburstError } from '../errors.ts'
import { type Identity, peerIdOf, PUBLIC_KEY_BYTES, publicKeyOf, SIGNATURE_BYTES, sign, verify } from './identity.ts'

/** Life of the authority and of a leaf, in milliseconds. Browsers refuse leaves of more than 398 days. */
export const AUTHORITY_LIFETIME_MS = 10 * 365 * 86_400_000
export const LEAF_LIFETIME_MS = 30 * 86_400_000
/** A certificate begins this long before it is made, in milliseconds: the clocks of clients are not all right. */
const BACKDATED_MS = 60 * 60_000
/** RSA, in bits, because forge builds nothing else; node, openssl and curl take it for TLS 1.3. */
const KEY_BITS = 2048
/** Below the number that RFC 5612 keeps for examples: nobody assigns others from it. */
const BINDING_OID = '1.3.6.1.4.1.32473.4710.1'
const BINDING_PREFIX = Buffer.from('cloudburst-tls-binding/1:')
const PEER_URI = 'urn:cloudburst:peer:'

/** A certificate and its key, both PEM. The key is the secret itself. */
export interface Certified {
  readonly certificate: string
  readonly key: string
}

/** Whom a leaf is for. */
export interface LeafNames {
  /** DNS names, such as `localhost`. */
  readonly hosts: readonly string[]
  /** IPv4 or IPv6 addresses. */
  readonly addresses: readonly string[]
}

/**
 * A new authority that can certify leaves and no other authority.
 * @param name of the node, for people who look at it
 * @param now epoch milliseconds
 */
export function makeCertificateAuthority(name: string, now: number): Certified {
  const keys = newKeys()
  const certificate = unsigned(keys.public, now, AUTHORITY_LIFETIME_MS)
  const subject = [{ shortName: 'CN', value: `cloudburst ${name}` }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' }
  ])
  certificate.sign(forge.pki.privateKeyFromPem(keys.private), forge.md.sha256.create())
  return { certificate: forge.pki.certificateToPem(certificate), key: keys.private }
}

/**
 * A new leaf for a server, with a key of its own, bound to `identity`.
 * @param now epoch milliseconds
 */
export function issueLeaf(authority: Certified, identity: Identity, names: LeafNames, now: number): Certified {
  const keys = newKeys()
  const issuer = forge.pki.certificateFromPem(authority.certificate)
  const certificate = unsigned(keys.public, now, LEAF_LIFETIME_MS)
  certificate.setSubject([{ shortName: 'CN', value: names.hosts[0] ?? names.addresses[0] ?? identity.peer }])
  certificate.setIssuer(issuer.subject.attributes)
  const altNames = [
    ...names.hosts.map(value => ({ type: 2, value })),
    ...names.addresses.map(ip => ({ type: 7, ip })),
    { type: 6, value: PEER_URI + identity.peer }
  ]
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
    // forge makes the hash of the issuer's key itself when it is asked for by `true`.
    { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
    { id: BINDING_OID, value: octets(binding(identity, keys.public)) }
  ])
  certificate.sign(forge.pki.privateKeyFromPem(authority.key), forge.md.sha256.create())
  return { certificate: forge.pki.certificateToPem(certificate), key: keys.private }
}

/**
 * The peer id that a leaf is bound to: its key signed the leaf's key. Says nothing about dates and names.
 * @param leaf PEM or DER
 * @throws CloudburstError CB_SIGNATURE_INVALID when it is bound to none, or the binding does not hold
 */
export function boundPeer(leaf: string | Uint8Array): string {
  const certificate = parsed(leaf)
  const value = extensionOf(certificate.raw)
  if (value === undefined) throw new CloudburstError('CB_SIGNATURE_INVALID', 'the certificate is bound to no peer id')
  const peer = peerIdOf(value.subarray(0, PUBLIC_KEY_BYTES))
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  const holds = verify(peer, Buffer.concat([BINDING_PREFIX, spki]), value.subarray(PUBLIC_KEY_BYTES))
  if (!holds) throw new CloudburstError('CB_SIGNATURE_INVALID', `the certificate is not bound to ${peer}: the signature does not hold`)
  if (!(certificate.subjectAltName ?? '').split(', ').includes(`URI:${PEER_URI}${peer}`)) {
    throw new CloudburstError('CB_SIGNATURE_INVALID', `the certificate is bound to ${peer}, but names another peer id`)
  }
  return peer
}

/** Whether `pair` is a certificate by `authority` with its own key, good at `now` (epoch milliseconds). */
export function isGood(pair: Certified, authority: Certified, now: number): boolean {
  const certificate = new X509Certificate(pair.certificate)
  const issuer = new X509Certificate(authority.certificate)
  return (
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(pair.key)) &&
    now >= Date.parse(certificate.validFrom) &&
    now < Date.parse(certificate.validTo)
  )
}

/** When a certificate is to be renewed: two thirds of its life are over. Epoch milliseconds. */
export function renewalOf(pem: string): number {
  const { validFrom, validTo } = new X509Certificate(pem)
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  return from + ((to - from) * 2) / 3
}

/** Names and addresses in a leaf, as they were asked for. */
export function namesOf(pem: string): string {
  return new X509Certificate(pem).subjectAltName ?? ''
}

function parsed(leaf: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(leaf)
  } catch (error) {
    throw new CloudburstError('CB_SIGNATURE_INVALID', 'that is no certificate', {}, error)
  }
}

function newKeys(): { readonly public: string; readonly private: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: KEY_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
  return { public: publicKey, private: privateKey }
}

function unsigned(publicKey: string, now: number, lifetimeMs: number): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey)
  // Positive, and of the same length whatever is drawn: the first byte is neither 0 nor above 127.
  certificate.serialNumber = `4${randomBytes(16).toString('hex').slice(1)}`
  certificate.validity.notBefore = new Date(now - BACKDATED_MS)
  certificate.validity.notAfter = new Date(now + lifetimeMs)
  return certificate
}

/** Public key of the node, and its signature over the key of the leaf: 96 bytes. */
function binding(identity: Identity, leafKey: string): Buffer {
  const spki = createPublicKey(leafKey).export({ type: 'spki', format: 'der' })
  const raw = publicKeyOf(identity.peer)
  if (raw === undefined) throw new CloudburstError('CB_SIGNATURE_INVALID', `${identity.peer} is not the peer id of a usable Ed25519 key`)
  return Buffer.concat([raw, sign(identity, Buffer.concat([BINDING_PREFIX, spki]))])
}

/** DER of an OCTET STRING, as forge takes it. */
function octets(bytes: Uint8Array): string {
  return Buffer.concat([Buffer.from([0x04, bytes.byteLength]), bytes]).toString('latin1')
}

/** The 96 bytes, found by the DER of their OID: node:crypto gives no extension by number. What is found proves itself by its signature. */
function extensionOf(der: Buffer): Buffer | undefined {
  const bytes = PUBLIC_KEY_BYTES + SIGNATURE_BYTES
  const oid = Buffer.from(forge.asn1.oidToDer(BINDING_OID).getBytes(), 'latin1')
  const mark = Buffer.concat([Buffer.from([0x06, oid.length]), oid, Buffer.from([0x04, bytes + 2, 0x04, bytes])])
  const at = der.indexOf(mark)
  if (at === -1 || at + mark.length + bytes > der.length) return undefined
  return der.subarray(at + mark.length, at + mark.length + bytes)
}
