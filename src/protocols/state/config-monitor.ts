/** ConfigMonitor: watches a path of the state of all nodes. Source: docs/state.md */
import type { Principal } from '../../goals/pursuit/events.ts'
import type { Tree } from '../../goals/tree.ts'
import type { Agency } from '../agency/calls.ts'
import type { Replica } from './replica.ts'

export interface Watched {
  /** The watched path with its whole value, first and after a gap that could not be bridged; else the path that changed. */
  readonly path: string
  /** Absent: there is nothing (any more). */
  readonly value?: Tree
  /** Epoch milliseconds at the owner; 0 for a whole value. */
  readonly at: number
  /** To go on from here later, as long as this daemon lives. */
  readonly cursor: string
}

/** Watches what a node knows of all nodes. */
export class ConfigMonitor {
  readonly #agency: Agency
  readonly #by: Principal

  constructor(agency: Agency, by: Principal) {
    this.#agency = agency
    this.#by = by
  }

  /** The value at a path now; undefined where nothing is. */
  async get(path: string): Promise<Tree | undefined> {
    return (await this.#agency.call('state', { path }, this.#by)).value
  }

  /**
   * The value at `path` now, then every change at or below it, without gap or repeat: `*` stands for one name.
   * Never ends by itself. Of a slow reader no more than CHANGES_KEPT changes are kept; then it gets the whole value again.
   * @param from where to go on: the cursor of an earlier item
   */
  async *watch(path: string, { from, signal }: { readonly from?: string; readonly signal?: AbortSignal } = {}): AsyncGenerator<Watched> {
    const request = { path, ...(from !== undefined && { cursor: from }) }
    for await (const item of this.#agency.stream('watch', request, this.#by, signal)) yield { cursor: '', ...item }
  }
}

/**
 * The value at `path` now, then every change at or below it (or of a value above it), until `signal` fires. A reader that
 * falls behind, or a cursor that is too old, gets the whole value again instead of a gap.
 * @param path `nodes.web1.agents`; `*` stands for one name: `nodes.*.goals`
 */
export async function* watchState(replica: Replica, path: string, signal: AbortSignal, cursor?: string): AsyncGenerator<Watched, void> {
  const matches = matcher(path)
  let next = resumed(replica, cursor)
  let wake = (): void => undefined
  const end = replica.subscribe(() => wake())
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort)
  const mark = (n: number): string => `${replica.nonce}.${n}`
  try {
    while (!signal.aborted) {
      const oldest = replica.changes()[0]?.n ?? replica.count() + 1
      if (next === undefined || next < oldest) {
        next = replica.count() + 1
        const value = path.includes('*') ? undefined : replica.read(path)
        yield { path, at: 0, cursor: mark(next - 1), ...(value === undefined ? {} : { value }) }
      } else if (next <= replica.count()) {
        const change = replica.changes()[next - oldest]!
        next++
        const { n, at, value } = change
        if (matches(change.path)) yield { path: change.path, at, cursor: mark(n), ...(value === undefined ? {} : { value }) }
      } else {
        await new Promise<void>(resolve => (wake = resolve))
      }
    }
  } finally {
    end()
    signal.removeEventListener('abort', onAbort)
  }
}

/** The number of the first change after the cursor; undefined when it is not of this life of the replica. */
function resumed(replica: Replica, cursor: string | undefined): number | undefined {
  const [nonce, n] = cursor?.split('.') ?? []
  return nonce === replica.nonce && n !== undefined && /^\d{1,15}$/.test(n) && Number(n) <= replica.count() ? Number(n) + 1 : undefined
}

/** Whether a change of a path is one of the watched path: of it, below it, or of a value above it. */
export function matcher(path: string): (changed: string) => boolean {
  const wanted = path === '' ? [] : path.split('.')
  return changed => {
    const names = changed.split('.')
    return wanted.every((name, at) => at >= names.length || name === '*' || name === names[at])
  }
}
