/** What this node knows of all nodes, itself included: SendStateUpdate over this node's mesh, store and agents. */
import { randomBytes } from 'node:crypto'
import { ulid } from 'ulid'
import { open, seal } from '../../crypto/dsse.ts'
import { CloudburstError } from '../../errors.ts'
import type { Identity } from '../../crypto/identity.ts'
import type { Clock } from '../../goals/ports.ts'
import type { GoalEvent } from '../../goals/pursuit/events.ts'
import type { Tree, Variables } from '../../goals/tree.ts'
import { FORGET_BYTES_MAX, FORGET_TYPE } from '../../protocols/state/forget.ts'
import { matcher, watchState } from '../../protocols/state/config-monitor.ts'
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
import { GOALS_PUBLISHED_MAX, type NodeSnapshot, type Publisher, startPublisher } from './publisher.ts'
import { tellMesh } from './hearsay.ts'
import { remember } from './remembered.ts'
import { openTransactions } from './transactions.ts'
import type { NodeJournal } from '../store/journal.ts'
import type { Store } from '../store/store.ts'

const machineChance = { id: () => ulid(), nonce: () => randomBytes(16).toString('hex') }

/** Values whose origin is told in one answer. */
const EXPLAINED_MAX = 1_000

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
  /** Files that this node keeps. */
  readonly artifacts?: {
    list(): readonly { readonly hash: string; readonly size: number; readonly name: string }[]
    onChange(listener: () => void): () => void
  }
  readonly clock: Clock
  /** Ids and nonces; the machine's, unless said otherwise. */
  readonly chance?: { id(): string; nonce(): string }
  readonly log: Log
}

export interface NodeState {
  readonly replica: Replica
  readonly view: AgencyParts['state']
  /** Makes what is so known now. */
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
    freshNonce: chance.nonce,
    ...(mesh.stance !== undefined && {
      known: peer => {
        const stance = mesh.stance?.(peer)
        return stance === undefined || stance.static || stance.may.length > 0
      }
    }),
    forgets: {
      seal: payload => seal(identity, FORGET_TYPE, payload),
      open: envelope => open(envelope, FORGET_TYPE, FORGET_BYTES_MAX),
      allowed: signer => mesh.stance?.(signer).may.includes('permission:admin') ?? false
    }
  })
  mesh.handle(STATE, stateHandler(replica))
  const remembered = remember(store, replica, clock, log)
  remembered.catch(err => log.error({ err }, 'what was known of other nodes cannot be read'))
  const transactions = openTransactions({
    store,
    agents,
    programs: parts.programs,
    replica,
    publish: async () => {
      publisher?.changed()
      await publisher?.published()
    }
  })
  transactions.catch(err => log.error({ err }, 'shared values cannot be read'))
  const writers = agentWriters(journal)
  let publisher: Publisher | undefined
  const originOf = (node: string): { readonly peer: string; readonly name: string } => {
    const all = replica.origins().filter(({ origin, name }) => origin === node || name === node)
    const [only, other] = all
    if (only === undefined) throw new CloudburstError('CB_PEER_UNKNOWN', `no node ${node} is known by its state`, { peer: node })
    if (other !== undefined)
      throw new CloudburstError('CB_PEER_UNKNOWN', `${all.length} nodes call themselves ${node}: name one by its id`, { peer: node })
    return { peer: only.origin, name: only.name }
  }
  const goals = latestGoals(journal)
  const ends: (() => Promise<void> | void)[] = []
  const get = (path: string): Tree | undefined => replica.read(path)
  return {
    replica,
    get,
    view: {
      settled: async () => await publisher?.published(),
      get,
      watch: (path, signal, cursor) => watchState(replica, path, signal, cursor),
      explain: path => ({ values: replica.explain(path).slice(0, EXPLAINED_MAX), forks: replica.forks() }),
      history: async path => {
        const matches = matcher(path)
        return (await remembered).changes().filter(change => matches(change.path))
      },
      update: async request => await (await transactions).apply(request),
      forget: async (node, why) => {
        const { peer, name: known } = originOf(node)
        replica.forget(peer, why)
        return { peer, name: known }
      },
      acceptFork: async node => {
        const { peer, name: known } = originOf(node)
        await (await remembered).distrusted(peer, known, replica.acceptFork(peer))
        return { peer, name: known }
      }
    },
    start: () => {
      const started = startPublisher({
        replica,
        snapshot: async () => ({ ...(await snapshot(parts, await goals())), shared: (await transactions).shared(), writers: writers.all }),
        clock,
        log
      })
      publisher = started
      ends.push(
        async () => await (await remembered.catch(() => undefined))?.stop(),
        () => started.stop(),
        () => writers.end(),
        mesh.heardOf === undefined ? () => undefined : tellMesh(replica, mesh, clock),
        agents.onChange(() => started.changed()),
        parts.artifacts?.onChange(() => started.changed()) ?? (() => undefined),
        journal.subscribe('*', ({ body }) => {
          if (CHANGES_STATUS.has(body.type)) started.changed()
        }),
        mesh.on('peer-up', () => started.changed()),
        startGossip({
          replica,
          dialer: mesh,
          pubsub: mesh.pubsub,
          neighbours: () => mesh.up(),
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

/** Which goal wrote each variable of an agent last, since this daemon began. */
function agentWriters(journal: StateParts['journal']): { readonly all: ReadonlyMap<string, string>; end(): void } {
  const all = new Map<string, string>()
  const end = journal.subscribe('*', ({ goalId, body }) => {
    if (body.type !== 'step-ended') return
    const agent = journal.find(goalId)?.agent
    if (agent === undefined) return
    for (const { path } of body.writes) {
      const [top, variable] = path.split(/[.[]/)
      if (top === 'agent' && variable !== undefined) all.set(`agents.${agent}.variables.${variable}`, goalId)
    }
  })
  return { all, end }
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
  { identity, version, labels, host, mesh, agents, programs, artifacts }: StateParts,
  goals: readonly PublishedGoal[]
): Promise<Omit<NodeSnapshot, 'shared' | 'writers'>> {
  return {
    peer: identity.peer,
    version,
    labels,
    addresses: mesh.addresses(),
    host,
    agents: agents.list().map(({ name, program, status, variables }) => ({ name, program: program.name, status, variables })),
    goals,
    ...(artifacts !== undefined && { artifacts: artifacts.list() }),
    programs: (await programs.loaded()).map(({ name, hash }) => ({ name, hash }))
  }
}
