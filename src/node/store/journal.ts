/**
 * The truth about every run of this node, and a copy of those it has sent away. One synced batch holds the record,
 * the summary after it and what the step wrote to its agent; readers are told afterwards.
 */
import { CloudburstError } from '../../errors.ts'
import type { Journal } from '../../goals/ports.ts'
import type { GoalEvent, Write } from '../../goals/pursuit/events.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import { type Acceptance, type Accepted, accepting, askersOf, leave } from './acceptance.ts'
import { catchingUp } from './catching-up.ts'
import { type Chain, openChains } from './chains.ts'
import { type Damage, damagedSummary, findDamage, findNewDamage } from './damage.ts'
import { acceptKey, eventOf, type JournalRecord, recordKey, recordsOf, RUN_PREFIX, type RunEntry, runKey } from './records.ts'
import { type Removal, removal } from './removal.ts'
import { isOver, type RunIndex, type RunNote, runIndex } from './run-index.ts'
import type { Op, Store } from './store.ts'
import { subscribers } from './subscribers.ts'

export type { Acceptance, Accepted } from './acceptance.ts'
export type { RunNote } from './run-index.ts'

/** What the journal is told by the rooms above it. */
export interface JournalHooks {
  /** Epoch milliseconds. */
  now(): number
  /** Changes of the agent's state for the writes of a step or repair below `agent.`: they join the batch of that event, and `written` is called when it is on disk. */
  agentWrites?(goalId: string, writes: readonly Write[]): { readonly ops: readonly Op[]; written(): void } | undefined
}

/** The journal of this node: the port of goals/ports.ts, and what agency, dispatch and control need beside it. */
export interface NodeJournal extends Journal, Removal {
  /**
   * @param from number of the first event wanted
   * @throws CloudburstError CB_RUN_COMPACTED
   */
  read(goalId: string, from?: number): Promise<readonly GoalEvent[]>
  /**
   * Only such events as are on disk: what anybody else may be told.
   * @param most of them, the first ones, when they have to be read from disk; absent: all
   * @throws CloudburstError CB_RUN_COMPACTED
   */
  readDurable(goalId: string, from?: number, most?: number): Promise<readonly GoalEvent[]>
  /** Every run, newest first. */
  runs(): readonly RunNote[]
  find(goalId: string): RunNote | undefined
  /** How many runs of this node are not over. */
  readonly open: number
  /** `listener` is called when writing has become possible again, and everything has been read anew: a write that failed may be there after all. */
  onReread(listener: () => void): void
  /** Summaries of all runs, or of those `wanted`, newest first, read one by one. */
  summaries(wanted?: (run: RunNote) => boolean): AsyncIterable<RunSummary>
  /** As of the last event on disk. */
  summary(goalId: string): Promise<RunSummary | undefined>
  /** `listener` gets each event once it is durable, in order per goal. It must not throw or block. @returns ends it */
  subscribe(goalId: string | '*', listener: (event: GoalEvent) => void): () => void
  /** From here on a suspension of the goal is told only with what follows it, or once this is ended. @returns ends it */
  withhold(goalId: string): () => void
  /** Checks numbers and hashes of all records. @returns undefined when they hold */
  verify(goalId: string): Promise<Damage | undefined>
  /** Runs found damaged at opening: nothing is appended to them, their summaries say `journal-damaged`. */
  readonly damaged: ReadonlyMap<string, Damage>
  /**
   * Keeps events of a run pursued elsewhere. What is known already is ignored.
   * @param extra joins the batch, e.g. how far the executor is known
   * @throws CloudburstError CB_FRAME_INVALID for a gap: ask again from the number in `details.expected`
   */
  mirror(goalId: string, events: readonly GoalEvent[], extra?: readonly Op[], options?: { readonly sync: boolean }): Promise<void>
  /** Appends what happened to another run as if it had happened to this one; what it wrote to its agent stays as it is there. Durable on return. */
  takeOver(goalId: string, bodies: readonly GoalEvent['body'][]): Promise<void>
  /** Durable on return: the run exists and the same request will never make another. The same request again answers with what is recorded. */
  accept(acceptance: Acceptance, extra?: readonly Op[]): Promise<Accepted>
  /** Whether a request of `caller` was accepted, also one for a run that somebody else had asked for. */
  hasAccepted(caller: string, request: string): Promise<boolean>
  /** Peer ids of all who have asked for a run under its own id, and have not left it since. */
  askers(goalId: string): Promise<readonly string[]>
  /** Whoever asked for the run has no need of it any more. Durable on return. */
  leave(goalId: string, caller: string): Promise<void>
  /** Writes down how far the journal is, for the next opening to compare. Call it before the store is closed. */
  close(): Promise<void>
}

/** Opens the journal in `store`; reads every summary once and checks what the runs that are not over have had since their last snapshot. */
export async function openJournal(store: Store, hooks: JournalHooks): Promise<NodeJournal> {
  const index = runIndex()
  const damaged = new Map<string, Damage>()
  const readers = subscribers()
  /** From a failed write until all has been read again: what was to be written may be there, and nobody knows. */
  let uncertain = false
  const catching = catchingUp(readers, index, {
    runs: async () => {
      await readIndex(store, index)
      uncertain = store.state !== 'ready'
    },
    events: (goalId, from) => readEvents(store, goalId, from)
  })
  const chains = openChains(store, index, catching.tell)

  for (const [id, entry] of await readIndex(store, index)) {
    const damage = await findNewDamage(store, id, entry)
    if (damage === undefined) chains.adopt(id, entry)
    else damaged.set(id, damage)
  }
  const rereaders = new Set<() => void>()
  const reread = async (): Promise<void> => {
    await catching.run()
    for (const listener of rereaders) listener()
  }
  store.onState(state => {
    // A write that failed may be there after all, so what was known is read again.
    chains.clear()
    uncertain = true
    if (state === 'ready') void reread().catch(() => undefined)
  })

  const append = async (goalId: string, body: GoalEvent['body'], extra: readonly Op[] = []): Promise<GoalEvent> => {
    refuseDamaged(damaged, goalId)
    const reached = chains.reach(goalId, false)
    const chain = reached instanceof Promise ? await reached : reached
    // From here to the store without waiting: what an agent is next begins from this.
    const change = agentChange(hooks, goalId, body)
    const event = await chains.extend(chain, { at: hooks.now(), body, extra: [...extra, ...(change?.ops ?? [])], sync: true })
    change?.written()
    return event
  }
  const summaryOf = async (goalId: string): Promise<RunSummary | undefined> => {
    const here = chains.look(goalId)?.durable
    if (here === undefined && !index.has(goalId)) {
      if (uncertain)
        throw new CloudburstError('CB_STORE_DEGRADED', `whether goal ${goalId} is here is not known before the store can be written`)
      return undefined
    }
    const summary = here ?? (await store.get<RunEntry>(runKey(goalId)))?.summary
    const damage = damaged.get(goalId)
    return summary === undefined || damage === undefined ? summary : damagedSummary(summary, damage)
  }
  const eventsOf = async (goalId: string, from: number, most?: number): Promise<GoalEvent[]> => {
    const chain = chains.look(goalId)
    if (chain !== undefined && chain.durable === undefined) return []
    const recent = chain?.recent ?? []
    const first = recent[0]?.seq
    if (first !== undefined && first <= from) return recent.filter(event => event.seq >= from)
    const compacted = index.get(goalId)?.compacted === true
    if (compacted && from === 1)
      throw new CloudburstError('CB_RUN_COMPACTED', `the events of goal ${goalId} were removed: it ended too long ago`, { id: goalId })
    return compacted ? [] : readEvents(store, goalId, from, most)
  }
  const read = async (goalId: string, from = 1): Promise<GoalEvent[]> => {
    // Copied before the disk is read: what becomes durable meanwhile is found there, once.
    const pending = [...(chains.get(goalId)?.pending ?? [])]
    const events = await eventsOf(goalId, from)
    const last = events.at(-1)?.seq ?? 0
    return [...events, ...pending.filter(event => event.seq > last && event.seq >= from)]
  }
  const has = (goalId: string): boolean => index.has(goalId) || chains.get(goalId) !== undefined
  const accept = accepting(store, { propose: append, has, read })

  return {
    damaged,
    append: (goalId, body) => append(goalId, body),
    read,
    readDurable: async (goalId, from = 1, most) => {
      // What a failed write has left can be read before it is known to be on disk, and may yet be gone after a crash.
      const durable = index.get(goalId)?.seq ?? 0
      return (await eventsOf(goalId, from, most)).filter(
        event => event.seq < durable || (event.seq === durable && !readers.withholds(event))
      )
    },
    runs: index.newestFirst,
    find: index.get,
    get open() {
      return index.open
    },
    onReread: listener => void rereaders.add(listener),
    summaries: async function* (wanted = () => true) {
      for (const run of index.newestFirst()) {
        if (!wanted(damaged.has(run.id) ? { ...run, status: 'suspended' } : run)) continue
        const summary = await summaryOf(run.id)
        if (summary !== undefined) yield summary
      }
    },
    summary: summaryOf,
    subscribe: readers.subscribe,
    withhold: goalId => readers.withhold(goalId, chains.get(goalId)?.seq ?? index.get(goalId)?.seq ?? 0),
    verify: goalId => verify(store, goalId),
    mirror: async (goalId, events, extra = [], options = { sync: false }) => {
      refuseDamaged(damaged, goalId)
      const reached = chains.reach(goalId, true)
      const chain = reached instanceof Promise ? await reached : reached
      const fresh = freshEvents(chain, events)
      const last = fresh.at(-1)
      const written = fresh.length === 0 ? undefined : chains.extendBy(chain, fresh, { extra, ...options })
      if (last === undefined && extra.length > 0) await store.batch(extra, options)
      if (last === undefined && chain.pending.length === 0 && chain.summary !== undefined && isOver(chain.summary.status))
        chains.drop(goalId)
      await written
    },
    takeOver: async (goalId, bodies) => {
      refuseDamaged(damaged, goalId)
      const reached = chains.reach(goalId, false)
      const chain = reached instanceof Promise ? await reached : reached
      await Promise.all(
        bodies.map((body, at) => chains.extend(chain, { at: hooks.now(), body, extra: [], sync: at === bodies.length - 1 }))
      )
    },
    accept: (acceptance, extra = []) => accept(acceptance, extra),
    hasAccepted: async (caller, request) => (await store.get(acceptKey(caller, request))) !== undefined,
    askers: goalId => askersOf(store, goalId),
    leave: (goalId, caller) => leave(store, caller, goalId),
    ...removal(store, index, chains),
    close: () => chains.saveHeads().catch(() => undefined)
  }
}

/** Fills the index. @returns the runs that are not over */
async function readIndex(store: Store, index: RunIndex): Promise<readonly [string, RunEntry][]> {
  const open: [string, RunEntry][] = []
  for await (const [key, entry] of store.range<RunEntry>({ prefix: RUN_PREFIX })) {
    index.note(entry)
    if (!isOver(entry.summary.status)) open.push([key.slice(RUN_PREFIX.length), entry])
  }
  return open
}

async function readEvents(store: Store, goalId: string, from: number, most?: number): Promise<GoalEvent[]> {
  const events: GoalEvent[] = []
  const after = from > 1 ? { after: recordKey(goalId, from - 1) } : {}
  const range = { prefix: recordsOf(goalId), ...after, ...(most !== undefined && { limit: most }) }
  for await (const [, record] of store.range<JournalRecord>(range)) events.push(eventOf(goalId, record))
  return events
}

async function verify(store: Store, goalId: string): Promise<Damage | undefined> {
  const entry = await store.get<RunEntry>(runKey(goalId))
  const damage = await findDamage(store, goalId, entry)
  const grew = damage !== undefined && (await store.get<RunEntry>(runKey(goalId)))?.head !== entry?.head
  return grew ? verify(store, goalId) : damage
}

function agentChange(hooks: JournalHooks, goalId: string, body: GoalEvent['body']): ReturnType<NonNullable<JournalHooks['agentWrites']>> {
  const writes = writesOf(body).filter(write => write.path.startsWith('agent.'))
  return writes.length === 0 ? undefined : hooks.agentWrites?.(goalId, writes)
}

/** By a step, or by a person's repair. */
function writesOf(body: GoalEvent['body']): readonly Write[] {
  if (body.type === 'step-ended') return body.writes
  if (body.type !== 'repaired') return []
  return body.assignments.flatMap(({ path, value }) => (typeof value === 'string' ? [] : [{ path, value }]))
}

/** @throws when one is missing between what is known and what came */
function freshEvents(chain: Chain, events: readonly GoalEvent[]): readonly GoalEvent[] {
  const { goalId, seq } = chain
  const fresh = events.filter(event => event.seq > seq)
  const gap = fresh.findIndex((event, at) => event.seq !== seq + 1 + at)
  if (gap === -1) return fresh
  const expected = seq + 1 + gap
  const message = `event ${fresh[gap]!.seq} of goal ${goalId} came where ${expected} was due`
  throw new CloudburstError('CB_FRAME_INVALID', message, { id: goalId, expected })
}

function refuseDamaged(damaged: ReadonlyMap<string, Damage>, goalId: string): void {
  const damage = damaged.get(goalId)
  if (damage !== undefined) throw new CloudburstError('CB_STORE_DAMAGED', damage.reason, { id: goalId })
}
