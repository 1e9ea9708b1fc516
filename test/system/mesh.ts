/**
 * Real daemons on loopback, each with a home of its own, as one value:
 *
 *   const m = await mesh(3)
 *   const said = await m.node(1).cli('dispatch', 'inventory', '--peer', 'n2')
 *   m.node(2).kill('SIGKILL')
 *   await m.node(2).restart()
 *   await m.stop()            // ends every process, removes every file; for an `after` hook
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import '../../src/polyfill.ts'
import type { Capability } from '../../src/crypto/capability.ts'
import type { PeerInfo, RunInfo } from '../../src/node/control/contract.ts'
import { type Home, initHome, resolveHome } from '../../src/node/home.ts'
import { addNeighbour } from '../../src/node/neighborhood/neighborhood.ts'
import { addPermit } from '../../src/node/permissions/permissions.ts'
import { TICKET_CAPABILITIES } from '../../src/node/joining/tickets.ts'
import { complain, ENVIRONMENT_SECRET, lookAndForget, watchNodes } from './mesh/planted.ts'
import { type Running, type Said, start, until } from './mesh/process.ts'

/** What one node may do at another, and how long. */
export interface Permitted {
  readonly capabilities: readonly Capability[]
  readonly lifetime?: string
}

export interface MeshOptions {
  /** What `guest` may do at `host`; by default all that a ticket gives. Undefined is nothing at all. */
  readonly permits?: (host: string, guest: string) => Permitted | undefined
  /** Where the homes are; by default below the temporary directory. It is removed in the end. */
  readonly directory?: string
  /** Added to the environment of the programs of a node. */
  readonly env?: (name: string) => NodeJS.ProcessEnv
  /** Where the built programs are; by default dist/, built first when it is older than the sources. */
  readonly dist?: string
  /** Called when every process has ended, before the files go. */
  readonly release?: () => Promise<void>
  /** Called with the path of a home before it is made. */
  readonly prepare?: (path: string, name: string) => void
  /** Where node `number` lives: its address, and the command that runs another one there. By default on loopback, like everything. */
  readonly place?: (number: number) => { readonly address: string; readonly within: readonly string[] }
  /** Whether to start the daemons and wait until all that may are up; by default true. */
  readonly started?: boolean
}

/** All nodes of one test. */
export interface Mesh {
  /** For the test's own files, beside the homes. */
  readonly directory: string
  /** n1 is 1. */
  node(number: number): MeshNode
  /** Resolves once each node is up for each node that it may talk to. */
  up(): Promise<void>
  /** Ends every process of every node, and removes all files. @throws only when a planted secret was found */
  stop(): Promise<void>
}

/** One node, whether its daemon runs or not. */
export interface MeshNode {
  readonly name: string
  readonly home: Home
  readonly peer: string
  readonly port: number
  readonly address: string
  /** A command to its end, with `--home` of this node. */
  cli(...words: readonly string[]): Promise<Said>
  /** A command that goes on by itself, such as one that follows. */
  begin(...words: readonly string[]): Running
  /** The JSON that a command prints. @throws when it fails */
  json<T>(...words: readonly string[]): Promise<T>
  /** The goal as this node knows it, once `holds`; by default at rest. */
  goal(id: string, holds?: (run: RunInfo) => boolean): Promise<RunInfo>
  /** Starts the daemon; resolves once it is ready. @throws with all it said when it ends instead */
  start(...words: readonly string[]): Promise<void>
  /** Starts a daemon of this home that is to fail: the one that runs stays the node's. */
  daemon(...words: readonly string[]): Running
  /** Ends the daemon by a signal; resolves once it is gone. */
  kill(signal: NodeJS.Signals): Promise<Said>
  restart(): Promise<void>
  /** All that the daemons of this home have logged. */
  log(): string
  /** Process id of the daemon that runs. */
  pid(): number
  /** Process id of the runner, if there is one. */
  runner(): number | undefined
  /** Ends daemon and runner. */
  stop(): Promise<void>
}

/** What a daemon logs once it serves. */
export const READY = /"msg":"ready"/
/** How long a daemon may take to stop at the end of a test before it is killed, in milliseconds. */
const STOP_WITHIN_MS = 5_000
export const FOREVER = '2020-01-01T00:00:00Z/2100-01-01T00:00:00Z'
const root = fileURLToPath(new URL('../..', import.meta.url))
const env = (): NodeJS.ProcessEnv => ({ ...process.env, NODE_OPTIONS: '--max-old-space-size=256', NO_COLOR: '1' })

// Of the root suite: whatever a test is about, it leaves no secret behind. Benches use the mesh without mocha.
if (typeof afterEach === 'function') afterEach('leaves no secret behind', complain)

let built = false
/** dist/ as the sources are; once a test run. */
export function build(): void {
  if (built) return
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs')], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed\n${stdout}${stderr}`)
  built = true
}

/** Nodes n1 … n`count` that know one another, and permit one another what `permits` says. */
export async function mesh(count: number, options: MeshOptions = {}): Promise<Mesh> {
  if (options.dist === undefined) build()
  if (options.directory !== undefined) mkdirSync(options.directory, { recursive: true })
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'cloudburst-system-'))
  const nodes: MeshNode[] = []
  const stop = async (): Promise<void> => {
    try {
      await lookAndForget(nodes)
    } finally {
      await Promise.all(nodes.map(node => node.stop()))
      await options.release?.()
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    }
  }
  try {
    const permits = options.permits ?? (() => ({ capabilities: TICKET_CAPABILITIES }))
    for (let number = 1; number <= count; number++) nodes.push(await makeNode(join(directory, `n${number}`), `n${number}`, options, number))
    watchNodes(nodes)
    for (const host of nodes) for (const guest of nodes) if (host !== guest) introduce(host, guest, permits(host.name, guest.name))
    const up = async (): Promise<void> => {
      await Promise.all(
        nodes.map(node =>
          upWith(
            node,
            nodes.filter(other => other !== node && mutual(node, other, permits)).map(other => other.name)
          )
        )
      )
    }
    if (options.started !== false) {
      await Promise.all(nodes.map(node => node.start()))
      await up()
    }
    return { directory, node: number => nodes[number - 1]!, up, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Both permit the other to say hello: without that a node is not up. */
function mutual(a: MeshNode, b: MeshNode, permits: NonNullable<MeshOptions['permits']>): boolean {
  const greets = (host: string, guest: string): boolean => {
    const { capabilities = [], lifetime = FOREVER } = permits(host, guest) ?? {}
    return capabilities.length > 0 && lifetime === FOREVER
  }
  return greets(a.name, b.name) && greets(b.name, a.name)
}

function introduce(host: MeshNode, guest: MeshNode, permitted: Permitted | undefined): void {
  addNeighbour(host.home.neighborhood, { name: guest.name, peer: guest.peer, addresses: [`/ip4/${guest.address}/tcp/${guest.port}`] })
  if (permitted === undefined) return
  const { capabilities, lifetime = FOREVER } = permitted
  addPermit(host.home.permissions, { email: `${guest.name}@example.org`, peer: guest.peer, capabilities, lifetime })
}

async function upWith(node: MeshNode, names: readonly string[]): Promise<void> {
  await until(`${node.name} is up with ${names.join(', ')}`, async () => {
    const peers = await node.json<readonly PeerInfo[]>('peers')
    return names.every(name => peers.some(peer => peer.name === name && peer.status === 'up'))
  })
}

async function makeNode(path: string, name: string, options: MeshOptions, number: number): Promise<MeshNode> {
  const { address, within } = options.place?.(number) ?? { address: '127.0.0.1', within: [] }
  const dist = options.dist ?? join(root, 'dist')
  const environment = (): NodeJS.ProcessEnv => ({ ...env(), CLOUDBURST_TEST_SECRET: ENVIRONMENT_SECRET, ...options.env?.(name) })
  options.prepare?.(path, name)
  const home = resolveHome(path)
  const port = await freePort()
  const { peer } = initHome(home, { name, labels: { test: name }, listen: [`/ip4/${address}/tcp/${port}`], mdns: false })
  const daemons: Running[] = []
  /** Those that a failed test did not see to their end among them. */
  const commands: Running[] = []
  const current = (): Running => {
    const daemon = daemons.at(-1)
    if (daemon === undefined) throw new Error(`the daemon of ${name} was never started`)
    return daemon
  }
  const runner = (): number | undefined => {
    const file = join(home.state, 'runner/pid')
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
    return pid !== undefined && isRunnerOf(pid, home.state) ? pid : undefined
  }
  const node: MeshNode = {
    name,
    home,
    peer,
    port,
    address,
    begin(...words) {
      const command = start(process.execPath, [join(dist, 'cloudburst.js'), ...withHome(words, path)], environment())
      commands.push(command)
      return command
    },
    cli: (...words) => node.begin(...words).ended,
    async json(...words) {
      const said = await node.cli(...words, '-o', 'json')
      if (said.exit !== 0) throw new Error(`${name}: cloudburst ${words.join(' ')} exits ${said.exit}\n${said.stderr}`)
      return JSON.parse(said.stdout)
    },
    goal: (id, holds = atRest) =>
      until(`${name} sees that goal ${id} has got where the test wants it`, async () => {
        const run = await node.json<RunInfo>('goal', id)
        return holds(run) && run
      }),
    daemon: (...words) => {
      const [program = process.execPath, ...args] = [...within, process.execPath, join(dist, 'cloudburstd.js'), '--home', path, ...words]
      return start(program, args, environment())
    },
    async start(...words) {
      const daemon = node.daemon(...words)
      daemons.push(daemon)
      await daemon.says(READY, 'stderr')
    },
    async kill(signal) {
      current().signal(signal)
      return await current().ended
    },
    async restart() {
      await node.kill('SIGTERM')
      await node.start()
    },
    log: () => daemons.map(daemon => daemon.stderr).join(''),
    pid: () => current().pid,
    runner,
    async stop() {
      for (const command of commands) command.signal('SIGKILL')
      const daemon = daemons.at(-1)
      daemon?.signal('SIGTERM')
      const late = setTimeout(() => daemon?.signal('SIGKILL'), STOP_WITHIN_MS)
      await daemon?.ended
      clearTimeout(late)
      const pid = runner()
      if (pid !== undefined) kill(pid, 'SIGKILL')
    }
  }
  return node
}

/** Options of ours come before `--`, and before the words of a command that takes them as they are. */
function withHome([command, ...words]: readonly string[], path: string): string[] {
  return command === undefined ? [] : [command, '--home', path, ...words]
}

function atRest({ status }: RunInfo): boolean {
  return status === 'completed' || status === 'suspended' || status === 'cancelled'
}

/** The number in the file may by now be that of somebody else's process. */
function isRunnerOf(pid: number, state: string): boolean {
  return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout.includes(state)
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended by itself.
  }
}

/**
 * Below the ports that the kernel gives to outgoing connections: else one of these may take it while its daemon is down.
 * Each test process begins in a place of its own, so that two at a time do not want the same.
 */
const PORTS = { from: 20_000, count: 12_000 }
let nextPort = (process.pid * 37) % PORTS.count

async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + (nextPort++ % PORTS.count)
    const server = createServer()
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (free) await new Promise(resolve => server.close(resolve))
    if (free) return port
  }
}
