/** Which step reads what which other wrote, found in one pass over steps in the order in which they are done. */
import type { GraphEdge } from './graph.ts'

/** Writers by path, one level of the path a level of the tree. */
interface Written {
  by?: string
  readonly below: Map<string, Written>
}

export class DataEdges {
  readonly #written: Written = { below: new Map() }
  readonly #edges = new Map<string, { from: string; to: string; paths: string[] }>()

  /**
   * Notes that the step reads these paths: an edge from each that wrote it, part of it or what it is part of.
   * @param scope the goal to which paths `goal.…` belong; all other paths are the same everywhere
   */
  read(step: string, scope: string, paths: Iterable<string>): void {
    for (const path of paths) for (const writer of this.#writersOf(keysOf(scope, path))) this.#note(writer, step, path)
  }

  /** Notes that the step writes these paths: whoever reads them from now on reads from it. */
  wrote(step: string, scope: string, paths: Iterable<string>): void {
    for (const path of paths) {
      let at = this.#written
      for (const key of keysOf(scope, path)) {
        let next = at.below.get(key)
        if (next === undefined) at.below.set(key, (next = { below: new Map() }))
        at = next
      }
      at.by = step
      at.below.clear()
    }
  }

  edges(): GraphEdge[] {
    return Array.from(this.#edges.values(), edge => ({ ...edge, kind: 'data' as const }))
  }

  #writersOf(keys: readonly string[]): Set<string> {
    const writers = new Set<string>()
    let at: Written | undefined = this.#written
    for (const key of keys) {
      if (at.by !== undefined) writers.add(at.by)
      at = at.below.get(key)
      if (at === undefined) return writers
    }
    collect(at, writers)
    return writers
  }

  #note(from: string, to: string, path: string): void {
    if (from === to) return
    const key = `${from}\0${to}`
    const edge = this.#edges.get(key)
    if (edge === undefined) this.#edges.set(key, { from, to, paths: [path] })
    else if (!edge.paths.includes(path)) edge.paths.push(path)
  }
}

function collect(at: Written, writers: Set<string>): void {
  if (at.by !== undefined) writers.add(at.by)
  for (const below of at.below.values()) collect(below, writers)
}

/** `goal.node.ip` of goal `site` → site, node, ip; `agent.count` → agent, count */
function keysOf(scope: string, path: string): string[] {
  const [top = '', ...rest] = path.split(/[.[\]]+/).filter(key => key !== '')
  return top === 'goal' ? [scope, ...rest] : [`:${top}`, ...rest]
}
