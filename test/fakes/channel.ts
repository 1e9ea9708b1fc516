import type { Channel } from '../../src/protocols/wire/channel.ts'
import { decodeMessage, encodeMessage } from '../../src/protocols/wire/codec.ts'
import { CloudburstError } from '../../src/errors.ts'

/** Frames that may wait in one direction before a writer waits too. */
const QUEUED_MAX = 16

/** Two ends of one channel in memory, with the real encoding and with back-pressure. The first is the end of `a`, who talks to `b`. */
export function channelPair(a = 'peer-a', b = 'peer-b'): [Channel, Channel] {
  const there = new Pipe()
  const back = new Pipe()
  const gone = new AbortController()
  const abort = (reason: Error) => {
    there.break(reason)
    back.break(reason)
    gone.abort(reason)
  }
  const end = (peer: string, out: Pipe, into: Pipe): Channel => ({
    peer,
    closed: gone.signal,
    write: message => out.put(encodeMessage(message)),
    async read() {
      const frame = await into.take()
      return frame === undefined ? undefined : decodeMessage(frame)
    },
    async finish() {
      out.finish()
      if (into.finished) gone.abort()
    },
    abort
  })
  return [end(b, there, back), end(a, back, there)]
}

/** One direction: a bounded queue of frames. */
class Pipe {
  finished = false
  readonly #frames: Uint8Array[] = []
  #waiting: (() => void)[] = []
  #broken: CloudburstError | undefined

  async put(frame: Uint8Array): Promise<void> {
    while (this.#frames.length >= QUEUED_MAX && this.#broken === undefined) await this.#change()
    if (this.#broken !== undefined) throw this.#broken
    if (this.finished) throw new CloudburstError('CB_PEER_UNREACHABLE', 'write after finish')
    this.#frames.push(frame)
    this.#changed()
  }

  async take(): Promise<Uint8Array | undefined> {
    while (this.#frames.length === 0) {
      if (this.#broken !== undefined) throw this.#broken
      if (this.finished) return undefined
      await this.#change()
    }
    const frame = this.#frames.shift()
    this.#changed()
    return frame
  }

  finish(): void {
    this.finished = true
    this.#changed()
  }

  break(reason: Error): void {
    this.#broken ??= reason instanceof CloudburstError ? reason : new CloudburstError('CB_PEER_UNREACHABLE', reason.message)
    this.#changed()
  }

  #change(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #changed(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}
