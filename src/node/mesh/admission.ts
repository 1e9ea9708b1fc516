/** Who gets in: a peer with a permit; a stranger only for one session frame, and only while an invitation is out. */
import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { isPeerId } from '../../crypto/identity.ts'
import { STRANGER_TIMEOUT_MS } from '../../protocols/session/messages.ts'
import { PENDING_MAX, STRANGERS_MAX } from './limits.ts'

export interface AdmissionOptions {
  /** Whether a peer has any permit now. */
  readonly permitted: (peer: string) => boolean
  /** Whether a ticket is out that somebody unknown may present. */
  readonly invited: () => boolean
  /** Told about each peer that was dropped right after it proved its key. */
  readonly onDenied: (peer: string) => void
}

export class Admission {
  readonly #options: AdmissionOptions
  readonly #pending = new Set<MultiaddrConnection>()
  readonly #strangers = new Map<string, NodeJS.Timeout>()

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** What libp2p asks at each stage of a connection. Where it is silent, libp2p allows. */
  gater(): ConnectionGater {
    return {
      // libp2p's default refuses private addresses in browsers; a neighborhood is mostly private addresses.
      denyDialMultiaddr: () => false,
      denyInboundConnection: connection => {
        this.#wait(connection)
        return false
      },
      denyInboundEncryptedConnection: (peer, connection) => {
        this.#pending.delete(connection)
        return this.#denyInbound(peer)
      },
      // A key of small order proves nothing, on whichever side it is.
      denyOutboundEncryptedConnection: peer => !isPeerId(peer.toString())
    }
  }

  /** To be called with every opened connection: a stranger's one ends soon. */
  opened(connection: Connection): void {
    if (connection.direction === 'outbound' || this.#options.permitted(connection.remotePeer.toString())) return
    const timer = setTimeout(() => connection.abort(new Error('a stranger has to say who it is')), STRANGER_TIMEOUT_MS).unref()
    this.#strangers.set(connection.id, timer)
    connection.addEventListener('close', () => this.#forget(connection.id), { once: true })
  }

  /** Whether this connection belongs to somebody who may do nothing but present an invitation. */
  isStranger(connection: Connection): boolean {
    return this.#strangers.has(connection.id)
  }

  #denyInbound(peer: PeerId): boolean {
    const id = peer.toString()
    if (!isPeerId(id)) return true
    if (this.#options.permitted(id)) return false
    if (this.#options.invited() && this.#strangers.size < STRANGERS_MAX) return false
    this.#options.onDenied(id)
    return true
  }

  /** Counts a connection that has proved nothing yet; over the limit, the oldest goes. */
  #wait(connection: MultiaddrConnection): void {
    this.#pending.add(connection)
    connection.addEventListener('close', () => this.#pending.delete(connection), { once: true })
    for (const oldest of this.#pending) {
      if (this.#pending.size <= PENDING_MAX) break
      this.#pending.delete(oldest)
      oldest.abort(new Error('too many connections that prove nothing'))
    }
  }

  #forget(connection: string): void {
    clearTimeout(this.#strangers.get(connection))
    this.#strangers.delete(connection)
  }
}
