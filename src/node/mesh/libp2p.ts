/** One libp2p node, with every threshold set on purpose (./limits.ts) and nothing offered unencrypted. */
import { noise } from '@chainsafe/libp2p-noise'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { circuitRelayServer, type CircuitRelayServerComponents, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { type GossipSub, type GossipSubComponents, gossipsub } from '@libp2p/gossipsub'
import { type IdentifyComponents, identify } from '@libp2p/identify'
import type { Connection, Libp2p, StreamHandler, Topology } from '@libp2p/interface'
import { type PingComponents, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { type Identity, rawPrivateKey } from '../../crypto/identity.ts'
import { CloudburstError } from '../../errors.ts'
import type { Admission } from './admission.ts'
import { gathering } from './gathering.ts'
import { type Listening, listening } from './relays.ts'
import * as limits from './limits.ts'

export type Node = Libp2p<Services>
interface Services extends Record<string, unknown> {
  readonly pubsub: GossipSub
  readonly listening: Listening
}

export interface NodeOptions {
  readonly identity: Identity
  readonly version: string
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  /** Addresses of neighbours: connections from there are never counted out. */
  readonly trusted: readonly string[]
  readonly mdns: { readonly enabled: boolean; readonly announce: boolean; readonly service: string }
  readonly topics: readonly string[]
  readonly admission: Admission
  /** Called before anybody can connect. */
  readonly prepare: (node: Node) => Promise<void>
}

/**
 * Makes and starts a node; listening on return.
 * @throws CloudburstError CB_PORT_TAKEN, CB_NEIGHBORHOOD_INVALID when an address cannot be listened on
 */
export async function startNode(options: NodeOptions): Promise<Node> {
  const node = await createLibp2p({ ...(await nodeOptions(options)), start: false })
  try {
    await options.prepare(node)
    await node.start()
    return node
  } catch (error) {
    await node.stop()
    throw listenError(error, options.listen)
  }
}

async function nodeOptions(options: NodeOptions): Promise<Libp2pOptions<Services>> {
  const { admission } = options
  const discovery = options.mdns.enabled
    ? [(await import('@libp2p/mdns')).mdns({ serviceTag: options.mdns.service, broadcast: options.mdns.announce })]
    : []
  const services = {
    identify: (components: IdentifyComponents) => identify()(guarded(components, admission)),
    ping: (components: PingComponents) =>
      ping({ maxInboundStreams: limits.PROBES_MAX, maxOutboundStreams: limits.PROBES_MAX })(guarded(components, admission)),
    pubsub: (components: GossipSubComponents) => pubsub(options.topics)(guarded(components, admission)),
    relay: (components: CircuitRelayServerComponents) => relay()(guarded(components, admission)),
    listening
  }
  return {
    nodeInfo: { name: 'cloudburst', version: options.version },
    privateKey: privateKeyFromRaw(rawPrivateKey(options.identity)),
    addresses: { listen: [...options.listen], announce: [...options.announce], announceFilter: withoutLoopback },
    transports: [
      tcp({ maxConnections: limits.CONNECTIONS_MAX }),
      components => asked(circuitRelayTransport()(guarded(components, admission)))
    ],
    connectionEncrypters: [gathering(noise())],
    streamMuxers: [
      yamux({
        maxInboundStreams: limits.STREAMS_MAX * 4,
        streamOptions: { maxStreamWindowSize: limits.WINDOW_BYTES_MAX, maxWriteBufferLength: limits.WRITE_BUFFER_BYTES_MAX }
      })
    ],
    connectionGater: admission.gater(),
    connectionManager: connectionLimits(options.trusted),
    // Our own pulse decides; libp2p's would end a connection for one lost ping.
    connectionMonitor: { enabled: false },
    peerDiscovery: discovery,
    services
  }
}

function connectionLimits(trusted: readonly string[]): NonNullable<Libp2pOptions['connectionManager']> {
  return {
    maxConnections: limits.CONNECTIONS_MAX,
    maxIncomingPendingConnections: limits.CONNECTIONS_MAX,
    inboundConnectionThreshold: limits.INBOUND_PER_SECOND_MAX,
    inboundUpgradeTimeout: limits.UPGRADE_TIMEOUT_MS,
    inboundStreamProtocolNegotiationTimeout: limits.NEGOTIATION_TIMEOUT_MS,
    outboundStreamProtocolNegotiationTimeout: limits.NEGOTIATION_TIMEOUT_MS,
    dialTimeout: limits.DIAL_TIMEOUT_MS,
    addressDialTimeout: limits.ADDRESS_DIAL_TIMEOUT_MS,
    maxPeerAddrsToDial: limits.ADDRESSES_MAX * 2,
    maxParallelDials: limits.PARALLEL_DIALS_MAX,
    // Only numbers can be compared with where a connection comes from.
    allow: trusted.filter(address => /^\/ip[46]\//.test(address))
  }
}

/**
 * Only the relays that are asked for, never those that are come upon: besides, libp2p (3.3) leaves the timer of one that it then does
 * not need, which would keep this process alive for hours.
 */
function asked<T>(transport: T): T {
  const store = (transport as { reservationStore: { addRelay: (peer: unknown, type: string) => Promise<unknown> } }).reservationStore
  const add = store.addRelay.bind(store)
  store.addRelay = (peer, type) =>
    type === 'configured' ? add(peer, type) : Promise.reject(new Error('relays are only those of neighborhood.xml'))
  return transport
}

/** Relays for who may come in here, without libp2p's limits of two minutes and 128 KiB: whom we relay for was decided at the door. */
function relay(): ReturnType<typeof circuitRelayServer> {
  return circuitRelayServer({ reservations: { maxReservations: limits.RELAYED_MAX, applyDefaultLimit: false } })
}

function pubsub(topics: readonly string[]): (components: GossipSubComponents) => GossipSub {
  return gossipsub({
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    allowedTopics: [...topics],
    maxInboundDataLength: limits.GOSSIP_BYTES_MAX,
    maxOutboundBufferSize: limits.WRITE_BUFFER_BYTES_MAX,
    // Whoever has few neighbours asks them to pass news on at once; from one who would not, they come with its next heartbeat, a second later.
    Dhi: limits.CONNECTIONS_MAX,
    // Many nodes behind one address are a rack, not an attack; who may speak here was decided at the door.
    scoreParams: { IPColocationFactorWeight: 0 }
  })
}

/**
 * The components of a service with a registrar that serves no stranger: libp2p's own protocols know nothing of permits.
 * (libp2p's stream middleware would be the place, but each inbound stream adds its handler to the shared list.)
 */
function guarded<Components extends { registrar: object }>(components: Components, admission: Admission): Components {
  const registrar = new Proxy(components.registrar, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'handle' && name !== 'register') return value.bind(target)
      return (protocol: string, served: StreamHandler | Topology, ...more: unknown[]) =>
        value.call(target, protocol, typeof served === 'function' ? refusing(served, admission) : overlooking(served, admission), ...more)
    }
  })
  return new Proxy(components, { get: (target, name) => (name === 'registrar' ? registrar : Reflect.get(target, name)) })
}

function refusing(handler: StreamHandler, admission: Admission): StreamHandler {
  return (stream, connection) => {
    if (admission.isStranger(connection)) return stream.abort(new Error('not for strangers'))
    return handler(stream, connection)
  }
}

function overlooking(topology: Topology, admission: Admission): Topology {
  return {
    ...topology,
    onConnect: (peer, connection: Connection) => (admission.isStranger(connection) ? undefined : topology.onConnect?.(peer, connection))
  }
}

/** What we tell others: loopback only when there is nothing else. */
function withoutLoopback(addresses: Multiaddr[]): Multiaddr[] {
  const isLoopback = (address: Multiaddr): boolean => /^\/(ip4\/127\.|ip6\/::1\/)/.test(address.toString())
  const outside = addresses.filter(address => !isLoopback(address))
  return outside.length === 0 ? addresses : outside
}

function listenError(error: unknown, listen: readonly string[]): unknown {
  const text = error instanceof Error ? error.message : String(error)
  if (text.includes('EADDRINUSE')) {
    return new CloudburstError('CB_PORT_TAKEN', `${listen.join(', ')} cannot be listened on: another program has the port`, {}, error)
  }
  if (/EADDRNOTAVAIL|EACCES|UnsupportedListenAddress/.test(`${text} ${error instanceof Error ? error.name : ''}`)) {
    return new CloudburstError('CB_NEIGHBORHOOD_INVALID', `${listen.join(', ')} cannot be listened on: ${text}`, {}, error)
  }
  return error
}
