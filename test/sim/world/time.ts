/**
 * Time that passes only when everything that could happen now has happened. While it is installed, timers, the clock and
 * Math.random of the whole process are the simulation's: code that reaches past its ports is simulated all the same.
 * See docs/decisions/0012-simulated-edge.md
 */
import type { Chance } from './chance.ts'

/** Something that is to happen; `cancel` before it has. */
export interface Due {
  cancel(): void
}

interface Entry extends Due {
  readonly at: number
  readonly order: number
  what: (() => void) | undefined
}

/** The process itself has its turn this often: what nobody has caught ends it. All else waits for promises alone, which is quicker. */
const TURNS = 50

const machine = { setImmediate, setTimeout, setInterval, clearTimeout, clearInterval, clearImmediate }

export class VirtualTime {
  /** Milliseconds since the simulation began. */
  now = 0
  /** How many things have happened. */
  happened = 0
  readonly #heap: Entry[] = []
  #order = 0

  /** Calls `what` in `ms` milliseconds, behind everything that is due then already. */
  after(ms: number, what: () => void): Due {
    const entry: Entry = { at: this.now + Math.max(0, ms), order: this.#order++, what, cancel: () => (entry.what = undefined) }
    this.#push(entry)
    return entry
  }

  /** Resolves in `ms` milliseconds, or rejects when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const due = this.after(ms, () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      })
      const stop = (): void => {
        due.cancel()
        reject(signal!.reason)
      }
      signal?.addEventListener('abort', stop, { once: true })
    })
  }

  /** Lets time pass until `until` holds, nothing is due any more, or the time is `limitMs`. @returns whether `until` holds */
  async run(limitMs: number, until: () => boolean = () => false): Promise<boolean> {
    for (let turn = 1; ; turn++) {
      // Promises are settled, all of them, before the next thing happens.
      await new Promise<void>(resolve => void (turn % TURNS === 0 ? machine.setImmediate(resolve) : process.nextTick(resolve)))
      if (until()) return true
      let next = this.#heap[0]
      for (; next !== undefined && next.what === undefined; next = this.#heap[0]) this.#pop()
      if (next?.what === undefined || next.at > limitMs) {
        this.now = limitMs
        return false
      }
      this.#pop()
      this.now = next.at
      this.happened++
      next.what()
    }
  }

  /** Puts the process under this time and this chance. @returns puts back what was there */
  install(chance: Chance, epoch: number): () => void {
    const before = {
      stackTraceLimit: Error.stackTraceLimit,
      dateNow: Date.now,
      random: Math.random,
      timeout: AbortSignal.timeout,
      performanceNow: performance.now
    }
    // Most errors here are broken lines: nobody reads where they were made.
    Error.stackTraceLimit = 0
    const timer = (ms: number | undefined, what: () => void, again: boolean): NodeJS.Timeout => {
      const start = (): Due =>
        this.after(Math.max(1, ms ?? 1), () => {
          if (again) handle.due = start()
          what()
        })
      const handle = { due: start(), unref: () => handle, ref: () => handle, hasRef: () => false, refresh: () => handle }
      return handle as unknown as NodeJS.Timeout
    }
    const clear = (original: (handle: never) => void) => (handle: unknown) => {
      if (typeof handle === 'object' && handle !== null && 'due' in handle) (handle as { due: Due }).due.cancel()
      else original(handle as never)
    }
    const globals = globalThis as unknown as Record<string, unknown>
    globals['setTimeout'] = (what: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => timer(ms, () => what(...args), false)
    globals['setInterval'] = (what: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => timer(ms, () => what(...args), true)
    globals['setImmediate'] = (what: (...args: unknown[]) => void, ...args: unknown[]) => ({ due: this.after(0, () => what(...args)) })
    globals['clearTimeout'] = clear(machine.clearTimeout)
    globals['clearInterval'] = clear(machine.clearInterval)
    globals['clearImmediate'] = clear(machine.clearImmediate)
    Date.now = () => epoch + Math.floor(this.now)
    Math.random = () => chance.next()
    performance.now = () => this.now
    AbortSignal.timeout = ms => {
      const controller = new AbortController()
      this.after(ms, () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')))
      return controller.signal
    }
    return () => {
      Object.assign(globalThis, machine)
      Error.stackTraceLimit = before.stackTraceLimit
      Date.now = before.dateNow
      Math.random = before.random
      AbortSignal.timeout = before.timeout
      performance.now = before.performanceNow
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!earlier(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= heap.length) break
      const child = left + 1 < heap.length && earlier(heap[left + 1]!, heap[left]!) ? left + 1 : left
      if (!earlier(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function earlier(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
