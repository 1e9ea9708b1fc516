/** One node of a simulation: everything of the product that has no socket, no file and no process of its own. */
import { createPrivateKey } from 'node:crypto'
import { ulid } from 'ulid'
import type { Capability } from '../../../src/crypto/capability.ts'
import { type Identity, identityFromPem } from '../../../src/crypto/identity.ts'
import type { Clock, Probe, Vault } from '../../../src/goals/ports.ts'
import type { Principal } from '../../../src/goals/pursuit/events.ts'
import type { PeerInfo } from '../../../src/node/control/contract.ts'
import type { Mesh } from '../../../src/node/mesh.ts'
import { selectPeers } from '../../../src/node/mesh/selector.ts'
import { signing } from '../../../src/node/permissions/signing.ts'
import { type Log, openStoreOn, type Store } from '../../../src/node/store/store.ts'
import { openWork, type Work } from '../../../src/node/work.ts'
import type { Chance } from './chance.ts'
import { never, SimDisk } from './disk.ts'
import { type Ledger, Machine } from './machine.ts'
import { publish } from './gossip.ts'
import type { Endpoint, Network } from './network.ts'
import type { VirtualTime } from './time.ts'

/** The hour at which every simulation begins, in epoch milliseconds. */
export const EPOCH = 1_800_000_000_000

export interface SimNodeParts {
  readonly index: number
  readonly identity: Identity
  readonly time: VirtualTime
  readonly chance: Chance
  readonly network: Network
  readonly ledger: Ledger
  /** Peer ids of those whom it dials and keeps. */
  readonly neighbours: () => readonly string[]
  /** Everybody whom a selector may name. */
  readonly everybody: () => readonly SimNode[]
  readonly permits?: (peer: string, capability: Capability) => boolean
  /** Who else has a key here, besides everybody: an attacker. */
  readonly isPermitted?: (peer: string) => boolean
  /** It lives under the key of another node. */
  readonly isClone?: true
  /** The life that it goes on with: a machine that was copied while it ran. */
  readonly life?: { readonly boot: number; readonly nonce: string }
  /** Told what the node logs. */
  readonly said?: (node: string, level: string, what: object, message: string) => void
}

/** A daemon that runs. */
export interface Daemon extends Work {
  readonly endpoint: Endpoint
  readonly store: Store
  readonly mesh: Mesh
}

export class SimNode {
  readonly name: string
  readonly peer: string
  readonly disk: SimDisk
  readonly machine: Machine
  readonly parts: SimNodeParts
  /** What its clock says beside the true time, in milliseconds. */
  skewMs = 0
  /** How many times slower than others everything is that goes in or out. */
  slow = 1
  /** Undefined while it is down, or on its way up. */
  daemon: Daemon | undefined
  starts = 0
  /** Called once a daemon has read its store, before it serves. */
  onStart: (daemon: Daemon) => Promise<void> = () => Promise.resolve()
  #endpoint: Endpoint | undefined
  #byPeer: ReadonlyMap<string, SimNode> = new Map()

  constructor(parts: SimNodeParts) {
    this.parts = parts
    this.name = `n${parts.index + 1}`
    this.peer = parts.identity.peer
    this.disk = new SimDisk(parts.time, parts.chance.fork())
    this.machine = new Machine(this.name, parts.time, parts.chance.fork(), parts.ledger)
  }

  get self(): Principal {
    return { peer: this.peer, node: this.name }
  }

  /** Whether there is a process, be it ready or not. */
  get isOn(): boolean {
    return this.#endpoint !== undefined
  }

  /** What its clock says, in epoch milliseconds. */
  now(): number {
    return EPOCH + Math.floor(this.parts.time.now) + this.skewMs
  }

  /** The process dies. `host`: and with it everything that was not on disk, and the commands that ran. */
  kill(host: boolean): void {
    const endpoint = this.#endpoint
    this.#endpoint = undefined
    this.daemon = undefined
    if (host) {
      this.disk.loseUnsynced()
      this.machine.crash()
    } else this.disk.endProcess()
    if (endpoint !== undefined) this.parts.network.leave(endpoint, host)
  }

  /** Resolves once the daemon serves; never, when it dies before. */
  async start(): Promise<void> {
    if (this.#endpoint !== undefined) return
    const { identity, network, chance } = this.parts
    const endpoint = this.#newEndpoint()
    this.#endpoint = endpoint
    this.starts++
    const alive = (): boolean => this.#endpoint === endpoint
    const log = this.#log(alive)
    const draw = chance.fork()
    const opened = await openStoreOn(
      this.disk.port(this.name, () => this.now()),
      { log }
    )
    const store = this.parts.life === undefined ? opened : continued(opened, this.parts.life)
    const mesh = this.#mesh(endpoint)
    const work = await openWork(
      {
        identity,
        name: this.name,
        labels: { os: 'linux' },
        version: '0.0.0',
        startedAt: this.now(),
        host: { os: { value: 'linux' } },
        store,
        vault: noVault(),
        driver: this.machine.driver(alive),
        output: noOutput,
        mesh,
        programs: {},
        probe: probeOf,
        clock: this.#clock(alive),
        random: { id: () => ulid(this.now(), () => draw.next()) },
        nonce: () => draw.hex(32),
        sign: signing({ identity, now: () => this.now() }),
        log
      },
      []
    )
    const daemon: Daemon = { ...work, endpoint, store, mesh }
    await this.onStart(daemon)
    if (!alive()) return await never()
    network.join(endpoint, this.parts.isClone)
    work.state.start()
    work.runs.resumeAll()
    this.daemon = daemon
  }

  #clock(alive: () => boolean): Clock {
    return {
      now: () => this.now(),
      sleep: async (ms, signal) => {
        await this.parts.time.sleep(ms, signal)
        if (!alive()) await never()
      }
    }
  }

  #newEndpoint(): Endpoint {
    const node = this
    return {
      peer: this.peer,
      name: this.name,
      neighbours: this.parts.neighbours,
      handlers: new Map(),
      listeners: { 'peer-up': new Set(), 'peer-down': new Set(), 'peer-denied': new Set() },
      topics: new Map(),
      permits: this.parts.permits ?? (() => true),
      alive: true,
      get slow() {
        return node.slow
      },
      up: new Map()
    }
  }

  #mesh(endpoint: Endpoint): Mesh {
    const { network, everybody, neighbours } = this.parts
    const info = (node: SimNode): PeerInfo => ({
      peer: node.peer,
      name: node.name,
      labels: { os: 'linux' },
      addresses: [],
      static: true,
      since: 0,
      may: [],
      mayThere: [],
      status: node === this ? 'self' : endpoint.up.has(node.peer) ? 'up' : 'away'
    })
    const mesh: Mesh = {
      peer: this.peer,
      name: this.name,
      addresses: () => [],
      handle: (protocol, handler) => void endpoint.handlers.set(protocol, handler),
      peers: () => {
        const near = new Set([...neighbours(), ...endpoint.up.keys()])
        const nodes: PeerInfo[] = []
        for (const peer of near) {
          const node = this.#known(peer)
          // Whoever else is permitted: an attacker.
          nodes.push(node === undefined ? { ...info(this), peer, name: 'mallory', status: 'up' } : info(node))
        }
        return nodes
      },
      up: () => [...endpoint.up.keys()],
      // Everybody who has a key here is permitted: that a neighbour makes nodes up is another matter.
      stance: peer => {
        const node = this.#known(peer) !== undefined
        return { static: node, may: node || this.parts.isPermitted?.(peer) === true ? ['state:read'] : [] }
      },
      find: selector => selectPeers(selector, everybody().map(info)),
      on: (event, listener) => {
        endpoint.listeners[event].add(listener)
        return () => endpoint.listeners[event].delete(listener)
      },
      pubsub: {
        publish: async (topic, bytes) => publish(network, endpoint, topic, bytes),
        subscribe: (topic, listener) => {
          const all = endpoint.topics.get(topic) ?? new Set()
          endpoint.topics.set(topic, all.add(listener))
          return () => void all.delete(listener)
        }
      },
      open: async (peer, protocol, signal) => (endpoint.alive ? await network.open(endpoint, peer, protocol, signal) : await never()),
      start: async () => undefined,
      stop: async () => undefined
    }
    return mesh
  }

  /** One of everybody, by its id. */
  #known(peer: string): SimNode | undefined {
    const all = this.parts.everybody()
    if (this.#byPeer.size !== all.length) this.#byPeer = new Map(all.map(node => [node.peer, node]))
    return this.#byPeer.get(peer)
  }

  #log(alive: () => boolean) {
    const say = (level: string) => (what: object, message: string) => {
      if (alive()) this.parts.said?.(this.name, level, what, message)
    }
    return { info: say('info'), warn: say('warn'), error: say('error'), debug: say('debug') } satisfies Log & { debug: unknown }
  }
}

function continued(store: Store, { boot, nonce }: { readonly boot: number; readonly nonce: string }): Store {
  return Object.create(store, { boot: { value: boot }, nonce: { value: nonce } }) as Store
}

/** PKCS#8 of an Ed25519 seed: RFC 8410, 10.3. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

const identities = new Map<number, Identity>()

/** The same number gives the same key. */
export function identityOf(number: number): Identity {
  const identity = identities.get(number) ?? madeOf(number)
  identities.set(number, identity)
  return identity
}

function madeOf(number: number): Identity {
  const seed = Buffer.alloc(32)
  seed.writeUInt32BE(number + 1, 28)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  return identityFromPem(key.export({ type: 'pkcs8', format: 'pem' }).toString())
}

function noVault(): Vault {
  return { seal: (_owner, secret) => secret, open: async sealed => sealed, drop: () => undefined }
}

const probeOf = (state: Parameters<Parameters<typeof openWork>[0]['probe']>[0]): Probe => ({
  gather: async queries =>
    queries.map(query => (query.kind === 'state' ? { kind: 'tree', value: state(query.path) } : { kind: 'bool', value: false }))
})

const noOutput = {
  readOutput: async () => new Uint8Array(),
  onOutput: () => () => undefined,
  heads: async () => [],
  writeMirror: async () => undefined,
  endMirror: async () => undefined,
  drop: async () => undefined
}
