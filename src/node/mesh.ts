/** The node's place among others: connections, sessions, streams and gossip. The only door to libp2p for the rest of the node. */
import type { Capability } from '../crypto/capability.ts'
import type { Identity } from '../crypto/identity.ts'
import type { Clock } from '../goals/ports.ts'
import type { Dialer, Handler } from '../protocols/wire/channel.ts'
import type { PeerInfo } from './control/contract.ts'
import type { Log } from './files/live-file.ts'
import type { Card } from './mesh/peer-book.ts'
import { RunningMesh } from './mesh/running-mesh.ts'
import type { LiveNeighborhood } from './neighborhood/neighborhood.ts'
import type { Audit } from './permissions/audit.ts'
import type { Trusted } from './permissions/decide.ts'
import type { Ticket, TicketRecord, Tickets } from './joining/tickets.ts'

/** What a mesh is made of. It closes nothing of it. */
export interface MeshOptions {
  readonly identity: Identity
  readonly version: string
  readonly neighborhood: LiveNeighborhood
  /** What decisions rest on: permissions.xml alone, or with all that ./permissions/trust.ts adds to it. */
  readonly permissions: { readonly current: Trusted; onChange(listener: () => void): () => void }
  /** Without it, nobody is let in by a grant, and none is shown. */
  readonly grants?: MeshGrants
  readonly audit: Audit
  readonly log: Log
  /** Instead of what neighborhood.xml says. */
  readonly listen?: readonly string[]
  readonly mdns?: boolean
  /** gossipsub topics; no other is accepted. */
  readonly topics?: readonly string[]
  /** Without it, nobody can join by a ticket. */
  readonly joining?: Joining
  /** Epoch milliseconds. */
  readonly now?: () => number
  /** Of probes, the machine's unless given; and for whether asks are of their time, `now` unless given. */
  readonly clock?: Clock
}

/** What the mesh needs of ./permissions/trust.ts. */
export interface MeshGrants {
  /** Whether somebody unknown may have a grant to show. */
  readonly awaitsGrants: boolean
  /** @throws CloudburstError CB_SIGNATURE_INVALID */
  take(envelope: Uint8Array, of?: 'others'): boolean
  own(): readonly { readonly envelope: Uint8Array }[]
  /** Of keys of this node that were replaced: shown first. */
  successions(): readonly Uint8Array[]
  /** Called after this node has got a grant. @returns ends it */
  onOwn(listener: () => void): () => void
}

/** What joining by ticket needs of the node; ./joining.ts makes it. */
export interface Joining {
  readonly tickets: Pick<Tickets, 'outstanding' | 'use'>
  /** The ticket that waits to be presented to a peer. */
  pending(peer: string): Ticket | undefined
  /** All tickets that wait to be presented. */
  waiting(): readonly Ticket[]
  /** Called when other tickets wait. @returns ends it */
  onChange(listener: () => void): () => void
  /** The guest presented a good ticket: makes it a neighbour with a permit. Durable on return. */
  admit(guest: Newcomer, ticket: TicketRecord): void
  /** Our ticket was good: makes the host a neighbour with a permit, and drops the ticket. Durable on return. */
  joined(host: Newcomer): void
  /** Our ticket was refused: drops it. */
  refused(peer: string, reason: string): void
}

export interface Newcomer {
  readonly peer: string
  readonly name: string
  readonly addresses: readonly string[]
}

/** What a mesh tells: a peer id with each. */
export type MeshEvent = 'peer-up' | 'peer-down' | 'peer-denied'

export interface Mesh extends Dialer {
  readonly peer: string
  /** This node's name. */
  readonly name: string
  /** Where others reach it: multiaddrs ending in /p2p/. */
  addresses(): readonly string[]
  /** Serves a protocol to peers with a session. To be called before {@link start}, or later. */
  handle(protocol: string, handler: Handler): void
  /** Everybody known but this node. */
  peers(): readonly PeerInfo[]
  /** Peer ids of those of them who are up, in no order: to be asked for often. */
  up(): readonly string[]
  /**
   * The peers that a selector names, this node (status `self`) included: see node/mesh/selector.ts.
   * @throws CloudburstError CB_PEER_UNKNOWN
   */
  find(selector: string): readonly PeerInfo[]
  /** How a peer stands here, whether it was ever seen or not. Absent in a mesh where everybody knows everybody. */
  stance?(peer: string): { readonly static: boolean; readonly may: readonly Capability[] }
  /** Somebody's state tells of a node: remembered for those with a permit here, so that they can be named and dialled when needed. It grants nothing. */
  heardOf?(node: { readonly peer: string } & Card): void
  /** @returns ends it */
  on(event: MeshEvent, listener: (peer: string) => void): () => void
  readonly pubsub: {
    publish(topic: string, bytes: Uint8Array): Promise<void>
    /** `from` is the peer that handed it to us, as Noise proved it; whose words they are, the bytes have to prove. @returns ends it */
    subscribe(topic: string, listener: (bytes: Uint8Array, from: string) => void): () => void
  }
  /** @throws CloudburstError CB_PORT_TAKEN, CB_NEIGHBORHOOD_INVALID */
  start(): Promise<void>
  stop(): Promise<void>
}

/** A mesh, not started yet: it opens nothing before {@link Mesh.start}. */
export function makeMesh(options: MeshOptions): Mesh {
  return new RunningMesh(options)
}
