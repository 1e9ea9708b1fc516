/** Tests connections, because a cut line is silent: only several misses in a row count, for one lost ping is weather. */
import type { Connection } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { randomBytes } from 'node:crypto'
import { PULSE_INTERVAL_MS, PULSE_MISSES_MAX, PULSE_TIMEOUT_MS } from './limits.ts'

const PING = '/ipfs/ping/1.0.0'
/** Source: libp2p specs, ping. */
const PING_BYTES = 32

/** Starts testing; returns a function that ends it. A connection that misses PULSE_MISSES_MAX in a row is aborted. */
export function startPulse(connections: () => readonly Connection[], measured: (peer: string, roundTripMs: number) => void): () => void {
  const misses = new Map<string, number>()
  const stop = new AbortController()
  const test = async (connection: Connection): Promise<void> => {
    try {
      measured(connection.remotePeer.toString(), await roundTrip(connection, stop.signal))
      misses.delete(connection.id)
    } catch (error) {
      if (stop.signal.aborted || connection.status !== 'open') return
      const missed = (misses.get(connection.id) ?? 0) + 1
      misses.set(connection.id, missed)
      if (missed >= PULSE_MISSES_MAX) connection.abort(new Error(`no answer to ${missed} pings`, { cause: error }))
    }
  }
  const timer = setInterval(() => {
    const open = connections()
    for (const id of misses.keys()) if (open.every(connection => connection.id !== id)) misses.delete(id)
    for (const connection of open) void test(connection)
  }, PULSE_INTERVAL_MS).unref()
  return () => {
    clearInterval(timer)
    stop.abort()
  }
}

/** Milliseconds for 32 bytes there and back. */
export async function roundTrip(connection: Connection, stop: AbortSignal): Promise<number> {
  const signal = AbortSignal.any([AbortSignal.timeout(PULSE_TIMEOUT_MS), stop])
  const stream = await connection.newStream(PING, { signal })
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
