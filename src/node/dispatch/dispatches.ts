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
import { driveDispatch, givenUp, type Task, write } from './dispatch-task.ts'
import { Awaited } from './awaited.ts'
import { atItsTurn, type DispatchOrder, recordOf } from './dispatch-order.ts'
import {
  closedKey,
  closedPrefix,
  type DispatchOp,
  type DispatchRecord,
  type Fence,
  type GivingUp,
  isClosed,
  OPEN_PREFIX,
  recordOps
} from './dispatch-records.ts'
import { type EarlyStream, openEarly } from './early-stream.ts'
import { abandonable, openFences } from './fences.ts'
import { Groups, type Standing } from './groups.ts'

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
  const { store, log } = parts
  const tasks = new Map<string, Task>()
  const places = new Map<string, { node: string; peer: string }>()
  const starting = new Map<string, Promise<string>>()
  const stopping = new AbortController()
  const driven = new Set<Promise<void>>()
  const groups = new Groups()
  const awaited = new Awaited()
  const fences = await openFences({ ...parts, stopping: stopping.signal })

  const enter = (record: DispatchRecord, unheard: boolean, early?: EarlyStream): Task => {
    const task: Task = {
      record,
      unheard,
      waiting: undefined,
      suspended: false,
      listeners: new Set(),
      wake: () => undefined,
      ended: new AbortController(),
      ...(early && { early })
    }
    tasks.set(record.id, task)
    places.set(record.id, { node: record.node, peer: record.peer })
    awaited.enter(task)
    if (record.group !== undefined) {
      groups.set(record.id, record.group, standingOf(record, task))
      task.listeners.add(() => pump(task))
    }
    return task
  }
  const drive = (task: Task): void => {
    const { id } = task.record
    const done = driveDispatch(parts, task, AbortSignal.any([stopping.signal, task.ended.signal]))
      .catch(error => log.warn({ err: error, goal: id }, 'a dispatch is no longer seen to until the next start'))
      .finally(() => {
        driven.delete(done)
        task.early?.drop(new CloudburstError('CB_INTERRUPTED', 'the goal was not sent'))
        leave(task)
      })
    driven.add(done)
  }
  const leave = (task: Task): void => {
    if (isClosed(task.record)) {
      tasks.delete(task.record.id)
      awaited.leave(task)
      parts.secrets?.drop(task.record.id)
    }
    for (const listener of task.listeners) listener()
  }
  const inBackground = (work: Promise<void>): void => {
    const done = work
      .catch(error => log.warn({ err: error }, 'a goal whose turn it is could not be sent; it is at the next start'))
      .finally(() => driven.delete(done))
    driven.add(done)
  }
  /** Something has changed in a group: others may have their turn, or have none any more. */
  const pump = (task: Task): void => {
    const { id, group } = task.record
    if (group === undefined || stopping.signal.aborted) return
    groups.set(id, group, standingOf(task.record, task))
    const spent = groups.exhausted(group.id)
    for (const next of spent === undefined ? groups.next(group.id) : groups.waiting(group.id)) {
      const other = tasks.get(next)
      if (other?.record.state !== 'queued') continue
      groups.set(next, group, spent === undefined ? 'running' : 'failed')
      inBackground(spent === undefined ? begin(other) : close(other, { code: 'CB_NOT_SENT', message: `not sent: ${spent}` }))
    }
    groups.tidy(group.id)
  }
  const begin = async (task: Task): Promise<void> => {
    await write(parts, task, atItsTurn(task.record, parts.clock.now()))
    if (!isClosed(task.record)) drive(task)
  }
  const close = async (task: Task, error: ErrorData): Promise<void> => {
    await write(parts, task, { ...task.record, state: 'refused', error })
    leave(task)
  }

  for await (const [, record] of store.range<DispatchRecord>({ prefix: closedPrefix })) {
    places.set(record.id, { node: record.node, peer: record.peer })
    if (record.group !== undefined) groups.set(record.id, record.group, standingOf(record))
  }
  const open: Task[] = []
  for await (const [, record] of store.range<DispatchRecord>({ prefix: OPEN_PREFIX })) {
    const task = enter(record, record.sent)
    task.suspended = (await parts.journal.summary(record.id))?.status === 'suspended'
    if (record.group !== undefined) groups.set(record.id, record.group, standingOf(record, task))
    open.push(task)
  }
  for (const task of open) {
    if (task.record.state !== 'queued') drive(task)
    else pump(task)
  }
  const endPeerUp = parts.onPeerUp(peer => {
    fences.wake(peer)
    for (const task of tasks.values()) if (task.record.peer === peer) task.wake()
  })

  /** Ids of all records are known: a look at one that is new does not touch the disk, and lets nobody wait for a sync of its own. */
  const find = async (id: string): Promise<DispatchRecord | undefined> =>
    tasks.get(id)?.record ?? (places.has(id) ? await store.get<DispatchRecord>(closedKey(id)) : undefined)
  const add = async (id: string, order: DispatchOrder): Promise<string> => {
    // An id that was made just now names nothing yet.
    const before = order.id === undefined ? undefined : await find(id)
    // What was certainly never accepted may be asked for again: a sub-goal keeps its id when the goal above it is repaired.
    if (before !== undefined && before.state !== 'refused') return id
    if (tasks.size >= DISPATCHES_OPEN_MAX) throw new CloudburstError('CB_BUSY', `${tasks.size} dispatches are open already`)
    const assignments = (await parts.secrets?.seal(id, order)) ?? order.assignments
    const record = recordOf(id, { ...order, assignments }, parts.clock.now(), parts.isUp?.(order.peer) ?? false)
    const early = record.sent ? openEarly(parts.dialer, order.peer, DISPATCH, within(record.request)) : undefined
    try {
      const again: DispatchOp[] = before === undefined ? [] : [{ type: 'del', key: closedKey(id) }]
      await store.batch([...again, ...recordOps(record)], { sync: true })
    } catch (error) {
      early?.drop(new CloudburstError('CB_STORE_DEGRADED', 'the goal could not be written down'))
      throw error
    }
    const task = enter(record, false, early)
    if (record.state === 'queued') pump(task)
    else drive(task)
    return id
  }
  const within = ({ acceptBefore }: DispatchRequest): AbortSignal =>
    AbortSignal.any([stopping.signal, AbortSignal.timeout(Math.max(1, Math.min(acceptBefore - parts.clock.now(), TIMEOUT_MAX)))])
  /** Waits for a state of the dispatch. */
  const until = async (id: string, reached: (record: DispatchRecord) => boolean, signal?: AbortSignal): Promise<DispatchRecord> => {
    for (;;) {
      signal?.throwIfAborted()
      const task = tasks.get(id)
      const record = task?.record ?? (await find(id))
      if (record === undefined) throw unknown(id)
      if (reached(record)) return record
      if (task === undefined) continue
      stopping.signal.throwIfAborted()
      await changeOf(task, AbortSignal.any([stopping.signal, ...(signal === undefined ? [] : [signal])]))
    }
  }

  return {
    send: order => {
      const id = order.id ?? parts.random.id()
      const same = starting.get(id)
      if (same !== undefined) return same
      const adding = add(id, order).finally(() => starting.delete(id))
      starting.set(id, adding)
      return adding
    },
    verdict: async (id, signal) => (await until(id, ({ state }) => state !== 'open' && state !== 'queued', signal)).error,
    outcome: (id, signal) => until(id, isClosed, signal),
    find,
    open: () => [...tasks.values()].map(task => task.record).filter(record => !isClosed(record)),
    sentTo: id => places.get(id),
    ids: () => [...places.keys()],
    forget: ids => {
      for (const id of ids) if (!tasks.has(id)) places.delete(id)
    },
    waiting: id => tasks.get(id)?.waiting,
    awaitedBy: id => awaited.by(id),
    giveUp: async (id, by, how = {}) => {
      const task = tasks.get(id)
      if (task === undefined) throw unknown(id)
      await write(parts, task, { ...task.record, giveUp: { by, ...how } })
      if (task.record.state === 'queued') return await close(task, givenUp(task))
      task.wake()
      if (!task.record.sent) await until(id, record => isClosed(record) || record.sent)
    },
    abandon: async (id, why) => {
      const task = tasks.get(id)
      const known = task?.record ?? (await find(id))
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
      leave(task)
      if (sent) fences.begin(fence)
    },
    onWaiting: (id, listener) => {
      const task = tasks.get(id)
      let last: string | undefined
      const look = (): void => {
        const reason = task === undefined ? awaited.by(id).join('; ') : whyWaiting(task)
        if (reason !== undefined && reason !== '' && reason !== last) listener(reason)
        last = reason
      }
      if (task === undefined) {
        look()
        return awaited.onChange(id, look)
      }
      task.listeners.add(look)
      look()
      return () => task.listeners.delete(look)
    },
    stop: async () => {
      endPeerUp()
      stopping.abort(new CloudburstError('CB_INTERRUPTED', 'the daemon is stopping'))
      await Promise.all([...driven, fences.ended()])
    }
  }
}

function whyWaiting({ record, waiting }: Task): string | undefined {
  return record.state === 'queued' ? 'its turn has not come' : (waiting ?? record.error?.message)
}

/** Where a dispatch stands for those of its group. */
function standingOf({ state, outcome, receipt, patient }: DispatchRecord, task?: Task): Standing {
  switch (state) {
    case 'queued':
      return 'waiting'
    case 'done':
      return outcome === 'cancelled' ? 'failed' : 'done'
    case 'open':
      return patient === true && receipt === undefined && task?.waiting !== undefined ? 'away' : 'running'
    case 'accepted':
      return task?.suspended === true ? 'failed' : 'running'
    default:
      return 'failed'
  }
}

function abandoned(record: DispatchRecord, why: string | undefined): DispatchRecord {
  const message = `${record.node} was given up${why === undefined ? '' : `: ${why}`}; what it has done of ${record.request.goal} is not known`
  return { ...record, state: 'abandoned', error: { code: 'CB_PEER_UNREACHABLE', message, details: { peer: record.node, id: record.id } } }
}

function unknown(id: string): CloudburstError {
  return new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} was sent from here`, { id })
}

function changeOf(task: Task, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      task.listeners.delete(done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    task.listeners.add(done)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}
