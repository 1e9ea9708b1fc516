/** The records that a node writes of itself. */
import { CloudburstError } from '../../errors.ts'
import { type ConfigChange, RECORD_BYTES_MAX, type StateRecord } from './messages.ts'
import type { Kept, Origin } from './origin.ts'
import { changeBytes, encodeRecord } from './record.ts'
import { sameTree } from './same-tree.ts'
import type { ReplicaParts } from './contract.ts'

/** After this many records, or this many bytes, the next one is a snapshot: those who come new need not read more. */
const RECORDS_PER_SNAPSHOT = 64
const BYTES_PER_SNAPSHOT = 256 * 1024
/** Most bytes of values that one node publishes: below what others keep of it. */
export const OWN_BYTES_MAX = 512 * 1024
/** What a record takes besides its changes, generously, in bytes. */
const RECORD_OVERHEAD = 1024
/** Largest change, in bytes: it must fit into a record by itself. */
export const CHANGE_BYTES_MAX = RECORD_BYTES_MAX - RECORD_OVERHEAD

export interface Written {
  readonly record: StateRecord
  readonly kept: Kept
}

export interface OwnRecords {
  /** Boot and nonce under which records are written. */
  life(): { readonly boot: number; readonly nonce: string }
  /** Begins a new life: the next record is number 1, a snapshot. */
  begin(boot: number, nonce: string): void
  /** The records for these changes, signed; none when nothing changes. @throws CloudburstError CB_FRAME_TOO_LONG */
  next(state: Origin | undefined, changes: readonly Omit<ConfigChange, 'revision'>[], anew: boolean): readonly Written[]
}

export function ownRecords(parts: Pick<ReplicaParts, 'self' | 'name' | 'boot' | 'nonce' | 'seal' | 'now' | 'id'>): OwnRecords {
  let life = { boot: parts.boot, nonce: parts.nonce }
  let seq = 0
  /** Revisions of values that are gone, so that a path does not count from 1 again; until the next snapshot. */
  let removed = new Map<string, number>()
  /** Bytes of each value that is published. */
  let sizes: ReadonlyMap<string, number> = new Map()

  const revise = (state: Origin | undefined, changes: readonly Omit<ConfigChange, 'revision'>[]): ConfigChange[] => {
    const last = new Map(changes.map(change => [change.path, change]))
    const revised: ConfigChange[] = []
    for (const { path, value, goal } of last.values()) {
      const old = state?.values.get(path)
      if (sameTree(old?.value, value)) continue
      const revision = (old?.revision ?? removed.get(path) ?? 0) + 1
      revised.push({ path, revision, ...(value === undefined ? {} : { value }), ...(goal !== undefined && { goal }) })
    }
    return revised
  }
  const write = (changes: readonly ConfigChange[], snapshot: boolean, more: boolean, id: string): Written => {
    const record: StateRecord = {
      origin: parts.self,
      name: parts.name,
      ...life,
      seq: seq + 1,
      snapshot,
      ...(more ? { more: true as const } : {}),
      transaction: { id, at: parts.now(), changes }
    }
    const payload = encodeRecord(record)
    seq++
    return { record, kept: { seq, payload, envelope: parts.seal(payload) } }
  }

  return {
    life: () => life,
    begin: (boot, nonce) => {
      life = { boot, nonce }
      seq = 0
    },
    next: (state, changes, anew) => {
      const revised = revise(state, changes)
      if (revised.length === 0 && !anew && seq > 0) return []
      const snapshot = anew || seq === 0 || (state?.log.length ?? 0) >= RECORDS_PER_SNAPSHOT || (state?.bytes ?? 0) >= BYTES_PER_SNAPSHOT
      const all = snapshot ? whole(state, revised) : revised
      const grown = sized(sizes, revised)
      const portions = portioned(all)
      sizes = grown
      for (const { path, value, revision } of revised) if (value === undefined) removed.set(path, revision)
      if (snapshot) removed = new Map()
      const id = parts.id()
      return portions.map((portion, at) => write(portion, snapshot && at === 0, at < portions.length - 1, id))
    }
  }
}

/** Everything there is after the changes. */
function whole(state: Origin | undefined, changes: readonly ConfigChange[]): readonly ConfigChange[] {
  const all = new Map<string, ConfigChange>()
  for (const [path, { value, revision, goal }] of state?.values ?? [])
    all.set(path, { path, value, revision, ...(goal !== undefined && { goal }) })
  for (const change of changes) {
    if (change.value === undefined) all.delete(change.path)
    else all.set(change.path, change)
  }
  return [...all.values()]
}

/** The sizes after the changes. @throws CloudburstError CB_FRAME_TOO_LONG when they are more than a node may publish */
function sized(sizes: ReadonlyMap<string, number>, changes: readonly ConfigChange[]): ReadonlyMap<string, number> {
  const grown = new Map(sizes)
  for (const change of changes) {
    if (change.value === undefined) grown.delete(change.path)
    else grown.set(change.path, changeBytes(change))
  }
  const total = [...grown.values()].reduce((sum, bytes) => sum + bytes, 0)
  const largest = changes.reduce(
    (a, b) => ((grown.get(a.path) ?? 0) >= (grown.get(b.path) ?? 0) ? a : b),
    changes[0] ?? { path: '', revision: 0 }
  )
  if (total > OWN_BYTES_MAX || (grown.get(largest.path) ?? 0) > CHANGE_BYTES_MAX) {
    throw new CloudburstError('CB_FRAME_TOO_LONG', `${largest.path} does not fit into this node's published state of ${total} bytes`, {
      path: largest.path
    })
  }
  return grown
}

function portioned(changes: readonly ConfigChange[]): readonly (readonly ConfigChange[])[] {
  const portions: ConfigChange[][] = [[]]
  let room = CHANGE_BYTES_MAX
  for (const change of changes) {
    const bytes = changeBytes(change)
    if (bytes > room) {
      portions.push([])
      room = CHANGE_BYTES_MAX
    }
    portions.at(-1)!.push(change)
    room -= bytes
  }
  return portions
}
