import { isDeepStrictEqual } from 'node:util'
import type { Variables } from '../tree.ts'

/**
 * When values last changed, by number of the journal event that changed them. Built anew in each walk, in walk
 * order, so that a change reaches only what comes after it: a step that was done is done again exactly if something
 * it read has changed since it began.
 *
 * Paths are qualified by the instance they belong to: `install>user:goal.name`; `agent.…` is common to all.
 */
export class Freshness {
  /** Sequence number at which the node at a path, or one above it, was written. */
  readonly #at = new Map<string, number>()
  /** For each path above a written one: the newest such write. */
  readonly #below = new Map<string, number>()

  /** The node at `path` changed with event `seq`; an earlier mark at the same path is replaced. */
  mark(path: string, seq: number): void {
    this.#at.set(path, seq)
    for (const above of prefixes(path)) {
      if ((this.#below.get(above) ?? 0) < seq) this.#below.set(above, seq)
    }
  }

  /** Number of the event that last changed anything visible at `path`; 0 when nothing did. */
  changedAt(path: string): number {
    let newest = Math.max(this.#at.get(path) ?? 0, this.#below.get(path) ?? 0)
    for (const above of prefixes(path)) newest = Math.max(newest, this.#at.get(above) ?? 0)
    return newest
  }

  /** The first of `paths` that changed after event `seq`, if any. */
  changedSince(paths: Iterable<string>, seq: number): string | undefined {
    for (const path of paths) if (this.changedAt(path) > seq) return path
    return undefined
  }
}

/** The paths above `path`, shortest last: `a.b[0].c` gives `a.b[0]`, `a.b`, `a`. */
function* prefixes(path: string): Generator<string> {
  const start = path.lastIndexOf(':') + 1
  for (let i = path.length - 1; i > start; i--) {
    if (path[i] === '.' || path[i] === '[') yield path.slice(0, i)
  }
}

/** `path` as seen from everywhere: agent and instance paths are common, goal paths belong to `instance`. */
export function qualify(instance: string, path: string): string {
  return path.startsWith('agent.') || path.startsWith('agent[') ? path : `${instance}:${path}`
}

/** Names whose values are not the same. */
export function changedNames(before: Variables, now: Variables): readonly string[] {
  return Object.keys({ ...before, ...now }).filter(name => !isDeepStrictEqual(before[name], now[name]))
}
