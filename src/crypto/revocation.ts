/**
 * Revocations: what an authority takes back, as one numbered list that only grows, and the time at which it said so.
 * The same list with a later time is the authority's heartbeat. Grants are named by id or subject, never by their bytes,
 * which could be written differently. A holder who has handed on part of a grant takes it back by a list of its own, which brings
 * along the grants that it holds: they show that it has anything to hand on. Format: docs/permissions.md, "What is signed".
 */
import { open, seal } from './dsse.ts'
import { Fields, jsonOf, refused } from './fields.ts'
import { type Grant, openGrant, ROOT_GRANT_BYTES_MAX } from './grant.ts'
import type { Identity } from './identity.ts'

export const REVOCATIONS_TYPE = 'application/vnd.cloudburst.revocations+json'
/** Longest envelope, in bytes: has to fit into one message of gossip. */
export const REVOCATIONS_BYTES_MAX = 240 * 1024
/** Most entries of one list: what has expired by itself leaves it, so this many grants may be taken back within 90 days. */
export const REVOCATIONS_MAX = 1_000
/** Most entries of a holder's list, and most grants that it brings along: one of each authority. */
export const HANDED_ON_REVOCATIONS_MAX = 64
export const HOLDS_MAX = 4

/** One thing taken back. */
export interface Revoked {
  /** Id of a grant, or … */
  readonly grant?: string
  /** … a peer id: every grant for this key that was given before `before`, whoever handed it on. */
  readonly subject?: string
  /** Epoch milliseconds. */
  readonly before?: number
  /** Epoch milliseconds; after this no such grant could hold anyway, and the entry may be forgotten. */
  readonly until: number
}

/** What an authority takes back, or a holder. */
export interface Revocations {
  /** Peer id form of the key that signed it. */
  readonly issuer: string
  /** One more with each thing taken back. */
  readonly number: number
  /** Epoch milliseconds by the signer's clock, when it signed this. */
  readonly at: number
  readonly revoked: readonly Revoked[]
  /** Of a holder: grants from authorities, from which it has handed on what it takes back. */
  readonly holds?: readonly Grant[]
  /** The bytes as they were signed. */
  readonly envelope: Uint8Array
}

/**
 * A signed list: its envelope, to be passed on unchanged.
 * @param holds envelopes of grants, in the list of a holder
 */
export function sealRevocations(
  issuer: Identity,
  { number, at, revoked }: Pick<Revocations, 'number' | 'at' | 'revoked'>,
  holds?: readonly Uint8Array[]
): Uint8Array {
  const held = holds === undefined ? {} : { holds: holds.map(grant => Buffer.from(grant).toString('base64')) }
  const envelope = seal(issuer, REVOCATIONS_TYPE, Buffer.from(JSON.stringify({ v: 1, number, at, revoked, ...held })))
  openRevocations(envelope)
  return envelope
}

/** @throws CloudburstError CB_SIGNATURE_INVALID */
export function openRevocations(envelope: Uint8Array): Revocations {
  const { signer, payload } = open(envelope, REVOCATIONS_TYPE, REVOCATIONS_BYTES_MAX)
  const fields = new Fields(jsonOf(payload), 'the list of revocations', ['v', 'number', 'at', 'revoked', 'holds'])
  if (fields.get('v') !== 1) fields.wrong('v')
  const isHolders = fields.has('holds')
  return {
    issuer: signer,
    number: fields.count('number'),
    at: fields.count('at'),
    revoked: fields.list('revoked', isHolders ? HANDED_ON_REVOCATIONS_MAX : REVOCATIONS_MAX).map(readRevoked),
    ...(isHolders && { holds: fields.list('holds', HOLDS_MAX).map(readHeld) }),
    envelope
  }
}

/** Whose it is, and whether its authority counts, is decided elsewhere: the signer may have taken the place of the key that holds it. */
function readHeld(value: unknown): Grant {
  if (typeof value !== 'string' || value.length > ROOT_GRANT_BYTES_MAX * 2) throw refused('the list of revocations has a wrong holds')
  const grant = openGrant(Buffer.from(value, 'base64'))
  if (grant.parent !== undefined) throw refused('what was handed on cannot be handed on again')
  return grant
}

function readRevoked(value: unknown): Revoked {
  const fields = new Fields(value, 'a revocation', ['grant', 'subject', 'before', 'until'])
  const until = fields.count('until')
  if (fields.has('grant') === fields.has('subject')) fields.wrong('grant')
  if (fields.has('grant')) return { grant: fields.text('grant', 64), until }
  return { subject: fields.peer('subject'), before: fields.count('before'), until }
}
