/** What is known of one origin: a fold over its records. */
import { createHash } from 'node:crypto'
import type { Tree } from '../../goals/tree.ts'
import { encodeMessage } from '../wire/codec.ts'
import { bucketOf } from './buckets.ts'
import type { ConfigChange, Head, StateRecord } from './messages.ts'
import { sameTree } from './same-tree.ts'

/** Longest log of one origin that is kept, in bytes: with a thousand origins that many would be too much, but few come near. */
export const ORIGIN_BYTES_MAX = 1024 * 1024
/** Sorts behind every nonce: nothing of that boot is taken any more. */
export const LAST_NONCE = '~'

export interface Held {
  readonly value: Tree
  readonly revision: number
  /** Epoch milliseconds at the owner. */
  readonly at: number
  readonly goal?: string
}

/** A record as it is passed on. */
export interface Kept {
  readonly seq: number
  readonly envelope: Uint8Array
  /** The signed bytes: two records are the same when these are. */
  readonly payload: Uint8Array
}

export interface Origin {
  readonly origin: string
  /** See buckets.ts. */
  readonly bucket: number
  name: string
  boot: number
  nonce: string
  seq: number
  /** Of `log`: see {@link Head}. */
  print: string | undefined
  /** By path below `nodes.<name>`. */
  values: Map<string, Held>
  /** From the last snapshot on. */
  log: Kept[]
  bytes: number
  /** Changes of a transaction whose last part has not come yet. */
  parts: { readonly snapshot: boolean; readonly changes: ConfigChange[] } | undefined
  proof: readonly [Uint8Array, Uint8Array] | undefined
  digest: string | undefined
  /** What is told of it as long as nothing of it changes. */
  head: Head | undefined
  /** Somebody who may say so has said that it is gone for good. */
  gone?: Uint8Array
}

/**
 * What became of a record. `gap`: something before it is missing; `held`: its origin has forked; `full`: a limit is reached;
 * `unknown`: nobody here knows its origin, and who gave it has told of enough of such; `fast`: too many at once, to be asked for again later.
 */
export type Verdict = 'applied' | 'known' | 'gap' | 'stale' | 'fork' | 'held' | 'full' | 'own' | 'unknown' | 'fast'

/** A value that has changed; absent: removed. */
export interface Changed {
  readonly path: string
  readonly value?: Tree
  readonly at: number
}

export function newOrigin(record: Pick<StateRecord, 'origin' | 'name' | 'boot' | 'nonce'>): Origin {
  const { origin, name, boot, nonce } = record
  return {
    origin,
    bucket: bucketOf(origin),
    name,
    boot,
    nonce,
    seq: 0,
    print: undefined,
    values: new Map(),
    log: [],
    bytes: 0,
    parts: undefined,
    proof: undefined,
    digest: undefined,
    head: undefined
  }
}

/** Order of boots: the number, then the nonce, so that even two boots of one number are taken in the same order everywhere. */
export function compareBoots(a: { boot: number; nonce: string }, b: { boot: number; nonce: string }): number {
  return a.boot - b.boot || (a.nonce < b.nonce ? -1 : a.nonce > b.nonce ? 1 : 0)
}

/** Whether a record follows on what is known, looking at nothing but numbers and bytes. */
export function judge(state: Origin | undefined, record: StateRecord, payload: Uint8Array): Verdict {
  if (state === undefined) return record.snapshot ? 'applied' : 'gap'
  if (state.proof !== undefined) return 'held'
  const order = compareBoots(record, state)
  if (order < 0) return 'stale'
  if (order > 0) return record.snapshot ? 'applied' : 'gap'
  if (record.seq <= state.seq) {
    const kept = state.log.find(each => each.seq === record.seq)
    return kept === undefined || sameBytes(kept.payload, payload) ? 'known' : 'fork'
  }
  if (record.seq > state.seq + 1 && !record.snapshot) return 'gap'
  return !record.snapshot && state.bytes + payload.byteLength > ORIGIN_BYTES_MAX ? 'full' : 'applied'
}

/** Takes in a record that {@link judge} called `applied`. @returns what changed, once the transaction is complete */
export function advance(state: Origin, record: StateRecord, kept: Kept): readonly Changed[] {
  state.boot = record.boot
  state.nonce = record.nonce
  state.name = record.name
  state.seq = record.seq
  state.digest = undefined
  state.head = undefined
  if (record.snapshot) {
    state.log = []
    state.bytes = 0
    state.parts = { snapshot: true, changes: [] }
  }
  state.log.push(kept)
  state.print = printOf(record.snapshot ? undefined : state.print, kept.payload)
  state.bytes += kept.payload.byteLength
  const parts = state.parts ?? { snapshot: false, changes: [] }
  parts.changes.push(...record.transaction.changes)
  state.parts = record.more === true ? parts : undefined
  return record.more === true ? [] : settle(state, parts, record.transaction.at)
}

function settle(
  state: Origin,
  { snapshot, changes }: { snapshot: boolean; changes: readonly ConfigChange[] },
  at: number
): readonly Changed[] {
  const before = state.values
  const after = snapshot ? new Map<string, Held>() : before
  const changed: Changed[] = []
  for (const { path, value, revision, goal } of changes) {
    const old = before.get(path)
    // A snapshot says again what was so before: since when, too.
    const same = old?.revision === revision && sameTree(old.value, value)
    if (value === undefined) after.delete(path)
    else after.set(path, { value, revision, at: same ? old.at : at, ...(goal !== undefined && { goal }) })
    if (!sameTree(old?.value, value)) changed.push({ path, at, ...(value === undefined ? {} : { value }) })
  }
  if (snapshot) for (const path of before.keys()) if (!after.has(path)) changed.push({ path, at })
  state.values = after
  return changed
}

export function headOf(state: Origin): Head {
  state.head ??= headNow(state)
  return state.head
}

function headNow({ origin, boot, nonce, seq, print, proof }: Origin): Head {
  const head = { origin, boot, nonce, seq }
  return proof === undefined ? { ...head, ...(print !== undefined && { print }) } : { ...head, fork: true }
}

function printOf(before: string | undefined, payload: Uint8Array): string {
  return createHash('sha256')
    .update(before ?? '')
    .update(payload)
    .digest('hex')
    .slice(0, 32)
}

/** Whether a head of the same number tells of another history. */
export function differs(state: Origin, head: Head): boolean {
  const same = head.boot === state.boot && head.nonce === state.nonce && head.seq === state.seq
  return same && head.print !== undefined && state.print !== undefined && head.print !== state.print
}

/** What two nodes must agree on, as one line. */
export function digestOf(state: Origin): string {
  if (state.proof !== undefined) return `${state.origin} fork`
  state.digest ??= createHash('sha256')
    .update(
      encodeMessage([...state.values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, { value, revision }]) => [path, value, revision]))
    )
    .digest('hex')
  return `${state.origin} ${state.name} ${state.boot} ${state.nonce} ${state.seq} ${state.digest}`
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

export interface Missing {
  /** In the order in which they can be applied. */
  readonly envelopes: readonly Uint8Array[]
  /** Of forks. */
  readonly proofs: readonly (readonly [Uint8Array, Uint8Array])[]
  readonly forgets: readonly Uint8Array[]
}

/** What somebody with `have` lacks of `origins`, or of those among them that are asked for. */
export function missing(origins: ReadonlyMap<string, Origin>, have: readonly Head[], of: Iterable<string> = origins.keys()): Missing {
  const known = new Map(have.map(head => [head.origin, head]))
  const envelopes: Uint8Array[] = []
  const proofs: (readonly [Uint8Array, Uint8Array])[] = []
  const forgets: Uint8Array[] = []
  // Whoever names one twice is given it once.
  for (const origin of new Set(of)) {
    const state = origins.get(origin)
    if (state === undefined) continue
    const head = known.get(state.origin)
    if (state.proof !== undefined) {
      if (head?.fork !== true) proofs.push(state.proof)
      continue
    }
    if (head?.fork === true) continue
    const order = head === undefined ? 1 : compareBoots(state, head)
    if (order < 0) continue
    if (state.gone !== undefined && order > 0) forgets.push(state.gone)
    // Two histories of one origin: the records themselves prove it to the other end.
    const from = order > 0 || head === undefined || differs(state, head) ? 0 : head.seq
    for (const kept of state.log) if (kept.seq > from) envelopes.push(kept.envelope)
  }
  return { envelopes, proofs, forgets }
}
