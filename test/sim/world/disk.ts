/**
 * The disk of one node, as LevelDB and a kernel behave: a synced batch stays with all before it; what was not synced may be
 * lost by a crash of the host, newest first; a batch that was being written is there whole or not at all (its torn record is
 * dropped); after a failed write nothing is written until the database is opened anew, and the failed batch may be there.
 */
import type { RawOp } from '../../../src/node/store/group-commit.ts'
import type { Heads } from '../../../src/node/store/heads.ts'
import type { Disk, Tables } from '../../../src/node/store/store.ts'
import type { Chance } from './chance.ts'
import type { VirtualTime } from './time.ts'

/** How writes go on one disk: milliseconds, and how often one in so many fails. */
export interface DiskManner {
  slow: number
  full: boolean
}

export interface DiskImage {
  readonly view: ReadonlyMap<string, Buffer>
  readonly heads: Heads
}

interface Batch {
  readonly ops: readonly RawOp[]
  synced: boolean
}

export class SimDisk {
  readonly manner: DiskManner = { slow: 1, full: false }
  /** Counts operations, so that a crash can be asked for at any of them. */
  operations = 0
  /** Called before each operation; true: the host dies right here. */
  onOperation: () => boolean = () => false
  heads: Heads = { keys: [], counts: {} }
  /** What is certainly on disk. */
  #durable = new Map<string, Buffer>()
  /** Behind it, in order: in the page cache. */
  #volatile: Batch[] = []
  #view = new Map<string, Buffer>()
  #broken = false
  #failed: Batch | undefined
  #life = 0
  readonly #time: VirtualTime
  readonly #chance: Chance

  constructor(time: VirtualTime, chance: Chance) {
    this.#time = time
    this.#chance = chance
  }

  /** The host has lost its power: of what was not synced, the newest is lost. */
  loseUnsynced(): void {
    this.#life++
    const kept = this.#volatile.slice(0, this.#chance.int(this.#volatile.length + 1))
    for (const { ops } of kept) write(this.#durable, ops)
    this.#volatile = []
    this.#failed = undefined
    this.#view = new Map(this.#durable)
  }

  /** Only the process has died: what it has written is in the kernel's hands. */
  endProcess(): void {
    this.#life++
  }

  /** A copy of the disk as it is, to be put back later, or into another machine. */
  image(): DiskImage {
    return { view: new Map(this.#view), heads: this.heads }
  }

  /** The machine is off meanwhile. */
  restore({ view, heads }: DiskImage): void {
    this.#life++
    this.#volatile = []
    this.#failed = undefined
    this.#broken = false
    this.#durable = new Map(view)
    this.#view = new Map(view)
    this.heads = heads
  }

  /** The disk as a store takes it, for one process. */
  port(path: string, now: () => number): Disk {
    const life = ++this.#life
    const alive = (): boolean => this.#life === life
    return {
      path,
      open: async () => {
        this.#recover()
        await this.#operation(alive)
        return { database: this.#tables(alive) }
      },
      reopen: async () => {
        await this.#operation(alive)
        this.#recover()
        return this.#tables(alive)
      },
      saveHeads: async heads => {
        await this.#operation(alive)
        if (this.manner.full) throw new Error('no space left on device')
        this.heads = heads
      },
      now,
      wait: (ms, signal) => this.#time.sleep(ms, signal).catch(() => undefined),
      nonce: () => this.#chance.hex(32)
    }
  }

  #tables(alive: () => boolean): Tables {
    return {
      get: async key => {
        await this.#read(alive)
        return this.#view.get(key)
      },
      batch: async (ops, { sync }) => {
        if (!alive()) return await never()
        if (this.#broken) throw new Error('IO error: the log is not writable any more')
        const batch: Batch = { ops: ops.map(op => (op.type === 'put' ? { ...op, value: Buffer.from(op.value) } : op)), synced: false }
        // Half of it is on the platter when the power goes: recovery drops the torn record, or the whole made it.
        const made = !this.manner.full && this.#chance.once(0.5)
        if (made) this.#apply(batch)
        if (this.onOperation()) return await never()
        if (this.manner.full) {
          this.#broken = true
          // It may be in the log all the same: that shows when the log is read again.
          if (this.#chance.once(0.3)) this.#failed = batch
          await this.#wait(alive, sync)
          throw new Error('IO error: no space left on device')
        }
        if (!made) this.#apply(batch)
        await this.#wait(alive, sync)
        if (sync) this.#settle(batch)
      },
      iterator: bounds => this.#iterator(bounds as Bounds, alive),
      close: async () => undefined
    }
  }

  #recover(): void {
    if (this.#failed !== undefined) this.#apply(this.#failed)
    this.#failed = undefined
    this.#broken = false
  }

  #apply(batch: Batch): void {
    this.#volatile.push(batch)
    write(this.#view, batch.ops)
  }

  #settle(batch: Batch): void {
    const at = this.#volatile.indexOf(batch)
    for (const { ops } of this.#volatile.splice(0, at + 1)) write(this.#durable, ops)
  }

  #iterator({ gte, gt, lt, reverse, limit }: Bounds, alive: () => boolean): ReturnType<Tables['iterator']> {
    const from = gt ?? gte
    const keys: string[] = []
    for (const key of this.#view.keys()) {
      if (key < lt && (gt !== undefined ? key > gt : from === undefined || key >= from)) keys.push(key)
    }
    keys.sort()
    if (reverse) keys.reverse()
    const entries = (limit < 0 ? keys : keys.slice(0, limit)).map((key): [string, Buffer] => [key, this.#view.get(key)!])
    return {
      nextv: async count => {
        await this.#read(alive)
        return entries.splice(0, count)
      },
      close: async () => undefined
    }
  }

  /** Reads come from memory, as most do; now and then one takes its time, and others overtake it. */
  async #read(alive: () => boolean): Promise<void> {
    if (!alive()) return await never()
    if (this.#chance.once(0.02)) await this.#time.sleep(this.#chance.between(0, 2) * this.manner.slow)
    if (!alive()) await never()
  }

  async #operation(alive: () => boolean): Promise<void> {
    this.operations++
    if (!alive() || this.onOperation()) return await never()
    await this.#wait(alive, true)
  }

  async #wait(alive: () => boolean, sync: boolean): Promise<void> {
    this.operations++
    await this.#time.sleep((sync ? this.#chance.between(0.2, 2) : 0.05) * this.manner.slow)
    if (!alive()) await never()
  }
}

interface Bounds {
  readonly gte?: string
  readonly gt?: string
  readonly lt: string
  readonly reverse: boolean
  readonly limit: number
}

function write(into: Map<string, Buffer>, ops: readonly RawOp[]): void {
  for (const op of ops) {
    if (op.type === 'put') into.set(op.key, op.value)
    else into.delete(op.key)
  }
}

/** What a dead process waits for. */
export function never(): Promise<never> {
  return new Promise(() => undefined)
}
