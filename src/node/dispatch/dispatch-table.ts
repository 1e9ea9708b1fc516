/** Every dispatch of this node: those that are open are seen to, each at its turn; of the others it is known where they went. */
import { CloudburstError, type ErrorData } from '../../errors.ts'
import { Awaited } from './awaited.ts'
import { atItsTurn } from './dispatch-order.ts'
import { closedKey, closedPrefix, type DispatchRecord, isClosed, OPEN_PREFIX } from './dispatch-records.ts'
import { driveDispatch, type Task, write } from './dispatch-task.ts'
import type { DispatchParts } from './dispatches.ts'
import type { EarlyStream } from './early-stream.ts'
import { Groups, type Standing } from './groups.ts'

/** Where a goal was sent. */
export interface DispatchPlace {
  /** Name of the node. */
  readonly node: string
  readonly peer: string
}

/** In memory; what it says is in the store. */
export class DispatchTable {
  /** Fires once the daemon stops. */
  readonly stopping: AbortSignal
  readonly awaited = new Awaited()
  readonly #parts: DispatchParts
  readonly #stop = new AbortController()
  readonly #tasks = new Map<string, Task>()
  readonly #places = new Map<string, DispatchPlace>()
  readonly #groups = new Groups()
  /** What is being done, to be waited for in the end. */
  readonly #working = new Set<Promise<void>>()

  constructor(parts: DispatchParts) {
    this.#parts = parts
    this.stopping = this.#stop.signal
  }

  /** Reads all records, and goes on with what is open. */
  async read(): Promise<void> {
    const { store, journal } = this.#parts
    for await (const [, record] of store.range<DispatchRecord>({ prefix: closedPrefix })) {
      this.#places.set(record.id, placeOf(record))
      if (record.group !== undefined) this.#groups.set(record.id, record.group, standingOf(record))
    }
    const open: Task[] = []
    for await (const [, record] of store.range<DispatchRecord>({ prefix: OPEN_PREFIX })) {
      const task = this.#enter(record, record.sent)
      task.suspended = (await journal.summary(record.id))?.status === 'suspended'
      if (record.group !== undefined) this.#groups.set(record.id, record.group, standingOf(record, task))
      open.push(task)
    }
    for (const task of open) this.#begin(task)
  }

  /** How many are open. */
  get size(): number {
    return this.#tasks.size
  }

  /** The one that is open. */
  get(id: string): Task | undefined {
    return this.#tasks.get(id)
  }

  open(): readonly DispatchRecord[] {
    return [...this.#tasks.values()].map(task => task.record).filter(record => !isClosed(record))
  }

  placeOf(id: string): DispatchPlace | undefined {
    return this.#places.get(id)
  }

  ids(): readonly string[] {
    return [...this.#places.keys()]
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) if (!this.#tasks.has(id)) this.#places.delete(id)
  }

  /** Ids of all records are known: a look at one that is new does not touch the disk, and lets nobody wait for a sync of its own. */
  async find(id: string): Promise<DispatchRecord | undefined> {
    const open = this.#tasks.get(id)?.record
    return open ?? (this.#places.has(id) ? await this.#parts.store.get<DispatchRecord>(closedKey(id)) : undefined)
  }

  /** Sees to what was just written down. @param early a stream for its first try */
  add(record: DispatchRecord, early?: EarlyStream): void {
    this.#begin(this.#enter(record, false, early))
  }

  /** It will not be sent any more. Durable on return. */
  async close(task: Task, error: ErrorData): Promise<void> {
    await write(this.#parts, task, { ...task.record, state: 'refused', error })
    this.leave(task)
  }

  /** Tells those who wait that its record has changed, and lets go of it once nothing more is to come. */
  leave(task: Task): void {
    if (isClosed(task.record)) {
      this.#tasks.delete(task.record.id)
      this.awaited.leave(task)
      this.#parts.secrets?.drop(task.record.id)
    }
    for (const listener of task.listeners) listener()
  }

  /** The peer is there: what waits for it is tried at once. */
  wake(peer: string): void {
    for (const task of this.#tasks.values()) if (task.record.peer === peer) task.wake()
  }

  /** Waits for a state of the dispatch. @throws CloudburstError CB_RUN_UNKNOWN, AbortError */
  async until(id: string, reached: (record: DispatchRecord) => boolean, signal?: AbortSignal): Promise<DispatchRecord> {
    for (;;) {
      signal?.throwIfAborted()
      const task = this.#tasks.get(id)
      const record = task?.record ?? (await this.find(id))
      if (record === undefined) throw unknown(id)
      if (reached(record)) return record
      if (task === undefined) continue
      this.stopping.throwIfAborted()
      await changeOf(task, AbortSignal.any([this.stopping, ...(signal === undefined ? [] : [signal])]))
    }
  }

  /** Lets go of everything; resolves once nothing more is done. */
  async end(): Promise<void> {
    this.#stop.abort(new CloudburstError('CB_INTERRUPTED', 'the daemon is stopping'))
    await Promise.all(this.#working)
  }

  #enter(record: DispatchRecord, unheard: boolean, early?: EarlyStream): Task {
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
    this.#tasks.set(record.id, task)
    this.#places.set(record.id, placeOf(record))
    this.awaited.enter(task)
    if (record.group !== undefined) {
      this.#groups.set(record.id, record.group, standingOf(record, task))
      task.listeners.add(() => this.#takeTurns(task))
    }
    return task
  }

  #begin(task: Task): void {
    if (task.record.state === 'queued') this.#takeTurns(task)
    else this.#drive(task)
  }

  #drive(task: Task): void {
    const { id } = task.record
    const work = driveDispatch(this.#parts, task, AbortSignal.any([this.stopping, task.ended.signal]))
    this.#inBackground(work, { goal: id }, 'a dispatch is no longer seen to until the next start', () => {
      task.early?.drop(new CloudburstError('CB_INTERRUPTED', 'the goal was not sent'))
      this.leave(task)
    })
  }

  /** Something has changed in a group: others may have their turn, or have none any more. */
  #takeTurns(task: Task): void {
    const { id, group } = task.record
    if (group === undefined || this.stopping.aborted) return
    this.#groups.set(id, group, standingOf(task.record, task))
    const spent = this.#groups.exhausted(group.id)
    for (const next of spent === undefined ? this.#groups.next(group.id) : this.#groups.waiting(group.id)) {
      const other = this.#tasks.get(next)
      if (other?.record.state !== 'queued') continue
      this.#groups.set(next, group, spent === undefined ? 'running' : 'failed')
      const work = spent === undefined ? this.#haveTurn(other) : this.close(other, { code: 'CB_NOT_SENT', message: `not sent: ${spent}` })
      this.#inBackground(work, { goal: next }, 'a goal whose turn it is could not be sent; it is at the next start')
    }
    this.#groups.tidy(group.id)
  }

  async #haveTurn(task: Task): Promise<void> {
    await write(this.#parts, task, atItsTurn(task.record, this.#parts.clock.now()))
    if (!isClosed(task.record)) this.#drive(task)
  }

  #inBackground(work: Promise<void>, what: object, failure: string, after: () => void = () => undefined): void {
    const done = work
      .catch(error => this.#parts.log.warn({ err: error, ...what }, failure))
      .finally(() => {
        this.#working.delete(done)
        after()
      })
    this.#working.add(done)
  }
}

export function unknown(id: string): CloudburstError {
  return new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} was sent from here`, { id })
}

function placeOf({ node, peer }: DispatchRecord): DispatchPlace {
  return { node, peer }
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
