import { realpathSync } from 'node:fs'
import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import { type Invocation, milliseconds } from '../arguments.ts'
import { daemonless } from '../daemonless.ts'
import { turns } from '../several.ts'
import { showRows, shortPeer, type Table } from '../output.ts'
import { hostsOf, reaching } from '../reaching.ts'
import { countOf, hostError, rolling } from '../rolling.ts'
import { openScreen, type Screen } from '../screen.ts'
import { daemonOf } from '../session.ts'

/** Hosts at a time unless --parallel says otherwise: each has a copy of the artefact on its way. */
const PARALLEL = 10
/** How long a new node may take until it has joined, in milliseconds. */
const HEALTH_MS = 60_000
/** A ticket has to last until its node has started, and no longer, in milliseconds. */
const TICKET_MS = 10 * 60_000
const PORT = 4710
/** What this node may do at those that it has delivered, besides what each may do at the other. */
const OURS = ['node:deliver'] as const

type Delivery = Awaited<ReturnType<Awaited<ReturnType<typeof daemonless>>['delivery']>>
type DeliverOptions = Parameters<Delivery['deliver']>[1]
type Delivered = Awaited<ReturnType<Delivery['deliver']>>
type Stage = Parameters<DeliverOptions['onStage']>[0]

interface Row {
  readonly host: string
  readonly state: 'delivered' | 'as it was' | 'failed' | 'not begun' | 'rolled back'
  readonly name?: string
  readonly peer?: string
  readonly release?: string
  readonly roundTripMs?: number
  readonly error?: CloudburstError
}

const table: Table<Row> = {
  columns: [
    { title: 'HOST', of: row => row.host },
    { title: 'STATE', of: row => row.state },
    { title: 'NODE', of: row => row.name },
    { title: 'PEER', of: row => (row.peer === undefined ? undefined : shortPeer(row.peer)) },
    { title: 'RELEASE', of: row => row.release },
    { title: 'ANSWER', of: row => (row.roundTripMs === undefined ? undefined : `${row.roundTripMs.toFixed(0)} ms`) },
    { title: 'WHY', of: row => (row.error === undefined ? undefined : oneLine(row.error.message)) }
  ],
  name: row => row.peer ?? row.host,
  empty: 'no hosts'
}

/** Delivers to every host named; exits like the first one that failed. */
export async function run(invocation: Invocation): Promise<number> {
  const { options, io } = invocation
  const hosts = hostsOf(invocation)
  if (options.name !== undefined && hosts.length > 1) throw usage('--name is for one host')
  const { parallel = PARALLEL, failuresMax } = turns(invocation)
  const one = options.rollback ? await rollingBack(invocation) : await delivering(invocation)
  const states = new Map<string, string>()
  const started = Date.now()
  const screen = openScreen(io.stderr, io, () => [...states].map(([host, state]) => `${host.padEnd(28)} ${state}`))
  const limits = {
    parallel,
    failuresMax: countOf(failuresMax, hosts.length, Number.POSITIVE_INFINITY),
    interrupted: io.interrupted,
    isFailure: ({ state }: Row) => state === 'failed'
  }
  const rows = await rolling(
    hosts,
    limits,
    (host): Row => ({ host, state: 'not begun' }),
    async host => {
      const row = await attempt(host, one, (stage, detail = '') => tell(states, screen, io.stderr.isTTY === true, host, stage, detail))
      states.delete(host)
      return row
    }
  )
  screen.close()
  await showRows(invocation, rows.map(shown), table)
  io.stderr.write(
    `${rows.length - rows.filter(isBad).length} of ${rows.length} hosts in ${((Date.now() - started) / 1_000).toFixed(1)} s\n`
  )
  return failed(invocation, rows)
}

type One = (host: string, onStage: (stage: Stage, detail?: string) => void) => Promise<Row>

async function attempt(host: string, one: One, onStage: (stage: Stage, detail?: string) => void): Promise<Row> {
  try {
    return await one(host, onStage)
  } catch (error) {
    return { host, state: 'failed', error: hostError(host, error) }
  }
}

async function delivering(invocation: Invocation): Promise<One> {
  const { options, io } = invocation
  const { delivery } = await daemonless()
  const { artefactFolder, artefactsAt, deliver } = await delivery()
  const artefacts = await artefactsAt(options.artefact ?? artefactFolder(realpathSync(process.argv[1] ?? '')))
  const { connect, becomePassword } = await reaching(invocation)
  const listen = options.listen ?? []
  const membership = options['no-join'] ? undefined : await membershipOf(invocation)
  const via = options.via ?? 'ssh'
  if (via !== 'scp' && via !== 'ssh' && via !== 'rpm') throw usage(`--via takes ssh, scp or rpm, not ${via}`)
  return async (host, onStage) => {
    onStage('connect')
    const remote = await connect(host)
    try {
      const wishes: DeliverOptions = {
        via,
        artefacts,
        sudo: options.sudo === true,
        becomePassword: becomePassword(host),
        ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
        ...(membership === undefined ? {} : { membership }),
        ...(options.name === undefined ? {} : { name: options.name }),
        labels: options.label ?? [],
        listen,
        noMdns: options['no-mdns'] === true,
        port: Number(/\/tcp\/(\d+)/.exec(listen[0] ?? '')?.[1] ?? PORT),
        serviceUser: options['service-user'] ?? 'cloudburst',
        healthMs: options.timeout === undefined ? HEALTH_MS : milliseconds(options.timeout, 'timeout'),
        onStage,
        signal: io.interrupted
      }
      return rowOf(await deliver(remote, wishes))
    } finally {
      remote.close()
    }
  }
}

async function rollingBack(invocation: Invocation): Promise<One> {
  const { options } = invocation
  const { delivery } = await daemonless()
  const { rollback } = await delivery()
  const { connect, becomePassword } = await reaching(invocation)
  return async host => {
    const remote = await connect(host)
    try {
      const words = options.prefix === undefined ? {} : { prefix: options.prefix }
      const { release } = await rollback(remote, {
        ...words,
        sudo: options.sudo === true,
        becomePassword: becomePassword(host),
        port: PORT
      })
      return { host, state: 'rolled back', release }
    } finally {
      remote.close()
    }
  }
}

/** The mesh of this home's daemon. @throws CloudburstError CB_NO_DAEMON */
async function membershipOf(invocation: Invocation) {
  const { options, io } = invocation
  const daemon = daemonOf(invocation)
  const self = (await daemon.local('peers', {})).find(({ status }) => status === 'self')
  const { delivery, homes } = await daemonless()
  const { enrollerOf } = await delivery()
  const { resolveHome } = await homes()
  const { authority } = options
  const enroller = authority === 'none' ? undefined : enrollerOf(resolveHome(options.home, io.env, io.uid), authority)
  // This node shows its own grant to those that believe in the authority from now on.
  if (enroller !== undefined && self !== undefined)
    await daemon.local('trust', { statements: [enroller.grantFor(self.peer, self.name, OURS)] })
  return {
    stands: async (peer: string) => {
      const found = (await daemon.local('peers', {})).find(each => each.peer === peer)
      if (found === undefined || (found.may.length === 0 && found.status !== 'up')) return 'unknown' as const
      return found.status === 'up' ? ('up' as const) : ('away' as const)
    },
    ticket: async (name: string, peer: string) => {
      const granted = enroller && { element: enroller.element, grant: enroller.grantFor(peer, name) }
      const wish = granted === undefined ? { ours: OURS } : { granted }
      return (await daemon.local('ticket', { lifetimeMs: TICKET_MS, boundTo: peer, ...wish })).ticket
    },
    hello: async (peer: string) => {
      const asked = performance.now()
      await daemon.agency(peer).call('hello', {}, { peer: '', node: '' })
      return performance.now() - asked
    }
  }
}

function rowOf({ changed, ...what }: Delivered): Row {
  return { ...what, state: changed ? 'delivered' : 'as it was' }
}

/** Errors of rows as data have no stack. */
function shown(row: Row): Row {
  if (row.error === undefined) return row
  const { code, message, next } = row.error
  return { ...row, error: { code, message, next } as CloudburstError }
}

function isBad({ state }: Row): boolean {
  return state === 'failed' || state === 'not begun'
}

function failed({ io }: Invocation, rows: readonly Row[]): number {
  if (io.interrupted.aborted) return 130
  const bad = rows.filter(isBad)
  for (const { error } of bad) if (error !== undefined) io.stderr.write(`error: ${oneLine(error.message)}\nnext: ${oneLine(error.next)}\n`)
  return bad.length === 0 ? 0 : (bad.find(({ error }) => error !== undefined)?.error?.exit ?? 1)
}

/** Progress of a host: the live table on a terminal, else one line a stage. */
function tell(states: Map<string, string>, screen: Screen, live: boolean, host: string, stage: Stage, detail: string): void {
  const before = states.get(host)?.split(' ')[0]
  states.set(host, `${stage} ${detail}`)
  if (!live && before !== stage) screen.print([`${host}: ${stage}`])
}

function usage(message: string): CloudburstError {
  return new CloudburstError('CB_USAGE', message, { command: 'deliver' })
}
