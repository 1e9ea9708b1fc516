/** Runs whose records do not hold together: found at opening, suspended, never continued by themselves. */
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import { type ChainCheck, checkChain, type RunEntry, type Snapshot, snapshotKey } from './records.ts'
import type { Reader } from './reader.ts'

/** Which record of a run is missing or was changed. */
export interface Damage {
  readonly seq: number
  /** Lower-case sentence naming goal and record. */
  readonly reason: string
}

/** Checks all records of one run and that its summary speaks of the last one. @returns undefined when all holds */
export async function findDamage(store: Reader, goalId: string, entry: RunEntry | undefined): Promise<Damage | undefined> {
  if (entry?.compacted !== undefined) return undefined
  return damageOf(await checkChain(store, goalId), goalId, entry)
}

/** The same from the last snapshot on. Where that does not hold, the snapshot may be what is wrong: then all records speak. */
export async function findNewDamage(store: Reader, goalId: string, entry: RunEntry): Promise<Damage | undefined> {
  const snapshot = await readSnapshot(store, goalId)
  if (snapshot === undefined || snapshot.seq > entry.summary.seq) return findDamage(store, goalId, entry)
  const damage = damageOf(await checkChain(store, goalId, snapshot), goalId, entry)
  return damage === undefined ? undefined : findDamage(store, goalId, entry)
}

/** The last snapshot of a run; undefined when there is none that can be read. */
export async function readSnapshot(store: Pick<Reader, 'get'>, goalId: string): Promise<Snapshot | undefined> {
  return store.get<Snapshot>(snapshotKey(goalId)).catch(() => undefined)
}

function damageOf(chain: ChainCheck, goalId: string, entry: RunEntry | undefined): Damage | undefined {
  if (!chain.ok) return { seq: chain.seq, reason: chain.reason }
  const expected = entry?.summary.seq ?? 0
  if (expected !== chain.seq) {
    const seq = Math.min(expected, chain.seq) + 1
    return { seq, reason: `goal ${goalId} has ${chain.seq} records, its summary speaks of ${expected}` }
  }
  if (entry !== undefined && entry.head !== chain.hash) {
    return { seq: chain.seq, reason: `record ${chain.seq} of goal ${goalId} was changed: its hash is wrong` }
  }
  return undefined
}

/** What is shown of a damaged run: suspended, with the reason. */
export function damagedSummary(summary: RunSummary, damage: Damage): RunSummary {
  const suspended = { code: 'journal-damaged' as const, reason: damage.reason, candidates: [], kept: [], values: {} }
  return { ...summary, status: 'suspended', suspended }
}
