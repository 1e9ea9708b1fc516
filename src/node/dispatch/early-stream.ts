import type { Channel, Dialer } from '../../protocols/wire/channel.ts'

/** A stream that is opened while it is still being written down what it is for: opening takes as long as a sync. Nothing is sent on it before. */
export interface EarlyStream {
  /** The stream, once; undefined afterwards. */
  take(): Promise<Channel> | undefined
  /** Ends the stream if nobody has taken it. */
  drop(reason: Error): void
}

/** @param signal ends the opening */
export function openEarly(dialer: Dialer, peer: string, protocol: string, signal: AbortSignal): EarlyStream {
  let opening: Promise<Channel> | undefined = dialer.open(peer, protocol, signal)
  const take = (): Promise<Channel> | undefined => {
    const taken = opening
    opening = undefined
    return taken
  }
  // A failure is for whoever takes the stream.
  opening.catch(() => undefined)
  return {
    take,
    drop: reason =>
      void take()?.then(
        channel => channel.abort(reason),
        () => undefined
      )
  }
}
