/** Gives files that this node keeps, from any offset on, no faster than it may. Spec: ./README.md */
import { CloudburstError, toErrorData } from '../../errors.ts'
import type { Clock } from '../../goals/ports.ts'
import { firstMessage } from '../first-message.ts'
import { perPeer } from '../per-peer.ts'
import { accepted } from '../shapes.ts'
import type { Channel, Handler } from '../wire/channel.ts'
import { type Fetch, fetchShape, type FromHolder, PART_BYTES_MAX } from './messages.ts'

/** Files that one peer fetches at a time. */
const FETCHES_PER_PEER_MAX = 8
const ASK_WITHIN_MS = 10_000
/** Bytes a second that one peer is given: what one fast disk reads, so that a fetch leaves room for others. */
export const BYTES_PER_SECOND_MAX = 256 * 1024 ** 2

/** Where files are read. */
export interface Holdings {
  /** undefined: it is not here. */
  open(hash: string): Promise<Held | undefined>
}
export interface Held {
  readonly size: number
  /** At most `length` bytes at `offset`; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** The handler of ARTIFACT. Requires state:read: who may know what a node has may have it. */
export function artifactHandler(holdings: Holdings, clock: Clock, bytesPerSecond = BYTES_PER_SECOND_MAX): Handler {
  const limited = perPeer(FETCHES_PER_PEER_MAX, 'fetches')
  return async (channel, caller) => {
    try {
      caller.require('state:read')
      await limited(caller, async () => {
        const asked = accepted(fetchShape, await firstMessage(channel, ASK_WITHIN_MS), 'fetch', 'CB_USAGE')
        const held = await holdings.open(asked.hash)
        if (held === undefined)
          throw new CloudburstError('CB_ARTIFACT_UNKNOWN', `no file ${asked.hash.slice(0, 12)} is kept here`, { hash: asked.hash })
        try {
          await give(channel, held, asked, clock, bytesPerSecond)
        } finally {
          await held.close()
        }
      })
    } catch (error) {
      await channel.write({ type: 'error', error: toErrorData(error) } satisfies FromHolder).catch(() => undefined)
    } finally {
      await channel.finish().catch(() => undefined)
    }
  }
}

async function give(channel: Channel, held: Held, { offset }: Fetch, clock: Clock, bytesPerSecond: number): Promise<void> {
  await channel.write({ type: 'found', size: held.size } satisfies FromHolder)
  const began = clock.now()
  // The next part is read while this one is written.
  let next = held.read(offset, PART_BYTES_MAX)
  for (let at = offset; at < held.size; ) {
    const bytes = await next
    if (bytes.byteLength === 0) throw new CloudburstError('CB_INTERNAL', 'a file became shorter while it was given')
    at += bytes.byteLength
    if (at < held.size) next = held.read(at, PART_BYTES_MAX)
    await channel.write({ type: 'part', bytes } satisfies FromHolder)
    const ahead = ((at - offset) / bytesPerSecond) * 1_000 - (clock.now() - began)
    if (ahead > 1) await clock.sleep(ahead, channel.closed)
  }
}
