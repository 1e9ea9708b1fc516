import { decode, encode } from 'cborg'
import { CloudburstError } from '../../src/errors.ts'
import type { Caller, Channel, Dialer, Handler } from '../../src/protocols/wire/channel.ts'

/** Messages that may wait in one direction before a write waits too: small, so that back-pressure is met in tests. */
const ROOM = 4

export interface PairOptions {
  /** Called before each message is carried, counting both directions from 1; true cuts the connection instead. */
  readonly cut?: (count: number, from: 'client' | 'server', message: unknown) => boolean
}

/** Two ends of a connection in memory, encoded on the way as the wire does it. */
export function channelPair(
  peers: { client: string; server: string },
  options: PairOptions = {}
): { client: Channel; server: Channel; cut: () => void } {
  const gone = new AbortController()
  const up = lane()
  const down = lane()
  let count = 0
  const cut = (): void => {
    gone.abort(new CloudburstError('CB_PEER_UNREACHABLE', 'the connection was cut'))
    up.cut()
    down.cut()
  }
  const end = (side: 'client' | 'server', peer: string, out: Lane, input: Lane): Channel => ({
    peer,
    closed: gone.signal,
    async write(message) {
      if (gone.signal.aborted) throw gone.signal.reason
      const bytes = encode(message)
      if (options.cut?.(++count, side, message) === true) {
        cut()
        throw gone.signal.reason
      }
      await out.push(bytes)
    },
    async read() {
      const bytes = await input.pull()
      if (bytes === undefined && gone.signal.aborted) throw gone.signal.reason
      return bytes === undefined ? undefined : decode(bytes)
    },
    finish: async () => out.end(),
    abort: cut
  })
  return { client: end('client', peers.server, up, down), server: end('server', peers.client, down, up), cut }
}

type Lane = ReturnType<typeof lane>

function lane() {
  const held: Uint8Array[] = []
  let ended = false
  let wake: (() => void)[] = []
  const change = (): void => {
    const waiting = wake
    wake = []
    for (const resolve of waiting) resolve()
  }
  const changed = (): Promise<void> => new Promise(resolve => wake.push(resolve))
  return {
    async push(bytes: Uint8Array) {
      if (ended) throw new CloudburstError('CB_PEER_UNREACHABLE', 'write after the end')
      held.push(bytes)
      change()
      while (held.length > ROOM && !ended) await changed()
    },
    async pull(): Promise<Uint8Array | undefined> {
      for (;;) {
        const bytes = held.shift()
        if (bytes !== undefined) {
          change()
          return bytes
        }
        if (ended) return undefined
        await changed()
      }
    },
    end() {
      ended = true
      change()
    },
    cut() {
      held.length = 0
      ended = true
      change()
    }
  }
}

/** A dialer to one handler in this process. `before` may refuse a dial, `options` cut its connection. */
export function dialerTo(handler: Handler, caller: Caller, server: string, before: () => PairOptions = () => ({})): Dialer {
  return {
    async open(peer) {
      if (peer !== server) throw new CloudburstError('CB_PEER_UNREACHABLE', `no peer ${peer}`)
      const pair = channelPair({ client: caller.peer, server }, before())
      handler(pair.server, caller).catch(error => pair.server.abort(error))
      return pair.client
    }
  }
}
