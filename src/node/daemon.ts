/**
 * One node, put together: what starts when, who is given what, and the way down in reverse.
 * Read it top to bottom to know of which parts a daemon is made.
 */
import { open } from '../crypto/dsse.ts'
import type { Principal } from '../goals/pursuit/events.ts'
import { remoteAgency } from '../protocols/agency/client.ts'
import { AGENCY } from '../protocols/agency/calls.ts'
import { agencyHandler } from '../protocols/agency/server.ts'
import { HEADS_TOPIC } from '../protocols/state/messages.ts'
import { DISPATCH } from '../protocols/dispatch/messages.ts'
import { RECEIPT_TYPE } from '../protocols/dispatch/receipt.ts'
import { dispatchHandler } from '../protocols/dispatch/server.ts'
import { RECEIPT_BYTES_MAX } from '../protocols/dispatch/shapes.ts'
import { openAgency } from './agency/agency.ts'
import { openAgents } from './agency/agents.ts'
import { machineClock as clock, machineRandom as random } from './clock.ts'
import { startCompaction } from './goals/compaction.ts'
import { bindControl } from './control/server.ts'
import { credentials } from './programs/credentials.ts'
import { dispatchSecrets } from './dispatch/dispatch-secrets.ts'
import { openDispatches } from './dispatch/dispatches.ts'
import { localDriver } from './drivers/local.ts'
import { makeExecutor } from './dispatch/executor.ts'
import { loadIdentity, openHome, resolveHome } from './home.ts'
import { hostVariables, labelsOf, peerVariables } from './host.ts'
import { makeJoining } from './joining/joining.ts'
import { localCalls } from './agency/local-calls.ts'
import { type LogLevel, openLog } from './log.ts'
import { makeMesh } from './mesh.ts'
import { onlyOne } from './mesh/selector.ts'
import { makeMessenger } from './dispatch/messenger.ts'
import { checkAddress } from './neighborhood/read.ts'
import { openNeighborhood } from './neighborhood/neighborhood.ts'
import { openAudit } from './permissions/audit.ts'
import { openPermissions } from './permissions/permissions.ts'
import { machineProbe } from './probe.ts'
import { outputHeads } from './dispatch/output-heads.ts'
import { outputSource } from './goals/output-source.ts'
import { shippedDirectory } from './programs/program-files.ts'
import { openPrograms } from './programs/programs.ts'
import { openRuns } from './goals/runs.ts'
import { runnerClient } from './runner/client.ts'
import { openState } from './state/state.ts'
import { nodeInfo, selfAsPeer } from './agency/self.ts'
import { sentGoals } from './dispatch/sent-goals.ts'
import { type StopList, stopAll } from './stop-list.ts'
import { openJournal } from './store/journal.ts'
import { openStore } from './store/store.ts'
import { subjects } from './agency/subjects.ts'
import { openTickets } from './joining/tickets.ts'
import { openVault } from './secrets/vault.ts'
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

/**
 * Starts a node; all or nothing.
 * @throws CloudburstError CB_HOME_MISSING, CB_ALREADY_RUNNING, CB_PORT_TAKEN, CB_STORE_DAMAGED, CB_PERMISSIONS_INVALID …
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const down: StopList = []
  try {
    const daemon = await start(options, down)
    return { ...daemon, stop: () => stopAll(down) }
  } catch (error) {
    await stopAll(down).catch(() => undefined)
    throw error
  }
}

async function start(options: DaemonOptions, down: StopList): Promise<Omit<Daemon, 'stop'>> {
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

  const store = await openStore(`${home.state}/store`, { log })
  down.push(() => store.close())
  const vault = openVault(`${home.state}/sealed`)
  const agents = await openAgents(store, clock.now, vault)
  const journal = await openJournal(store, {
    now: clock.now,
    agentWrites: (goalId, writes) => runs.agentWrites(goalId, writes)
  })
  down.push(() => journal.close())
  const programs = openPrograms({
    store,
    shippedDirectory: shippedDirectory(),
    now: clock.now,
    before: credentials(log),
    unreadable: (program, err) => log.error({ program, err }, 'a program cannot be read and is left out')
  })
  const tickets = await openTickets({ store, peer: identity.peer, addresses: () => mesh.addresses() })

  const runner = runnerClient(home.state)
  const driver = localDriver(home.state, runner)
  down.push(() => driver.close())
  const output = outputSource(driver)

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
    secrets: dispatchSecrets(vault, programs),
    self: identity.peer,
    clock,
    random,
    log
  })
  down.push(() => dispatches.stop())
  const compaction = startCompaction({
    store,
    journal,
    dropOutput: async id => {
      await driver.dropOutput(id)
      vault.drop(id)
    },
    onForgotten: dispatches.forget,
    now: clock.now,
    log
  })
  down.push(() => compaction.stop())
  journal.subscribe('*', ({ goalId, body }) => {
    if (body.type === 'step-ended' && dispatches.sentTo(goalId) !== undefined)
      void driver.endMirror({ goalId, step: body.step, attempt: body.attempt })
  })

  const sent = sentGoals({ dialer: mesh, dispatches, journal })
  const runs = openRuns({
    store,
    journal,
    programs,
    agents,
    driver,
    probe: machineProbe({ state: path => state.get(path), now: clock.now }),
    messenger: makeMessenger({
      dispatches,
      journal,
      programs,
      runs: () => runs,
      self,
      find: selector => mesh.find(selector),
      cancel: (id, why) => (sent.nodeOf(id) === undefined ? runs.cancel(id, self, why) : sent.cancel({ id, why }, self)),
      unheard: (goal, err) => log.warn({ err, goal }, 'a goal that took too long could not be cancelled')
    }),
    vault,
    clock,
    random,
    host,
    peer: peerVariables(identity.peer, name, labels),
    log
  })
  down.push(() => runs.stop())

  const agency = openAgency({
    info: () => nodeInfo({ mesh, labels, startedAt, store, programs, agents, runs }),
    journal,
    programs,
    agents,
    runs,
    output,
    state: state.view,
    sent
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
  control.serve({
    agency,
    agencyOf: async selector => {
      const { peer, status } = onlyOne(mesh.find(selector), selector)
      return { peer, agency: status === 'self' ? agency : remoteAgency(mesh, peer) }
    },
    local: localCalls({
      mesh,
      dispatches,
      programs,
      runs,
      tickets,
      store,
      self: () => selfAsPeer({ mesh, labels, startedAt }),
      shutdown: () => ended.resolve()
    }),
    by: self
  })
  log.info({ peer: identity.peer, name, addresses: mesh.addresses(), readyMs: Date.now() - startedAt, pid: process.pid }, 'ready')
  runs.resumeAll()
  void runner.ready().catch(error => log.warn({ err: error }, 'the runner could not be started beforehand'))
  return { peer: identity.peer, addresses: () => mesh.addresses(), stopRequested: ended.promise }
}
