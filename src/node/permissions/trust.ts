/**
 * All that this node relies on when it decides: permissions.xml, the grants that were shown to it, what authorities have taken
 * back, and a clock that does not go back. And what it shows to others: the grants that it holds itself.
 */
import type { Grant } from '../../crypto/grant.ts'
import type { Log } from '../files/live-file.ts'
import type { Here, Trusted } from './decide.ts'
import { GrantBook } from './grant-book.ts'
import type { StorePart } from '../store/part.ts'
import type { LivePermissions } from './permissions.ts'
import { RevocationBook } from './revocation-book.ts'
import { SuccessionBook } from './succession-book.ts'
import { steadyClock } from './steady-clock.ts'
import { readLists, takeIn, type TakingIn } from './taking-in.ts'

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

/** Reads what was known. */
export async function openTrust(parts: TrustParts): Promise<Trust> {
  const { permissions, store, log } = parts
  const clock = await steadyClock(store, parts.now, log)
  const revocations = new RevocationBook()
  await readLists(store, revocations)
  const line = await SuccessionBook.open(store)
  const own = [...new Set([...parts.own, ...parts.own.flatMap(peer => line.lineOf(peer))])]
  const grants = await GrantBook.open(store, own, clock.now())
  const trusted = trustedBy(parts, { line, grants, revocations })
  const held = new Set<string>()
  const changed = new Set<() => void>()
  const gotOwn = new Set<() => void>()
  const gotList = new Set<(envelope: Uint8Array) => void>()
  const tell = (): void => {
    for (const listener of changed) listener()
  }
  const onNews: TakingIn['onNews'] = news => {
    tell()
    if (news.own === true) for (const listener of gotOwn) listener()
    if (news.list !== undefined) for (const listener of gotList) listener(news.list)
  }
  const { listed = () => [] } = parts
  const taking: TakingIn = { trusted, own, listed, held, line, grants, revocations, store, now: clock.now, log, onNews }
  const endPermissions = permissions.onChange(tell)
  return {
    current: trusted,
    now: clock.now,
    get awaitsGrants() {
      return permissions.current.authorities.some(({ key }) => key !== undefined)
    },
    take: (envelope, of) => takeIn(taking, envelope, of),
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

interface Books {
  readonly line: SuccessionBook
  readonly grants: GrantBook
  readonly revocations: RevocationBook
}

/** What decisions rest on: always as permissions.xml and the books are now. */
function trustedBy({ permissions, here }: TrustParts, { line, grants, revocations }: Books): Trusted {
  return {
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
      return here()
    },
    grantsOf: peer => grants.of(peer),
    revocations: {
      heardAt: key => revocations.heardAt(key),
      revokes: (key, grant, holder) => revocations.revokes(key, grant, holder, line.successorOf(grant.issuer))
    },
    lineOf: peer => line.lineOf(peer)
  }
}

function listening<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
