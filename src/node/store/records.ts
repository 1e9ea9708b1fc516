/** How the journal lies in the store: keys, records, and the chain of hashes that makes a missing or changed record show. */
import { hash } from 'node:crypto'
import type { GoalEvent, GoalEventBody } from '../../goals/pursuit/events.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import type { Store } from './store.ts'

/** One event as stored. */
export interface JournalRecord {
  readonly seq: number
  /** SHA-256, hex, of the bytes of the record before it; empty for the first. */
  readonly prev: string
  readonly at: number
  readonly body: GoalEventBody
}

/** What is stored beside the records of a run, in the same batch: a cache of their fold. */
export interface RunEntry {
  readonly summary: RunSummary
  /** SHA-256, hex, of the last record: a change of that one shows too. */
  readonly head: string
  /** The run is pursued on another node; its events were received. */
  readonly mirrored?: true
  /** Its events were removed then, in epoch milliseconds: ./compaction.ts. */
  readonly compacted?: number
}

/** The fold in the middle of a run's records: opening checks the records behind it only. */
export interface Snapshot {
  /** Of the record it stands behind. */
  readonly seq: number
  /** SHA-256, hex, of that record. */
  readonly hash: string
  readonly summary: RunSummary
}

/** Records between two snapshots of a run: so many are read and hashed in a few milliseconds. */
export const SNAPSHOT_EVERY = 1_000

/** Summaries stand together under this prefix, so that listing thousands of runs does not touch their records. */
export const RUN_PREFIX = 'r!'

/** Key of a run's summary. */
export const runKey = (goalId: string): string => `${RUN_PREFIX}${goalId}`
/** What the keys of a run's records start with. */
export const recordsOf = (goalId: string): string => `g!${goalId}!j!`
/** Key of one record; ten digits keep the keys in order. */
export const recordKey = (goalId: string, seq: number): string => `${recordsOf(goalId)}${String(seq).padStart(10, '0')}`
/** Key of a run's latest snapshot. */
export const snapshotKey = (goalId: string): string => `g!${goalId}!s`
/** What all keys under which requests are remembered start with. */
export const ACCEPT_PREFIX = 'd!'
/** Key under which a caller's request is remembered, so that it is accepted once. */
export const acceptKey = (caller: string, request: string): string => `${ACCEPT_PREFIX}${caller}!${request}`

/** Hash of a record's bytes: the next record's `prev`. */
export function hashOf(record: string | Uint8Array): string {
  // One call out of JavaScript: half of what making a hash object costs, for each event.
  return hash('sha256', record, 'hex')
}

/** The event in a record. */
export function eventOf(goalId: string, record: JournalRecord): GoalEvent {
  return { goalId, seq: record.seq, at: record.at, body: record.body }
}

/** Either the end of a chain that holds, or the first place where it does not. */
export type ChainCheck =
  | { readonly ok: true; readonly seq: number; readonly hash: string }
  | { readonly ok: false; readonly seq: number; readonly reason: string }

/** Where a walk along a chain begins. */
export interface ChainStart {
  readonly seq: number
  readonly hash: string
}

/** Walks the records of a run behind `start` and checks numbers and hashes. Holds one record at a time. */
export async function checkChain(
  store: Pick<Store, 'rawRange'>,
  goalId: string,
  start: ChainStart = { seq: 0, hash: '' }
): Promise<ChainCheck> {
  let { seq, hash } = start
  const range = { prefix: recordsOf(goalId), ...(seq > 0 ? { after: recordKey(goalId, seq) } : {}) }
  for await (const [key, bytes] of store.rawRange(range)) {
    seq++
    if (key !== recordKey(goalId, seq)) return { ok: false, seq, reason: `record ${seq} of goal ${goalId} is missing` }
    const link = linkIn(bytes)
    if (link === undefined) return { ok: false, seq, reason: `record ${seq} of goal ${goalId} is not readable` }
    if (link.seq !== seq) return { ok: false, seq, reason: `record ${seq} of goal ${goalId} says that it is number ${link.seq}` }
    if (link.prev !== hash)
      return { ok: false, seq: Math.max(1, seq - 1), reason: `record ${seq - 1} of goal ${goalId} was changed: its hash is wrong` }
    hash = hashOf(bytes)
  }
  return { ok: true, seq, hash }
}

/** Longest beginning of a record that holds its number and the hash before it, in bytes. */
const LINK_BYTES_MAX = 120

/** Number and hash, without reading the rest: a change of the rest shows in the hash. */
function linkIn(bytes: Buffer): Pick<JournalRecord, 'seq' | 'prev'> | undefined {
  const found = /^\{"seq":(\d+),"prev":"([0-9a-f]*)",/.exec(bytes.toString('latin1', 0, LINK_BYTES_MAX))
  return found === null ? undefined : { seq: Number(found[1]), prev: found[2]! }
}
