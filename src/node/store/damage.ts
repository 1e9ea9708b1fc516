/** Runs whose records do not hold together: found at opening, suspended, never continued by themselves. */
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import { checkChain, type RunEntry } from './records.ts'
import type { Store } from './store.ts'

/** Which record of a run is missing or was changed. */
export interface Damage {
  readonly seq: number
  /** Lower-case sentence naming goal and record. */
  readonly reason: string
}

/** Checks the records of one run and that its summary speaks of the last one. @returns undefined when all holds */
export async function findDamage(store: Store, goalId: string, entry: RunEntry | undefined): Promise<Damage | undefined> {
  const chain = await checkChain(store, goalId)
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
