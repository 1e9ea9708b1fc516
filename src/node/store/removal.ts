/** Taking finished runs out of the journal: first their events, long after that their summaries. When: ../compaction.ts. */
import type { Chains } from './chains.ts'
import { recordsOf, type RunEntry, runKey, snapshotKey } from './records.ts'
import { isOver, type RunIndex } from './run-index.ts'
import type { Op, Store } from './store.ts'

/** What may be removed of a run that is over. Not synced: what a power cut brings back is removed again. */
export interface Removal {
  /** Removes the events of these runs and keeps their summaries. @param at epoch milliseconds, kept. @returns how many of them were over, with events */
  compact(goalIds: readonly string[], at: number): Promise<number>
  /** Removes what is left of compacted runs. @param extra joins the batch */
  forget(goalIds: readonly string[], extra?: readonly Op[]): Promise<void>
}

/** Longest batch of deletions, in keys: what others write waits no longer than that. */
const KEYS_PER_BATCH_MAX = 1_000

export function removal(store: Store, index: RunIndex, chains: Chains): Removal {
  const compactOne = async (goalId: string, at: number): Promise<boolean> => {
    const entry = await store.get<RunEntry>(runKey(goalId))
    if (entry === undefined || entry.compacted !== undefined || !isOver(entry.summary.status)) return false
    if (chains.get(goalId) !== undefined) return false
    const compacted: RunEntry = { ...entry, compacted: at }
    index.note(compacted)
    chains.drop(goalId)
    // Marked with the first deletions: whoever finds some records gone also finds out why.
    let ops: Op[] = [
      { type: 'put', key: runKey(goalId), value: compacted },
      { type: 'del', key: snapshotKey(goalId) }
    ]
    for await (const [key] of store.rawRange({ prefix: recordsOf(goalId) })) {
      ops.push({ type: 'del', key })
      if (ops.length < KEYS_PER_BATCH_MAX) continue
      await store.batch(ops, { sync: false })
      ops = []
    }
    await store.batch(ops, { sync: false })
    return true
  }
  return {
    compact: async (goalIds, at) => {
      // The heads file may still promise the last record of one of them.
      await chains.saveHeads()
      let removed = 0
      for (const id of goalIds) if (await compactOne(id, at)) removed++
      return removed
    },
    forget: async (goalIds, extra = []) => {
      for (const id of goalIds) {
        index.drop(id)
        chains.drop(id)
      }
      // It also promises a number of summaries, so it has to promise fewer before they go.
      await chains.saveHeads()
      await store.batch([...goalIds.map((id): Op => ({ type: 'del', key: runKey(id) })), ...extra], { sync: false })
    }
  }
}
