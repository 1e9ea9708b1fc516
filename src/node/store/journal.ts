/**
 * The truth about every run of this node, and a copy of those it has sent away. One synced batch holds the record,
 * the summary after it and what the step wrote to its agent; readers are told afterwards.
 */
import { CloudburstError } from '../../errors.ts'
import type { Journal } from '../../goals/ports.ts'
import type { GoalEvent, GoalEventBody, Write } from '../../goals/pursuit/events.ts'
import type { RunStatus, RunSummary } from '../../goals/pursuit/summary.ts'
import { type Damage, damagedSummary, findDamage } from './damage.ts'
import { acceptKey, eventOf, hashOf, type JournalRecord, RUN_PREFIX, recordKey, recordsOf, type RunEntry, runKey } from './records.ts'
import type { Op, Store } from './store.ts'

/** What the journal is told by the rooms above it. */
export interface JournalHooks {
  /** Epoch milliseconds. */
  now(): number
  /** The summary after one more event: `advance` of goals/pursuit/summarise.ts. Undefined stands for a run that has no event yet. */
  advance(summary: RunSummary | undefined, event: GoalEvent): RunSummary | undefined
  /** Changes of the agent's state for the writes of a step below `agent.`; they join the batch of the step's outcome. */
  agentWrites?(goalId: string, writes: readonly Write[]): readonly Op[]
}

/** One run as the index in memory knows it. */
export interface RunNote {
  readonly id: string
  readonly status: RunStatus
  readonly seq: number
  readonly createdAt: number
  /** Pursued on another node. */
  readonly mirrored: boolean
}

/** A request of somebody else, to be accepted once. */
export interface Acceptance {
  /** Peer id of the caller and the id it chose. */
  readonly caller: string
  readonly request: string
  readonly goalId: string
  readonly body: Extract<GoalEventBody, { type: 'proposed' }>
  /** Epoch milliseconds until which the caller may ask again. */
  readonly acceptBefore: number
}

export type Accepted = { readonly goalId: string; readonly repeated: boolean }

/** The journal of this node: the port of goals/ports.ts, and what agency, dispatch and control need beside it. */
export interface NodeJournal extends Journal {
  /** @param from number of the first event wanted */
  read(goalId: string, from?: number): Promise<readonly GoalEvent[]>
  /** Every run, newest first. */
  runs(): readonly RunNote[]
  /** Summaries of all runs, newest first, read one by one. */
  summaries(): AsyncIterable<RunSummary>
  summary(goalId: string): Promise<RunSummary | undefined>
  /** `listener` gets each event once it is durable, in order per goal. It must not throw or block. @returns ends it */
  subscribe(goalId: string | '*', listener: (event: GoalEvent) => void): () => void
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
  /** Durable on return: the run exists and the same request will never make another. The same request again answers with what is recorded. */
  accept(acceptance: Acceptance, extra?: readonly Op[]): Promise<Accepted>
  /** Writes down how far the journal is, for the next opening to compare. Call it before the store is closed. */
  close(): Promise<void>
}

/** Where the chain of one open run stands. */
interface Chain {
  seq: number
  hash: string
  summary: RunSummary | undefined
  mirrored: boolean
  /** Appended but not yet durable. */
  pending: GoalEvent[]
}

/** Opens the journal in `store`; reads every summary once and walks the records of all runs that are not over. */
export async function openJournal(store: Store, hooks: JournalHooks): Promise<NodeJournal> {
  const chains = new Map<string, Chain>()
  const notes = new Map<string, RunNote>()
  const listeners = new Map<string, Set<(event: GoalEvent) => void>>()
  const accepting = new Map<string, Promise<Accepted>>()
  const damaged = new Map<string, Damage>()

  const readNotes = async (): Promise<readonly [string, RunEntry][]> => {
    const open: [string, RunEntry][] = []
    for await (const [key, entry] of store.range<RunEntry>({ prefix: RUN_PREFIX })) {
      note(notes, entry.summary, entry.mirrored === true)
      if (!isOver(entry.summary.status)) open.push([key.slice(RUN_PREFIX.length), entry])
    }
    return open
  }
  for (const [id, entry] of await readNotes()) {
    const damage = await findDamage(store, id, entry)
    if (damage === undefined) chains.set(id, chainOf(entry))
    else damaged.set(id, damage)
  }
  store.onState(state => {
    // A write that failed may be there after all, so what was known is read again.
    if (state === 'degraded') chains.clear()
    else void readNotes().catch(() => undefined)
  })

  const chainFor = async (goalId: string): Promise<Chain> => {
    const entry = await store.get<RunEntry>(runKey(goalId))
    const known = chains.get(goalId)
    if (known !== undefined) return known
    const chain = entry === undefined ? newChain(false) : chainOf(entry)
    chains.set(goalId, chain)
    return chain
  }

  /** Takes number and place in the chain now; the promise is for the disk. */
  const extend = (
    goalId: string,
    chain: Chain,
    at: number,
    body: GoalEventBody,
    extra: readonly Op[],
    sync: boolean
  ): Promise<GoalEvent> => {
    const event: GoalEvent = { goalId, seq: chain.seq + 1, at, body }
    const summary = hooks.advance(chain.summary, event)
    if (summary === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `goal ${goalId} was never proposed`, { id: goalId })
    const json = JSON.stringify({ seq: event.seq, prev: chain.hash, at, body } satisfies JournalRecord)
    chain.seq = event.seq
    chain.hash = hashOf(json)
    chain.summary = summary
    chain.pending.push(event)
    const entry: RunEntry = { summary, head: chain.hash, ...(chain.mirrored ? { mirrored: true } : {}) }
    const ops: Op[] = [
      { type: 'put', key: recordKey(goalId, event.seq), json },
      { type: 'put', key: runKey(goalId), value: entry },
      ...extra
    ]
    const written = store.batch(ops, { sync })
    return written.then(
      () => {
        chain.pending.shift()
        note(notes, summary, chain.mirrored)
        tell(event)
        if (isOver(summary.status) && chain.pending.length === 0) chains.delete(goalId)
        if (settles(body)) void saveHeads()
        return event
      },
      (error: unknown) => {
        if (chains.get(goalId) === chain) chains.delete(goalId)
        throw error
      }
    )
  }

  const tell = (event: GoalEvent): void => {
    for (const name of [event.goalId, '*']) for (const listener of listeners.get(name) ?? []) listener(event)
  }
  const refuseDamaged = (goalId: string): void => {
    const damage = damaged.get(goalId)
    if (damage !== undefined) throw new CloudburstError('CB_STORE_DAMAGED', damage.reason, { id: goalId })
  }
  const saveHeads = async (): Promise<void> => {
    const open = [...chains].filter(([, chain]) => chain.seq > chain.pending.length)
    const keys = open.map(([id, chain]) => recordKey(id, chain.seq - chain.pending.length))
    // Losing this file only makes the next opening less sharp-eyed, and a full disk has been reported by then.
    await store.saveHeads({ keys, counts: { [RUN_PREFIX]: notes.size } }).catch(() => undefined)
  }

  const append = (goalId: string, body: GoalEventBody, extra: readonly Op[] = []): Promise<GoalEvent> => {
    const chain = chains.get(goalId) ?? (notes.has(goalId) ? undefined : newChain(false))
    const writes = body.type === 'step-ended' ? body.writes.filter(write => write.path.startsWith('agent.')) : []
    const ops = writes.length === 0 ? extra : [...extra, ...(hooks.agentWrites?.(goalId, writes) ?? [])]
    if (chain === undefined) return chainFor(goalId).then(loaded => extend(goalId, loaded, hooks.now(), body, ops, true))
    chains.set(goalId, chain)
    return extend(goalId, chain, hooks.now(), body, ops, true)
  }

  const acceptOnce = async (acceptance: Acceptance, extra: readonly Op[]): Promise<Accepted> => {
    const key = acceptKey(acceptance.caller, acceptance.request)
    const recorded = await store.get<{ goalId: string }>(key)
    if (recorded !== undefined) return { goalId: recorded.goalId, repeated: true }
    const { goalId, acceptBefore, body } = acceptance
    if (notes.has(goalId) || chains.has(goalId))
      throw new CloudburstError('CB_VALUE_INVALID', `a run ${goalId} exists already`, { id: goalId })
    await append(goalId, body, [{ type: 'put', key, value: { goalId, acceptBefore } }, ...extra])
    return { goalId, repeated: false }
  }

  const newestFirst = (): readonly RunNote[] => [...notes.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
  const summaryOf = async (goalId: string): Promise<RunSummary | undefined> => {
    const summary = chains.get(goalId)?.summary ?? (await store.get<RunEntry>(runKey(goalId)))?.summary
    const damage = damaged.get(goalId)
    return summary === undefined || damage === undefined ? summary : damagedSummary(summary, damage)
  }
  const verify = async (goalId: string): Promise<Damage | undefined> => {
    const entry = await store.get<RunEntry>(runKey(goalId))
    const damage = await findDamage(store, goalId, entry)
    const grew = damage !== undefined && (await store.get<RunEntry>(runKey(goalId)))?.head !== entry?.head
    return grew ? verify(goalId) : damage
  }

  return {
    damaged,
    append: async (goalId, body) => {
      refuseDamaged(goalId)
      return append(goalId, body)
    },
    read: async (goalId, from = 1) => {
      // Copied before the disk is read: what becomes durable meanwhile is found there, once.
      const pending = [...(chains.get(goalId)?.pending ?? [])]
      const events: GoalEvent[] = []
      const after = from > 1 ? { after: recordKey(goalId, from - 1) } : {}
      for await (const [, record] of store.range<JournalRecord>({ prefix: recordsOf(goalId), ...after }))
        events.push(eventOf(goalId, record))
      const last = events.at(-1)?.seq ?? 0
      return [...events, ...pending.filter(event => event.seq > last && event.seq >= from)]
    },
    runs: newestFirst,
    summaries: async function* () {
      for (const { id } of newestFirst()) {
        const summary = await summaryOf(id)
        if (summary !== undefined) yield summary
      }
    },
    summary: summaryOf,
    subscribe: (goalId, listener) => {
      const all = listeners.get(goalId) ?? new Set()
      listeners.set(goalId, all.add(listener))
      return () => {
        all.delete(listener)
        if (all.size === 0 && listeners.get(goalId) === all) listeners.delete(goalId)
      }
    },
    verify,
    mirror: async (goalId, events, extra = [], options = { sync: false }) => {
      refuseDamaged(goalId)
      const chain = chains.get(goalId) ?? (notes.has(goalId) ? await chainFor(goalId) : newChain(true))
      const fresh = events.filter(event => event.seq > chain.seq)
      const expected = chain.seq + 1
      const gap = fresh.findIndex((event, at) => event.seq !== expected + at)
      if (gap !== -1) {
        const message = `event ${fresh[gap]!.seq} of goal ${goalId} came where ${expected + gap} was due`
        throw new CloudburstError('CB_FRAME_INVALID', message, { id: goalId, expected: expected + gap })
      }
      if (fresh.length > 0) chains.set(goalId, chain)
      const written = fresh.map((event, at) =>
        extend(goalId, chain, event.at, event.body, at === fresh.length - 1 ? extra : [], options.sync)
      )
      if (written.length === 0 && extra.length > 0) await store.batch(extra, options)
      await Promise.all(written)
    },
    accept: (acceptance, extra = []) => {
      const key = acceptKey(acceptance.caller, acceptance.request)
      const running = accepting.get(key) ?? acceptOnce(acceptance, extra).finally(() => accepting.delete(key))
      if (accepting.has(key)) return running.then(({ goalId }) => ({ goalId, repeated: true }))
      accepting.set(key, running)
      return running
    },
    close: saveHeads
  }
}

function newChain(mirrored: boolean): Chain {
  return { seq: 0, hash: '', summary: undefined, mirrored, pending: [] }
}

function chainOf(entry: RunEntry): Chain {
  return { seq: entry.summary.seq, hash: entry.head, summary: entry.summary, mirrored: entry.mirrored === true, pending: [] }
}

function note(notes: Map<string, RunNote>, { id, status, seq, createdAt }: RunSummary, mirrored: boolean): void {
  notes.set(id, { id, status, seq, createdAt, mirrored })
}

function isOver(status: RunStatus): boolean {
  return status === 'completed' || status === 'cancelled'
}

/** Events after which nobody is in a hurry: a good moment for the heads file. */
function settles(body: GoalEventBody): boolean {
  return body.type === 'completed' || body.type === 'cancelled' || body.type === 'suspended'
}
