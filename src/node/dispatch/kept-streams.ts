/** Streams to peers that are kept after one dispatch for the next: opening one costs both ends more than a dispatch does. */
import { CloudburstError } from '../../errors.ts'
import type { Dialer } from '../../protocols/wire/channel.ts'
import { type AskedChannel, asking, KEPT_MS } from '../../protocols/wire/turns.ts'

/** Streams kept for one peer and protocol: as many dispatches as follow closely on one another. More at once open their own. */
export const KEPT_PER_PEER_MAX = 16

/** Opens channels that are one turn of a stream each; the answering end must serve them in turns. */
export interface KeptStreams extends Dialer {
  /** Ends all streams that nobody uses now. */
  stop(): void
}

interface Kept {
  readonly stream: AskedChannel
  readonly forget: () => void
}

/** @param dialer opens the streams */
export function keptStreams(dialer: Dialer): KeptStreams {
  const free = new Map<string, Kept[]>()
  let stopped = false

  const keep = (key: string, stream: AskedChannel): void => {
    const kept = free.get(key) ?? []
    if (stopped || stream.closed.aborted || kept.length >= KEPT_PER_PEER_MAX) {
      stream.end(notNeeded())
      return
    }
    const entry: Kept = { stream, forget: () => forget(key, entry, timer, onClosed) }
    const onClosed = (): void => entry.forget()
    const timer = setTimeout(() => {
      entry.forget()
      stream.end(notNeeded())
    }, KEPT_MS).unref()
    stream.closed.addEventListener('abort', onClosed, { once: true })
    free.set(key, [...kept, entry])
    stream.rest()
  }
  const forget = (key: string, entry: Kept, timer: NodeJS.Timeout, onClosed: () => void): void => {
    clearTimeout(timer)
    entry.stream.closed.removeEventListener('abort', onClosed)
    const left = (free.get(key) ?? []).filter(each => each !== entry)
    if (left.length > 0) free.set(key, left)
    else free.delete(key)
  }

  return {
    open: async (peer, protocol, signal) => {
      signal?.throwIfAborted()
      const key = `${protocol} ${peer}`
      // The one that was used last: the others come to their end.
      const kept = free.get(key)?.at(-1)
      kept?.forget()
      const stream = kept?.stream ?? asking(await dialer.open(peer, protocol, signal))
      return stream.turn(() => keep(key, stream))
    },
    stop: () => {
      stopped = true
      for (const { stream, forget } of [...free.values()].flat()) {
        forget()
        stream.end(notNeeded())
      }
    }
  }
}

function notNeeded(): CloudburstError {
  return new CloudburstError('CB_INTERRUPTED', 'the stream is not needed any more')
}
