/** Getting a file from whoever has it: on where the last try ended, and from the next node when one breaks off or lies. */
import { CloudburstError, type ErrorCode, toErrorData } from '../../errors.ts'
import type { Clock } from '../../goals/ports.ts'
import { fetchArtifact } from '../../protocols/artifact/client.ts'
import type { Dialer } from '../../protocols/wire/channel.ts'
import type { Artifact, Artifacts } from './artifacts.ts'

/** A node that may have the file. */
export interface Holder {
  readonly peer: string
  readonly node: string
  readonly name?: string
}

export interface FetchingParts {
  readonly artifacts: Artifacts
  readonly dialer: Dialer
  /** Nodes that say that they have it, the nearest first. */
  readonly holders: (hash: string) => readonly Holder[]
  readonly clock: Clock
}

/** Rounds over all holders before it is given up, and the pause after the first in milliseconds, which doubles. */
const ROUNDS_MAX = 6
const PAUSE_FIRST_MS = 250

/** What was fetched, from whom. */
export interface Fetched extends Artifact {
  readonly from?: string
}

/** One fetch per file at a time: those who ask for it together get it together. */
export function openFetching({
  artifacts,
  dialer,
  holders,
  clock
}: FetchingParts): (hash: string, signal: AbortSignal, only?: Holder) => Promise<Fetched> {
  const running = new Map<string, Promise<Fetched>>()

  const fromOne = async (hash: string, { peer, node, name }: Holder, signal: AbortSignal): Promise<Fetched> => {
    const arriving = await artifacts.arrive(hash)
    try {
      const { offset } = arriving
      await fetchArtifact(
        dialer,
        peer,
        hash,
        { offset, begin: size => artifacts.makeRoom(Math.max(0, size - offset)), part: bytes => arriving.write(bytes) },
        signal
      )
      return { ...(await arriving.finish(name ?? hash)), from: node }
    } finally {
      await arriving.close().catch(() => undefined)
    }
  }
  const fetch = async (hash: string, signal: AbortSignal, only?: Holder): Promise<Fetched> => {
    let last: unknown
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const some = only === undefined ? holders(hash) : [only]
      const codes = new Set<ErrorCode>()
      for (const holder of some) {
        try {
          return await fromOne(hash, holder, signal)
        } catch (error) {
          signal.throwIfAborted()
          const { code } = toErrorData(error)
          if (code === 'CB_STORE_DEGRADED') throw error
          // Of several the first is told, and before others who does not just lack it.
          if (codes.size === 0 || (codes.size === 1 && codes.has('CB_ARTIFACT_UNKNOWN'))) last = error
          codes.add(code)
        }
      }
      // Whoever refuses goes on refusing; news of the file may be on its way to here or there, but not for long.
      if (codes.size === 1 && codes.has('CB_DENIED')) break
      codes.delete('CB_DENIED')
      codes.delete('CB_ARTIFACT_UNKNOWN')
      if (codes.size === 0 && round > 1) break
      await clock.sleep(PAUSE_FIRST_MS * 2 ** round, signal)
    }
    throw last ?? new CloudburstError('CB_ARTIFACT_UNKNOWN', `no known node has the file ${hash.slice(0, 12)}`, { hash })
  }
  return async (hash, signal, only) => {
    const here = artifacts.find(hash)
    if (here !== undefined) return here
    const same = running.get(hash)
    if (same !== undefined) return await same
    const one = fetch(hash, signal, only).finally(() => running.delete(hash))
    running.set(hash, one)
    return await one
  }
}
