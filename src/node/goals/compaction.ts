/**
 * What is kept of goals that are over, and how long. Their events go first, with what their steps printed; the summary,
 * which says what became of the goal, stays longer. Requests are remembered for as long as they may be sent again.
 */
import { closedKey, closedPrefix, type DispatchRecord } from '../dispatch/dispatch-records.ts'
import type { NodeJournal, RunNote } from '../store/journal.ts'
import type { RequestNote } from '../store/acceptance.ts'
import { ACCEPT_PREFIX } from '../store/records.ts'
import { isOver } from '../store/run-index.ts'
import type { Log, Op, Store } from '../store/store.ts'

const DAY_MS = 24 * 60 * 60 * 1_000

/** How long and how many of what. Whatever is both too old for the one, or too many for the other, goes. */
export interface Keeping {
  readonly events: { readonly ageMs: number; readonly count: number }
  readonly summaries: { readonly ageMs: number; readonly count: number }
}

/**
 * Events: a month, to look into what happened; ten thousand goals, some 300 MB at most programs' size.
 * Summaries: a year, for who asks what became of a goal, or sends an old request; twenty thousand take 10 MB of memory.
 */
export const KEPT: Keeping = {
  events: { ageMs: 30 * DAY_MS, count: 10_000 },
  summaries: { ageMs: 365 * DAY_MS, count: 20_000 }
}
/** A request is remembered this much longer than it may be accepted, in milliseconds: a clock that is set back a little does not make it new. */
export const ACCEPTED_KEPT_MS = 10 * 60 * 1_000
/** Time between two sweeps, in milliseconds. */
const SWEEP_EVERY_MS = 10 * 60 * 1_000
/** So many goals that ended since the last sweep begin the next one: bounds what is there beyond the counts. */
const SWEEP_AFTER_GOALS = 1_000
/** Goals that are removed at a time: others may write in between. */
const GOALS_AT_A_TIME = 50
/** Keys of requests that are removed at a time. */
const KEYS_AT_A_TIME = 500

export interface CompactionParts {
  readonly store: Store
  readonly journal: NodeJournal
  /** Removes what the steps of a goal left on disk. */
  readonly dropOutput: (goalId: string) => Promise<void>
  /** Told of dispatches that are no longer known. */
  readonly onForgotten?: (goalIds: readonly string[]) => void
  readonly now: () => number
  readonly log: Log
  readonly keep?: Keeping
}

/** What one sweep has removed. */
export interface Swept {
  readonly compacted: number
  readonly forgotten: number
  /** Requests that cannot come again. */
  readonly requests: number
}

export interface Compaction {
  sweep(): Promise<Swept>
  /** Resolves when a sweep under way has ended. */
  stop(): Promise<void>
}

/** Sweeps now and then from here on. */
export function startCompaction(parts: CompactionParts): Compaction {
  const { journal, log } = parts
  let running: Promise<Swept> | undefined
  let ended = 0
  let stopped = false

  const sweep = (): Promise<Swept> => {
    running ??= sweepOnce(parts, () => stopped).finally(() => {
      running = undefined
    })
    return running
  }
  const sweepQuietly = (): void => {
    ended = 0
    void sweep().catch(error => log.warn({ err: error }, 'old goals could not be removed; it is tried again later'))
  }
  const timer = setInterval(sweepQuietly, SWEEP_EVERY_MS)
  timer.unref()
  const endListening = journal.subscribe('*', ({ body }) => {
    if (body.type !== 'completed' && body.type !== 'cancelled') return
    if (++ended >= SWEEP_AFTER_GOALS) sweepQuietly()
  })
  return {
    sweep,
    stop: async () => {
      stopped = true
      clearInterval(timer)
      endListening()
      await running?.catch(() => undefined)
    }
  }
}

async function sweepOnce(parts: CompactionParts, stopped: () => boolean): Promise<Swept> {
  const { journal, keep = KEPT } = parts
  const now = parts.now()
  const over = (): RunNote[] => journal.runs().filter(run => isOver(run.status) && !journal.damaged.has(run.id))

  let compacted = 0
  const full = beyond(over(), keep.events, now).filter(run => !run.compacted)
  for (const ids of slices(full.map(run => run.id))) {
    if (stopped()) break
    // Output first: a crash in between leaves a goal that is found again, not files that nobody knows.
    for (const id of ids) await parts.dropOutput(id)
    compacted += await journal.compact(ids, now)
  }
  let forgotten = 0
  const sent = await closedDispatches(parts, now - keep.summaries.ageMs)
  const spent = beyond(over(), keep.summaries, now).filter(run => run.compacted && !sent.needed.has(run.id))
  for (const ids of slices([...spent.map(run => run.id), ...sent.refused])) {
    if (stopped()) break
    const dispatches = ids.map((id): Op => ({ type: 'del', key: closedKey(id) }))
    await journal.forget(ids, dispatches)
    parts.onForgotten?.(ids)
    forgotten += ids.length
  }
  return { compacted, forgotten, requests: stopped() ? 0 : await dropRequests(parts, now) }
}

/** Those that are too old, or too many; `runs` are newest first. */
function beyond(runs: readonly RunNote[], { ageMs, count }: Keeping['events'], now: number): RunNote[] {
  return runs.filter((run, at) => at >= count || run.updatedAt < now - ageMs)
}

/**
 * `needed`: goals sent away for a goal that is not over here, which may ask for their outcome once more, and would send them
 * again if nobody knew them. `refused`: those that never became a goal, and are older than `before`.
 */
async function closedDispatches({ store, journal }: CompactionParts, before: number): Promise<{ needed: Set<string>; refused: string[] }> {
  const runs = new Map(journal.runs().map(run => [run.id, run]))
  const open = (link: string): boolean => {
    const run = runs.get(link.split(':', 1)[0]!)
    return run !== undefined && !isOver(run.status)
  }
  const needed = new Set<string>()
  const refused: string[] = []
  for await (const [, { id, request }] of store.range<DispatchRecord>({ prefix: closedPrefix })) {
    if (request.chain.some(open)) needed.add(id)
    else if (!runs.has(id) && request.acceptBefore < before) refused.push(id)
  }
  return { needed, refused }
}

/** Forgets requests that came too late if they came again. @returns how many */
async function dropRequests({ store, journal }: CompactionParts, now: number): Promise<number> {
  let dropped = 0
  let ops: Op[] = []
  for await (const [key, { acceptBefore, joined, subGoal, goalId }] of store.range<RequestNote>({ prefix: ACCEPT_PREFIX })) {
    const isShared = joined === true || subGoal === true
    if (acceptBefore + ACCEPTED_KEPT_MS >= now || (isShared && journal.find(goalId) !== undefined)) continue
    ops.push({ type: 'del', key })
    dropped++
    if (ops.length < KEYS_AT_A_TIME) continue
    await store.batch(ops, { sync: false })
    ops = []
  }
  if (ops.length > 0) await store.batch(ops, { sync: false })
  return dropped
}

function* slices(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += GOALS_AT_A_TIME) yield ids.slice(at, at + GOALS_AT_A_TIME)
}
