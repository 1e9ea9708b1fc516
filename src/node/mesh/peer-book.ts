/** What is known about every other node: names, labels, addresses, and how it stands with us. */
import type { Capability } from '../../crypto/capability.ts'
import { shortPeer } from '../../crypto/identity.ts'
import type { Welcome } from '../../protocols/session/client.ts'
import type { SessionHello } from '../../protocols/session/messages.ts'
import type { PeerInfo } from '../control/contract.ts'
import type { Neighbour } from '../neighborhood/read.ts'
import { ADDRESSES_MAX } from './limits.ts'
import type { Standing } from './membership.ts'

/** Nodes that are remembered, besides the neighbours: the longest away is forgotten first. */
export const PEERS_MAX = 1_000

interface Entry {
  readonly peer: string
  /** Name that the node calls itself; only a suggestion. */
  claimed?: string
  labels: Readonly<Record<string, string>>
  version?: string
  status: PeerInfo['status']
  since: number
  lastError?: string
  roundTripMs?: number
  mayThere: readonly Capability[]
  /** As probes have it, while a connection stands. */
  standing?: Standing
  /** It said that it goes. */
  left?: true
  /** It was taken from the neighbours: once it is neither here nor permitted anything, it is forgotten. */
  struck?: true
  /** Addresses by where we have them from; the sure ones come first when dialling. */
  readonly addresses: { said: readonly string[]; found: readonly string[] }
}

/** An address without the id of who is there; the relay that it leads through stays. */
function withoutPeer(address: string): string {
  const [, through] = /^(.*\/p2p-circuit)(?:\/p2p\/[^/]+)?$/.exec(address) ?? []
  return through ?? address.replace(/\/p2p\/.*$/, '')
}

/** Who a node says it is, in hello or welcome. */
export type Card = Pick<SessionHello | Welcome, 'name' | 'version' | 'labels' | 'addresses'>

export class PeerBook {
  readonly #own: string
  readonly #now: () => number
  readonly #entries = new Map<string, Entry>()
  #neighbours: ReadonlyMap<string, Neighbour> = new Map()

  constructor(own: string, now: () => number) {
    this.#own = own
    this.#now = now
  }

  /** Replaces the static neighbours; those that are gone stay known by what they said, while they are here or permitted anything. */
  setNeighbours(neighbours: readonly Neighbour[]): void {
    for (const peer of this.#neighbours.keys()) this.#entry(peer).struck = true
    this.#neighbours = new Map(neighbours.map(neighbour => [neighbour.peer, neighbour]))
    for (const { peer } of neighbours) delete this.#entry(peer).struck
  }

  neighbour(peer: string): Neighbour | undefined {
    return this.#neighbours.get(peer)
  }

  /** Name in this neighborhood: as neighborhood.xml has it, else as the node calls itself while nobody else has that name, else `…` and the end of its id. */
  nameOf(peer: string, taken?: ReadonlyMap<string, number>): string {
    const listed = this.#neighbours.get(peer)
    if (listed !== undefined) return listed.name
    const claimed = this.#entries.get(peer)?.claimed
    return claimed === undefined || (taken ?? this.#taken()).get(claimed) !== 1 ? shortPeer(peer) : claimed
  }

  /** How many have or claim each name: those of this node and of neighbours are never for others. */
  #taken(): ReadonlyMap<string, number> {
    const taken = new Map([[this.#own, 2]])
    for (const { name } of this.#neighbours.values()) taken.set(name, 2)
    for (const { peer, claimed } of this.#entries.values())
      if (claimed !== undefined && !this.#neighbours.has(peer)) taken.set(claimed, (taken.get(claimed) ?? 0) + 1)
    return taken
  }

  /** Multiaddrs to dial, each ending in /p2p/. */
  addresses(peer: string): readonly string[] {
    const { said, found } = this.#entries.get(peer)?.addresses ?? { said: [], found: [] }
    const all = [...(this.#neighbours.get(peer)?.addresses ?? []), ...found, ...said]
    return [...new Set(all.map(address => `${withoutPeer(address)}/p2p/${peer}`))].slice(0, ADDRESSES_MAX)
  }

  /** Remembers what a node says about itself. */
  learn(peer: string, { name, version, labels, addresses }: Card): void {
    const entry = this.#entry(peer)
    entry.claimed = name
    entry.version = version
    entry.labels = labels
    entry.addresses.said = addresses.filter(address => address.startsWith('/')).slice(0, ADDRESSES_MAX)
  }

  /** Remembers addresses that mDNS or a person suggested. */
  found(peer: string, addresses: readonly string[]): void {
    const entry = this.#entry(peer)
    entry.addresses.found = [...new Set([...addresses, ...entry.addresses.found])].slice(0, ADDRESSES_MAX)
  }

  /** Notes how it stands; `error` is why not better. */
  mark(peer: string, status: PeerInfo['status'], error?: string): void {
    const entry = this.#entry(peer)
    if (entry.status !== status) entry.since = this.#now()
    entry.status = status
    delete entry.standing
    if (status === 'up') {
      delete entry.left
      delete entry.struck
    }
    if (status !== 'up') {
      entry.mayThere = []
      delete entry.roundTripMs
    }
    if (error !== undefined) entry.lastError = error
    else if (status === 'up') delete entry.lastError
  }

  /** What probes tell of a connected node. @returns whether it counts as there or away otherwise than before */
  stands(peer: string, standing: Standing): boolean {
    const entry = this.#entry(peer)
    const before = entry.standing
    entry.standing = standing
    const changed = entry.status === 'up' && (before === 'away') !== (standing === 'away')
    if (changed) entry.since = this.#now()
    return changed
  }

  /** It said that it goes. */
  left(peer: string): void {
    this.#entry(peer).left = true
  }

  welcomed(peer: string, capabilities: readonly Capability[]): void {
    this.#entry(peer).mayThere = capabilities
  }

  measured(peer: string, roundTripMs: number): void {
    this.#entry(peer).roundTripMs = roundTripMs
  }

  /** Everything known of everybody; `may` says what a peer may do here. */
  all(may: (peer: string) => readonly Capability[]): PeerInfo[] {
    const isForgotten = ({ peer, status, struck }: Entry): boolean => struck === true && status !== 'up' && may(peer).length === 0
    const taken = this.#taken()
    return [...this.#entries.values()]
      .filter(entry => !isForgotten(entry))
      .map(entry => this.#info(entry, may, taken))
      .sort((a, b) => a.name.localeCompare(b.name))
  }

  /** Those who are up, by their ids. */
  up(): string[] {
    return [...this.#entries.values()].filter(({ status, standing }) => status === 'up' && standing !== 'away').map(({ peer }) => peer)
  }

  status(peer: string): PeerInfo['status'] {
    return this.#entries.get(peer)?.status ?? 'away'
  }

  #info(entry: Entry, may: (peer: string) => readonly Capability[], taken: ReadonlyMap<string, number>): PeerInfo {
    const { peer, labels, status: connected, standing, left, since, version, lastError, roundTripMs, mayThere } = entry
    const status = connected === 'up' && standing === 'away' ? 'away' : connected
    return {
      peer,
      name: this.nameOf(peer, taken),
      labels,
      status,
      addresses: this.addresses(peer),
      static: this.#neighbours.has(peer),
      since,
      may: may(peer),
      mayThere,
      ...(status === 'up' && standing === 'suspect' && { suspect: true as const }),
      ...(status !== 'up' && left === true && { left }),
      ...(version === undefined ? {} : { version }),
      ...(lastError === undefined ? {} : { lastError }),
      ...(roundTripMs === undefined ? {} : { roundTripMs })
    }
  }

  #entry(peer: string): Entry {
    const known = this.#entries.get(peer)
    if (known !== undefined) return known
    if (this.#entries.size >= PEERS_MAX) this.#forgetOne()
    const entry: Entry = { peer, labels: {}, status: 'away', since: this.#now(), mayThere: [], addresses: { said: [], found: [] } }
    this.#entries.set(peer, entry)
    return entry
  }

  #forgetOne(): void {
    let oldest: Entry | undefined
    for (const entry of this.#entries.values()) {
      const idle = entry.status !== 'up' && !this.#neighbours.has(entry.peer)
      if (idle && (oldest === undefined || entry.since < oldest.since)) oldest = entry
    }
    if (oldest !== undefined) this.#entries.delete(oldest.peer)
  }
}
