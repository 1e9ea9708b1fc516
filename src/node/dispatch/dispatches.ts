/**
 * Goals sent to other nodes. Each has a task that does not end before the goal's outcome, or the refusal, is on disk here:
 * through lost connections, restarts of the peer, and restarts of this daemon.
 */
import { CloudburstError, type ErrorData } from '../../errors.ts'
import type { Clock, Random } from '../../goals/ports.ts'
import type { Assignment, GoalEvent, OutputChunk, Principal } from '../../goals/pursuit/events.ts'
import type { SourceFile } from '../../goals/program/model.ts'
import type { RunStatus } from '../../goals/pursuit/summary.ts'
import type { DispatchRequest } from '../../protocols/dispatch/executor.ts'
import { DISPATCH, type OutputHead } from '../../protocols/dispatch/messages.ts'
import type { Signing } from '../../protocols/behalf.ts'
import type { Dialer } from '../../protocols/wire/channel.ts'
import { givenUp, type Task, write } from './dispatch-task.ts'
import { DispatchTable, unknown } from './dispatch-table.ts'
import { type DispatchOrder, recordOf } from './dispatch-order.ts'
import { closedKey, type DispatchOp, type DispatchRecord, type Fence, type GivingUp, isClosed, recordOps } from './dispatch-records.ts'
import { openEarly } from './early-stream.ts'
import { abandonable, openFences } from './fences.ts'

export type { DispatchOrder } from './dispatch-order.ts'
export type { DispatchRecord, DispatchState } from './dispatch-records.ts'

/** Most dispatches that are open at a time: each may hold a stream. */
export const DISPATCHES_OPEN_MAX = 10_000
/** Longest timer of this runtime, in milliseconds. */
const TIMEOUT_MAX = 2 ** 31 - 1

export interface DispatchParts {
  readonly store: {
    get<T>(key: string): Promise<T | undefined>
    range<T>(range: { readonly prefix: string }): AsyncIterable<[string, T]>
    batch(ops: readonly DispatchOp[], options: { readonly sync: boolean }): Promise<void>
  }
  readonly journal: {
    summary(goalId: string): Promise<{ readonly seq: number; readonly status?: RunStatus } | undefined>
    mirror(goalId: string, events: readonly GoalEvent[], extra?: readonly DispatchOp[], options?: { readonly sync: boolean }): Promise<void>
  }
  readonly dialer: Dialer
  /** Calls `listener` whenever a peer has become reachable. @returns ends it */
  readonly onPeerUp: (listener: (peer: string) => void) => () => void
  /** Whether a connection to the peer stands: saves one sync. */
  readonly isUp?: (peer: string) => boolean
  /** @throws CloudburstError CB_PROGRAM_UNKNOWN */
  readonly programFiles: (hash: string) => Promise<readonly SourceFile[]>
  /** Opens a receipt's envelope. @throws CloudburstError CB_SIGNATURE_INVALID */
  readonly openReceipt: (envelope: Uint8Array) => { readonly signer: string; readonly payload: Uint8Array }
  /** Keeps output of the peer's steps, and says how much of it is kept. */
  readonly output?: {
    write(chunk: OutputChunk): Promise<void>
    heads(goalId: string): Promise<readonly OutputHead[]>
  }
  /** Keeps the secrets of an order out of what is stored, puts them into what is sent, and forgets them at the end. */
  readonly secrets?: {
    seal(id: string, order: DispatchOrder): Promise<readonly Assignment[]>
    reveal(assignments: readonly Assignment[]): Promise<readonly Assignment[]>
    drop(id: string): void
  }
  /** Sends the wish of a person to give the goal up on to a peer that is there again. */
  readonly cancelThere?: (record: DispatchRecord) => void
  readonly self: string
  /** Signs what is sent. Absent: it is sent unsigned, and cannot be passed on by its executor. */
  readonly sign?: Signing
  readonly clock: Clock
  readonly random: Random
  readonly log: { info(what: object, message: string): void; warn(what: object, message: string): void }
}

export interface Dispatches {
  /**
   * Writes the order down and starts to see to it. Durable on return; whether the peer accepts is told by {@link verdict}.
   * @returns the goal's id, here and at the peer
   * @throws CloudburstError CB_BUSY, CB_STORE_DEGRADED
   */
  send(order: DispatchOrder): Promise<string>
  /** Waits until the peer has accepted (undefined) or it is certain that it never will (why). @throws AbortError */
  verdict(id: string, signal?: AbortSignal): Promise<ErrorData | undefined>
  /** Waits until the outcome is in the journal, or the dispatch was refused. @throws AbortError */
  outcome(id: string, signal?: AbortSignal): Promise<DispatchRecord>
  find(id: string): Promise<DispatchRecord | undefined>
  /** Dispatches without an outcome. */
  open(): readonly DispatchRecord[]
  /** Name and peer id of the node a goal was sent to; undefined for goals of this node. */
  sentTo(id: string): { readonly node: string; readonly peer: string } | undefined
  /** Ids of all goals that were sent from here, and are remembered. */
  ids(): readonly string[]
  /** Why nothing is heard of a goal right now. */
  waiting(id: string): string | undefined
  /** Sub-goals sent away that a goal of this node has to wait for, each with why. */
  awaitedBy(id: string): readonly string[]
  /** Sees to it that a goal without an outcome is cancelled: now when it was not sent yet, else once the peer is there. Durable on return. */
  giveUp(id: string, by: Principal, how?: GivingUp): Promise<void>
  /**
   * Ends the waiting for a peer that is gone for good; it is told should it return. Durable on return.
   * @throws CloudburstError CB_RUN_UNKNOWN; CB_USAGE when there is nothing to wait for
   */
  abandon(id: string, why?: string): Promise<void>
  /** Their records have been removed: nothing is known of them from here on. */
  forget(ids: readonly string[]): void
  /** Says why nothing is heard of a goal, or of one that it has sent away: now, if so, and each time it changes. @returns ends it */
  onWaiting(id: string, listener: (reason: string) => void): () => void
  /** Lets go of all connections. What is open goes on at the next start. */
  stop(): Promise<void>
}

/** Reads what is open and goes on with it at once. */
export async function openDispatches(parts: DispatchParts): Promise<Dispatches> {
  const { store } = parts
  const table = new DispatchTable(parts)
  const starting = new Map<string, Promise<string>>()
  const fences = await openFences({ ...parts, stopping: table.stopping })
  await table.read()
  const endPeerUp = parts.onPeerUp(peer => {
    fences.wake(peer)
    table.wake(peer)
  })

  const add = async (id: string, order: DispatchOrder): Promise<string> => {
    // An id that was made just now names nothing yet.
    const before = order.id === undefined ? undefined : await table.find(id)
    // What was certainly never accepted may be asked for again: a sub-goal keeps its id when the goal above it is repaired.
    if (before !== undefined && before.state !== 'refused') return id
    if (table.size >= DISPATCHES_OPEN_MAX) throw new CloudburstError('CB_BUSY', `${table.size} dispatches are open already`)
    const assignments = (await parts.secrets?.seal(id, order)) ?? order.assignments
    const record = recordOf(id, { ...order, assignments }, parts.clock.now(), parts.isUp?.(order.peer) ?? false)
    const early = record.sent ? openEarly(parts.dialer, order.peer, DISPATCH, acceptedWithin(record.request)) : undefined
    try {
      const again: DispatchOp[] = before === undefined ? [] : [{ type: 'del', key: closedKey(id) }]
      await store.batch([...again, ...recordOps(record)], { sync: true })
    } catch (error) {
      early?.drop(new CloudburstError('CB_STORE_DEGRADED', 'the goal could not be written down'))
      throw error
    }
    table.add(record, early)
    return id
  }
  const acceptedWithin = ({ acceptBefore }: DispatchRequest): AbortSignal =>
    AbortSignal.any([table.stopping, AbortSignal.timeout(Math.max(1, Math.min(acceptBefore - parts.clock.now(), TIMEOUT_MAX)))])

  return {
    send: order => {
      const id = order.id ?? parts.random.id()
      const same = starting.get(id)
      if (same !== undefined) return same
      const adding = add(id, order).finally(() => starting.delete(id))
      starting.set(id, adding)
      return adding
    },
    verdict: async (id, signal) => (await table.until(id, ({ state }) => state !== 'open' && state !== 'queued', signal)).error,
    outcome: (id, signal) => table.until(id, isClosed, signal),
    find: id => table.find(id),
    open: () => table.open(),
    sentTo: id => table.placeOf(id),
    ids: () => table.ids(),
    forget: ids => table.forget(ids),
    waiting: id => table.get(id)?.waiting,
    awaitedBy: id => table.awaited.by(id),
    giveUp: async (id, by, how = {}) => {
      const task = table.get(id)
      if (task === undefined) throw unknown(id)
      await write(parts, task, { ...task.record, giveUp: { by, ...how } })
      if (task.record.state === 'queued') return await table.close(task, givenUp(task))
      task.wake()
      if (!task.record.sent) await table.until(id, record => isClosed(record) || record.sent)
    },
    abandon: async (id, why) => {
      const task = table.get(id)
      const known = task?.record ?? (await table.find(id))
      if (known === undefined) throw unknown(id)
      abandonable(known.state, id)
      if (task === undefined || isClosed(known)) return
      const { peer, node } = task.record
      const fence: Fence = { id, peer, node, ...(why !== undefined && { why }) }
      const record = abandoned(task.record, why)
      await store.batch([...recordOps(record), ...(task.record.sent ? [fences.op(fence)] : [])], { sync: true })
      const { sent } = task.record
      task.record = record
      task.ended.abort(new CloudburstError('CB_INTERRUPTED', 'the goal was abandoned'))
      table.leave(task)
      if (sent) fences.begin(fence)
    },
    onWaiting: (id, listener) => whileWaiting(table, id, listener),
    stop: async () => {
      endPeerUp()
      await Promise.all([table.end(), fences.ended()])
    }
  }
}

/** Says why nothing is heard of a goal, each time that changes. @returns ends it */
function whileWaiting(table: DispatchTable, id: string, listener: (reason: string) => void): () => void {
  const { awaited } = table
  const task = table.get(id)
  let last: string | undefined
  const look = (): void => {
    const reason = task === undefined ? awaited.by(id).join('; ') : whyWaiting(task)
    if (reason !== undefined && reason !== '' && reason !== last) listener(reason)
    last = reason
  }
  look()
  if (task === undefined) return awaited.onChange(id, look)
  task.listeners.add(look)
  return () => task.listeners.delete(look)
}

function whyWaiting({ record, waiting }: Task): string | undefined {
  return record.state === 'queued' ? 'its turn has not come' : (waiting ?? record.error?.message)
}

function abandoned(record: DispatchRecord, why: string | undefined): DispatchRecord {
  const message = `${record.node} was given up${why === undefined ? '' : `: ${why}`}; what it has done of ${record.request.goal} is not known`
  return { ...record, state: 'abandoned', error: { code: 'CB_PEER_UNREACHABLE', message, details: { peer: record.node, id: record.id } } }
}
