/**
 * All that this node relies on when it decides: permissions.xml, the grants that were shown to it, what authorities have taken
 * back, and a clock that does not go back. And what it shows to others: the grants that it holds itself.
 */
import { claimedType } from '../../crypto/dsse.ts'
import { type Grant, GRANT_TYPE, openGrant } from '../../crypto/grant.ts'
import { openRevocations, type Revocations, REVOCATIONS_TYPE } from '../../crypto/revocation.ts'
import { openSuccession, SUCCESSION_TYPE } from '../../crypto/succession.ts'
import type { Log } from '../files/live-file.ts'
import type { Here, Trusted } from './decide.ts'
import { GrantBook } from './grant-book.ts'
import type { StorePart } from '../store/part.ts'
import type { LivePermissions } from './permissions.ts'
import { RevocationBook } from './revocation-book.ts'
import { rightsFrom, rightsOf } from './rights.ts'
import { SuccessionBook } from './succession-book.ts'
import { steadyClock } from './steady-clock.ts'

export interface TrustParts {
  readonly permissions: Pick<LivePermissions, 'current' | 'onChange'>
  readonly here: () => Here
  /** Keys that are ours: of this node, and of its person. Grants for them are shown to others. */
  readonly own: readonly string[]
  /** Peer ids of the neighbours that neighborhood.xml lists: their new keys are worth knowing, whatever they may do here. */
  readonly listed?: () => readonly string[]
  readonly store: StorePart
  readonly log: Log
  /** Epoch milliseconds. */
  readonly now?: () => number
}

export interface Trust {
  /** What decisions rest on, now. */
  readonly current: Trusted
  /** Epoch milliseconds; never less than it was before, also across restarts. */
  readonly now: () => number
  /** Whether somebody unknown may have a grant to show. */
  readonly awaitsGrants: boolean
  /**
   * Takes in a signed statement that came from wherever: a grant, a list of revocations, or a succession.
   * @param of `others`: whoever shows it may be a stranger, and gives this node no grants of its own
   * @returns whether it was news; what no authority of ours has signed is not
   * @throws CloudburstError CB_SIGNATURE_INVALID
   */
  take(envelope: Uint8Array, of?: 'others'): boolean
  /** Passes on the lists of this key too, whose authority has it in this home. */
  hold(key: string): void
  /** Grants that this node holds, as they were signed: shown in every hello. */
  own(): readonly Grant[]
  /** Successions of our own keys, or of all that are known, as they were signed. */
  successions(of?: 'all'): readonly Uint8Array[]
  /** The key that speaks for `peer` now: its last successor, or itself. */
  successorOf(peer: string): string
  /** The latest list of each authority, as it was signed. */
  lists(): readonly Uint8Array[]
  /** What others hold that this node has seen, for `permissions show`. */
  shown(): readonly Grant[]
  /** Called after anything changed that a decision may rest on. @returns ends it */
  onChange(listener: () => void): () => void
  /** Called after this node has got a grant. @returns ends it */
  onOwn(listener: () => void): () => void
  /** Called with a list of revocations that was news. @returns ends it */
  onList(listener: (envelope: Uint8Array) => void): () => void
  close(): Promise<void>
}

const REVOKED_PREFIX = 't!revoked!'
const HOLDER_PREFIX = `${REVOKED_PREFIX}holder!`
/** Most holders whose own lists are kept, each of some kilobytes: as many as an organisation has people who hand things on. */
export const HOLDERS_MAX = 1_000

/** Reads what was known. */
export async function openTrust(parts: TrustParts): Promise<Trust> {
  const { permissions, store, log } = parts
  const clock = await steadyClock(store, parts.now, log)
  const revocations = new RevocationBook()
  const line = await SuccessionBook.open(store)
  const ours = parts.own.flatMap(peer => line.lineOf(peer))
  const own = [...new Set([...parts.own, ...ours])]
  const grants = await GrantBook.open(store, own, clock.now())
  for await (const [, value] of store.range({ prefix: REVOKED_PREFIX })) {
    const { envelope, heardAt } = value as { envelope: string; heardAt: number }
    revocations.learn(openRevocations(Buffer.from(envelope, 'base64')), heardAt)
  }
  const held = new Set<string>()
  const changed = new Set<() => void>()
  const gotOwn = new Set<() => void>()
  const gotList = new Set<(envelope: Uint8Array) => void>()
  const trusted: Trusted = {
    get authorities() {
      return permissions.current.authorities
    },
    get permits() {
      return permissions.current.permits
    },
    get tests() {
      return permissions.current.tests ?? []
    },
    get here() {
      return parts.here()
    },
    grantsOf: peer => grants.of(peer),
    revocations: {
      heardAt: key => revocations.heardAt(key),
      revokes: (key, grant, holder) => revocations.revokes(key, grant, holder, line.successorOf(grant.issuer))
    },
    lineOf: peer => line.lineOf(peer)
  }
  const tell = (): void => {
    for (const listener of changed) listener()
  }
  const endPermissions = permissions.onChange(tell)
  const isOfAuthority = ({ issuer, holds }: Revocations): boolean =>
    holds === undefined && (held.has(issuer) || permissions.current.authorities.some(({ key }) => key === issuer))
  /** It has something here that it may have handed on: else anybody could make this node remember things. */
  const isOfHolder = ({ issuer, holds = [] }: Revocations): boolean => {
    if (holds.length === 0) return false
    if (!revocations.knows({ issuer, holds }) && revocations.holders >= HOLDERS_MAX) {
      log.warn({ issuer, most: HOLDERS_MAX }, 'what a holder takes back is not taken in: too many have taken back anything')
      return false
    }
    const keys = [issuer, ...line.lineOf(issuer)]
    return holds.some(
      root =>
        keys.includes(root.subject) &&
        root.expiry > clock.now() &&
        (own.includes(issuer) || rightsFrom(permissions.current, root).length > 0)
    )
  }
  const takeList = (envelope: Uint8Array): boolean => {
    const list = openRevocations(envelope)
    if (!(isOfAuthority(list) || isOfHolder(list))) return false
    if (!revocations.learn(list, clock.now())) return false
    for (const key of revocations.prune(clock.now())) drop(store, HOLDER_PREFIX + key)
    if (!revocations.knows(list)) return false
    const key = (list.holds === undefined ? REVOKED_PREFIX : HOLDER_PREFIX) + list.issuer
    keep(store, log, key, {
      envelope: base64(envelope),
      heardAt: list.holds === undefined ? revocations.heardAt(list.issuer) : clock.now()
    })
    tell()
    for (const listener of gotList) listener(envelope)
    return true
  }
  const takeGrant = (envelope: Uint8Array, of?: 'others'): boolean => {
    if (grants.has(envelope)) return false
    const grant = openGrant(envelope)
    const ours = own.includes(grant.subject)
    if (ours && of === 'others') return false
    if (!ours && rightsFrom(permissions.current, grant).length === 0) return false
    if (grant.expiry <= clock.now() || !grants.add(grant)) return false
    tell()
    if (ours) for (const listener of gotOwn) listener()
    return true
  }
  /** Whoever has a right here, or is a neighbour, may go on under a new key; what is known of a key that was replaced stays. */
  const takeSuccession = (envelope: Uint8Array): boolean => {
    const succession = openSuccession(envelope)
    const { from, to } = succession
    const isOurs = own.includes(to) || own.includes(from)
    const isListed = parts.listed?.().some(peer => line.successorOf(peer) === from) === true
    if (!isOurs && !isListed && rightsOf(trusted, from).length === 0) return false
    if (!line.add(succession)) return false
    log.info({ from, to }, 'a key has taken the place of another')
    tell()
    return true
  }
  return {
    current: trusted,
    now: clock.now,
    get awaitsGrants() {
      return permissions.current.authorities.some(({ key }) => key !== undefined)
    },
    take: (envelope, of) => {
      const type = claimedType(envelope)
      if (type === REVOCATIONS_TYPE) return takeList(envelope)
      if (type === SUCCESSION_TYPE) return takeSuccession(envelope)
      return type === GRANT_TYPE && takeGrant(envelope, of)
    },
    hold: key => void held.add(key),
    own: () => grants.own(clock.now()),
    successions: of => (of === 'all' ? line.latest() : line.of(own)),
    successorOf: peer => line.successorOf(peer),
    lists: () => revocations.latest().map(({ envelope }) => envelope),
    shown: () => grants.all(),
    onChange: listener => listening(changed, listener),
    onOwn: listener => listening(gotOwn, listener),
    onList: listener => listening(gotList, listener),
    close: async () => {
      endPermissions()
      await clock.close()
    }
  }
}

function listening<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Not waited for: it says nothing any more. */
function drop(store: StorePart, key: string): void {
  store.batch([{ type: 'del', key }], { sync: false }).catch(() => undefined)
}

/** Not waited for: what was taken in counts at once; should it be lost, the next neighbour tells it again. */
function keep(store: StorePart, log: Log, key: string, value: unknown): void {
  store.batch([{ type: 'put', key, value }], { sync: true }).catch(err => log.warn({ err, key }, 'a signed statement could not be kept'))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
