/** The last part of a delivery: the new node makes its key, is invited by a ticket that works once, starts, and is asked how it is. */
import { setTimeout as pause } from 'node:timers/promises'
import { isPeerId } from '../../crypto/identity.ts'
import type { Hands } from './become.ts'
import { check, type DeliverOptions } from './deliver.ts'
import type { HostFacts } from './probe-host.ts'
import { failed, quoted, type Remote } from './remote.ts'

/** The mesh that a new node joins, as the node that delivers sees it. */
export interface Membership {
  /** How a peer stands here: connected, known but away, or never seen. */
  stands(peer: string): Promise<'up' | 'away' | 'unknown'>
  /** A ticket that works once, for minutes, and for this node only. */
  ticket(name: string, peer: string): Promise<string>
  /** Asks it how it is. @returns the time that the answer took, in milliseconds */
  hello(peer: string): Promise<number>
}

/** What the new node is to be. */
export interface NodeWishes {
  readonly name?: string
  readonly labels: readonly string[]
  readonly listen: readonly string[]
  readonly noMdns: boolean
  /** Port of the first listen address. */
  readonly port: number
  /** Who the service runs as when root installs it. */
  readonly serviceUser: string
  /** How long it may take until it has joined, in milliseconds. */
  readonly healthMs: number
}

/** Between looks whether it has joined, in milliseconds. */
const HEALTH_POLL_MS = 100

/** @throws CloudburstError CB_DELIVERY_FAILED */
export async function enrol(
  remote: Remote,
  hands: Hands,
  facts: HostFacts,
  options: DeliverOptions & { readonly name: string; readonly restart: boolean }
): Promise<{ readonly peer: string; readonly roundTripMs?: number }> {
  const { onStage, membership, name } = options
  onStage('enrol')
  const program = `${facts.prefix}/current/bin/cloudburst`
  const owner = ownerOf(hands, options.serviceUser)
  const wishes = [
    ...['--name', name, ...options.labels.flatMap(label => ['--label', label]), ...options.listen.flatMap(each => ['--listen', each])],
    ...(options.noMdns ? ['--no-mdns'] : [])
  ]
  const init = command(program, ['init', ...wishes, '-o', 'name'])
  const identity = command(program, ['identity', 'show', '-o', 'name'])
  const said = await hands.run(`${owner(`${init} >/dev/null 2>&1; exec ${identity}`)}`, [])
  check(remote, said, 'the node could not be made there')
  const peer = said.stdout.trim()
  if (!isPeerId(peer)) throw failed(remote.name, `it told no peer id: ${peer}`, `cloudburst deliver ${quoted(remote.name)}`)
  if (membership !== undefined && (await membership.stands(peer)) === 'unknown') {
    const joined = await hands.run(owner(`exec ${command(program, ['init', '--join', '-'])}`), [], await membership.ticket(name, peer))
    check(remote, joined, 'the invitation could not be left there')
  }
  onStage('start')
  const user = hands.root ? ['--service-user', options.serviceUser] : []
  const start = command(program, ['start-daemon', ...user, ...(options.restart ? ['--restart'] : [])])
  check(
    remote,
    await hands.run(
      `printf '%s\\n' ${peer} >${quoted(`${facts.prefix}/.node`)} && mv ${quoted(`${facts.prefix}/.node`)} ${quoted(`${facts.prefix}/node`)} && ${start}`,
      []
    ),
    'it does not start'
  )
  return membership === undefined ? { peer } : { peer, roundTripMs: await healthy(remote, peer, membership, options) }
}

async function healthy(
  remote: Remote,
  peer: string,
  membership: Membership,
  { onStage, healthMs, signal }: DeliverOptions
): Promise<number> {
  onStage('health')
  let why = 'it has not joined'
  for (const end = Date.now() + healthMs; Date.now() < end; ) {
    if ((await membership.stands(peer)) === 'up') {
      try {
        return await membership.hello(peer)
      } catch (error) {
        why = error instanceof Error ? error.message : String(error)
      }
    }
    await pause(HEALTH_POLL_MS, undefined, { ...(signal === undefined ? {} : { signal }) })
  }
  throw failed(remote.name, `it runs, but within ${healthMs / 1_000} s: ${why}`, 'cloudburst peers -o wide')
}

/** Commands as whoever the node belongs to. */
function ownerOf(hands: Hands, user: string): (line: string) => string {
  if (!hands.root || user === 'root') return line => line
  const places = 'HOME=/var/lib/cloudburst XDG_CONFIG_HOME=/etc XDG_STATE_HOME=/var/lib'
  // su begins a session, for which systemd starts a manager of this user: that takes a second, or minutes where it cannot.
  return line => `cd / && $(command -v runuser || echo su) -s /bin/sh -c ${quoted(`export ${places}; ${line}`)} ${quoted(user)}`
}

function command(program: string, words: readonly string[]): string {
  return [program, ...words].map(quoted).join(' ')
}
