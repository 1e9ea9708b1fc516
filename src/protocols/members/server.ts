/** Looks for others at a node that does not answer them, and hears who goes. Spec: ./README.md */
import { toErrorData } from '../../errors.ts'
import { firstMessage } from '../first-message.ts'
import { perPeer } from '../per-peer.ts'
import { accepted } from '../shapes.ts'
import type { Handler } from '../wire/channel.ts'
import { askShape, type ProbeReply } from './messages.ts'

/** Probes of one peer at a time: it asks about few at once, unless it is the slow one. */
const PROBES_PER_PEER_MAX = 16
const ASK_WITHIN_MS = 5_000

/**
 * The handler of MEMBERS. Requires agency:hello.
 * @param probe whether a connected node answers us in time; false for one that is not connected
 * @param onLeave told of a peer that goes, by itself
 */
export function membersHandler(probe: (peer: string, withinMs: number) => Promise<boolean>, onLeave: (peer: string) => void): Handler {
  const limited = perPeer(PROBES_PER_PEER_MAX, 'probes')
  return async (channel, caller) => {
    try {
      caller.require('agency:hello')
      await limited(caller, async () => {
        const asked = accepted(askShape, await firstMessage(channel, ASK_WITHIN_MS), 'probe', 'CB_USAGE')
        if (asked.type === 'leave') return onLeave(caller.peer)
        const { peer, within } = asked
        await channel.write({ type: 'probed', alive: await probe(peer, within) } satisfies ProbeReply)
      })
    } catch (error) {
      await channel.write({ type: 'error', error: toErrorData(error) }).catch(() => undefined)
    } finally {
      await channel.finish().catch(() => undefined)
    }
  }
}
