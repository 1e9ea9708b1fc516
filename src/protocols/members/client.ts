/** Asks a node whether another one answers it. Spec: ./README.md */
import { CloudburstError } from '../../errors.ts'
import { accepted } from '../shapes.ts'
import type { Dialer } from '../wire/channel.ts'
import { type Leave, MEMBERS, type ProbeRequest, probedShape } from './messages.ts'

/** A goodbye waits so long for a peer that is slow, in milliseconds. */
const LEAVE_WITHIN_MS = 500

/** @throws CloudburstError CB_PEER_UNREACHABLE, CB_DENIED, CB_TIMEOUT: nothing is known then */
export async function probeThrough(dialer: Dialer, helper: string, peer: string, withinMs: number): Promise<boolean> {
  // The helper takes as long as it may, and its answer has to come here.
  const signal = AbortSignal.timeout(2 * withinMs)
  const channel = await dialer.open(helper, MEMBERS, signal)
  const late = (): void => channel.abort(new CloudburstError('CB_TIMEOUT', `${helper} did not answer in time`))
  signal.addEventListener('abort', late, { once: true })
  try {
    await channel.write({ type: 'probe', peer, within: withinMs } satisfies ProbeRequest)
    const { alive } = accepted(probedShape, await channel.read(), 'answer to a probe')
    await channel.finish().catch(() => undefined)
    return alive
  } finally {
    signal.removeEventListener('abort', late)
    channel.abort(new CloudburstError('CB_INTERRUPTED', 'done with this probe'))
  }
}

/** Tells a peer that we go, as well as that can be done in a moment. Never throws. */
export async function sayGoodbye(dialer: Dialer, peer: string): Promise<void> {
  const signal = AbortSignal.timeout(LEAVE_WITHIN_MS)
  const late = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => late.resolve(), { once: true })
  const said = async (): Promise<void> => {
    const channel = await dialer.open(peer, MEMBERS, signal)
    await channel.write({ type: 'leave' } satisfies Leave)
    await channel.finish()
  }
  await Promise.race([said().catch(() => undefined), late.promise])
}
