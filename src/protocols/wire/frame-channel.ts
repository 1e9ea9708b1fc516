import type { Stream } from '@libp2p/interface'
import { pipe } from 'it-pipe'
import type { Channel } from './channel.ts'
import { decodeMessage, encodePieces } from './codec.ts'
import { type FrameOptions, FrameStream } from './frames.ts'

/**
 * A Channel over a negotiated libp2p stream. Spec: ./README.md
 * @param peer peer id at the other end, as Noise proved it
 */
export function frameChannel(stream: Stream, peer: string, options?: FrameOptions): Channel {
  const frames = new FrameStream(stream, options)
  const incoming = pipe(frames, decoded)
  let broken: Error | undefined
  return {
    peer,
    closed: frames.closed,
    async write(message) {
      await frames.write(...encodePieces(message))
    },
    async read() {
      if (broken !== undefined) throw broken
      try {
        const next = await incoming.next()
        return next.done === true ? undefined : next.value
      } catch (error) {
        broken = error instanceof Error ? error : new Error(String(error))
        frames.abort(broken)
        throw broken
      }
    },
    finish: () => frames.finish(),
    abort: reason => frames.abort(reason)
  }
}

async function* decoded(frames: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, undefined> {
  for await (const frame of frames) yield decodeMessage(frame)
}
