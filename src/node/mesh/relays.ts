/**
 * Being reached through another node: one that nobody can dial listens at a neighbour that everybody can, and is dialled through it.
 * What passes there is encrypted between the two ends. Source: libp2p specs, circuit relay v2
 */
import type { Listener } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { dialable } from './dialable.ts'

/** An address at which a node is reached through a relay: `…/p2p/<relay>/p2p-circuit`. */
export function isRelayed(address: string): boolean {
  return address.includes('/p2p-circuit')
}

/** The relay of such an address. */
export function relayOf(address: string): string | undefined {
  return /\/p2p\/([1-9A-HJ-NP-Za-km-z]+)\/p2p-circuit/.exec(address)?.[1]
}

/** What is used of libp2p's own. */
interface TransportManager {
  getListeners(): Listener[]
  listen(addresses: Multiaddr[]): Promise<void>
}

/** Asks libp2p to listen at further addresses while it runs, and to stop that. Made as a service of the node, which is given its parts. */
export interface Listening {
  listen(addresses: readonly Multiaddr[]): Promise<void>
  /** Ends what {@link listen} has begun. */
  close(): Promise<void>
}

export function listening({ transportManager }: { readonly transportManager: TransportManager }): Listening {
  let ours: Listener[] = []
  return {
    listen: async addresses => {
      const before = new Set(transportManager.getListeners())
      try {
        await transportManager.listen([...addresses])
      } finally {
        ours.push(...transportManager.getListeners().filter(each => !before.has(each)))
      }
    },
    close: async () => {
      const closing = ours
      ours = []
      for (const each of closing) await each.close()
    }
  }
}

export interface RelaysOptions {
  /** Addresses that end in /p2p-circuit. */
  readonly addresses: readonly string[]
  readonly listening: Listening
  readonly isUp: (peer: string) => boolean
  readonly onFailure: (address: string, error: unknown) => void
}

/** Keeps this node reachable through those of its relays that are there. */
export class Relays {
  readonly #options: RelaysOptions
  #turn: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: RelaysOptions) {
    this.#options = options
  }

  /** A node has come: if it is a relay of ours, we listen there again. */
  came(peer: string): void {
    if (this.#options.addresses.some(address => relayOf(address) === peer)) this.#turn = this.#turn.then(() => this.#listen())
  }

  /** Listens nowhere any more. What is being asked of a relay is waited for: libp2p forgets none of its timers only then. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#turn
    await this.#options.listening.close().catch(() => undefined)
  }

  async #listen(): Promise<void> {
    const { addresses, listening, isUp, onFailure } = this.#options
    // Anew at all of them: libp2p keeps one list of reservations.
    await listening.close().catch(() => undefined)
    for (const address of addresses) {
      if (this.#stopped || !isUp(relayOf(address) ?? '')) continue
      try {
        await listening.listen(dialable([address]))
      } catch (error) {
        onFailure(address, error)
      }
    }
  }
}
