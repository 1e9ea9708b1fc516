/** Batches that wait while one is being written become one write with one sync: sixteen writers pay for one. */
import { encodePut, type Op } from './value.ts'

/** Most operations in one write: keeps the wait of the next group short. */
const GROUP_OPS_MAX = 1_000

/** One operation as LevelDB takes it. */
export type RawOp = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string }

interface Waiting {
  readonly ops: readonly Op[]
  readonly sync: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** How many batches were asked for, how many writes they took, how many of those were synced. */
export interface CommitCounts {
  batches: number
  writes: number
  syncs: number
}

/** A queue in front of `write`, in order: batches resolve in the order in which they were added. */
export interface GroupCommit {
  /** Resolves when these are written (and on disk, with `sync`) together with all before them. */
  add(ops: readonly Op[], sync: boolean): Promise<void>
  /** Resolves once nothing waits or is being written. */
  idle(): Promise<void>
  readonly counts: Readonly<CommitCounts>
}

/** @param write must be atomic; when it rejects, all batches of that group reject with its error */
export function groupCommit(write: (ops: RawOp[], sync: boolean) => Promise<void>): GroupCommit {
  const counts: CommitCounts = { batches: 0, writes: 0, syncs: 0 }
  let queue: Waiting[] = []
  let running: Promise<void> | undefined

  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      const group = takeGroup()
      const sync = group.some(waiting => waiting.sync)
      counts.writes++
      if (sync) counts.syncs++
      try {
        await write(lastOfEach(group), sync)
        for (const waiting of group) waiting.resolve()
      } catch (error) {
        for (const waiting of group) waiting.reject(error)
      }
    }
    running = undefined
  }

  const takeGroup = (): Waiting[] => {
    let ops = 0
    let end = 0
    while (end < queue.length && (end === 0 || ops + queue[end]!.ops.length <= GROUP_OPS_MAX)) ops += queue[end++]!.ops.length
    const group = queue.slice(0, end)
    queue = queue.slice(end)
    return group
  }

  return {
    counts,
    add: (ops, sync) =>
      new Promise((resolve, reject) => {
        counts.batches++
        queue.push({ ops, sync, resolve, reject })
        // Not at once: what the same turn of the event loop adds, however many promises it takes, still joins.
        running ??= new Promise<void>(turned => setImmediate(turned)).then(drain)
      }),
    idle: async () => {
      while (running !== undefined) await running
    }
  }
}

/** All of them in one write are as good as the last for each key: a run's summary is there once, however many of its events are. */
function lastOfEach(group: readonly Waiting[]): RawOp[] {
  const last = new Map<string, Op>()
  for (const { ops } of group) for (const op of ops) last.set(op.key, op)
  return Array.from(last.values(), op => (op.type === 'del' ? op : { type: op.type, key: op.key, value: encodePut(op) }))
}
