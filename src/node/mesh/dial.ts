import type { Connection, Stream } from '@libp2p/interface'
import { CloudburstError } from '../../errors.ts'
import type { Channel } from '../../protocols/wire/channel.ts'
import { frameChannel } from '../../protocols/wire/frame-channel.ts'
import { type Greetings, HungUp } from './greetings.ts'
import { dialable } from './dialable.ts'
import type { Node } from './libp2p.ts'
import { DIAL_TIMEOUT_MS, NEGOTIATION_TIMEOUT_MS, STREAMS_MAX } from './limits.ts'
import { widening } from './widening.ts'

/** Connections to one peer that may be found closing before opening a stream fails: each side may have dialled, more than once. */
const OPEN_ATTEMPTS_MAX = 4

/** Names of libp2p's errors for a connection that the other side cut while or right after it was opened. */
const CUT = new Set([
  'ConnectionClosedError',
  'MuxerUnavailableError',
  'MuxerClosedError',
  'StreamResetError',
  'UnexpectedEOFError',
  'StreamClosedError',
  'StreamStateError'
])

/**
 * A connection to `peer` on which we are welcome: an open one, or a new one.
 * @throws CloudburstError CB_PEER_UNREACHABLE; CB_DENIED when it refuses our hello or hangs up on it twice
 */
export async function reach(
  node: Node,
  greetings: Greetings,
  target: Target,
  signal?: AbortSignal,
  onDialled?: OnDialled
): Promise<Connection> {
  try {
    return await attempt(node, greetings, target, signal, onDialled)
  } catch (error) {
    if (!wasCut(error)) throw unreachable(target, error)
  }
  // It hung up: it may be dying, or it may be that we have no permit there. The second time it was no accident.
  try {
    return await attempt(node, greetings, target, signal, onDialled)
  } catch (error) {
    if (!wasCut(error)) throw unreachable(target, error)
    const message = `${target.name} hung up right after the handshake: it has no permit for this node (${node.peerId.toString()})`
    throw new CloudburstError('CB_DENIED', message, { peer: target.name }, error)
  }
}

/** Called with a connection on which our hello is on its way: whoever was dialled answers it before anything that comes after it. */
export type OnDialled = (connection: Connection) => void

/**
 * A channel for `protocol` over a connection that `reachPeer` gives; over another one when that was found closing. On a new connection
 * its stream is opened while the hello is on its way.
 * @throws CloudburstError CB_PEER_UNREACHABLE when the peer does not serve the protocol, and whatever `reachPeer` throws
 */
export async function openChannel(
  reachPeer: (onDialled: OnDialled) => Promise<Connection>,
  { peer, name }: Pick<Target, 'peer' | 'name'>,
  protocol: string,
  signal?: AbortSignal
): Promise<Channel> {
  const streamOver = (connection: Connection): Promise<Stream> =>
    connection.newStream(protocol, { signal: within(NEGOTIATION_TIMEOUT_MS, signal), maxOutboundStreams: STREAMS_MAX })
  for (let attempt = 1; ; attempt++) {
    const { connection, stream } = await reachEarly(reachPeer, streamOver)
    try {
      return frameChannel(widening(await stream), peer)
    } catch (error) {
      signal?.throwIfAborted()
      if (!wasCut(error) || attempt === OPEN_ATTEMPTS_MAX) {
        const reason = error instanceof Error ? error.message : 'it was cut'
        throw new CloudburstError('CB_PEER_UNREACHABLE', `${name} does not serve ${protocol}: ${reason}`, { peer: name }, error)
      }
      // The connection was on its way out when we took it: another one tells why.
      connection.abort(new Error('the connection is closed at the other end'))
    }
  }
}

/** A connection on which we are welcome, and a stream on its way over it; of one that was dialled in vain, none is left. */
async function reachEarly(
  reachPeer: (onDialled: OnDialled) => Promise<Connection>,
  streamOver: (connection: Connection) => Promise<Stream>
): Promise<{ readonly connection: Connection; readonly stream: Promise<Stream> }> {
  const early = new Map<Connection, Promise<Stream>>()
  let used: Connection | undefined
  try {
    used = await reachPeer(dialled => {
      const stream = streamOver(dialled)
      // Whether it is of any use is seen once the hello was answered.
      stream.catch(() => undefined)
      early.set(dialled, stream)
    })
    return { connection: used, stream: early.get(used) ?? streamOver(used) }
  } finally {
    for (const [dialled, stream] of early) {
      if (dialled !== used)
        stream.then(
          opened => opened.abort(new Error('it is not needed')),
          () => undefined
        )
    }
  }
}

/** Whom to reach, where. */
export interface Target {
  readonly peer: string
  readonly name: string
  /** Multiaddrs ending in /p2p/. */
  readonly addresses: readonly string[]
}

async function attempt(node: Node, greetings: Greetings, target: Target, signal?: AbortSignal, onDialled?: OnDialled): Promise<Connection> {
  const welcome = greetings.connection(target.peer)
  if (welcome !== undefined) return welcome
  if (target.addresses.length === 0 && openTo(node, target.peer).length === 0) {
    throw new CloudburstError('CB_PEER_UNREACHABLE', `${target.name} has no known address, and has not called`, { peer: target.name })
  }
  const open = openTo(node, target.peer)[0]
  const connection = open ?? (await node.dial(dialable(target.addresses), { signal: within(DIAL_TIMEOUT_MS, signal) }))
  const welcomed = greetings.say(connection)
  onDialled?.(connection)
  await welcomed
  return connection
}

function within(ms: number, signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(ms)
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal])
}

function openTo(node: Node, peer: string): Connection[] {
  return node.getConnections().filter(connection => connection.status === 'open' && connection.remotePeer.toString() === peer)
}

/** Whether the other side cut the connection, rather than not being there or not answering. */
export function wasCut(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(wasCut)
  // A stream that ends while its protocol is chosen rejects with the event itself.
  if (!(error instanceof Error)) return true
  return error instanceof HungUp || CUT.has(error.name)
}

function unreachable(target: Target, error: unknown): unknown {
  if (error instanceof CloudburstError) return error
  const reasons = error instanceof AggregateError ? error.errors : [error]
  const said = [...new Set(reasons.map(reason => (reason instanceof Error ? reason.message : String(reason))))].slice(0, 3).join('; ')
  return new CloudburstError('CB_PEER_UNREACHABLE', `${target.name} cannot be reached: ${said}`, { peer: target.name }, error)
}
