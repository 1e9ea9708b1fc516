/**
 * One node, put together: what starts when, who is given what, and the way down in reverse.
 * Read it top to bottom to know of which parts a daemon is made.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ulid } from 'ulid'
import { open } from '../crypto/dsse.ts'
import { CloudburstError } from '../errors.ts'
import type { SourceFile } from '../goals/program/model.ts'
import { readProgram } from '../goals/program/read.ts'
import { advance } from '../goals/pursuit/summarise.ts'
import type { Principal } from '../goals/pursuit/events.ts'
import { remoteAgency } from '../protocols/agency/client.ts'
import { AGENCY, type NodeInfo } from '../protocols/agency/calls.ts'
import { agencyHandler } from '../protocols/agency/server.ts'
import { HEADS_TOPIC } from '../protocols/state/messages.ts'
import { DISPATCH } from '../protocols/dispatch/messages.ts'
import { RECEIPT_TYPE } from '../protocols/dispatch/receipt.ts'
import { dispatchHandler } from '../protocols/dispatch/server.ts'
import { RECEIPT_BYTES_MAX } from '../protocols/dispatch/shapes.ts'
import { openAgency } from './agency.ts'
import { openAgents } from './agents.ts'
import { startCompaction } from './compaction.ts'
import { bindControl } from './control/server.ts'
import { isClosed } from './dispatch-records.ts'
import { openDispatches } from './dispatches.ts'
import { localDriver } from './drivers/local.ts'
import { makeExecutor } from './executor.ts'
import { heard } from './heard.ts'
import { loadIdentity, openHome, resolveHome } from './home.ts'
import { hostInfo, hostVariables, labelsOf, peerVariables } from './host.ts'
import { makeJoining } from './joining.ts'
import { localCalls } from './local-calls.ts'
import { type Logger, type LogLevel, openLog } from './log.ts'
import { makeMesh } from './mesh.ts'
import { makeMessenger } from './messenger.ts'
import { checkAddress } from './neighborhood/read.ts'
import { openNeighborhood } from './neighborhood/neighborhood.ts'
import { openAudit } from './permissions/audit.ts'
import { openPermissions } from './permissions/permissions.ts'
import { machineProbe } from './probe.ts'
import { outputHeads } from './output-heads.ts'
import { readPrivate } from './program-files.ts'
import { openPrograms } from './programs.ts'
import { openRuns } from './runs.ts'
import { runnerClient } from './runner/client.ts'
import { openState } from './state.ts'
import { openJournal } from './store/journal.ts'
import { revealAssignments, sealAssignments } from './sealing.ts'
import { openStore } from './store/store.ts'
import { subjects } from './subjects.ts'
import { openTickets } from './tickets.ts'
import { openVault } from './vault.ts'
import { VERSION } from './version.ts'

export interface DaemonOptions {
  readonly home?: string
  /** Instead of what neighborhood.xml says. */
  readonly listen?: readonly string[]
  readonly mdns: boolean
  readonly level: LogLevel
}

export interface Daemon {
  readonly peer: string
  readonly addresses: () => readonly string[]
  /** Resolves when somebody at the control socket has asked for the end. */
  readonly stopRequested: Promise<void>
  /** Reverse order of the start; steps that run go on in the runner. */
  stop(): Promise<void>
}

/** Programs that come with the product lie beside the code, bundled or not. */
export const SHIPPED_PROGRAMS = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../programs' : '../../programs', import.meta.url)
)

/**
 * Starts a node; all or nothing.
 * @throws CloudburstError CB_HOME_MISSING, CB_ALREADY_RUNNING, CB_PORT_TAKEN, CB_STORE_DAMAGED, CB_PERMISSIONS_INVALID …
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const down: (() => Promise<void> | void)[] = []
  const stop = async (): Promise<void> => {
    const failures: unknown[] = []
    for (let undo = down.pop(); undo !== undefined; undo = down.pop()) await Promise.resolve(undo()).catch(error => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, 'some parts did not stop')
  }
  try {
    const daemon = await start(options, down)
    return { ...daemon, stop }
  } catch (error) {
    await stop().catch(() => undefined)
    throw error
  }
}

async function start(options: DaemonOptions, down: (() => Promise<void> | void)[]): Promise<Omit<Daemon, 'stop'>> {
  const startedAt = Date.now()
  const log = openLog(options.level)
  const home = resolveHome(options.home)
  openHome(home)

  // The socket first: it is what keeps a second daemon off this home.
  const control = await bindControl(home.socket)
  down.push(() => control.stop())

  const identity = loadIdentity(home)
  const neighborhood = openNeighborhood(home.neighborhood, log)
  down.push(() => neighborhood.close())
  const permissions = openPermissions(home.permissions, log)
  down.push(() => permissions.close())
  const audit = openAudit(home.auditLog)
  down.push(() => audit.close())
  const { name } = neighborhood.current
  const labels = labelsOf(neighborhood.current.labels)
  const self: Principal = { peer: identity.peer, node: name }
  const clock = { now: () => Date.now(), sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal && { signal }) }
  const random = { id: () => ulid() }

  const store = await openStore(`${home.state}/store`, { log })
  down.push(() => store.close())
  const vault = openVault(`${home.state}/sealed`)
  const agents = await openAgents(store, clock.now, vault)
  const journal = await openJournal(store, {
    now: clock.now,
    advance: (summary, event) => advance(summary, event),
    agentWrites: (goalId, writes) => runs.agentWrites(goalId, writes)
  })
  down.push(() => journal.close())
  const programs = openPrograms({
    store,
    shippedDirectory: SHIPPED_PROGRAMS,
    now: clock.now,
    before: privateFiles(log),
    unreadable: (program, err) => log.error({ program, err }, 'a program cannot be read and is left out')
  })
  const tickets = await openTickets({ store, peer: identity.peer, addresses: () => mesh.addresses() })

  const runner = runnerClient(home.state)
  const driver = localDriver(home.state, runner)
  down.push(() => driver.close())
  const output = {
    readOutput: driver.readOutput,
    onOutput: (goalId: string, listener: () => void) => driver.tailOutput(goalId, () => listener())
  }

  const joining = makeJoining({ home, neighborhood, permissions, tickets, log })
  down.push(() => joining.close())
  const mesh = makeMesh({
    identity,
    version: VERSION,
    neighborhood,
    permissions,
    audit,
    log,
    ...(options.listen !== undefined && { listen: options.listen.map(checkAddress) }),
    ...(!options.mdns && { mdns: false }),
    topics: [HEADS_TOPIC],
    joining
  })
  const host = hostVariables()
  const state = openState({ store, identity, name, labels, host, version: VERSION, mesh, agents, journal, programs, clock, log })
  const dispatches = await openDispatches({
    store,
    journal,
    dialer: mesh,
    onPeerUp: listener => mesh.on('peer-up', listener),
    isUp: peer => mesh.peers().some(each => each.peer === peer && each.status === 'up'),
    programFiles: async hash => (await programs.find(hash)).files,
    openReceipt: envelope => open(envelope, RECEIPT_TYPE, RECEIPT_BYTES_MAX),
    output: { write: async chunk => void (await driver.writeMirror(chunk)), heads: goalId => outputHeads(home.state, journal, goalId) },
    secrets: {
      seal: async (id, { program, goal, assignments }) => {
        const found = await programs.find(program.hash)
        const agent = [...found.agents.values()].find(each => each.goals.has(goal))
        const proto = found.goals.get(goal) ?? agent?.goals.get(goal)
        return sealAssignments(vault, id, found, { ...(proto && { proto }), ...(agent && { agent }) }, assignments, 'own')
      },
      reveal: assignments => revealAssignments(vault, assignments),
      drop: id => vault.drop(id)
    },
    self: identity.peer,
    clock,
    random,
    log
  })
  down.push(() => dispatches.stop())
  const compaction = startCompaction({
    store,
    journal,
    dropOutput: driver.dropOutput,
    onForgotten: dispatches.forget,
    now: clock.now,
    log
  })
  down.push(() => compaction.stop())
  journal.subscribe('*', ({ goalId, body }) => {
    if (body.type === 'step-ended' && dispatches.sentTo(goalId) !== undefined)
      void driver.endMirror({ goalId, step: body.step, attempt: body.attempt })
  })

  const peerOf = (selector: string): { peer: string; node: string } => {
    const found = mesh.find(selector)
    const [only, second] = found
    if (only === undefined || second !== undefined)
      throw new CloudburstError('CB_PEER_UNKNOWN', `${selector} names ${found.length} nodes, not one`, { peer: selector })
    return { peer: only.peer, node: only.name }
  }
  const runs = openRuns({
    store,
    journal,
    programs,
    agents,
    driver,
    probe: machineProbe({ state: path => state.get(path), now: clock.now }),
    messenger: makeMessenger({ dispatches, journal, programs, runs: () => runs, self, find: selector => mesh.find(selector) }),
    vault,
    clock,
    random,
    host,
    peer: peerVariables(identity.peer, name, labels),
    log
  })
  down.push(() => runs.stop())

  const info = (): NodeInfo => ({
    peer: identity.peer,
    name,
    version: VERSION,
    labels,
    addresses: mesh.addresses(),
    startedAt,
    state: store.state,
    host: hostInfo(),
    counts: { programs: programs.count(), agents: agents.list().length, ...runs.counts() }
  })
  const remote = (selector: string): { agency: ReturnType<typeof remoteAgency>; peer: string } => {
    const { peer } = peerOf(selector)
    return { agency: remoteAgency(mesh, peer), peer }
  }
  const agency = openAgency({
    info,
    journal,
    programs,
    agents,
    runs,
    output,
    state: state.view,
    sent: {
      nodeOf: id => dispatches.sentTo(id)?.node,
      onWaiting: (id, listener) => dispatches.onWaiting(id, listener),
      isOpen: async id => {
        const record = await dispatches.find(id)
        return record !== undefined && !isClosed(record)
      },
      repair: async (request, by) => {
        const { seq } = await remoteAgency(mesh, dispatches.sentTo(request.id)?.peer ?? '').call('repair', request, by)
        await heard(journal, request.id, seq)
      },
      preview: (request, by) => remoteAgency(mesh, dispatches.sentTo(request.id)?.peer ?? '').call('preview', request, by),
      cancel: async (request, by) => {
        const { seq } = await remoteAgency(mesh, dispatches.sentTo(request.id)?.peer ?? '').call('cancel', request, by)
        await heard(journal, request.id, seq)
      }
    }
  })

  const subjectOf = subjects({ journal, programs })
  mesh.handle(AGENCY, agencyHandler(agency, undefined, subjectOf.call))
  mesh.handle(
    DISPATCH,
    dispatchHandler(makeExecutor({ identity, journal, programs, runs, output, subject: subjectOf.goal, now: clock.now }))
  )
  await mesh.start()
  down.push(() => mesh.stop())
  state.start()
  down.push(() => state.stop())

  const ended = Promise.withResolvers<void>()
  const selfInfo = (): ReturnType<typeof mesh.peers>[number] => ({
    peer: identity.peer,
    name,
    labels,
    status: 'self',
    addresses: mesh.addresses(),
    static: true,
    version: VERSION,
    since: startedAt,
    may: [],
    mayThere: []
  })
  control.serve({
    agency,
    agencyOf: selector => Promise.resolve(selector === name ? { agency, peer: identity.peer } : remote(selector)),
    local: localCalls({ mesh, dispatches, programs, runs, tickets, store, self: selfInfo, shutdown: () => ended.resolve() }),
    by: self
  })
  log.info({ peer: identity.peer, name, addresses: mesh.addresses(), readyMs: Date.now() - startedAt, pid: process.pid }, 'ready')
  runs.resumeAll()
  void runner.ready().catch(error => log.warn({ err: error }, 'the runner could not be started beforehand'))
  return { peer: identity.peer, addresses: () => mesh.addresses(), stopRequested: ended.promise }
}

/** Credentials of this node's user. Faulty ones are left out, and told: they must not take all programs with them. */
function privateFiles(log: Logger): readonly SourceFile[] {
  try {
    const own = readPrivate({ env: process.env })
    if (own === undefined) return []
    if (own.warning !== undefined) log.warn(own.warning)
    readProgram([own.file])
    return [own.file]
  } catch (error) {
    log.warn({ error: error instanceof Error ? error.message : String(error) }, 'private.xml is left out')
    return []
  }
}
