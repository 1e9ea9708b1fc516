/** What this node says of itself: to whoever says hello, and in its own list of nodes. */
import type { NodeInfo } from '../../protocols/agency/calls.ts'
import type { Agents } from './agents.ts'
import type { PeerInfo } from '../control/contract.ts'
import { hostInfo } from '../host.ts'
import type { Mesh } from '../mesh.ts'
import type { Programs } from '../programs/programs.ts'
import type { Runs } from '../goals/runs.ts'
import type { Store } from '../store/store.ts'
import { VERSION } from '../version.ts'

export interface SelfParts {
  readonly mesh: Pick<Mesh, 'peer' | 'name' | 'addresses'>
  readonly labels: Readonly<Record<string, string>>
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly store: Pick<Store, 'state'>
  readonly programs: Pick<Programs, 'count'>
  readonly agents: Pick<Agents, 'list'>
  readonly runs: Pick<Runs, 'counts'>
}

/** The answer to hello, now. */
export function nodeInfo({ mesh, labels, startedAt, store, programs, agents, runs }: SelfParts): NodeInfo {
  return {
    peer: mesh.peer,
    name: mesh.name,
    version: VERSION,
    labels,
    addresses: mesh.addresses(),
    startedAt,
    state: store.state,
    host: hostInfo(),
    counts: { programs: programs.count(), agents: agents.list().length, ...runs.counts() }
  }
}

/** This node as an entry among its peers, now. */
export function selfAsPeer({ mesh, labels, startedAt }: Pick<SelfParts, 'mesh' | 'labels' | 'startedAt'>): PeerInfo {
  return {
    peer: mesh.peer,
    name: mesh.name,
    labels,
    status: 'self',
    addresses: mesh.addresses(),
    static: true,
    version: VERSION,
    since: startedAt,
    may: [],
    mayThere: []
  }
}
