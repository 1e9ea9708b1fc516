/**
 * Goals sent to other nodes. Each has a task that does not end before the goal's outcome, or the refusal, is on disk here:
 * through lost connections, restarts of the peer, and restarts of this daemon.
 */
import { CloudburstError, type ErrorData, fromErrorData } from '../../errors.ts'
import type { Clock, Random } from '../../goals/ports.ts'
import type { Assignment, GoalEvent, OutputChunk } from '../../goals/pursuit/events.ts'
import type { SourceFile } from '../../goals/program/model.ts'
import type { RunStatus } from '../../goals/pursuit/summary.ts'
import type { DispatchRequest } from '../../protocols/dispatch/executor.ts'
import { DISPATCH, type OutputHead } from '../../protocols/dispatch/messages.ts'
import type { Dialer } from '../../protocols/wire/channel.ts'
import { driveDispatch, type Task } from './dispatch-task.ts'
import { closedKey, closedPrefix, type DispatchOp, type DispatchRecord, isClosed, OPEN_PREFIX, recordOps } from './dispatch-records.ts'
import { type EarlyStream, openEarly } from './early-stream.ts'

export type { DispatchRecord, DispatchState } from './dispatch-records.ts'

/** A peer has this long to accept, in milliseconds, unless the caller says otherwise: longer than a daemon's restart. */
export const ACCEPT_WITHIN_MS = 10_000
/** Most dispatches that are open at a time: each may hold a stream. */
export const DISPATCHES_OPEN_MAX = 10_000

export interface DispatchOrder {
  /** Chosen by the caller when it may ask again, e.g. a sub-goal; the same id is the same dispatch. */
  readonly id?: string
  /** Peer id, and the name to show for it. */
  readonly peer: string
  readonly node: string
  readonly goal: string
  readonly program: { readonly name: string; readonly hash: string }
  readonly agent?: string
  readonly mode?: 'pursue' | 'execute'
  readonly assignments: readonly Assignment[]
  readonly chain?: readonly string[]
  readonly email?: string
  readonly locale?: string
  readonly stepwise?: boolean
  readonly sshReuse?: boolean
  readonly acceptWithinMs?: number
}

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
  readonly self: string
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
  /** Their records have been removed: nothing is known of them from here on. */
  forget(ids: readonly string[]): void
  /** Says why nothing is heard of a goal: now, if so, and each time it changes. @returns ends it */
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

  const start = (record: DispatchRecord, unheard: boolean, early?: EarlyStream): void => {
    const task: Task = { record, unheard, waiting: undefined, listeners: new Set(), wake: () => undefined, ...(early && { early }) }
    tasks.set(record.id, task)
    places.set(record.id, { node: record.node, peer: record.peer })
    const done = driveDispatch(parts, task, stopping.signal)
      .catch(error => log.warn({ err: error, goal: record.id }, 'a dispatch is no longer seen to until the next start'))
      .finally(() => {
        driven.delete(done)
        early?.drop(new CloudburstError('CB_INTERRUPTED', 'the goal was not sent'))
        if (isClosed(task.record)) {
          tasks.delete(record.id)
          parts.secrets?.drop(record.id)
        }
        for (const listener of task.listeners) listener()
      })
    driven.add(done)
  }
  for await (const [, record] of store.range<DispatchRecord>({ prefix: closedPrefix }))
    places.set(record.id, { node: record.node, peer: record.peer })
  for await (const [, record] of store.range<DispatchRecord>({ prefix: OPEN_PREFIX })) start(record, record.sent)
  const endPeerUp = parts.onPeerUp(peer => {
    for (const task of tasks.values()) if (task.record.peer === peer) task.wake()
  })

  const find = async (id: string): Promise<DispatchRecord | undefined> =>
    tasks.get(id)?.record ?? (await store.get<DispatchRecord>(closedKey(id)))
  const add = async (id: string, order: DispatchOrder): Promise<string> => {
    if ((await find(id)) !== undefined) return id
    if (tasks.size >= DISPATCHES_OPEN_MAX) throw new CloudburstError('CB_BUSY', `${tasks.size} dispatches are open already`)
    const assignments = (await parts.secrets?.seal(id, order)) ?? order.assignments
    const sent = parts.isUp?.(order.peer) ?? false
    const record: DispatchRecord = {
      id,
      peer: order.peer,
      node: order.node,
      request: requestOf(id, { ...order, assignments }, parts.clock.now()),
      state: 'open',
      sent
    }
    const early = sent ? openEarly(parts.dialer, order.peer, DISPATCH, within(record.request)) : undefined
    try {
      await store.batch(recordOps(record), { sync: true })
    } catch (error) {
      early?.drop(new CloudburstError('CB_STORE_DEGRADED', 'the goal could not be written down'))
      throw error
    }
    start(record, false, early)
    return id
  }
  const within = ({ acceptBefore }: DispatchRequest): AbortSignal =>
    AbortSignal.any([stopping.signal, AbortSignal.timeout(Math.max(1, acceptBefore - parts.clock.now()))])
  /** Waits for a state of the dispatch. */
  const until = async (id: string, reached: (record: DispatchRecord) => boolean, signal?: AbortSignal): Promise<DispatchRecord> => {
    for (;;) {
      signal?.throwIfAborted()
      const task = tasks.get(id)
      const record = task?.record ?? (await find(id))
      if (record === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} was sent from here`, { id })
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
    verdict: async (id, signal) => (await until(id, ({ state }) => state !== 'open', signal)).error,
    outcome: (id, signal) => until(id, isClosed, signal),
    find,
    open: () => [...tasks.values()].map(task => task.record).filter(record => !isClosed(record)),
    sentTo: id => places.get(id),
    forget: ids => {
      for (const id of ids) if (!tasks.has(id)) places.delete(id)
    },
    onWaiting: (id, listener) => {
      const task = tasks.get(id)
      if (task === undefined) return () => undefined
      let last: string | undefined
      const look = (): void => {
        const reason = task.waiting ?? task.record.error?.message
        if (reason !== undefined && reason !== last) listener(reason)
        last = reason
      }
      task.listeners.add(look)
      look()
      return () => task.listeners.delete(look)
    },
    stop: async () => {
      endPeerUp()
      stopping.abort(new CloudburstError('CB_INTERRUPTED', 'the daemon is stopping'))
      await Promise.all(driven)
    }
  }
}

/** The error of a refused dispatch, to be thrown. */
export function refusal(record: DispatchRecord): CloudburstError | undefined {
  return record.error === undefined ? undefined : fromErrorData(record.error)
}

function requestOf(id: string, order: DispatchOrder, now: number): DispatchRequest {
  const {
    goal,
    program,
    agent,
    mode = 'pursue',
    assignments,
    chain = [],
    email,
    locale,
    stepwise,
    sshReuse,
    acceptWithinMs = ACCEPT_WITHIN_MS
  } = order
  return {
    type: 'request',
    id,
    goal,
    program: { name: program.name, hash: program.hash },
    ...(agent === undefined ? {} : { agent }),
    mode,
    assignments,
    chain,
    acceptBefore: now + acceptWithinMs,
    ...(email === undefined ? {} : { email }),
    ...(locale === undefined ? {} : { locale }),
    ...(stepwise === undefined ? {} : { stepwise }),
    ...(sshReuse === undefined ? {} : { sshReuse })
  }
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
