/** Fetches a file that a peer keeps, from where the last try ended. Spec: ./README.md */
import { CloudburstError, fromErrorData } from '../../errors.ts'
import { accepted } from '../shapes.ts'
import type { Channel, Dialer } from '../wire/channel.ts'
import { ARTIFACT, type Fetch, type FromHolder, fromHolderShape } from './messages.ts'

/** A holder that gives nothing for this long is left, in milliseconds. */
const GIVE_WITHIN_MS = 30_000

/** Takes in what comes; awaited before the next part is read. */
export interface Taking {
  /** Bytes that are here already. */
  readonly offset: number
  /** @throws when the file may not be that long */
  begin(size: number): Promise<void> | void
  part(bytes: Uint8Array): Promise<void>
}

/**
 * Takes a file from `offset` to its end. What it is has to be verified by its hash afterwards.
 * @throws CloudburstError CB_ARTIFACT_UNKNOWN, CB_DENIED, CB_PEER_UNREACHABLE: go on from what has come
 */
export async function fetchArtifact(dialer: Dialer, peer: string, hash: string, taking: Taking, signal: AbortSignal): Promise<void> {
  const channel = await dialer.open(peer, ARTIFACT, signal)
  const leave = (): void => channel.abort(new CloudburstError('CB_INTERRUPTED', 'the fetch was ended'))
  signal.addEventListener('abort', leave, { once: true })
  try {
    await channel.write({ type: 'fetch', hash, offset: taking.offset } satisfies Fetch)
    const found = await next(channel)
    if (found?.type !== 'found') throw broken(channel, 'it gave no size')
    await taking.begin(found.size)
    // One part is written while the next one comes.
    let written: Promise<void> = Promise.resolve()
    for (let at = taking.offset; at < found.size; ) {
      const message = await next(channel)
      await written
      if (message?.type !== 'part') throw broken(channel, `it ended at byte ${at} of ${found.size}`)
      at += message.bytes.byteLength
      if (at > found.size) throw broken(channel, 'it gave more than it said')
      written = taking.part(message.bytes)
      // Whoever fails while nobody waits for it fails the next part.
      written.catch(() => undefined)
    }
    await written
    await channel.finish().catch(() => undefined)
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

async function next(channel: Channel): Promise<Exclude<FromHolder, { type: 'error' }> | undefined> {
  const timer = setTimeout(
    () => channel.abort(new CloudburstError('CB_PEER_UNREACHABLE', `peer ${channel.peer} stopped giving`, { peer: channel.peer })),
    GIVE_WITHIN_MS
  )
  try {
    const raw = await channel.read()
    if (raw === undefined) return undefined
    const message = accepted(fromHolderShape, raw, 'message of a holder')
    if (message.type === 'error') throw fromErrorData(message.error)
    return message
  } finally {
    clearTimeout(timer)
  }
}

function broken(channel: Channel, why: string): CloudburstError {
  return new CloudburstError('CB_PEER_UNREACHABLE', `peer ${channel.peer} broke off: ${why}`, { peer: channel.peer })
}
