/** What this node knows of all nodes, itself included: SendStateUpdate over this node's mesh, store and agents. */
import { randomBytes } from 'node:crypto'
import { ulid } from 'ulid'
import { open, seal } from '../../crypto/dsse.ts'
import type { Identity } from '../../crypto/identity.ts'
import type { Clock } from '../../goals/ports.ts'
import type { GoalEvent } from '../../goals/pursuit/events.ts'
import type { Tree, Variables } from '../../goals/tree.ts'
import { watchState } from '../../protocols/state/config-monitor.ts'
import { startGossip } from '../../protocols/state/gossip.ts'
import { STATE } from '../../protocols/state/messages.ts'
import { ENVELOPE_BYTES_MAX, RECORD_TYPE } from '../../protocols/state/record.ts'
import { openReplica, type Replica } from '../../protocols/state/replica.ts'
import { stateHandler } from '../../protocols/state/server.ts'
import type { Agents } from '../agency/agents.ts'
import type { AgencyParts } from '../agency/agency.ts'
import type { Log } from '../files/live-file.ts'
import type { Mesh } from '../mesh.ts'
import type { Programs } from '../programs/programs.ts'
import { GOALS_PUBLISHED_MAX, type NodeSnapshot, startPublisher } from './publisher.ts'
import type { NodeJournal } from '../store/journal.ts'
import type { Store } from '../store/store.ts'

const machineChance = { id: () => ulid(), nonce: () => randomBytes(16).toString('hex') }

/** Events after which a goal's published summary is another one. */
const CHANGES_STATUS: ReadonlySet<GoalEvent['body']['type']> = new Set(['proposed', 'started', 'suspended', 'completed', 'cancelled'])

export interface StateParts {
  readonly store: Store
  readonly identity: Identity
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly host: Variables
  readonly version: string
  readonly mesh: Mesh
  readonly agents: Agents
  readonly journal: NodeJournal
  readonly programs: Programs
  readonly clock: Clock
  /** Ids and nonces; the machine's, unless said otherwise. */
  readonly chance?: { id(): string; nonce(): string }
  readonly log: Log
}

export interface NodeState {
  readonly replica: Replica
  readonly view: AgencyParts['state']
  /** The value at a path such as `nodes.web1.host.os`. */
  get(path: string): Tree | undefined
  /** Publishes and gossips until stopped. Called once the mesh has started. */
  start(): void
  stop(): Promise<void>
}

/** Serves the state protocol from now on. */
export function openState(parts: StateParts): NodeState {
  const { store, identity, name, mesh, agents, journal, clock, chance = machineChance, log } = parts
  const replica = openReplica({
    self: identity.peer,
    name,
    boot: store.boot,
    nonce: store.nonce,
    seal: payload => seal(identity, RECORD_TYPE, payload),
    open: envelope => open(envelope, RECORD_TYPE, ENVELOPE_BYTES_MAX),
    now: () => clock.now(),
    id: chance.id,
    freshNonce: chance.nonce
  })
  mesh.handle(STATE, stateHandler(replica))
  const goals = latestGoals(journal)
  const ends: (() => Promise<void> | void)[] = []
  const get = (path: string): Tree | undefined => replica.read(path)
  return {
    replica,
    get,
    view: { get, watch: (path, signal) => watchState(replica, path, signal) },
    start: () => {
      const publisher = startPublisher({ replica, snapshot: async () => snapshot(parts, await goals()), clock, log })
      ends.push(
        () => publisher.stop(),
        agents.onChange(() => publisher.changed()),
        journal.subscribe('*', ({ body }) => {
          if (CHANGES_STATUS.has(body.type)) publisher.changed()
        }),
        mesh.on('peer-up', () => publisher.changed()),
        startGossip({
          replica,
          dialer: mesh,
          pubsub: mesh.pubsub,
          neighbours: () => up(mesh),
          onPeerUp: listener => mesh.on('peer-up', listener),
          clock,
          log
        })
      )
    },
    stop: async () => {
      for (const end of ends.reverse()) await end()
    }
  }
}

function up(mesh: Mesh): readonly string[] {
  return mesh.peers().flatMap(({ peer, status }) => (status === 'up' ? [peer] : []))
}

type PublishedGoal = NodeSnapshot['goals'][number]

/** The latest goals of this node itself; reads only what has changed since the last time. */
function latestGoals(journal: StateParts['journal']): () => Promise<readonly PublishedGoal[]> {
  let known: ReadonlyMap<string, { readonly seq: number; readonly goal: PublishedGoal }> = new Map()
  return async () => {
    const latest = new Map<string, { seq: number; goal: PublishedGoal }>()
    for (const run of journal.runs().filter(({ mirrored }) => !mirrored)) {
      if (latest.size >= GOALS_PUBLISHED_MAX) break
      const before = known.get(run.id)
      const now = before?.seq === run.seq ? before : await readGoal(journal, run.id)
      if (now !== undefined) latest.set(run.id, now)
    }
    known = latest
    return [...latest.values()].map(({ goal }) => goal)
  }
}

async function readGoal(journal: StateParts['journal'], runId: string): Promise<{ seq: number; goal: PublishedGoal } | undefined> {
  const summary = await journal.summary(runId)
  if (summary === undefined) return undefined
  const { id, seq, goal, status, agent } = summary
  return { seq, goal: { id, goal, status, ...(agent !== undefined && { agent }) } }
}

async function snapshot(
  { identity, version, labels, host, mesh, agents, programs }: StateParts,
  goals: readonly PublishedGoal[]
): Promise<NodeSnapshot> {
  return {
    peer: identity.peer,
    version,
    labels,
    addresses: mesh.addresses(),
    host,
    agents: agents.list().map(({ name, program, status, variables }) => ({ name, program: program.name, status, variables })),
    goals,
    programs: (await programs.loaded()).map(({ name, hash }) => ({ name, hash }))
  }
}
