/** Hears a neighbour's news of trust, and tells ours. Spec: ./README.md */
import { toErrorData } from '../../errors.ts'
import { firstMessage } from '../first-message.ts'
import { perPeer } from '../per-peer.ts'
import { accepted } from '../shapes.ts'
import type { Handler } from '../wire/channel.ts'
import { newsShape, pagesOf, type TrustMessage } from './messages.ts'

/** A neighbour has this long to say its news, in milliseconds. */
const NEWS_WITHIN_MS = 10_000
/** Exchanges of one peer at a time. */
const EXCHANGES_PER_PEER_MAX = 4

/** What the two ends of the protocol need of a node. */
export interface TrustEnd {
  /** @throws CloudburstError CB_SIGNATURE_INVALID */
  take(envelope: Uint8Array, from: string): void
  /** What `peer` should know, the most telling first. */
  newsFor(peer: string): readonly Uint8Array[]
}

/** The handler of TRUST. Requires agency:hello; what it takes in proves itself. */
export function trustHandler(end: TrustEnd): Handler {
  const limited = perPeer(EXCHANGES_PER_PEER_MAX, 'exchanges of trust')
  return async (channel, caller) => {
    const send = (message: TrustMessage): Promise<void> => channel.write(message)
    try {
      caller.require('agency:hello')
      await limited(caller, async () => {
        const { statements } = accepted(newsShape, await firstMessage(channel, NEWS_WITHIN_MS), 'news of trust', 'CB_USAGE')
        for (const envelope of statements) end.take(envelope, caller.peer)
        await send({ type: 'news', statements: pagesOf(end.newsFor(caller.peer))[0] ?? [] })
      })
    } catch (error) {
      await send({ type: 'error', error: toErrorData(error) }).catch(() => undefined)
    } finally {
      await channel.finish().catch(() => undefined)
    }
  }
}
