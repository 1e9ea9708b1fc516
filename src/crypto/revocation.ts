/**
 * Revocations: what an authority takes back, as one numbered list that only grows, and the time at which it said so.
 * The same list with a later time is the authority's heartbeat. Grants are named by id or subject, never by their bytes,
 * which could be written differently. Format: docs/permissions.md, "What is signed".
 */
import { open, seal } from './dsse.ts'
import { Fields, jsonOf } from './fields.ts'
import type { Identity } from './identity.ts'

export const REVOCATIONS_TYPE = 'application/vnd.cloudburst.revocations+json'
/** Longest envelope, in bytes: has to fit into one message of gossip. */
export const REVOCATIONS_BYTES_MAX = 240 * 1024
/** Most entries of one list: what has expired by itself leaves it, so this many grants may be taken back within 90 days. */
export const REVOCATIONS_MAX = 1_000

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

/** What an authority takes back. */
export interface Revocations {
  /** Peer id form of the authority's key. */
  readonly issuer: string
  /** One more with each thing taken back. */
  readonly number: number
  /** Epoch milliseconds by the authority's clock, when it signed this. */
  readonly at: number
  readonly revoked: readonly Revoked[]
  /** The bytes as they were signed. */
  readonly envelope: Uint8Array
}

/** A signed list: its envelope, to be passed on unchanged. */
export function sealRevocations(issuer: Identity, { number, at, revoked }: Pick<Revocations, 'number' | 'at' | 'revoked'>): Uint8Array {
  const envelope = seal(issuer, REVOCATIONS_TYPE, Buffer.from(JSON.stringify({ v: 1, number, at, revoked })))
  openRevocations(envelope)
  return envelope
}

/** @throws CloudburstError CB_SIGNATURE_INVALID */
export function openRevocations(envelope: Uint8Array): Revocations {
  const { signer, payload } = open(envelope, REVOCATIONS_TYPE, REVOCATIONS_BYTES_MAX)
  const fields = new Fields(jsonOf(payload), 'the list of revocations', ['v', 'number', 'at', 'revoked'])
  if (fields.get('v') !== 1) fields.wrong('v')
  return {
    issuer: signer,
    number: fields.count('number'),
    at: fields.count('at'),
    revoked: fields.list('revoked', REVOCATIONS_MAX).map(readRevoked),
    envelope
  }
}

function readRevoked(value: unknown): Revoked {
  const fields = new Fields(value, 'a revocation', ['grant', 'subject', 'before', 'until'])
  const until = fields.count('until')
  if (fields.has('grant') === fields.has('subject')) fields.wrong('grant')
  if (fields.has('grant')) return { grant: fields.text('grant', 64), until }
  return { subject: fields.peer('subject'), before: fields.count('before'), until }
}
