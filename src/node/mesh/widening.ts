import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { WINDOW_BYTES_MAX } from './limits.ts'

/** A stream that has carried so much carries more of it, in bytes: half of the window that all streams begin with. */
const WIDE_FROM_BYTES = 128 * 1024

/**
 * The same stream, which may have a whole window of ours under way once it carries much. Yamux widens the window of a stream only while
 * it is filled within four round trips, which it measures in whole milliseconds: in a machine room that is never, and the sender would
 * stop after each 256 KiB.
 */
export function widening<S extends Stream>(stream: S): S {
  if (!isYamux(stream)) return stream
  let received = 0
  const count = ({ data }: StreamMessageEvent): void => {
    received += data.byteLength
    if (received < WIDE_FROM_BYTES) return
    stream.removeEventListener('message', count)
    // Told to the other end with what it is given back for this message.
    stream.recvWindow = WINDOW_BYTES_MAX
  }
  stream.addEventListener('message', count)
  return stream
}

/** Of @libp2p/yamux: bytes that the other end may send before it has to wait. */
function isYamux<S extends Stream>(stream: S): stream is S & { recvWindow: number } {
  return 'recvWindow' in stream && typeof stream.recvWindow === 'number'
}
