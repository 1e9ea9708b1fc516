/**
 * Grants: an authority's signed word that a key belongs to an e-mail address and may do certain things for a while.
 * The holder may hand on part of it, once. Format: docs/permissions.md, "What is signed".
 */
import { type Bounds, readBounds } from './bounds.ts'
import { open, seal } from './dsse.ts'
import { Fields, jsonOf, refused } from './fields.ts'
import type { Identity } from './identity.ts'

export const GRANT_TYPE = 'application/vnd.cloudburst.grant+json'
/** Longest envelope of a grant, in bytes: one that was handed on holds the one that it comes from, twice in base64. */
export const GRANT_BYTES_MAX = 12 * 1024
/** Longest envelope of a grant straight from an authority, in bytes. */
export const ROOT_GRANT_BYTES_MAX = 5 * 1024
/** Longest life of a grant, in milliseconds: 90 days, whatever an authority would like. */
export const GRANT_LIFETIME_MAX_MS = 90 * 86_400_000
/** Most bounds that one grant allows side by side. */
const ALLOWS_MAX = 16
/** What is taken for an e-mail address: it names somebody, nothing is sent there. */
export const EMAIL = /^[^\s@]+@[^\s@]+$/

/** What a grant says. Times are epoch milliseconds by the signer's clock. */
export interface GrantWords {
  /** Unique among the signer's grants: what a revocation names. */
  readonly id: string
  /** Peer id of whoever holds it. */
  readonly subject: string
  readonly email: string
  /** Any of these suffices. */
  readonly allows: readonly Bounds[]
  /** When it was signed. */
  readonly at: number
  readonly notBefore: number
  /** Not included. */
  readonly expiry: number
  /** Whoever relies on it must have heard from the authority within this many milliseconds. */
  readonly fresh?: number
}

/** A grant whose signatures hold. Whether its authority counts here is decided elsewhere. */
export interface Grant extends GrantWords {
  /** Peer id form of the key that signed it. */
  readonly issuer: string
  /** What it was handed on from: signed by the authority, held by the issuer of this one. */
  readonly parent?: Grant
  /** The bytes as they were signed. */
  readonly envelope: Uint8Array
}

/**
 * A new grant: its envelope, to be passed on unchanged.
 * @param parent envelope of the grant that `issuer` holds and hands on in part
 * @throws CloudburstError CB_SIGNATURE_INVALID when nobody would accept it
 */
export function sealGrant(issuer: Identity, words: GrantWords, parent?: Uint8Array): Uint8Array {
  const { id, subject, email, allows, at, notBefore, expiry, fresh } = words
  const payload = {
    v: 1,
    id,
    subject,
    email,
    allows,
    at,
    notBefore,
    expiry,
    ...(fresh !== undefined && { fresh }),
    ...(parent !== undefined && { parent: Buffer.from(parent).toString('base64') })
  }
  const envelope = seal(issuer, GRANT_TYPE, Buffer.from(JSON.stringify(payload)))
  openGrant(envelope)
  return envelope
}

/**
 * What an envelope grants. Read only after its signature held; then every field is checked, and the grant it comes from likewise.
 * @throws CloudburstError CB_SIGNATURE_INVALID
 */
export function openGrant(envelope: Uint8Array): Grant {
  return read(envelope, GRANT_BYTES_MAX, true)
}

/** The authority's grant that this one comes from; itself when nobody handed it on. */
export function rootOf(grant: Grant): Grant {
  return grant.parent ?? grant
}

function read(envelope: Uint8Array, bytesMax: number, mayHaveParent: boolean): Grant {
  const { signer, payload } = open(envelope, GRANT_TYPE, bytesMax)
  const known = ['v', 'id', 'subject', 'email', 'allows', 'at', 'notBefore', 'expiry', 'fresh', 'parent']
  const fields = new Fields(jsonOf(payload), 'the grant', known)
  if (fields.get('v') !== 1) fields.wrong('v')
  const email = fields.text('email', 256)
  if (!EMAIL.test(email)) fields.wrong('email')
  const allows = fields.list('allows', ALLOWS_MAX).map(readBounds)
  const notBefore = fields.count('notBefore')
  const expiry = fields.count('expiry')
  if (expiry <= notBefore || expiry - notBefore > GRANT_LIFETIME_MAX_MS) fields.wrong('expiry')
  const parent = fields.has('parent') ? parentOf(fields, signer, mayHaveParent) : undefined
  return {
    id: fields.text('id', 64),
    issuer: signer,
    subject: fields.peer('subject'),
    email,
    allows,
    at: fields.count('at'),
    notBefore,
    expiry,
    ...(fields.has('fresh') && { fresh: fields.count('fresh') }),
    ...(parent !== undefined && { parent }),
    envelope
  }
}

function parentOf(fields: Fields, signer: string, mayHaveParent: boolean): Grant {
  if (!mayHaveParent) throw refused('a grant may be handed on once')
  const text = fields.get('parent')
  if (typeof text !== 'string' || text.length > ROOT_GRANT_BYTES_MAX * 2) fields.wrong('parent')
  const parent = read(Buffer.from(text as string, 'base64'), ROOT_GRANT_BYTES_MAX, false)
  if (parent.subject !== signer) throw refused(`the grant that it comes from belongs to ${parent.subject}, not to ${signer}`)
  return parent
}
