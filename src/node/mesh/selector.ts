import { shortPeer } from '../../crypto/identity.ts'
import { CloudburstError } from '../../errors.ts'
import type { PeerInfo } from '../control/contract.ts'
import { guess } from '../files/xml-shape.ts'

/** Fewest characters of a peer id that name a peer, after the part that all of them share. */
export const ID_PREFIX_LENGTH_MIN = 4
const SHARED_PREFIX = '12D3KooW'
/** Commas or blanks between labels: on a command line the one is easier, in a program the other. */
const LABELS = /^[^=,/\s]+=[^=,\s]*([,\s]+[^=,/\s]+=[^=,\s]*)*$/

/**
 * The peers that `selector` names: a name; labels (`os=linux,role=web`, all of which must hold); `*`, everybody but this node;
 * the beginning of a peer id, with or without `12D3KooW`, or its last eight characters; a multiaddr ending in /p2p/<id>.
 *
 * @param all this node included, with status `self`
 * @throws CloudburstError CB_PEER_UNKNOWN when it names nobody, or a prefix names several
 */
export function selectPeers(selector: string, all: readonly PeerInfo[]): readonly PeerInfo[] {
  const named = all.filter(({ name, peer }) => name === selector || peer === selector)
  if (named.length > 0) return named
  if (selector === '*') return all.filter(({ status }) => status !== 'self')
  if (selector.startsWith('/')) return byAddress(selector, all)
  if (LABELS.test(selector)) return byLabels(selector, all)
  const matching = all.filter(({ peer }) => matches(peer, selector))
  if (matching.length === 1) return matching
  if (matching.length > 1)
    throw unknown(selector, `${selector} is the beginning of ${matching.length} peers: ${matching.map(show).join(', ')}`)
  if (selector === SHARED_PREFIX || (selector.length > 1 && SHARED_PREFIX.startsWith(selector)))
    throw unknown(selector, `every peer id begins with ${selector}: give ${ID_PREFIX_LENGTH_MIN} characters more than ${SHARED_PREFIX}`)
  throw unknown(
    selector,
    `no peer is named ${selector}${guess(
      selector,
      all.map(({ name }) => name)
    )}`
  )
}

/** The one among those that `selector` names. @throws CloudburstError CB_PEER_UNKNOWN when it names several */
export function onlyOne(found: readonly PeerInfo[], selector: string): PeerInfo {
  const [only, second] = found
  if (only === undefined || second !== undefined) throw unknown(selector, `${selector} names ${found.length} nodes, not one`)
  return only
}

/** The peer id at the end of a multiaddr. */
export function peerOfAddress(address: string): string | undefined {
  return /\/p2p\/([1-9A-HJ-NP-Za-km-z]+)$/.exec(address)?.[1]
}

function byAddress(address: string, all: readonly PeerInfo[]): readonly PeerInfo[] {
  const id = peerOfAddress(address)
  if (id === undefined) throw unknown(address, `${address} does not say who is there: it has to end in /p2p/ and a peer id`)
  const known = all.find(({ peer }) => peer === id)
  const stranger: PeerInfo = {
    peer: id,
    name: shortPeer(id),
    labels: {},
    status: 'away',
    addresses: [address],
    static: false,
    since: 0,
    may: [],
    mayThere: []
  }
  return [known === undefined ? stranger : { ...known, addresses: [...new Set([address, ...known.addresses])] }]
}

function byLabels(selector: string, all: readonly PeerInfo[]): readonly PeerInfo[] {
  const wanted = selector.split(/[,\s]+/).map(pair => pair.split('=') as [string, string])
  const found = all.filter(({ labels }) => wanted.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value))
  if (found.length === 0) throw unknown(selector, `no peer has the labels ${selector}`)
  return found
}

function matches(peer: string, part: string): boolean {
  const rest = part.startsWith(SHARED_PREFIX) ? part.slice(SHARED_PREFIX.length) : part
  if (rest.length < ID_PREFIX_LENGTH_MIN) return false
  return peer.startsWith(SHARED_PREFIX + rest) || shortPeer(peer) === part
}

function show({ name, peer }: PeerInfo): string {
  return `${name} (${peer.slice(0, SHARED_PREFIX.length + 6)}…)`
}

function unknown(peer: string, message: string): CloudburstError {
  return new CloudburstError('CB_PEER_UNKNOWN', message, { peer })
}
