/**
 * neighborhood.xml as it is meant now: a neighbour whose key was replaced is dialled under its new one, which both keys have signed.
 * The file stays as its owner wrote it; the log says what to change.
 */
import type { Log } from '../files/live-file.ts'
import type { LiveNeighborhood } from './neighborhood.ts'
import type { Neighborhood, Neighbour } from './read.ts'

/** What is known of keys that were replaced. */
export interface Successors {
  /** The key that speaks for `peer` now: its last successor, or itself. */
  successorOf(peer: string): string
  /** @returns ends it */
  onChange(listener: () => void): () => void
}

/** `neighborhood` with its neighbours under their present keys. Closes nothing of it. */
export function followKeys(neighborhood: LiveNeighborhood, keys: Successors, log: Log): LiveNeighborhood {
  const listeners = new Set<(now: Neighborhood, before: Neighborhood) => void>()
  const said = new Set<string>()
  const followed = (): Neighborhood => {
    const { neighbours } = neighborhood.current
    const present = neighbours.map(neighbour => presentOf(neighbour, neighbours, keys))
    for (const [at, { peer, name }] of present.entries()) {
      const { peer: written } = neighbours[at]!
      if (peer === written || said.has(written)) continue
      said.add(written)
      log.warn(
        { name, from: written, to: peer },
        `neighborhood.xml has an old key of ${name}, which is dialled by its new one: put id="${peer}" there`
      )
    }
    return { ...neighborhood.current, neighbours: present.filter(({ peer }, at) => present.findIndex(each => each.peer === peer) === at) }
  }
  let current = followed()
  const look = (): void => {
    const before = current
    const now = followed()
    if (JSON.stringify(now) === JSON.stringify(before)) return
    current = now
    for (const listener of listeners) listener(now, before)
  }
  const ends = [neighborhood.onChange(look), keys.onChange(look)]
  return {
    get current() {
      return current
    },
    reload: () => neighborhood.reload(),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => {
      for (const end of ends) end()
    }
  }
}

/** A neighbour whose new key has a line of its own is left to that line. */
function presentOf(neighbour: Neighbour, neighbours: readonly Neighbour[], keys: Successors): Neighbour {
  const peer = keys.successorOf(neighbour.peer)
  return neighbours.find(each => each.peer === peer) ?? { ...neighbour, peer }
}
