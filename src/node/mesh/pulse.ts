/** One probe of a connection: libp2p's ping, on a stream of its own. */
import type { Connection } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { randomBytes } from 'node:crypto'
import { PROBES_MAX } from './limits.ts'

const PING = '/ipfs/ping/1.0.0'
/** Source: libp2p specs, ping. */
const PING_BYTES = 32

/** Milliseconds for 32 bytes there and back. @throws once `signal` fires */
export async function roundTrip(connection: Connection, signal: AbortSignal): Promise<number> {
  const stream = await connection.newStream(PING, { signal, maxOutboundStreams: PROBES_MAX })
  try {
    const bytes = byteStream(stream)
    const began = performance.now()
    const sent = randomBytes(PING_BYTES)
    const [, back] = await Promise.all([bytes.write(sent, { signal }), bytes.read({ bytes: PING_BYTES, signal })])
    if (!sent.equals(back.subarray())) throw new Error('the answer to a ping was another')
    const took = performance.now() - began
    await stream.close({ signal })
    return took
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}
