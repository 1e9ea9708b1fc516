/** The latest changes of all values, over restarts: those of this life of the replica behind those that were written down before. */
import type { Tree } from '../../goals/tree.ts'
import { CHANGES_KEPT, CHANGES_SLACK } from '../../protocols/state/changes.ts'
import type { Replica } from '../../protocols/state/replica.ts'
import { sameTree } from '../../protocols/state/same-tree.ts'
import type { Op, Store } from '../store/store.ts'

/** Changes that were written down together, by a number that grows. */
const CHANGES_PREFIX = 'rh!'
/** Digits of that number: in order as text. */
const DIGITS = 12

export interface PastChange {
  readonly path: string
  /** Absent: removed. */
  readonly value?: Tree
  /** Epoch milliseconds at the owner. */
  readonly at: number
}

export interface PastChanges {
  /** Oldest first, at most CHANGES_KEPT. */
  latest(): readonly PastChange[]
  /** What puts the newest into the store and takes the oldest out; {@link PastChanges.written} once that is done. */
  ops(): readonly Op[]
  written(): void
}

/** Reads what was written down, and follows the replica: what it is told of from now on is news. */
export async function openPastChanges(
  store: Pick<Store, 'range'>,
  replica: Pick<Replica, 'changes' | 'count' | 'subscribe'>
): Promise<PastChanges> {
  const kept: PastChange[] = []
  const batches: { readonly key: string; readonly count: number }[] = []
  for await (const [key, changes] of store.range<readonly PastChange[]>({ prefix: CHANGES_PREFIX })) {
    kept.push(...changes)
    batches.push({ key, count: changes.length })
  }
  /** What a node says again when it begins anew is no change. */
  const before = new Map(kept.map(({ path, value }) => [path, value]))
  let seen = replica.count()
  let fresh = 0
  let writing: { readonly key: string; readonly count: number; readonly gone: number } | undefined
  const take = (): void => {
    const changes = replica.changes()
    for (const { n, path, value, at } of changes.slice(Math.max(0, seen - replica.count() + changes.length))) {
      seen = n
      const isSaidAgain = before.has(path) && sameTree(before.get(path), value)
      before.delete(path)
      if (isSaidAgain) continue
      kept.push({ path, at, ...(value !== undefined && { value }) })
      fresh++
    }
    if (kept.length > CHANGES_KEPT + CHANGES_SLACK) kept.splice(0, kept.length - CHANGES_KEPT)
    fresh = Math.min(fresh, kept.length)
  }
  replica.subscribe(take)
  return {
    latest: () => kept.slice(-CHANGES_KEPT),
    ops: () => {
      if (fresh === 0) return []
      const last = batches.at(-1)?.key.slice(CHANGES_PREFIX.length) ?? '0'
      const key = CHANGES_PREFIX + String(Number(last) + 1).padStart(DIGITS, '0')
      let total = fresh + batches.reduce((sum, { count }) => sum + count, 0)
      let gone = 0
      for (; gone < batches.length && total - batches[gone]!.count >= CHANGES_KEPT; gone++) total -= batches[gone]!.count
      writing = { key, count: fresh, gone }
      return [{ type: 'put', key, value: kept.slice(-fresh) }, ...batches.slice(0, gone).map(({ key }): Op => ({ type: 'del', key }))]
    },
    written: () => {
      if (writing === undefined) return
      batches.splice(0, writing.gone)
      batches.push(writing)
      fresh -= writing.count
      writing = undefined
    }
  }
}
