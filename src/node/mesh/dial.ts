import type { Connection } from '@libp2p/interface'
import { CloudburstError } from '../../errors.ts'
import { type Greetings, HungUp } from './greetings.ts'
import { dialable, type Node } from './libp2p.ts'
import { DIAL_TIMEOUT_MS } from './limits.ts'

/** Names of libp2p's errors for a connection that the other side cut while or right after it was opened. */
const CUT = new Set([
  'ConnectionClosedError',
  'MuxerUnavailableError',
  'MuxerClosedError',
  'StreamResetError',
  'UnexpectedEOFError',
  'StreamClosedError'
])

/**
 * A connection to `peer` on which we are welcome: an open one, or a new one.
 * @throws CloudburstError CB_PEER_UNREACHABLE; CB_DENIED when it refuses our hello or hangs up on it twice
 */
export async function reach(node: Node, greetings: Greetings, target: Target, signal?: AbortSignal): Promise<Connection> {
  try {
    return await attempt(node, greetings, target, signal)
  } catch (error) {
    if (!wasCut(error)) throw unreachable(target, error)
  }
  // It hung up: it may be dying, or it may be that we have no permit there. The second time it was no accident.
  try {
    return await attempt(node, greetings, target, signal)
  } catch (error) {
    if (!wasCut(error)) throw unreachable(target, error)
    const message = `${target.name} hung up right after the handshake: it has no permit for this node (${node.peerId.toString()})`
    throw new CloudburstError('CB_DENIED', message, { peer: target.name }, error)
  }
}

/** Whom to reach, where. */
export interface Target {
  readonly peer: string
  readonly name: string
  /** Multiaddrs ending in /p2p/. */
  readonly addresses: readonly string[]
}

async function attempt(node: Node, greetings: Greetings, target: Target, signal?: AbortSignal): Promise<Connection> {
  const welcome = greetings.connection(target.peer)
  if (welcome !== undefined) return welcome
  if (target.addresses.length === 0 && openTo(node, target.peer).length === 0) {
    throw new CloudburstError('CB_PEER_UNREACHABLE', `${target.name} has no known address, and has not called`, { peer: target.name })
  }
  const timeout = AbortSignal.timeout(DIAL_TIMEOUT_MS)
  const until = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
  const open = openTo(node, target.peer)[0]
  const connection = open ?? (await node.dial(dialable(target.addresses), { signal: until }))
  await greetings.say(connection)
  return connection
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
