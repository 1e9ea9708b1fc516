/**
 * What a node does, put together: its journal, programs and agents, the goals it pursues and those it has sent away, what it
 * tells others of itself, and the two protocols in which it is asked. No socket, file or process of its own: daemon.ts gives
 * those, and test/sim/ gives simulated ones.
 */
import { open } from '../crypto/dsse.ts'
import { type Identity, sign } from '../crypto/identity.ts'
import type { Clock, Driver, Probe, Random, Vault, World } from '../goals/ports.ts'
import type { SourceFile } from '../goals/program/model.ts'
import type { OutputChunk, Principal } from '../goals/pursuit/events.ts'
import type { Tree, Variables } from '../goals/tree.ts'
import { AGENCY, type Agency } from '../protocols/agency/calls.ts'
import { agencyHandler } from '../protocols/agency/server.ts'
import type { Signing } from '../protocols/behalf.ts'
import { DISPATCH, type OutputHead } from '../protocols/dispatch/messages.ts'
import { RECEIPT_TYPE } from '../protocols/dispatch/receipt.ts'
import { dispatchHandler } from '../protocols/dispatch/server.ts'
import { RECEIPT_BYTES_MAX } from '../protocols/dispatch/shapes.ts'
import { CloudburstError } from '../errors.ts'
import { remoteAgency } from '../protocols/agency/client.ts'
import { anticipate } from './dispatch/anticipate.ts'
import { type AgencyParts, openAgency } from './agency/agency.ts'
import { type Agents, openAgents } from './agency/agents.ts'
import { nodeInfo } from './agency/self.ts'
import { subjects } from './agency/subjects.ts'
import { dispatchSecrets } from './dispatch/dispatch-secrets.ts'
import { type Dispatches, openDispatches } from './dispatch/dispatches.ts'
import { makeExecutor } from './dispatch/executor.ts'
import { keptStreams } from './dispatch/kept-streams.ts'
import { makeMessenger } from './dispatch/messenger.ts'
import { cancelThere, sentGoals } from './dispatch/sent-goals.ts'
import type { Log } from './files/live-file.ts'
import { startCompaction } from './goals/compaction.ts'
import type { OutputSource } from './goals/feed.ts'
import { openRuns, type Runs } from './goals/runs.ts'
import { peerVariables } from './host.ts'
import type { Mesh } from './mesh.ts'
import type { EffectCheck } from './permissions/effect.ts'
import { openPrograms, type Programs } from './programs/programs.ts'
import { type NodeState, openState, type StateParts } from './state/state.ts'
import type { StopList } from './stop-list.ts'
import { type NodeJournal, openJournal } from './store/journal.ts'
import { isOver } from './store/run-index.ts'
import type { Store } from './store/store.ts'

export interface WorkParts {
  readonly identity: Identity
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly version: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly host: Variables
  readonly store: Store
  readonly vault: Vault
  readonly driver: Driver
  /** What commands print, here and on the nodes that goals were sent to. */
  readonly output: OutputSource & {
    heads(goalId: string): Promise<readonly OutputHead[]>
    writeMirror(chunk: OutputChunk): Promise<unknown>
    endMirror(what: { readonly goalId: string; readonly step: string; readonly attempt: number }): Promise<unknown>
    drop(goalId: string): Promise<void>
  }
  /** Files that this node keeps, to be told of. */
  readonly artifacts?: NonNullable<StateParts['artifacts']>
  /** See {@link World.keepFile}. */
  readonly keepFile?: NonNullable<World['keepFile']>
  /** This node in another release. */
  readonly upgrades?: NonNullable<AgencyParts['upgrades']>
  /** Not started yet. */
  readonly mesh: Mesh
  readonly programs: {
    readonly shippedDirectory?: string
    readonly before?: readonly SourceFile[]
  }
  /** @param state the value at a path of what this node knows of all nodes */
  readonly probe: (state: (path: string) => Tree | undefined) => Probe
  /** Checks at the effect. Absent: whoever gets as far may do anything. */
  readonly permits?: EffectCheck
  /** Signs what is asked of others. */
  readonly sign?: Signing
  readonly clock: Clock
  readonly random: Random
  /** Fresh nonces, 128 random bits in hex; the machine's unless given. */
  readonly nonce?: () => string
  readonly log: Log
}

export interface Work {
  readonly journal: NodeJournal
  readonly programs: Programs
  readonly agents: Agents
  readonly state: NodeState
  readonly dispatches: Dispatches
  readonly runs: Runs
  readonly agency: Agency
}

/** Reads what is in the store and serves from then on; nothing is driven before `runs.resumeAll`, nothing told before `state.start`. */
export async function openWork(parts: WorkParts, down: StopList): Promise<Work> {
  const { identity, name, labels, store, vault, driver, output, mesh, host, clock, random, log } = parts
  const self: Principal = { peer: identity.peer, node: name }
  const agents = await openAgents(store, clock.now, vault)
  const journal = await openJournal(store, {
    now: clock.now,
    agentWrites: (goalId, writes) => runs.agentWrites(goalId, writes)
  })
  down.push(() => journal.close())
  const programs = openPrograms({
    store,
    ...parts.programs,
    now: clock.now,
    inUse: async () => {
      const used = new Set([...agents.list(), ...dispatches.open().map(({ request }) => request)].map(({ program }) => program.hash))
      for await (const { program } of journal.summaries(run => !isOver(run.status))) used.add(program.hash)
      return used
    },
    unreadable: (program, err) => log.error({ program, err }, 'a program cannot be read and is left out')
  })
  const state = openState({
    ...parts,
    agents,
    journal,
    programs,
    ...(parts.nonce && { chance: { id: random.id, nonce: parts.nonce } })
  })
  const streams = keptStreams(mesh)
  down.push(() => streams.stop())
  const dispatches = await openDispatches({
    store,
    journal,
    dialer: streams,
    onPeerUp: listener => mesh.on('peer-up', listener),
    isUp: peer => mesh.up().includes(peer),
    programFiles: async hash => (await programs.find(hash)).files,
    openReceipt: envelope => open(envelope, RECEIPT_TYPE, RECEIPT_BYTES_MAX),
    output: { write: async chunk => void (await output.writeMirror(chunk)), heads: output.heads },
    secrets: dispatchSecrets(vault, programs),
    cancelThere: record =>
      void cancelThere(mesh, record, parts.sign).catch(err => log.warn({ err, goal: record.id }, 'a goal could not be cancelled yet')),
    self: identity.peer,
    ...(parts.sign !== undefined && { sign: parts.sign }),
    clock,
    random,
    log
  })
  down.push(() => dispatches.stop())
  const compaction = startCompaction({
    store,
    journal,
    dropOutput: async id => {
      await output.drop(id)
      vault.drop(id)
    },
    onForgotten: dispatches.forget,
    now: clock.now,
    log
  })
  down.push(() => compaction.stop())
  journal.subscribe('*', ({ goalId, body }) => {
    if (body.type === 'step-ended' && dispatches.sentTo(goalId) !== undefined)
      void output.endMirror({ goalId, step: body.step, attempt: body.attempt })
  })
  const unheard = (goal: string, err: unknown): void => log.warn({ err, goal }, 'a goal that nobody needs could not be cancelled yet')
  const sent: AgencyParts['sent'] = sentGoals({
    dialer: mesh,
    dispatches,
    journal,
    self,
    ...(parts.sign !== undefined && { sign: parts.sign })
  })
  const runs: Runs = openRuns({
    store,
    journal,
    sentTo: dispatches.sentTo,
    programs,
    agents,
    driver,
    probe: parts.probe(path => state.get(path)),
    messenger: makeMessenger({
      dispatches,
      journal,
      programs,
      runs: () => runs,
      self,
      find: selector => mesh.find(selector),
      cancel: (id, by, how) =>
        sent.nodeOf(id) === undefined ? runs.leave(id, self.peer, by, how) : sent.cancel({ id, ...how, leave: true }, by),
      giveUp: async (id, by, how) => {
        if (sent.nodeOf(id) === undefined) return void (await runs.leave(id, self.peer, by, how))
        await dispatches.giveUp(id, by, { ...how, leave: true })
        if (await sent.isOpen(id)) void sent.cancel({ id, ...how, leave: true }, by).catch(err => unheard(id, err))
      },
      // Ed25519 signs the same bytes the same way each time.
      ours: id => Buffer.from(sign(identity, Buffer.from(`cloudburst sub-goal ${id}`))).toString('base64'),
      unheard
    }),
    vault,
    ...(parts.keepFile !== undefined && { keepFile: parts.keepFile }),
    clock,
    random,
    host,
    peer: peerVariables(identity.peer, name, labels),
    ...(parts.permits !== undefined && { permits: parts.permits }),
    log
  })
  down.push(() => runs.stop())
  const info = () => nodeInfo({ mesh, labels, startedAt: parts.startedAt, store, programs, agents, runs })
  const askThere = thereOf(mesh, parts.sign)
  const agency = openAgency({
    info,
    self: identity.peer,
    journal,
    programs,
    agents,
    runs,
    output,
    ...(parts.permits !== undefined && { permits: parts.permits }),
    state: state.view,
    anticipate: askThere,
    ...(parts.upgrades !== undefined && { upgrades: parts.upgrades }),
    sent
  })
  const subjectOf = subjects({
    journal: {
      runs: () => [...journal.runs(), ...sent.ids()],
      summary: async id => (await journal.summary(id)) ?? (await sent.info(id))
    },
    programs,
    agents
  })
  mesh.handle(AGENCY, agencyHandler(agency, undefined, subjectOf.call))
  const executor = makeExecutor({ identity, journal, programs, runs, output, subject: subjectOf.goal, now: clock.now })
  mesh.handle(DISPATCH, dispatchHandler(executor))
  return { journal, programs, agents, state, dispatches, runs, agency }
}

/** Asks the first node that a selector finds what a goal would meet there. */
function thereOf(mesh: Mesh, sign: Signing | undefined): NonNullable<AgencyParts['anticipate']> {
  return async (selector, question, by, signal) => {
    const [target] = mesh.find(selector)
    if (target === undefined) throw new CloudburstError('CB_PEER_UNKNOWN', `no node is called ${selector}`, { peer: selector })
    const { reachable, permitted, program, problem } = await anticipate(
      ({ peer }) => remoteAgency(mesh, peer, sign),
      target,
      question,
      by,
      signal
    )
    const isWrong = !reachable || permitted === false || program === 'missing'
    return {
      reachable,
      ...(permitted !== undefined && { permitted }),
      ...(program !== undefined && { program }),
      // What it lacks in values it is given when it is sent.
      ...(isWrong && problem !== undefined && { problem })
    }
  }
}
