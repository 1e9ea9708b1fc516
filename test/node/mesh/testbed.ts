/** Real meshes in one process on loopback, each with a home of its own. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import '../../../src/polyfill.ts'
import type { Capability } from '../../../src/crypto/capability.ts'
import type { Identity } from '../../../src/crypto/identity.ts'
import { type Home, initHome, loadIdentity, resolveHome } from '../../../src/node/home.ts'
import { makeJoining } from '../../../src/node/joining/joining.ts'
import type { Log } from '../../../src/node/files/live-file.ts'
import { makeMesh, type Mesh } from '../../../src/node/mesh.ts'
import { addNeighbour, type LiveNeighborhood, openNeighborhood } from '../../../src/node/neighborhood/neighborhood.ts'
import { openAudit } from '../../../src/node/permissions/audit.ts'
import { addPermit, type LivePermissions, openPermissions } from '../../../src/node/permissions/permissions.ts'
import { openTrust, type Trust } from '../../../src/node/permissions/trust.ts'
import { openTickets, type Tickets } from '../../../src/node/joining/tickets.ts'
import { memoryTicketStore } from './ticket-store.ts'

export const FOREVER = '2020-01-01T00:00:00Z/2100-01-01T00:00:00Z'
const quiet: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

export interface TestNode {
  readonly home: Home
  readonly identity: Identity
  readonly name: string
  mesh: Mesh
  permissions: LivePermissions
  trust: Trust
  neighborhood: LiveNeighborhood
  tickets: Tickets
  /** Port it listens on, from the first start on. */
  port: number
  permit(other: TestNode, capabilities: readonly Capability[], lifetime?: string): void
  knows(other: TestNode): void
  start(): Promise<void>
  stop(): Promise<void>
}

/** Homes and meshes that are all removed by `close`. */
export class Testbed {
  readonly #directory = mkdtempSync(join(tmpdir(), 'mesh-'))
  readonly #nodes: TestNode[] = []

  async node(name: string): Promise<TestNode> {
    const home = resolveHome(join(this.#directory, name))
    initHome(home, { name, labels: { test: name }, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
    const node = await makeNode(home, name)
    this.#nodes.push(node)
    return node
  }

  /** Nodes that know and permit one another, started, and all connected. */
  async connected(...names: string[]): Promise<TestNode[]> {
    const nodes = await Promise.all(names.map(name => this.node(name)))
    for (const node of nodes) await node.start()
    for (const a of nodes) {
      for (const b of nodes) {
        if (a === b) continue
        a.permit(b, ['agency:hello', 'goal:dispatch'])
        a.knows(b)
      }
    }
    await Promise.all(nodes.flatMap(a => nodes.map(b => (a === b ? undefined : up(a, b)))))
    return nodes
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.stop()))
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

async function makeNode(home: Home, name: string): Promise<TestNode> {
  const identity = loadIdentity(home)
  const store = memoryTicketStore()
  let closing: (() => void)[] = []
  const made = async (listen?: string): Promise<Pick<TestNode, 'mesh' | 'permissions' | 'trust' | 'neighborhood' | 'tickets'>> => {
    const permissions = openPermissions(home.permissions, quiet)
    const neighborhood = openNeighborhood(home.neighborhood, quiet)
    const audit = openAudit(home.auditLog)
    const here = { peer: identity.peer, name, labels: { test: name } }
    const trust = await openTrust({ permissions, here: () => here, own: [identity.peer], store, log: quiet })
    let mesh: Mesh | undefined
    const tickets = await openTickets({ store, peer: identity.peer, addresses: () => mesh?.addresses() ?? [] })
    const joining = makeJoining({ take: () => undefined, home, neighborhood, permissions, tickets, log: quiet })
    mesh = makeMesh({
      identity,
      version: '0.0.1',
      neighborhood,
      permissions: trust,
      grants: trust,
      audit,
      joining,
      log: quiet,
      topics: ['news'],
      ...(listen === undefined ? {} : { listen: [listen] })
    })
    closing = [() => permissions.close(), () => neighborhood.close(), () => joining.close(), () => audit.close(), () => void trust.close()]
    return { mesh, permissions, trust, neighborhood, tickets }
  }
  const node: TestNode = {
    home,
    identity,
    name,
    port: 0,
    ...(await made()),
    permit(other, capabilities, lifetime = FOREVER) {
      addPermit(home.permissions, { email: `node@${other.name}`, peer: other.identity.peer, capabilities, lifetime })
      node.permissions.reload()
    },
    knows(other) {
      addNeighbour(home.neighborhood, { name: other.name, peer: other.identity.peer, addresses: [`/ip4/127.0.0.1/tcp/${other.port}`] })
      node.neighborhood.reload()
    },
    async start() {
      if (closing.length === 0) Object.assign(node, await made(`/ip4/127.0.0.1/tcp/${node.port}`))
      await node.mesh.start()
      node.port = Number(/\/tcp\/(\d+)/.exec(node.mesh.addresses()[0]!)![1])
    },
    async stop() {
      await node.mesh.stop()
      for (const close of closing.splice(0)) close()
    }
  }
  return node
}

/** Resolves once `node` is welcome at `other`. */
export async function up(node: TestNode, other: TestNode): Promise<void> {
  await until(
    () => node.mesh.peers().some(({ peer, status }) => peer === other.identity.peer && status === 'up'),
    `${node.name} up with ${other.name}`
  )
}

/** Looks again every few milliseconds: for states that no event announces. */
export async function until(holds: () => boolean, what: string, withinMs = 8_000): Promise<void> {
  const end = Date.now() + withinMs
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await once(AbortSignal.timeout(5), 'abort')
  }
}
