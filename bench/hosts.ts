/** Real daemons on a network of their own, one namespace each, that know one another: for cutting lines between them. */
import type { PeerInfo } from '../src/node/control/contract.ts'
import type { Tree } from '../src/goals/tree.ts'
import { encodeMessage } from '../src/protocols/wire/codec.ts'
import { type Network, openNetwork, unable } from '../test/lab/net/namespaces.ts'
import { mesh, type MeshNode } from '../test/system/mesh.ts'
import { type Connection, connect } from './connection.ts'
import { atTheEnd } from './leftovers.ts'
import { until } from './nodes.ts'

/** All of them shake hands with all others at once, on few cores, in milliseconds. */
const UP_WITHIN_MS = 240_000
/** All hosts are asked so often, in milliseconds: more often, and most of what the cores do would be to answer. */
const ASKED_EVERY_MS = 250

/** Some hosts, numbered from 1. */
export interface Hosts {
  readonly network: Network
  readonly numbers: readonly number[]
  node(number: number): MeshNode
  connection(number: number): Connection
  /** What host `number` says of the others, by name. */
  peers(number: number): Promise<ReadonlyMap<string, PeerInfo>>
  /** Whether all of `numbers` hold the same state. */
  agree(numbers?: readonly number[]): Promise<boolean>
  /** Resolves once everybody is up for everybody. */
  up(): Promise<void>
  stop(): Promise<void>
}

export { unable as whyNoHosts }

/** Started, and all up. */
export async function openHosts(count: number): Promise<Hosts> {
  const network = await openNetwork(count)
  atTheEnd(() => network.close())
  const m = await mesh(count, {
    started: false,
    place: number => ({ address: network.address(number), within: network.within(number) }),
    release: () => Promise.resolve(network.close())
  })
  const numbers = Array.from({ length: count }, (_, at) => at + 1)
  const connections = numbers.map(number => connect(m.node(number).home.socket))
  const connection = (number: number): Connection => connections[number - 1]!
  const stop = async (): Promise<void> => {
    for (const each of connections) each.close()
    await m.stop()
  }
  const peers: Hosts['peers'] = async number => {
    const all = (await connection(number).post('local/peers', {})) as readonly PeerInfo[]
    return new Map(all.map(each => [each.name, each]))
  }
  const stateOf = async (number: number): Promise<string> => {
    const { value } = (await connection(number).post('calls/state', { path: 'nodes' })) as { readonly value?: Tree }
    // The order of fields is nobody's business.
    return Buffer.from(encodeMessage(value ?? {})).toString('base64')
  }
  const hosts: Hosts = {
    network,
    numbers,
    node: m.node,
    connection,
    peers,
    agree: async (of = numbers) => new Set(await Promise.all(of.map(stateOf))).size === 1,
    up: () =>
      until(
        `${count} hosts are up for one another`,
        async () => {
          const seen = await Promise.all(numbers.map(peers))
          return seen.every(each => [...each.values()].filter(({ status }) => status === 'up').length === count - 1)
        },
        { withinMs: UP_WITHIN_MS, everyMs: ASKED_EVERY_MS }
      ),
    stop
  }
  try {
    // A few at a time: all at once would wait for one another on few cores.
    for (let at = 0; at < count; at += 4) await Promise.all(numbers.slice(at, at + 4).map(number => m.node(number).start()))
    await hosts.up()
    return hosts
  } catch (error) {
    await stop()
    throw error
  }
}

/** Stops a daemon where it stands, and lets it go on. */
export async function frozen(node: MeshNode, work: () => Promise<void>): Promise<void> {
  process.kill(node.pid(), 'SIGSTOP')
  try {
    await work()
  } finally {
    process.kill(node.pid(), 'SIGCONT')
  }
}

/** Resolves with the milliseconds until `holds`, and up to {@link ASKED_EVERY_MS} more. */
export async function timeTo(what: string, holds: () => Promise<boolean>): Promise<number> {
  const began = performance.now()
  await until(what, holds, { everyMs: ASKED_EVERY_MS })
  return performance.now() - began
}
