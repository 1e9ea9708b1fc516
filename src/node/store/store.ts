/**
 * The node's memory: string keys in order, values of JSON or bytes, atomic batches. LevelDB underneath.
 * Single instance is guarded outside (control socket); a second opening in this process is refused here,
 * because LevelDB would drop the lock of the first.
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { CloudburstError } from '../../errors.ts'
import { type CommitCounts, groupCommit, type RawOp } from './group-commit.ts'
import { type Heads, writeHeads } from './heads.ts'
import { type Damage, openDatabase, openExisting } from './opening.ts'
import { tablesOf } from './tables.ts'
import { decodeValue, type Op } from './value.ts'

export type { Heads } from './heads.ts'
export type { Damage } from './opening.ts'
export type { Op } from './value.ts'

/** Where a room of the node reports; pino's logger is one. */
export interface Log {
  info(what: object, message: string): void
  warn(what: object, message: string): void
  error(what: object, message: string): void
}

/** Which keys, in order. */
export interface Range {
  readonly prefix: string
  /** Last key first. */
  readonly reverse?: boolean
  /** Most entries. */
  readonly limit?: number
  /** Go on behind this key (before it, with `reverse`). */
  readonly after?: string
}

export type StoreState = 'ready' | 'degraded'

/** An open store. */
export interface Store {
  /** Number of this opening: larger than every earlier one, at least the epoch milliseconds; on disk before anybody sees it. */
  readonly boot: number
  /** 128 random bits, hex, of this opening. */
  readonly nonce: string
  /** Set when something was wrong at opening: to be told to the operator. */
  readonly damage: Damage | undefined
  /** `degraded` after a failed write, until one succeeds again. */
  readonly state: StoreState
  readonly counts: Readonly<CommitCounts>
  /** @throws CloudburstError CB_STORE_DEGRADED, CB_STORE_DAMAGED; so do all reads */
  get<T>(key: string): Promise<T | undefined>
  range<T>(range: Range): AsyncIterable<[string, T]>
  /** The stored bytes, for whoever checks hashes. */
  rawRange(range: Range): AsyncIterable<[string, Buffer]>
  /**
   * All of `ops` or none, in the order of calls. With `sync` they are on disk on return; concurrent batches share one sync.
   * @throws CloudburstError CB_STORE_DEGRADED: it is not known whether the batch was written, nothing may be acknowledged
   */
  batch(ops: readonly Op[], options: { readonly sync: boolean }): Promise<void>
  /** Writes down what the store holds at least, for the next opening to compare. */
  saveHeads(heads: Heads): Promise<void>
  /** Called after each change of `state`. After `ready` whatever was cached must be read again. @returns ends it */
  onState(listener: (state: StoreState) => void): () => void
  close(): Promise<void>
}

/** What a store asks of the database below it: an open LevelDB is one. */
export interface Tables {
  get(key: string): Promise<Buffer | undefined>
  /** All or none; with `sync`, on disk on return together with everything before. After a failure no write succeeds until it is opened anew. */
  batch(ops: RawOp[], options: { readonly sync: boolean }): Promise<void>
  /** Entries as they are at the call. */
  iterator(bounds: object): { nextv(count: number): Promise<[string, Buffer][]>; close(): Promise<void> }
  close(): Promise<void>
}

/** Where a store lies, and the time and chance of that machine. */
export interface Disk {
  /** For messages. */
  readonly path: string
  open(): Promise<{ readonly database: Tables; readonly damage?: Damage }>
  /** After a failed write; never makes anything. */
  reopen(): Promise<Tables>
  /** Durable on return. */
  saveHeads(heads: Heads): Promise<void>
  /** Epoch milliseconds. */
  now(): number
  /** Resolves after that time, or at once when the signal fires. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  /** 128 random bits, hex. */
  nonce(): string
}

/** Time between two tries to write again, in milliseconds: space comes back by hand, not at once. */
const RETRY_MS = 2_000
/** A probe this large must fit before the store counts as writable again, in bytes. */
const PROBE_BYTES = 64 * 1024
/** Most entries read at once: fetching them one by one takes three times as long. */
const READ_PAGE = 500
const BOOT_KEY = 'b!boot'
const PROBE_KEY = 'b!probe'

const openHere = new Set<string>()

/**
 * Opens the store in `directory`, making it the first time; never makes an empty one where there was one.
 * @param retryMs time between tries to write again after a failure
 * @throws CloudburstError CB_STORE_DAMAGED, CB_STORE_NEWER, CB_STORE_DEGRADED, CB_ALREADY_RUNNING
 */
export async function openStore(directory: string, { log, retryMs = RETRY_MS }: { log: Log; retryMs?: number }): Promise<Store> {
  const path = resolve(directory)
  if (openHere.has(path)) throw new CloudburstError('CB_ALREADY_RUNNING', `the store in ${path} is open already`, { directory: path })
  openHere.add(path)
  try {
    const store = await openStoreOn(machineDisk(path), { log, retryMs })
    const { close } = store
    store.close = async () => {
      await close()
      openHere.delete(path)
    }
    return store
  } catch (error) {
    openHere.delete(path)
    throw error
  }
}

/** The directory `path` of this machine. Who opens a store on it sees to it that nobody else does. */
export function machineDisk(path: string): Disk {
  return {
    path,
    open: async () => {
      const { database, ...found } = await openDatabase(path)
      return { database: tablesOf(database), ...found }
    },
    reopen: async () => tablesOf(await openExisting(path)),
    saveHeads: heads => writeHeads(path, heads),
    now: () => Date.now(),
    wait: (ms, signal) => wait(ms, undefined, { signal, ref: false }).catch(() => undefined),
    nonce: () => randomBytes(16).toString('hex')
  }
}

/** Opens the store that lies on `disk`; the caller sees to it that nobody else does. @throws as {@link openStore} */
export async function openStoreOn(disk: Disk, { log, retryMs = RETRY_MS }: { log: Log; retryMs?: number }): Promise<Store> {
  const { path } = disk
  const { database: opened, damage } = await disk.open()
  if (damage !== undefined) log.error({ damage }, `the store was damaged and has been repaired: ${damage.reason}`)
  const listeners = new Set<(state: StoreState) => void>()
  const closing = new AbortController()
  let database: Tables = opened
  let state: StoreState = 'ready'
  let recovery: Promise<void> | undefined
  let savingHeads = Promise.resolve()

  const refusal = (cause?: unknown): CloudburstError => {
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    return new CloudburstError('CB_STORE_DEGRADED', `the store in ${path} cannot be written${reason}`, { home: path }, cause)
  }
  const enter = (next: StoreState): void => {
    state = next
    for (const listener of listeners) listener(next)
  }
  const write = async (ops: RawOp[], sync: boolean): Promise<void> => {
    if (state === 'degraded') throw refusal()
    try {
      await database.batch(ops, { sync })
    } catch (error) {
      log.error({ err: error }, 'the store cannot be written: nothing is acknowledged until it can')
      const refused = refusal(error)
      enter('degraded')
      recovery = recover()
      throw refused
    }
  }
  const commits = groupCommit(write)

  /** LevelDB refuses every write after a failed one until it is opened anew. */
  const recover = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await database.close()
        database = await disk.reopen()
        await database.batch([{ type: 'put', key: PROBE_KEY, value: Buffer.alloc(PROBE_BYTES, 'x') }], { sync: true })
        await database.batch([{ type: 'del', key: PROBE_KEY }], { sync: false })
        recovery = undefined
        log.info({}, 'the store can be written again')
        return enter('ready')
      } catch (error) {
        log.warn({ err: error }, 'the store still cannot be written')
      }
      await disk.wait(retryMs, closing.signal)
    }
  }
  const failedRead = (error: unknown, what: string): unknown => {
    if (error instanceof CloudburstError) return error
    const code = (error as { code?: string }).code
    if (state === 'degraded' || code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN') return refusal(error)
    return new CloudburstError('CB_STORE_DAMAGED', `the store in ${path} cannot read ${what}`, { key: what }, error)
  }
  async function* rawRange(range: Range): AsyncGenerator<[string, Buffer]> {
    const iterate = () => database.iterator(bounds(range))
    let iterator: ReturnType<typeof iterate> | undefined
    try {
      iterator = iterate()
      for (;;) {
        const page = await iterator.nextv(READ_PAGE)
        if (page.length === 0) return
        yield* page
      }
    } catch (error) {
      throw failedRead(error, `${range.prefix}…`)
    } finally {
      await iterator?.close()
    }
  }

  const boot = Math.max(((await readNumber(database, BOOT_KEY)) ?? 0) + 1, disk.now())
  await commits.add([{ type: 'put', key: BOOT_KEY, value: boot }], true)

  return {
    boot,
    nonce: disk.nonce(),
    damage,
    get state() {
      return state
    },
    counts: commits.counts,
    get: async <T>(key: string) => {
      const bytes = await database.get(key).catch(error => {
        throw failedRead(error, key)
      })
      return bytes === undefined ? undefined : (decodeValue(key, bytes) as T)
    },
    range: async function* <T>(range: Range) {
      for await (const [key, bytes] of rawRange(range)) yield [key, decodeValue(key, bytes) as T] as [string, T]
    },
    rawRange,
    batch: async (ops, { sync }) => {
      if (state === 'degraded') throw refusal()
      await commits.add(ops, sync)
    },
    saveHeads: heads => {
      savingHeads = savingHeads.then(() => disk.saveHeads(heads))
      const saved = savingHeads
      savingHeads = savingHeads.catch(() => undefined)
      return saved
    },
    onState: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      await commits.idle()
      closing.abort()
      await recovery
      await savingHeads
      await database.close()
    }
  }
}

function bounds({ prefix, reverse = false, limit = -1, after }: Range): object {
  const from = after === undefined || reverse ? { gte: prefix } : { gt: after }
  const to = after === undefined || !reverse ? { lt: `${prefix}\uffff` } : { lt: after }
  return { ...from, ...to, reverse, limit }
}

async function readNumber(database: Tables, key: string): Promise<number | undefined> {
  const bytes = await database.get(key)
  return bytes === undefined ? undefined : (decodeValue(key, bytes) as number)
}
