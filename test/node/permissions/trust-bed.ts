/** Meshes in one process that trust one authority: what several daemons do about grants, without goals. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import '../../../src/polyfill.ts'
import type { Capability } from '../../../src/crypto/capability.ts'
import type { Identity } from '../../../src/crypto/identity.ts'
import type { Log } from '../../../src/node/files/live-file.ts'
import { type Home, initHome, loadIdentity, resolveHome } from '../../../src/node/home.ts'
import { makeMesh, type Mesh } from '../../../src/node/mesh.ts'
import { addNeighbour, openNeighborhood } from '../../../src/node/neighborhood/neighborhood.ts'
import { openAudit } from '../../../src/node/permissions/audit.ts'
import { certify, initAuthority, type NewGrant } from '../../../src/node/permissions/authority.ts'
import { frugally } from '../../../src/node/permissions/frugal-audit.ts'
import { openPermissions } from '../../../src/node/permissions/permissions.ts'
import { type Spreading, startSpreading } from '../../../src/node/permissions/spreading.ts'
import { openTrust, type Trust } from '../../../src/node/permissions/trust.ts'
import { REVOCATIONS_TOPIC } from '../../../src/protocols/trust/messages.ts'
import type { Caller } from '../../../src/protocols/wire/channel.ts'
import { memoryTicketStore } from '../mesh/ticket-store.ts'

/** Serves until the session ends; the callers it has. */
export const HOLD = '/test/hold/1'
const quiet: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const AUTHORITY = 'ops'

export interface TrustNode {
  readonly name: string
  readonly home: Home
  readonly identity: Identity
  readonly mesh: Mesh
  readonly trust: Trust
  readonly spreading: Spreading
  /** Whoever holds a stream of HOLD open here, by peer id. */
  readonly held: ReadonlyMap<string, Caller>
  port: number
  knows(other: TrustNode): void
  start(): Promise<void>
  stop(): Promise<void>
}

export class TrustBed {
  readonly directory = mkdtempSync(join(tmpdir(), 'cloudburst-trust-'))
  readonly authorities = join(this.directory, 'ops', 'authorities')
  readonly #nodes: TrustNode[] = []
  readonly #heartbeatMs: number
  #key = ''
  #grants = 0

  constructor(heartbeatMs = 60_000) {
    this.#heartbeatMs = heartbeatMs
  }

  /** A node that lets the authority grant `ceiling`; the first one holds its key. @param now its clock */
  async node(name: string, ceiling: readonly Capability[] = ['agency:hello', 'goal:dispatch'], now?: () => number): Promise<TrustNode> {
    const home = resolveHome(join(this.directory, this.#key === '' ? 'ops' : name))
    initHome(home, { name, labels: { test: name }, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
    if (this.#key === '') this.#key = initAuthority(this.authorities, AUTHORITY).identity.peer
    const element = `<authority name="${AUTHORITY}" key="${this.#key}" capability="${ceiling.join(' ')}"/>`
    writeFileSync(home.permissions, readFileSync(home.permissions, 'utf8').replace('</permissions>', `${element}</permissions>`))
    const node = await makeNode(home, name, this.authorities, this.#heartbeatMs, now)
    this.#nodes.push(node)
    return node
  }

  /** Signs a grant and gives it to its holder. */
  grant(to: TrustNode, change: Partial<NewGrant> = {}): Uint8Array {
    const bounds = { capabilities: ['agency:hello', 'goal:dispatch'] as const }
    const what = { subject: to.identity.peer, email: `${to.name}@example.org`, bounds, lifetimeMs: 3_600_000, ...change }
    const envelope = certify(this.authorities, AUTHORITY, what, `grant-${++this.#grants}`, to.trust.now())
    to.trust.take(envelope)
    return envelope
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.stop()))
    rmSync(this.directory, { recursive: true, force: true })
  }
}

async function makeNode(home: Home, name: string, authorities: string, heartbeatMs: number, now?: () => number): Promise<TrustNode> {
  const identity = loadIdentity(home)
  const permissions = openPermissions(home.permissions, quiet)
  const neighborhood = openNeighborhood(home.neighborhood, quiet)
  const audit = frugally(openAudit(home.auditLog))
  const here = { peer: identity.peer, name, labels: { test: name } }
  const trust = await openTrust({
    permissions,
    here: () => here,
    own: [identity.peer],
    store: memoryTicketStore(),
    log: quiet,
    ...(now !== undefined && { now })
  })
  const mesh = makeMesh({
    identity,
    version: '0.0.1',
    neighborhood,
    permissions: trust,
    grants: trust,
    now: trust.now,
    audit,
    log: quiet,
    topics: [REVOCATIONS_TOPIC]
  })
  let ids = 0
  const speaks = authorities.startsWith(home.base) ? authorities : join(home.base, 'authorities')
  const spreading = startSpreading({ trust, mesh, authorities: speaks, newId: () => `again-${++ids}`, log: quiet, heartbeatMs })
  const held = new Map<string, Caller>()
  mesh.handle(HOLD, async (channel, caller) => {
    caller.require('goal:dispatch')
    held.set(caller.peer, caller)
    await channel.write('held')
    await channel.read()
  })
  let stopped = false
  const node: TrustNode = {
    name,
    home,
    identity,
    mesh,
    trust,
    spreading,
    held,
    port: 0,
    knows(other) {
      addNeighbour(home.neighborhood, { name: other.name, peer: other.identity.peer, addresses: [`/ip4/127.0.0.1/tcp/${other.port}`] })
      neighborhood.reload()
    },
    async start() {
      await mesh.start()
      node.port = Number(/\/tcp\/(\d+)/.exec(mesh.addresses()[0]!)![1])
      spreading.speak()
    },
    async stop() {
      if (stopped) return
      stopped = true
      spreading.close()
      await mesh.stop()
      await trust.close()
      for (const each of [permissions, neighborhood, audit]) each.close()
    }
  }
  return node
}

/** Takes all back from a holder; the first node tells it. */
export { revoke } from '../../../src/node/permissions/authority.ts'

/** Opens HOLD at `to`; resolves once it is held there. */
export async function hold(from: TrustNode, to: TrustNode): Promise<void> {
  const channel = await from.mesh.open(to.identity.peer, HOLD)
  await channel.read()
}
