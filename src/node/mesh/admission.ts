/**
 * Who gets in: a peer with a permit; a stranger only for one session frame, and only while an invitation is out. Addresses of listed
 * neighbours are never counted out.
 */
import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { isPeerId } from '../../crypto/identity.ts'
import { STRANGER_TIMEOUT_MS } from '../../protocols/session/messages.ts'
import { AddressBudget, ipOf } from './address-budget.ts'
import { PENDING_MAX, PENDING_PER_ADDRESS_MAX, STRANGERS_MAX } from './limits.ts'

export interface AdmissionOptions {
  /** Whether a peer has any permit now. */
  readonly permitted: (peer: string) => boolean
  /** Whether a ticket is out that somebody unknown may present. */
  readonly invited: () => boolean
  /** Told about each peer that was dropped right after it proved its key. */
  readonly onDenied: (peer: string) => void
  /** IP addresses at which neighbours are listed; by default none. */
  readonly listed?: () => ReadonlySet<string>
}

const NONE: ReadonlySet<string> = new Set()

export class Admission {
  readonly #options: AdmissionOptions
  readonly #pending = new Map<MultiaddrConnection, string>()
  readonly #budget: AddressBudget
  readonly #strangers = new Map<string, NodeJS.Timeout>()

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#budget = new AddressBudget({ listed: options.listed ?? (() => NONE), now: () => performance.now() })
  }

  /** What libp2p asks at each stage of a connection. Where it is silent, libp2p allows. */
  gater(): ConnectionGater {
    return {
      // libp2p's default refuses private addresses in browsers; a neighborhood is mostly private addresses.
      denyDialMultiaddr: () => false,
      denyInboundConnection: connection => {
        const address = ipOf(connection.remoteAddr)
        if (this.#budget.isSpent(address)) return true
        this.#wait(connection, address)
        return false
      },
      denyInboundEncryptedConnection: (peer, connection) => {
        this.#pending.delete(connection)
        return this.#denyInbound(peer, ipOf(connection.remoteAddr))
      },
      // Who is reached through us, and by whom: both may come in here.
      denyInboundRelayReservation: source => !this.#options.permitted(source.toString()),
      denyOutboundRelayedConnection: (source, destination) =>
        !(this.#options.permitted(source.toString()) && this.#options.permitted(destination.toString())),
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

  #denyInbound(peer: PeerId, address: string): boolean {
    const id = peer.toString()
    if (isPeerId(id) && this.#options.permitted(id)) {
      this.#budget.friend(address)
      return false
    }
    this.#budget.stranger(address)
    if (!isPeerId(id)) return true
    if (this.#options.invited() && this.#strangers.size < STRANGERS_MAX) return false
    this.#options.onDenied(id)
    return true
  }

  /** Counts a connection that has proved nothing yet; over a limit, the oldest goes, of the same address or of those nobody listed. */
  #wait(connection: MultiaddrConnection, address: string): void {
    this.#pending.set(connection, address)
    connection.addEventListener('close', () => this.#pending.delete(connection), { once: true })
    const waiting = [...this.#pending]
    const same = waiting.filter(([, other]) => other === address)
    if (same.length > PENDING_PER_ADDRESS_MAX && !this.#budget.isTrusted(address)) this.#drop(same[0])
    if (this.#pending.size > PENDING_MAX) this.#drop(waiting.find(([, other]) => !this.#budget.isTrusted(other)) ?? waiting[0])
  }

  #drop(waiting: [MultiaddrConnection, string] | undefined): void {
    if (waiting === undefined || !this.#pending.delete(waiting[0])) return
    waiting[0].abort(new Error('too many connections that prove nothing'))
  }

  #forget(connection: string): void {
    clearTimeout(this.#strangers.get(connection))
    this.#strangers.delete(connection)
  }
}
