import { CloudburstError, fromErrorData } from '../../errors.ts'
import { accepted } from '../shapes.ts'
import type { Dialer } from '../wire/channel.ts'
import { pagesOf, TRUST, type TrustMessage, trustShape } from './messages.ts'
import type { TrustEnd } from './server.ts'

/** A neighbour that says nothing for this long is left, in milliseconds. */
const ANSWER_WITHIN_MS = 10_000

/**
 * Tells `peer` our news and takes in its own: the first of them, or all that there are, one message after the other. Spec: ./README.md
 * @throws CloudburstError CB_PEER_UNREACHABLE, CB_DENIED, CB_SIGNATURE_INVALID
 */
export async function exchangeTrust(dialer: Dialer, peer: string, end: TrustEnd, howMuch: 'first' | 'all' = 'all'): Promise<void> {
  const pages = pagesOf(end.newsFor(peer))
  for (const page of howMuch === 'all' ? pages : pages.slice(0, 1)) await exchangePage(dialer, peer, end, page)
}

async function exchangePage(dialer: Dialer, peer: string, end: TrustEnd, statements: readonly Uint8Array[]): Promise<void> {
  const channel = await dialer.open(peer, TRUST, AbortSignal.timeout(ANSWER_WITHIN_MS))
  const late = setTimeout(
    () => channel.abort(new CloudburstError('CB_PEER_UNREACHABLE', `peer ${peer} told no news of trust`, { peer })),
    ANSWER_WITHIN_MS
  ).unref()
  try {
    await channel.write({ type: 'news', statements } satisfies TrustMessage)
    const answer = accepted(trustShape, await channel.read(), 'news of trust')
    if (answer.type === 'error') throw fromErrorData(answer.error)
    for (const envelope of answer.statements) end.take(envelope, peer)
    await channel.finish()
  } catch (error) {
    channel.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  } finally {
    clearTimeout(late)
  }
}
