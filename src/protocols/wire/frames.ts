import type { Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { CloudburstError } from '../../errors.ts'
import { IncomingBytes } from './incoming-bytes.ts'
import { Outgoing } from './outgoing.ts'

/** Longest frame either side accepts, in bytes: a program with its includes fits, and one peer cannot hold more of our memory. See ./README.md, "Limits". */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024
/**
 * Frames are gathered and cut into pieces of this many bytes: the longest that Noise encrypts as one (65,535, less its tag of 16 and
 * yamux's header of 12). Noise and TCP cost per piece, and one byte more would be a piece of its own.
 */
export const PIECE_BYTES_MAX = 65_535 - 16 - 12
/** Received bytes we hold before the sender is asked to pause, beyond one frame. */
export const READ_AHEAD_BYTES_MAX = 256 * 1024
/** How long the last frames may take to leave, in milliseconds, before a finished stream is given up: a slow reader on a slow line. */
export const FINISH_TIMEOUT_MS = 30_000
const HEADER_BYTES = 4

/** What limits one FrameStream. */
export interface FrameOptions {
  /** Longest frame to accept, in bytes; at most and by default FRAME_BYTES_MAX. */
  readonly frameBytesMax?: number
}

/**
 * Frames over a libp2p stream: uint32 big-endian length, then that many bytes.
 *
 * Back-pressure is real in both directions, which libp2p's own iterators and helpers do not give:
 * reading holds at most one frame, READ_AHEAD_BYTES_MAX and one yamux window; writing waits for the window.
 */
export class FrameStream implements AsyncIterable<Uint8Array> {
  readonly stream: Stream
  /** Fires when the stream is gone for whatever reason. */
  readonly closed: AbortSignal
  readonly #frameBytesMax: number
  readonly #received = new IncomingBytes()
  readonly #outgoing = new Outgoing()
  #flushScheduled = false
  #wakeReader: (() => void) | undefined
  #wakeWriters: (() => void)[] = []
  #paused = false
  /** The other end said that it writes no more. */
  #finishedThere: boolean
  /** The stream is gone; `#failure` says why unless both ends had finished. */
  #gone = false
  #failure: CloudburstError | undefined

  constructor(stream: Stream, options: FrameOptions = {}) {
    this.stream = stream
    this.#frameBytesMax = Math.min(options.frameBytesMax ?? FRAME_BYTES_MAX, FRAME_BYTES_MAX)
    this.#finishedThere = stream.remoteWriteStatus === 'closed' && stream.status !== 'reset' && stream.status !== 'aborted'
    const closed = new AbortController()
    this.closed = closed.signal
    stream.addEventListener('message', event => this.#receive(event.data))
    stream.addEventListener('remoteCloseWrite', () => {
      this.#finishedThere = true
      this.#wake()
    })
    stream.addEventListener('end', () => this.#wake())
    // Whole pieces; the rest waits for what the writers, who go on now, have to add.
    stream.addEventListener('drain', () =>
      queueMicrotask(() => {
        this.#flush(PIECE_BYTES_MAX)
        this.#scheduleFlush()
      })
    )
    stream.addEventListener('close', event => {
      this.#end(event.error)
      closed.abort()
    })
    if (stream.status !== 'open' && stream.status !== 'closing') {
      this.#end()
      closed.abort()
    }
  }

  /**
   * The next frame; undefined once the other end has finished.
   * @throws CloudburstError CB_FRAME_TOO_LONG as soon as a header announces too much, before any of that frame is held;
   *         CB_FRAME_INVALID when the stream ends inside a frame; CB_PEER_UNREACHABLE when it breaks
   */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.#takeFrame()
      if (frame !== undefined) return frame
      if (this.#paused) {
        const had = this.#received.byteLength
        this.#unpause()
        if (this.#received.byteLength !== had) continue
      }
      if (this.#failure !== undefined) throw this.#failure
      if (this.#finishedThere && this.stream.readBufferLength === 0) return this.#atEnd()
      if (this.#gone) throw lost()
      await new Promise<void>(resolve => {
        this.#wakeReader = resolve
      })
    }
  }

  /**
   * Queues one frame, given in pieces that must not change any more; resolves when there is room for the next. What is written in one turn of the event loop
   * leaves together.
   * @throws CloudburstError CB_FRAME_TOO_LONG, CB_PEER_UNREACHABLE
   */
  async write(...frame: readonly Uint8Array[]): Promise<void> {
    const bytes = frame.reduce((sum, piece) => sum + piece.byteLength, 0)
    if (bytes > this.#frameBytesMax)
      throw new CloudburstError('CB_FRAME_TOO_LONG', `a ${bytes}-byte frame is longer than ${this.#frameBytesMax}`)
    this.#checkWritable()
    this.#outgoing.add(bytes, frame)
    if (this.#outgoing.byteLength >= PIECE_BYTES_MAX) this.#flush(PIECE_BYTES_MAX)
    if (this.#outgoing.byteLength > 0) this.#scheduleFlush()
    while (!this.#gone && (this.stream.writableNeedsDrain || this.#outgoing.byteLength >= PIECE_BYTES_MAX)) await this.#drained()
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Sends what is queued, then tells the other end that no more comes. Reading goes on. */
  async finish(): Promise<void> {
    while (!this.#gone && this.#outgoing.byteLength > 0) {
      this.#flush()
      if (this.#outgoing.byteLength > 0) await this.#drained()
    }
    if (this.#gone || this.stream.writeStatus !== 'writable') return
    try {
      await this.stream.close({ signal: AbortSignal.timeout(FINISH_TIMEOUT_MS) })
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Ends both directions at once. */
  abort(reason: Error): void {
    this.stream.abort(reason)
  }

  /** All frames until the other end has finished. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let frame = await this.read(); frame !== undefined; frame = await this.read()) yield frame
  }

  #receive(bytes: Uint8Array | Uint8ArrayList): void {
    this.#received.add(bytes)
    if (this.#received.byteLength > READ_AHEAD_BYTES_MAX && !this.#paused) {
      this.#paused = true
      // Not at once: resume() may be handing us data right now, and would re-open the window behind a pause made here.
      queueMicrotask(() => {
        if (this.#paused && this.stream.readStatus === 'readable') this.stream.pause()
      })
    }
    this.#wake()
  }

  #takeFrame(): Uint8Array | undefined {
    const held = this.#received.byteLength
    if (held < HEADER_BYTES) return undefined
    const length = this.#received.peekUint32()
    if (length > this.#frameBytesMax) {
      const error = new CloudburstError('CB_FRAME_TOO_LONG', `peer announced a ${length}-byte frame, longer than ${this.#frameBytesMax}`)
      this.#failure ??= error
      this.abort(error)
      throw error
    }
    if (held < HEADER_BYTES + length) return undefined
    this.#received.skip(HEADER_BYTES)
    const frame = this.#received.take(length)
    if (this.#received.byteLength < READ_AHEAD_BYTES_MAX / 2) this.#unpause()
    return frame
  }

  #atEnd(): undefined {
    const held = this.#received.byteLength
    if (held > 0) throw new CloudburstError('CB_FRAME_INVALID', `peer finished inside a frame, after ${held} bytes of it`)
    return undefined
  }

  #unpause(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.stream.readStatus === 'paused') this.stream.resume()
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    // After all promise jobs of this turn: a loop that awaits each write still gathers.
    process.nextTick(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  /** @param least what is less than this waits for more */
  #flush(least = 1): void {
    const { stream } = this
    while (this.#outgoing.byteLength >= least && !this.#gone && !stream.writableNeedsDrain && stream.writeStatus === 'writable')
      stream.send(this.#outgoing.take(PIECE_BYTES_MAX))
    if (!stream.writableNeedsDrain) this.#wakeAllWriters()
  }

  #checkWritable(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#gone || this.stream.writeStatus !== 'writable') throw lost()
  }

  #drained(): Promise<void> {
    return new Promise(resolve => this.#wakeWriters.push(resolve))
  }

  #end(error?: Error): void {
    this.#gone = true
    if (error instanceof CloudburstError) this.#failure ??= error
    else if (error !== undefined) this.#failure ??= lost(error)
    else if (!this.#finishedThere || this.#outgoing.byteLength > 0) this.#failure ??= lost()
    this.#wake()
    this.#wakeAllWriters()
  }

  #wake(): void {
    const wake = this.#wakeReader
    this.#wakeReader = undefined
    wake?.()
  }

  #wakeAllWriters(): void {
    const waiting = this.#wakeWriters
    this.#wakeWriters = []
    for (const wake of waiting) wake()
  }
}

function lost(cause?: Error): CloudburstError {
  return new CloudburstError('CB_PEER_UNREACHABLE', `peer ended the stream${cause === undefined ? '' : `: ${cause.message}`}`, {}, cause)
}
