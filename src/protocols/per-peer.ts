import { CloudburstError } from '../errors.ts'
import type { Caller } from './wire/channel.ts'

/**
 * Streams of one protocol that a peer may have open here at a time: a node that fans out to its neighbour's goals has one
 * for each that is not over, and a suspended goal keeps its own.
 */
export const STREAMS_PER_PEER_MAX = 512

/** Does the work of a request of `caller`. @throws CloudburstError CB_BUSY instead, when it has too many under way */
export type PerPeer = (caller: Caller, work: () => Promise<void>) => Promise<void>

/**
 * Counts what is under way for each peer, so that none can take all there is.
 * @param most at a time for one peer
 * @param what they are, in the complaint: `calls`
 */
export function perPeer(most: number, what: string): PerPeer {
  const running = new Map<string, number>()
  return async ({ peer, node }, work) => {
    const before = running.get(peer) ?? 0
    if (before >= most) throw new CloudburstError('CB_BUSY', `peer ${node} has ${before} ${what} running here already`)
    running.set(peer, before + 1)
    try {
      await work()
    } finally {
      const left = (running.get(peer) ?? 1) - 1
      if (left === 0) running.delete(peer)
      else running.set(peer, left)
    }
  }
}
