/** How soon a revocation is honoured everywhere: twenty daemons that all know one another, somebody with a stream open at each. */
import '../src/polyfill.ts'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { capabilities } from '../src/crypto/capability.ts'
import { openGrant, sealGrant } from '../src/crypto/grant.ts'
import { generateIdentity, type Identity } from '../src/crypto/identity.ts'
import { type Revoked, sealRevocations } from '../src/crypto/revocation.ts'
import { CloudburstError } from '../src/errors.ts'
import type { PeerInfo } from '../src/node/control/contract.ts'
import { type Home, initHome, loadIdentity, resolveHome } from '../src/node/home.ts'
import { neighborhoodText } from '../src/node/neighborhood/sample.ts'
import { certify, initAuthority, revoke } from '../src/node/permissions/authority.ts'
import { addPermit } from '../src/node/permissions/permissions.ts'
import { remoteAgency } from '../src/protocols/agency/client.ts'
import { greet } from '../src/protocols/session/client.ts'
import { SESSION, type SessionHello } from '../src/protocols/session/messages.ts'
import { frameChannel } from '../src/protocols/wire/frame-channel.ts'
import { bareNode } from './bare-node.ts'
import { cleanly, removeDirectory, temporaryDirectory } from './leftovers.ts'
import { freePorts, type Node, startDaemon, stopNode } from './nodes.ts'
import { type Measured, p99RowOf, type Series, seriesOf } from './result.ts'
import { QUICK } from './sampling.ts'

const NODES = Number(process.env['CLOUDBURST_BENCH_NODES'] ?? 20)
const REVOKED_MS_MAX = 1_000
const ROUNDS = 6
/** A hundred and ninety connections are made on two cores, in milliseconds. */
const KNOWN_WITHIN_MS = 120_000
const HOUR_MS = 3_600_000
const AUTHORITY = 'ops'
const bounds = { capabilities: ['agency:hello', 'agency:inspect', 'state:read'] as const }

interface Host extends Node {
  readonly address: string
}

/** Taken back by the authority, whose home is that of the first daemon, and by a holder who had handed it on, at the second. */
export function revocation(): Promise<Measured> {
  return cleanly(async later => {
    const directory = temporaryDirectory()
    later(() => removeDirectory(directory))
    const hosts = await startHosts(directory, undo => later(undo))
    const rounds = process.env[QUICK] === undefined ? ROUNDS : 2
    const series = [await byAuthority(hosts, rounds), await byHolder(hosts, rounds)] as const
    const until = `until each of ${NODES} connected daemons has ended the stream of its holder (p99)`
    return {
      rows: [
        p99RowOf(`a grant that its authority takes back, ${until}`, series[0], REVOKED_MS_MAX),
        p99RowOf(`a grant that whoever has handed it on takes back, ${until}`, series[1], REVOKED_MS_MAX)
      ],
      series,
      notes: [
        `all ${NODES} daemons, and the client with a connection to each, share this machine; afterwards each of them refuses a new hello`
      ]
    }
  })
}

async function byAuthority(hosts: readonly Host[], rounds: number): Promise<Series> {
  const [{ home, connection }] = hosts as [Host]
  let grants = 0
  return await measured('taken back by the authority', hosts, rounds, {
    grant: ({ peer }) => {
      const what = { subject: peer, email: 'alice@example.org', bounds, lifetimeMs: HOUR_MS }
      return certify(home.authorities, AUTHORITY, what, `bench-${++grants}`, Date.now())
    },
    takeBack: async ({ peer }) => {
      const { envelope } = revoke(home.authorities, AUTHORITY, peer, Date.now())
      await connection.post('local/trust', { statements: [Buffer.from(envelope).toString('utf8')] })
    }
  })
}

async function byHolder(hosts: readonly Host[], rounds: number): Promise<Series> {
  const [ops, { home, peer: holder, connection }] = hosts as [Host, Host]
  const own = { subject: holder, email: 'holder@example.org', bounds, lifetimeMs: HOUR_MS }
  const root = certify(ops.home.authorities, AUTHORITY, own, 'root', Date.now())
  const key = loadIdentity(home)
  const revoked: Revoked[] = []
  let grants = 0
  return await measured('taken back by whoever has handed it on', hosts, rounds, {
    grant: ({ peer }) => {
      const at = Date.now()
      const words = { id: `handed-${++grants}`, subject: peer, email: 'bob@example.org', allows: [bounds], at, notBefore: at }
      return sealGrant(key, { ...words, expiry: openGrant(root).expiry }, root)
    },
    takeBack: async () => {
      revoked.push({ grant: `handed-${grants}`, until: openGrant(root).expiry })
      const list = sealRevocations(key, { number: revoked.length, at: Date.now(), revoked }, [root])
      await connection.post('local/trust', { statements: [Buffer.from(list).toString('utf8')] })
    }
  })
}

interface Way {
  grant(to: Identity): Uint8Array
  /** Resolves once the daemon that it is said to has answered. */
  takeBack(from: Identity): Promise<void>
}

async function measured(name: string, hosts: readonly Host[], rounds: number, way: Way): Promise<Series> {
  const samples: number[] = []
  for (let round = -1; round < rounds; round++) {
    const guest = generateIdentity()
    const client = await bareNode(guest)
    try {
      const grant = way.grant(guest)
      const held = await Promise.all(hosts.map(host => heldSoon(client, host, grant)))
      // What twenty connections leave to do is not part of it.
      await pause(500)
      const from = performance.now()
      await way.takeBack(guest)
      const times = await Promise.all(held.map(({ ended }) => ended))
      if (round >= 0) samples.push(...times.map(at => at - from))
      await Promise.all(hosts.map(host => refused(client, host, grant)))
    } finally {
      await client.stop()
    }
  }
  return seriesOf(`${name}, ${hosts.length} daemons`, 'ms', samples)
}

/** Again when it is cut: whoever shows a grant for the first time has two seconds to say so, which a busy machine may take. */
async function heldSoon(client: Libp2p, host: Host, grant: Uint8Array): ReturnType<typeof hold> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await hold(client, host, grant)
    } catch (error) {
      if (attempt === 20) throw error
      await pause(200)
    }
  }
}

/** Opens a stream of state; `ended` is when it was ended, by `performance.now()`. */
async function hold(client: Libp2p, host: Host, grant: Uint8Array): Promise<{ readonly ended: Promise<number> }> {
  const welcome = await hello(client, host, grant)
  if (welcome.again === true) {
    // Those who were let past Noise to show a grant come back as somebody who has one.
    for (const connection of client.getConnections()) if (isTo(connection, host)) await connection.close()
    await hello(client, host, grant)
  }
  const open = async (_peer: string, protocol: string) =>
    frameChannel(await client.dialProtocol(multiaddr(host.address), protocol), host.peer)
  const ending = new AbortController()
  const stream = remoteAgency({ open }, host.peer).stream('watch', { path: 'nodes' }, { peer: '', node: '' }, ending.signal)
  const items = stream[Symbol.asyncIterator]()
  await items.next()
  const ended = (async () => {
    try {
      for (;;) if ((await items.next()).done === true) throw new Error(`${host.name} ended the stream without a word`)
    } catch (error) {
      if (error instanceof CloudburstError && ['CB_DENIED', 'CB_PEER_UNREACHABLE'].includes(error.code)) return performance.now()
      throw error
    }
  })()
  ended.catch(() => undefined)
  return { ended }
}

async function refused(client: Libp2p, host: Host, grant: Uint8Array): Promise<void> {
  const welcomed = await hello(client, host, grant).then(
    () => true,
    () => false
  )
  if (welcomed) throw new Error(`${host.name} still lets in whom it was to refuse`)
}

async function hello(client: Libp2p, host: Host, grant: Uint8Array) {
  const said: SessionHello = { type: 'hello', name: 'guest', version: '0.0.1', labels: {}, addresses: [], grants: [grant] }
  return await greet(frameChannel(await client.dialProtocol(multiaddr(host.address), SESSION), host.peer), said)
}

function isTo(connection: { readonly remotePeer: { toString(): string } }, { peer }: Host): boolean {
  return connection.remotePeer.toString() === peer
}

/** Daemons that know and permit one another, and let the authority of the first grant what it likes. */
async function startHosts(directory: string, later: (undo: () => Promise<void>) => void): Promise<readonly Host[]> {
  const ports = await freePorts(NODES)
  const made = ports.map((port, at) => {
    const home = resolveHome(join(directory, `n${at + 1}`))
    const address = `/ip4/127.0.0.1/tcp/${port}`
    return { name: `n${at + 1}`, home, listen: address, peer: initHome(home, { name: `n${at + 1}`, listen: [address], mdns: false }).peer }
  })
  const { identity } = initAuthority(made[0]!.home.authorities, AUTHORITY)
  for (const [at, { home, name, listen }] of made.entries()) {
    const others = made.filter(other => other.home !== home)
    // The earlier one dials, so that hardly anybody is connected twice; where nobody is listed at an address, strangers from there are counted.
    const neighbours = others.map(other => ({
      name: other.name,
      peer: other.peer,
      addresses: made.indexOf(other) > at || other === made[0] ? [other.listen] : []
    }))
    writeFileSync(home.neighborhood, neighborhoodText({ name, listen: [listen], mdns: false, neighbours }))
    for (const { peer } of others) addPermit(home.permissions, { email: 'bench@example.org', peer, capabilities, lifetime: 'PT8H' })
    trustAuthority(home, identity.peer)
  }
  const hosts: Host[] = []
  // Whom one dials is there already.
  for (const each of made.toReversed()) {
    const daemon = await startDaemon(each.home)
    const host = { ...each, ...daemon, address: `${each.listen}/p2p/${each.peer}` }
    later(() => stopNode(host))
    hosts.unshift(host)
  }
  for (const host of hosts) await knowsAll(host)
  return hosts
}

/** Asked seldom: twenty daemons that are asked all the time would come to know one another later. */
async function knowsAll({ name, connection }: Host): Promise<void> {
  for (const end = performance.now() + KNOWN_WITHIN_MS; performance.now() < end; await pause(500)) {
    const peers = (await connection.post('local/peers', {})) as readonly PeerInfo[]
    if (peers.filter(({ status }) => status === 'up').length >= NODES - 1) return
  }
  throw new Error(`not within ${KNOWN_WITHIN_MS} ms: ${name} knows the other ${NODES - 1} daemons`)
}

function trustAuthority({ permissions }: Home, key: string): void {
  const element = `<authority name="${AUTHORITY}" key="${key}" capability="${bounds.capabilities.join(' ')}"/>`
  writeFileSync(permissions, readFileSync(permissions, 'utf8').replace('</permissions>', `${element}</permissions>`))
}
