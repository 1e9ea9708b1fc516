/** The growing ends of the runs' chains of records: gives each event its number and place, and brings it to disk. */
import { CloudburstError } from '../../errors.ts'
import type { GoalEvent, GoalEventBody } from '../../goals/pursuit/events.ts'
import { advance } from '../../goals/pursuit/summarise.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import {
  hashOf,
  type JournalRecord,
  RUN_PREFIX,
  recordKey,
  type RunEntry,
  runKey,
  SNAPSHOT_EVERY,
  type Snapshot,
  snapshotKey
} from './records.ts'
import { isOver, type RunIndex } from './run-index.ts'
import type { Op, Store } from './store.ts'

/** Where the chain of one run stands. */
export interface Chain {
  readonly goalId: string
  readonly mirrored: boolean
  seq: number
  hash: string
  /** After the last event, be it durable or not: what the next one follows on. */
  summary: RunSummary | undefined
  /** After the last durable event: what anybody may be told. */
  durable: RunSummary | undefined
  /** Appended but not yet durable. */
  pending: GoalEvent[]
  /** The latest durable events, up to the newest, while the run is at work: who follows it need not wait for the disk. */
  recent: GoalEvent[]
}

/** One event to come. */
export interface Link {
  readonly at: number
  readonly body: GoalEventBody
}

/** How events are written. */
export interface Writing {
  /** Joins the batch. */
  readonly extra: readonly Op[]
  readonly sync: boolean
}

/** The chains of all runs that are open here. */
export interface Chains {
  /** The chain if it is in memory. */
  get(goalId: string): Chain | undefined
  /** The same for those who only read: the latest runs that are over are still there. */
  look(goalId: string): Chain | undefined
  /** The chain, begun or read from disk. Without waiting where that is possible, so that numbers follow the order of calls. */
  reach(goalId: string, mirrored: boolean): Chain | Promise<Chain>
  /** Takes number and place now; resolves when the record is written (on disk, with `sync`) and everybody has been told. */
  extend(chain: Chain, link: Link & Writing): Promise<GoalEvent>
  /** The same for several, which are written all or none. */
  extendBy(chain: Chain, links: readonly Link[], writing: Writing): Promise<readonly GoalEvent[]>
  adopt(goalId: string, entry: RunEntry): void
  drop(goalId: string): void
  clear(): void
  /** Writes down how far all chains are. @throws when the disk refuses */
  saveHeads(): Promise<void>
}

/** Most durable events of one run that are held in memory. */
const RECENT_MAX = 64
/** Runs that are over and still held in memory: who asked for one reads how it went right after it has ended. */
const ENDED_MAX = 64
/** How often the heads file is written while goals come to rest, in milliseconds: each time costs two syncs, which goals would wait for. */
const HEADS_EVERY_MS = 1_000

/** @param tell gets each event when it is written, in order per goal */
export function openChains(store: Store, index: RunIndex, tell: (event: GoalEvent) => void): Chains {
  const chains = new Map<string, Chain>()
  const ended = new Map<string, Chain>()

  const drop = (goalId: string): void => {
    chains.delete(goalId)
    ended.delete(goalId)
  }
  const end = (chain: Chain): void => {
    drop(chain.goalId)
    ended.set(chain.goalId, chain)
    if (ended.size > ENDED_MAX) ended.delete(ended.keys().next().value!)
  }
  const keep = (chain: Chain): Chain => {
    ended.delete(chain.goalId)
    chains.set(chain.goalId, chain)
    return chain
  }
  const load = async (goalId: string, mirrored: boolean): Promise<Chain> => {
    const entry = await store.get<RunEntry>(runKey(goalId))
    return chains.get(goalId) ?? keep(entry === undefined ? newChain(goalId, mirrored) : chainOf(goalId, entry))
  }
  /** Chains being read, and those just read: whoever asked first goes on first, so that numbers follow the order of calls. */
  const loading = new Map<string, Promise<Chain>>()
  const loaded = (goalId: string, mirrored: boolean): Promise<Chain> => {
    const chain = load(goalId, mirrored)
    loading.set(goalId, chain)
    const read = (): void =>
      void setImmediate(() => {
        if (loading.get(goalId) === chain) loading.delete(goalId)
      })
    chain.then(read, read)
    return chain
  }
  let due: NodeJS.Timeout | undefined
  const saveHeads = async (): Promise<void> => {
    clearTimeout(due)
    due = undefined
    const durable = [...chains.values()].map(({ goalId, seq, pending }) => ({ goalId, seq: seq - pending.length }))
    const keys = durable.filter(({ seq }) => seq > 0).map(({ goalId, seq }) => recordKey(goalId, seq))
    await store.saveHeads({ keys, counts: { [RUN_PREFIX]: index.size } })
  }
  const saveHeadsSoon = (): void => {
    // Losing this file only makes the next opening less sharp-eyed, and a full disk has been reported by then.
    due ??= setTimeout(() => void saveHeads().catch(() => undefined), HEADS_EVERY_MS).unref()
  }
  /** These are on disk, and nothing of the run that came before them is on its way any more. */
  const written = (chain: Chain, events: readonly GoalEvent[], entry: RunEntry): void => {
    const { summary } = entry
    chain.pending.splice(0, events.length)
    chain.durable = summary
    chain.recent.push(...events)
    if (chain.recent.length > RECENT_MAX) chain.recent.splice(0, chain.recent.length - RECENT_MAX)
    // Nobody is in a hurry any more, and thousands of runs may wait like this.
    if (summary.status === 'suspended') chain.recent = []
    index.note(entry)
    for (const event of events) tell(event)
    if (isOver(summary.status) && chain.pending.length === 0) end(chain)
    if (events.some(({ body }) => settles(body))) saveHeadsSoon()
  }

  const extendBy: Chains['extendBy'] = async (chain, links, { extra, sync }) => {
    const { goalId } = chain
    const ops: Op[] = []
    const events: GoalEvent[] = []
    for (const { at, body } of links) {
      const event: GoalEvent = { goalId, seq: chain.seq + 1, at, body }
      const summary = advance(chain.summary, event)
      if (summary === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `goal ${goalId} was never proposed`, { id: goalId })
      const json = JSON.stringify({ seq: event.seq, prev: chain.hash, at, body } satisfies JournalRecord)
      chain.seq = event.seq
      chain.hash = hashOf(json)
      chain.summary = summary
      chain.pending.push(event)
      events.push(event)
      ops.push({ type: 'put', key: recordKey(goalId, event.seq), json }, ...snapshotOps(chain))
    }
    const entry: RunEntry = { summary: chain.summary!, head: chain.hash, ...(chain.mirrored ? { mirrored: true } : {}) }
    keep(chain)
    try {
      await store.batch([...ops, { type: 'put', key: runKey(goalId), value: entry }, ...extra], { sync })
    } catch (error) {
      // Whether it was written is not known: the next one begins from what is on disk.
      if (chains.get(goalId) === chain) chains.delete(goalId)
      throw error
    }
    written(chain, events, entry)
    return events
  }

  return {
    get: goalId => chains.get(goalId),
    look: goalId => chains.get(goalId) ?? ended.get(goalId),
    reach: (goalId, mirrored) =>
      loading.get(goalId) ?? chains.get(goalId) ?? (index.has(goalId) ? loaded(goalId, mirrored) : newChain(goalId, mirrored)),
    extend: async (chain, link) => (await extendBy(chain, [link], link))[0]!,
    extendBy,
    adopt: (goalId, entry) => void keep(chainOf(goalId, entry)),
    drop,
    clear: () => {
      chains.clear()
      ended.clear()
    },
    saveHeads
  }
}

function snapshotOps({ goalId, seq, hash, summary }: Chain): readonly Op[] {
  if (seq % SNAPSHOT_EVERY !== 0 || summary === undefined) return []
  return [{ type: 'put', key: snapshotKey(goalId), value: { seq, hash, summary } satisfies Snapshot }]
}

function newChain(goalId: string, mirrored: boolean): Chain {
  return { goalId, mirrored, seq: 0, hash: '', summary: undefined, durable: undefined, pending: [], recent: [] }
}

function chainOf(goalId: string, { summary, head, mirrored }: RunEntry): Chain {
  return { goalId, mirrored: mirrored === true, seq: summary.seq, hash: head, summary, durable: summary, pending: [], recent: [] }
}

/** Events after which nobody is in a hurry: a good moment for the heads file. */
function settles(body: GoalEventBody): boolean {
  return body.type === 'completed' || body.type === 'cancelled' || body.type === 'suspended'
}
