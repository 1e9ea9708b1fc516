/** What trust costs: a decision among ten thousand permits, a revocation on twenty nodes, coming back with a session. */
import { once } from 'node:events'
import { multiaddr } from '@multiformats/multiaddr'
import { openGrant, sealGrant } from '../src/crypto/grant.ts'
import { generateIdentity, type Identity } from '../src/crypto/identity.ts'
import { decide, type Permit, type Trusted } from '../src/node/permissions/decide.ts'
import { RevocationBook } from '../src/node/permissions/revocation-book.ts'
import { greet } from '../src/protocols/session/client.ts'
import { SESSION } from '../src/protocols/session/messages.ts'
import { frameChannel } from '../src/protocols/wire/frame-channel.ts'
import { until } from '../test/node/mesh/testbed.ts'
import { HOLD, hold, revoke, TrustBed, type TrustNode } from '../test/node/permissions/trust-bed.ts'
import { bareNode } from './bare-node.ts'
import { type Measured, p99RowOf, rowOf, type Series, seriesOf } from './result.ts'
import { QUICK } from './sampling.ts'

const PERMITS = 10_000
/** In one process, which a busy machine may be too slow for. */
const NODES = Number(process.env['CLOUDBURST_BENCH_NODES'] ?? 20)
const DECISION_MS_MAX = 1
const REVOCATION_MS_MAX = 1_000
const RECONNECT_RATIO_MAX = 2

/** Figures of issue and design: a decision, a revocation, a reconnect. */
export async function trust(): Promise<Measured> {
  const quick = process.env[QUICK] !== undefined
  const [decisions, verified] = [decisionSeries(quick ? 2_000 : 50_000), verificationSeries(quick ? 100 : 1_000)]
  const { ours, bare } = await reconnectSeries(quick ? 10 : 60)
  const rows = [
    p99RowOf(`a decision among ${PERMITS} permits, by a grant that was handed on (p99)`, decisions, DECISION_MS_MAX),
    rowOf('a grant that was handed on, verified for the first time', verified, 'value'),
    rowOf('back on a new connection, to the first request that is served', ours, 'ratio', { peer: bare, limit: RECONNECT_RATIO_MAX })
  ]
  const series = [decisions, verified, ours, bare]
  try {
    const revocation = await revocationSeries(quick ? 2 : 12)
    const what = `a revocation, until each of ${NODES - 1} connected nodes has ended the streams (p99)`
    const notes = [`the ${NODES} nodes of the revocation share one process: they wait for one another's work too`]
    return { rows: [...rows, p99RowOf(what, revocation, REVOCATION_MS_MAX)], series: [...series, revocation], notes }
  } catch (error) {
    return {
      rows,
      series,
      notes: [`the revocation on ${NODES} nodes was not measured: ${error instanceof Error ? error.message : String(error)}`]
    }
  }
}

const place = { file: 'permissions.xml', line: 1, col: 1 }
const NOW = Date.parse('2026-06-01T00:00:00Z')
const bounds = { capabilities: ['agency:hello', 'goal:dispatch'] as const, goals: ['deploy', 'restart'] }

function world(): { readonly trusted: Trusted; readonly peer: string; readonly envelope: Uint8Array } {
  const [ops, alice, bob] = [generateIdentity(), generateIdentity(), generateIdentity()] as const
  const words = (id: string, subject: Identity, email: string) => {
    return { id, subject: subject.peer, email, allows: [bounds], at: NOW, notBefore: NOW, expiry: NOW + 3_600_000 }
  }
  const root = sealGrant(ops, words('1', alice, 'alice@example.org'))
  const envelope = sealGrant(alice, words('2', bob, 'bob@example.org'), root)
  const lifetime = { kind: 'interval', from: 0, until: NOW * 2 } as const
  const permits: Permit[] = Array.from({ length: PERMITS }, (_, at) => {
    const waits = at % 2 === 0
    const email = at === 0 ? 'alice@example.org' : `person${at}@example.org`
    return { authority: 'ops', email, ...bounds, ...(!waits && { peer: `peer${at}` }), lifetime, place }
  })
  const grant = openGrant(envelope)
  const trusted: Trusted = {
    authorities: [{ name: 'ops', key: ops.peer, place }],
    permits,
    grantsOf: peer => (peer === bob.peer ? [grant] : []),
    revocations: new RevocationBook()
  }
  return { trusted, peer: bob.peer, envelope }
}

function decisionSeries(count: number): Series {
  const { trusted, peer } = world()
  const samples: number[] = []
  for (let at = 0; at < count; at++) {
    const from = performance.now()
    const { allowed } = decide(trusted, { peer, since: NOW }, 'goal:dispatch', { program: 'p', goal: 'deploy', vars: [] }, NOW + 1)
    samples.push(performance.now() - from)
    if (!allowed) throw new Error('it should have been allowed')
  }
  // Written as they are, they would be most of the file.
  const all = seriesOf('decide', 'ms', samples)
  return { ...all, p50: fine(samples, 0.5), p90: fine(samples, 0.9), p99: fine(samples, 0.99), samples: all.samples.slice(0, 25) }
}

function fine(samples: readonly number[], part: number): number {
  return Math.round(([...samples].sort((a, b) => a - b)[Math.ceil(samples.length * part) - 1] ?? 0) * 10_000) / 10_000
}

function verificationSeries(count: number): Series {
  const { envelope } = world()
  const samples: number[] = []
  for (let at = 0; at < count; at++) {
    const from = performance.now()
    openGrant(envelope)
    samples.push(performance.now() - from)
  }
  const all = seriesOf('openGrant', 'ms', samples)
  return { ...all, samples: all.samples.slice(0, 25) }
}

function isUp(a: TrustNode, b: TrustNode): boolean {
  return a.mesh.peers().some(({ peer, status }) => peer === b.identity.peer && status === 'up')
}

async function revocationSeries(rounds: number): Promise<Series> {
  const bed = new TrustBed()
  try {
    const nodes: TrustNode[] = []
    for (let at = 0; at < NODES; at++) nodes.push(await bed.node(at === 0 ? 'ops' : `n${at}`))
    for (const node of nodes) bed.grant(node)
    for (const node of nodes) await node.start()
    // One after the other: all of them at once would wait for one another's handshakes in this one process.
    for (const [at, a] of nodes.entries()) {
      for (const b of nodes.slice(at + 1)) a.knows(b)
      await until(() => nodes.slice(at + 1).every(b => isUp(a, b) && isUp(b, a)), `${a.name} is up with all`, 60_000)
    }
    const alice = nodes.at(-1)!
    const hosts = nodes.slice(0, -1)
    const samples: number[] = []
    for (let round = 0; round < rounds; round++) {
      await Promise.all(hosts.map(host => heldSoon(alice, host)))
      const ended = hosts.map(async host => {
        await once(host.held.get(alice.identity.peer)!.ended, 'abort')
        return performance.now()
      })
      const from = performance.now()
      nodes[0]!.trust.take(revoke(bed.authorities, 'ops', alice.identity.peer, nodes[0]!.trust.now()).envelope)
      nodes[0]!.spreading.speak()
      samples.push(...(await Promise.all(ended)).map(at => at - from))
      await new Promise(resolve => setTimeout(resolve, 5))
      bed.grant(alice)
    }
    return seriesOf(`revocation on ${hosts.length} nodes`, 'ms', samples)
  } finally {
    await bed.close()
  }
}

/** Again when it is denied: a hello may be on its way that was said before the new grant was there. */
async function heldSoon(from: TrustNode, to: TrustNode): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await hold(from, to)
    } catch (error) {
      if (attempt === 20) throw error
      await settled()
    }
  }
}

/** One client, to a node that knows its grant, and to a bare libp2p node; the two take turns. */
async function reconnectSeries(rounds: number): Promise<{ readonly ours: Series; readonly bare: Series }> {
  const bed = new TrustBed()
  const key = generateIdentity()
  const client = await bareNode(key)
  const other = await bareNode(generateIdentity(), ['/ip4/127.0.0.1/tcp/0'])
  try {
    const host = await bed.node('host')
    await host.start()
    const envelope = bed.grant({ ...host, identity: key, name: 'guest' })
    const address = multiaddr(`/ip4/127.0.0.1/tcp/${host.port}/p2p/${host.identity.peer}`)
    const hello = { type: 'hello', name: 'guest', version: '0.0.1', labels: {}, addresses: [], grants: [envelope] } as const
    const served = async (): Promise<number> => {
      const from = performance.now()
      const connection = await client.dial(address)
      // As a mesh does it: the request's stream is opened while the hello is on its way.
      const welcomed = connection.newStream(SESSION).then(stream => greet(frameChannel(stream, host.identity.peer), hello))
      const [stream] = await Promise.all([connection.newStream(HOLD), welcomed])
      const channel = frameChannel(stream, host.identity.peer)
      const answer = await channel.read()
      const ms = performance.now() - from
      if (answer !== 'held') throw new Error('it was not served')
      await connection.close()
      await settled()
      return ms
    }
    const dialled = async (): Promise<number> => {
      const from = performance.now()
      const connection = await client.dial(other.getMultiaddrs()[0]!)
      const ms = performance.now() - from
      await connection.close()
      await settled()
      return ms
    }
    const [ours, bare]: [number[], number[]] = [[], []]
    for (let round = -5; round < rounds; round++) {
      const [a, b] = round % 2 === 0 ? [await served(), await dialled()] : await reversed(dialled, served)
      if (round >= 0) {
        ours.push(a)
        bare.push(b)
      }
    }
    return { ours: seriesOf('hello and a request', 'ms', ours), bare: seriesOf('bare libp2p dial', 'ms', bare) }
  } finally {
    await Promise.all([client.stop(), other.stop(), bed.close()])
  }
}

/** What a closed connection leaves to do must not count as the next one's: both ends share this process. */
async function settled(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 20))
}

async function reversed(first: () => Promise<number>, second: () => Promise<number>): Promise<[number, number]> {
  const b = await first()
  return [await second(), b]
}
