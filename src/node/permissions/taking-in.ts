/**
 * Which signed statements a node takes in: what authorities of its permissions.xml say, what holders of their grants take back, and
 * new keys of those who may do anything here, or are its neighbours. Nothing that just anybody has signed.
 */
import { claimedType } from '../../crypto/dsse.ts'
import { GRANT_TYPE, openGrant } from '../../crypto/grant.ts'
import { openRevocations, type Revocations, REVOCATIONS_TYPE } from '../../crypto/revocation.ts'
import { openSuccession, SUCCESSION_TYPE } from '../../crypto/succession.ts'
import type { Log } from '../files/live-file.ts'
import type { StorePart } from '../store/part.ts'
import type { Trusted } from './decide.ts'
import type { GrantBook } from './grant-book.ts'
import type { RevocationBook } from './revocation-book.ts'
import { rightsFrom, rightsOf } from './rights.ts'
import type { SuccessionBook } from './succession-book.ts'

const REVOKED_PREFIX = 't!revoked!'
const HOLDER_PREFIX = `${REVOKED_PREFIX}holder!`
/** Most holders whose own lists are kept, each of some kilobytes: as many as an organisation has people who hand things on. */
export const HOLDERS_MAX = 1_000

export interface TakingIn {
  readonly trusted: Trusted
  /** Keys that are ours, those that they have taken the place of included. */
  readonly own: readonly string[]
  /** Peer ids of the neighbours that neighborhood.xml lists. */
  readonly listed: () => readonly string[]
  /** Authorities whose keys are in this home. */
  readonly held: ReadonlySet<string>
  readonly line: SuccessionBook
  readonly grants: GrantBook
  readonly revocations: RevocationBook
  readonly store: StorePart
  readonly now: () => number
  readonly log: Log
  /** Told after each statement that was news. */
  onNews(news: { readonly own?: true; readonly list?: Uint8Array }): void
}

/**
 * Takes in one statement.
 * @param of `others`: whoever shows it may be a stranger, and gives this node no grants of its own
 * @returns whether it was news; what counts here for nothing is not
 * @throws CloudburstError CB_SIGNATURE_INVALID
 */
export function takeIn(parts: TakingIn, envelope: Uint8Array, of?: 'others'): boolean {
  const type = claimedType(envelope)
  if (type === REVOCATIONS_TYPE) return takeList(parts, envelope)
  if (type === SUCCESSION_TYPE) return takeSuccession(parts, envelope)
  return type === GRANT_TYPE && takeGrant(parts, envelope, of)
}

/** Reads the lists that were kept. */
export async function readLists(store: StorePart, revocations: RevocationBook): Promise<void> {
  for await (const [, value] of store.range({ prefix: REVOKED_PREFIX })) {
    const { envelope, heardAt } = value as { envelope: string; heardAt: number }
    revocations.learn(openRevocations(Buffer.from(envelope, 'base64')), heardAt)
  }
}

function takeList(parts: TakingIn, envelope: Uint8Array): boolean {
  const { revocations, store, log, now } = parts
  const list = openRevocations(envelope)
  const isHolders = list.holds !== undefined
  if (!(isHolders ? countsOfHolder(parts, list) : countsOfAuthority(parts, list))) return false
  if (!revocations.learn(list, now())) return false
  for (const key of revocations.prune(now())) drop(store, HOLDER_PREFIX + key)
  if (!revocations.knows(list)) return false
  const key = (isHolders ? HOLDER_PREFIX : REVOKED_PREFIX) + list.issuer
  const heardAt = isHolders ? now() : revocations.heardAt(list.issuer)
  keep(store, log, key, { envelope: Buffer.from(envelope).toString('base64'), heardAt })
  parts.onNews({ list: envelope })
  return true
}

function countsOfAuthority({ held, trusted }: TakingIn, { issuer }: Revocations): boolean {
  return held.has(issuer) || trusted.authorities.some(({ key }) => key === issuer)
}

/** It has something here that it may have handed on: else anybody could make this node remember things. */
function countsOfHolder({ revocations, line, own, trusted, now, log }: TakingIn, list: Revocations): boolean {
  const { issuer, holds = [] } = list
  const keys = [issuer, ...line.lineOf(issuer)]
  const counts = holds.some(
    root => keys.includes(root.subject) && root.expiry > now() && (own.includes(issuer) || rightsFrom(trusted, root).length > 0)
  )
  if (!counts || revocations.knows(list) || revocations.holders < HOLDERS_MAX) return counts
  log.warn({ issuer, most: HOLDERS_MAX }, 'what a holder takes back is not taken in: too many have taken back anything')
  return false
}

function takeGrant({ grants, own, trusted, now, onNews }: TakingIn, envelope: Uint8Array, of?: 'others'): boolean {
  if (grants.has(envelope)) return false
  const grant = openGrant(envelope)
  const ours = own.includes(grant.subject)
  if (ours && of === 'others') return false
  if (!ours && rightsFrom(trusted, grant).length === 0) return false
  if (grant.expiry <= now() || !grants.add(grant)) return false
  onNews(ours ? { own: true } : {})
  return true
}

/** Whoever has a right here, or is a neighbour, may go on under a new key; what is known of a key that was replaced stays. */
function takeSuccession({ own, listed, line, trusted, log, onNews }: TakingIn, envelope: Uint8Array): boolean {
  const succession = openSuccession(envelope)
  const { from, to } = succession
  const isOurs = own.includes(to) || own.includes(from)
  const isListed = listed().some(peer => line.successorOf(peer) === from)
  if (!isOurs && !isListed && rightsOf(trusted, from).length === 0) return false
  if (!line.add(succession)) return false
  log.info({ from, to }, 'a key has taken the place of another')
  onNews({})
  return true
}

/** Not waited for: it says nothing any more. */
function drop(store: StorePart, key: string): void {
  store.batch([{ type: 'del', key }], { sync: false }).catch(() => undefined)
}

/** Not waited for: what was taken in counts at once; should it be lost, the next neighbour tells it again. */
function keep(store: StorePart, log: Log, key: string, value: unknown): void {
  store.batch([{ type: 'put', key, value }], { sync: true }).catch(err => log.warn({ err, key }, 'a signed statement could not be kept'))
}
