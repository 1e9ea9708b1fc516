import type { PeerInfo } from '../../node/control/contract.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { ageOf, labelsText, shortPeer, showRows, type Table } from '../output.ts'
import { daemonOf } from '../session.ts'

const table: Table<PeerInfo> = {
  columns: [
    { title: 'NAME', of: peer => peer.name },
    { title: 'PEER', of: peer => shortPeer(peer.peer) },
    { title: 'STATUS', of: peer => (peer.suspect ? 'suspect' : peer.left ? 'left' : peer.status) },
    { title: 'SINCE', of: peer => ageOf(peer.since) },
    { title: 'RTT', of: peer => (peer.roundTripMs === undefined ? undefined : `${peer.roundTripMs.toFixed(1)} ms`) },
    { title: 'LABELS', of: peer => labelsText(peer.labels) },
    { title: 'VERSION', of: peer => peer.version, wide: true },
    { title: 'ADDRESSES', of: peer => peer.addresses.join(' '), wide: true },
    { title: 'MAY HERE', of: peer => peer.may.join(' '), wide: true },
    { title: 'MAY THERE', of: peer => peer.mayThere.join(' '), wide: true },
    { title: 'LAST ERROR', of: peer => peer.lastError, wide: true }
  ],
  name: peer => peer.name,
  empty: 'no peers; cloudburst init --ticket invites one'
}

/** Nodes that this one knows, itself first. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const peers = await daemonOf(invocation).local('peers', {})
  await showRows(invocation, peers, table)
  return 0
}
