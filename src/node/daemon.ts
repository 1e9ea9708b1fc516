/**
 * One node, put together: what starts when, who is given what, and the way down in reverse.
 * Read it top to bottom, and work.ts after it, to know of which parts a daemon is made.
 */
import type { Principal } from '../goals/pursuit/events.ts'
import { ARTIFACT } from '../protocols/artifact/messages.ts'
import { artifactHandler } from '../protocols/artifact/server.ts'
import { remoteAgency } from '../protocols/agency/client.ts'
import { HEADS_TOPIC } from '../protocols/state/messages.ts'
import { REVOCATIONS_TOPIC } from '../protocols/trust/messages.ts'
import { openArtifacts } from './artifacts/artifacts.ts'
import { openFetching } from './artifacts/fetching.ts'
import { fileCalls, fileFinder, holdersOf, keepFileIn } from './artifacts/file-calls.ts'
import { machineClock as clock, machineRandom as random } from './clock.ts'
import { bindControl } from './control/server.ts'
import { openSecure } from './control/open-secure.ts'
import { credentials } from './programs/credentials.ts'
import { localDriver } from './drivers/local.ts'
import { loadIdentity, loadPerson, openHome, resolveHome, turnIdentity } from './home.ts'
import { hostVariables, labelsOf } from './host.ts'
import { type DoctorParts, examineNode, healthResources } from './health/doctor.ts'
import { openMetrics } from './health/metrics.ts'
import { makeJoining } from './joining/joining.ts'
import { localCalls } from './agency/local-calls.ts'
import { type LogLevel, openLog } from './log.ts'
import { makeMesh } from './mesh.ts'
import { onlyOne } from './mesh/selector.ts'
import { followKeys } from './neighborhood/follow.ts'
import { checkAddress } from './neighborhood/read.ts'
import { openNeighborhood } from './neighborhood/neighborhood.ts'
import { openAudit } from './permissions/audit.ts'
import { openPermissions } from './permissions/permissions.ts'
import { effectCheck } from './permissions/effect.ts'
import { frugally } from './permissions/frugal-audit.ts'
import { signing } from './permissions/signing.ts'
import { startSpreading } from './permissions/spreading.ts'
import { openTrust } from './permissions/trust.ts'
import { machineProbe } from './probe.ts'
import { outputHeads } from './dispatch/output-heads.ts'
import { outputSource } from './goals/output-source.ts'
import { shippedDirectory } from './programs/program-files.ts'
import { runnerClient } from './runner/client.ts'
import { selfAsPeer } from './agency/self.ts'
import { type StopList, stopAll } from './stop-list.ts'
import { stateUpdates } from './state/state-updates.ts'
import { openTickets } from './joining/tickets.ts'
import type { HandOver } from './upgrading/hand-over.ts'
import { releaseOf } from './upgrading/release.ts'
import { openStoreOfBefore } from './upgrading/store-of-before.ts'
import { openUpgrades } from './upgrading/upgrades.ts'
import { openVault } from './secrets/vault.ts'
import { VERSION } from './version.ts'
import { openWork } from './work.ts'

export interface DaemonOptions {
  readonly home?: string
  /** Instead of what neighborhood.xml says. */
  readonly listen?: readonly string[]
  readonly mdns: boolean
  readonly level: LogLevel
  /** The trial of a release that this daemon is on. */
  readonly tried?: string
  /** It is the way back from another release. */
  readonly returned?: boolean
}

export interface Daemon {
  readonly peer: string
  readonly addresses: () => readonly string[]
  /** Resolves when somebody at the control socket has asked for the end, or for another release: then with that. */
  readonly stopRequested: Promise<HandOver | undefined>
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

  turnIdentity(home)
  const identity = loadIdentity(home)
  const neighborhood = openNeighborhood(home.neighborhood, log)
  down.push(() => neighborhood.close())
  const permissions = openPermissions(home.permissions, log)
  down.push(() => permissions.close())
  const audit = frugally(openAudit(home.auditLog))
  down.push(() => audit.close())
  const { name } = neighborhood.current
  const labels = labelsOf(neighborhood.current.labels)
  const self: Principal = { peer: identity.peer, node: name }

  const store = await openStoreOfBefore(`${home.state}/store`, log, options.returned === true)
  down.push(() => store.close())
  const vault = openVault(`${home.state}/sealed`)
  const tickets = await openTickets({ store, peer: identity.peer, addresses: () => mesh.addresses() })

  const runner = runnerClient(home.state)
  const driver = localDriver(home.state, runner)
  down.push(() => driver.close())

  const person = loadPerson(home)
  const own = [identity.peer, ...(person === undefined ? [] : [person.peer])]
  const trust = await openTrust({
    permissions,
    here: () => ({ peer: identity.peer, name, labels }),
    own,
    listed: () => neighborhood.current.neighbours.map(({ peer }) => peer),
    store,
    log
  })
  down.push(() => trust.close())
  const isGranted = (key: string): boolean => trust.own().some(({ subject }) => subject === key)
  const sign = signing({
    identity,
    person: () => (person !== undefined && isGranted(person.peer) ? person : undefined),
    // Not the time of trust, which never goes back: others would take what is signed after a wrong clock for something of the future.
    now: clock.now
  })
  const joining = makeJoining({ home, neighborhood, permissions, tickets, take: trust.take, log })
  down.push(() => joining.close())
  const followed = followKeys(neighborhood, trust, log)
  down.push(() => followed.close())
  const mesh = makeMesh({
    identity,
    version: VERSION,
    neighborhood: followed,
    permissions: trust,
    grants: trust,
    now: trust.now,
    clock,
    audit,
    log,
    ...(options.listen !== undefined && { listen: options.listen.map(checkAddress) }),
    ...(!options.mdns && { mdns: false }),
    topics: [HEADS_TOPIC, REVOCATIONS_TOPIC],
    joining
  })
  const spreading = startSpreading({ trust, mesh, authorities: home.authorities, newId: () => random.id(), log })
  down.push(() => spreading.close())
  const artifacts = await openArtifacts(`${home.state}/artifacts`, clock.now)
  mesh.handle(ARTIFACT, artifactHandler(artifacts, clock))
  const fetch = openFetching({ artifacts, dialer: mesh, holders: hash => holdersOf(hash, work.state.get('nodes'), mesh.peers()), clock })
  const ended = Promise.withResolvers<HandOver | undefined>()
  const release = releaseOf(process.argv[1] ?? '')
  const upgrades = openUpgrades({
    ...(release !== undefined && { release }),
    ...(options.tried !== undefined && { tried: options.tried }),
    base: home.base,
    self: identity.peer,
    artifacts,
    fetch,
    wrong: async () => (await examineNode(doctor)).filter(({ verdict }) => verdict === 'fail').map(({ name, say }) => `${name}: ${say}`),
    handOver: to => ended.resolve(to),
    startedAt
  })
  const work = await openWork(
    {
      identity,
      name,
      labels,
      version: VERSION,
      startedAt,
      host: hostVariables(),
      store,
      vault,
      driver,
      output: {
        ...outputSource(driver),
        heads: goalId => outputHeads(home.state, work.journal, goalId),
        writeMirror: driver.writeMirror,
        endMirror: driver.endMirror,
        drop: driver.dropOutput
      },
      mesh,
      artifacts,
      keepFile: keepFileIn(artifacts),
      upgrades,
      programs: { shippedDirectory: shippedDirectory(), before: credentials(log) },
      permits: effectCheck({ trust, audit, own }),
      sign,
      probe: state => machineProbe({ state, file: fileFinder(artifacts, fetch), now: clock.now }),
      clock,
      random,
      log
    },
    down
  )
  const { agency, dispatches, programs, runs, state } = work
  await mesh.start()
  down.push(() => mesh.stop())
  spreading.speak()
  state.start()
  down.push(() => state.stop())

  const secure = await openSecure({
    name,
    controlListen: neighborhood.current.control,
    identity,
    directory: home.tls,
    control,
    audit,
    now: clock.now,
    log
  })
  if (secure !== undefined) down.push(() => secure.stop())

  const metrics = openMetrics({ version: VERSION, name, startedAt, mesh, journal: work.journal, dispatches, state, store })
  down.push(() => metrics.stop())
  const doctor: DoctorParts = {
    mesh,
    journal: work.journal,
    dispatches,
    state,
    store,
    directory: home.state,
    runner: async () => void (await runner.ready()),
    lateness: metrics.lateness
  }
  control.serve({
    agency,
    agencyOf: async selector => {
      const { peer, status } = onlyOne(mesh.find(selector), selector)
      return { peer, agency: status === 'self' ? agency : remoteAgency(mesh, peer, sign) }
    },
    resources: [stateUpdates(state.replica), metrics.resource, ...healthResources(doctor)],
    local: localCalls({
      mesh,
      dispatches,
      programs,
      runs,
      tickets,
      store,
      trust,
      spreading,
      self: () => selfAsPeer({ mesh, labels, startedAt }),
      newId: () => random.id(),
      signIn: () => secure?.signIn(),
      anticipating: ({ peer, status }) => (status === 'self' ? agency : remoteAgency(mesh, peer, sign)),
      files: fileCalls({
        artifacts,
        fetch,
        state: state.get,
        peerOf: selector => onlyOne(mesh.find(selector), selector),
        name
      }),
      examine: async () => [...(await examineNode(doctor)), ...upgrades.checks()],
      shutdown: () => ended.resolve(undefined)
    }),
    by: self
  })
  log.info({ peer: identity.peer, name, addresses: mesh.addresses(), readyMs: Date.now() - startedAt, pid: process.pid }, 'ready')
  runs.resumeAll()
  void runner.ready().catch(error => log.warn({ err: error }, 'the runner could not be started beforehand'))
  return { peer: identity.peer, addresses: () => mesh.addresses(), stopRequested: ended.promise }
}
