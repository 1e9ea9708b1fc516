/** What a stream of the simulated network is made of: two of these. */
import { CloudburstError } from '../../../src/errors.ts'
import type { Endpoint, Network } from './network.ts'

/** Bytes on their way in one direction of a stream before its writer waits. */
const ROOM_BYTES = 512 * 1024
/** What was lost on a line is sent again this often, in milliseconds: TCP. */
export const RESEND_MS = 200

export interface Lane {
  push(bytes: Uint8Array): Promise<void>
  pull(): Promise<Uint8Array | undefined>
  end(): void
  /** What is on its way never arrives. */
  drop(): void
  cut(reason: unknown): void
}

/**
 * One direction of a stream: in order, late, and silent while the line is cut.
 * @param onEnd called when its end has arrived
 */
export function lane(network: Network, from: Endpoint, to: Endpoint, onEnd: () => void): Lane {
  const arrived: (Uint8Array | undefined)[] = []
  let wake: (() => void)[] = []
  const pending: { readonly at: number; readonly bytes: Uint8Array | undefined }[] = []
  let last = network.time.now
  let waiting = 0
  let pumping = false
  let dropped = false
  let ended = false
  let failure: unknown
  const change = (): void => {
    const all = wake
    wake = []
    for (const each of all) each()
  }
  const changed = (): Promise<void> => new Promise(resolve => wake.push(resolve))
  const pump = (): void => {
    pumping = false
    for (;;) {
      const head = pending[0]
      if (head === undefined || failure !== undefined || dropped || pumping) return
      const again = network.isCut(from.peer, to.peer) ? RESEND_MS : head.at - network.time.now
      if (again > 0) {
        pumping = true
        return void network.time.after(again, pump)
      }
      pending.shift()
      arrived.push(head.bytes)
      if (head.bytes === undefined) onEnd()
      change()
    }
  }
  const carry = (bytes: Uint8Array | undefined): void => {
    last = Math.max(last, network.time.now + network.delay(from, to))
    pending.push({ at: last, bytes })
    if (!pumping) pump()
  }
  return {
    push: async bytes => {
      network.messages++
      network.bytes += bytes.byteLength
      waiting += bytes.byteLength
      carry(bytes)
      while (waiting > ROOM_BYTES && failure === undefined) await changed()
      if (failure !== undefined) throw failure
    },
    pull: async () => {
      for (;;) {
        if (arrived.length > 0) {
          const bytes = arrived[0]
          if (bytes === undefined) return undefined
          arrived.shift()
          waiting -= bytes.byteLength
          change()
          return bytes
        }
        if (failure !== undefined) throw failure
        await changed()
      }
    },
    end: () => {
      if (!ended) carry(undefined)
      ended = true
    },
    drop: () => {
      dropped = true
      change()
    },
    cut: reason => {
      failure ??= reason ?? unreachable(to.peer)
      change()
    }
  }
}

/** The end of a channel, as a signal for those who ask for one: few do, and to make one takes longer than a message. */
export class Closing {
  #reason: unknown
  #controller: AbortController | undefined
  isOver = false

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.isOver) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  close(reason: unknown): void {
    if (this.isOver) return
    this.isOver = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }

  /** @throws the reason, once it is over */
  check(): void {
    if (this.isOver) throw this.#reason
  }
}

/** @param peer the other end */
export function unreachable(peer: string): CloudburstError {
  return new CloudburstError('CB_PEER_UNREACHABLE', `the stream with ${peer} has ended`, { peer })
}
