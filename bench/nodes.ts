/** Real nodes on loopback: homes of their own, built daemons, permits that let each do everything on the other. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { capabilities } from '../src/crypto/capability.ts'
import type { PeerInfo } from '../src/node/control/contract.ts'
import { initHome, resolveHome, type Home } from '../src/node/home.ts'
import { neighborhoodText } from '../src/node/neighborhood/sample.ts'
import { addPermit } from '../src/node/permissions/permissions.ts'
import { type Connection, connect } from './connection.ts'
import { atTheEnd, ours, removeDirectory, temporaryDirectory } from './leftovers.ts'

export const CLI = fileURLToPath(new URL('../dist/cloudburst.js', import.meta.url))
export const DAEMON = fileURLToPath(new URL('../dist/cloudburstd.js', import.meta.url))
export const PROGRAM = fileURLToPath(new URL('./programs/bench.xml', import.meta.url))

/** A daemon that is not ready, or nodes that do not know one another, by then are broken, in milliseconds. */
const READY_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 20

/** One node and its daemon. */
export interface Node {
  readonly name: string
  readonly peer: string
  readonly home: Home
  readonly process: ChildProcess
  /** From spawn to the line `ready` in its log, in milliseconds. */
  readonly readyMs: number
  readonly connection: Connection
}

/** Some nodes in a directory of their own. */
export interface Nodes {
  readonly all: readonly Node[]
  /** Ends daemons and runners, removes the directory. */
  stop(): Promise<void>
}

/** The first node is everybody's neighbour; resolves when it has greeted all others. */
export async function startNodes(count: number): Promise<Nodes> {
  const directory = temporaryDirectory()
  const started: Node[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(stopNode))
    removeDirectory(directory)
  }
  try {
    for (const { name, peer, home } of await makeHomes(directory, count)) started.push({ name, peer, home, ...(await startDaemon(home)) })
    await until(`${count} nodes know one another`, async () => {
      const peers = (await started[0]!.connection.post('local/peers', {})) as readonly PeerInfo[]
      return peers.filter(peer => peer.status === 'up').length === count - 1
    })
    return { all: started, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Homes in `directory`, not started: n1 knows and permits all others, and they it. */
export async function makeHomes(directory: string, count: number): Promise<{ name: string; peer: string; home: Home }[]> {
  const ports = await freePorts(count)
  const nodes = ports.map((port, at) => {
    const name = `n${at + 1}`
    const home = resolveHome(join(directory, name))
    const address = `/ip4/127.0.0.1/tcp/${port}`
    return { name, home, address, peer: initHome(home, { name, listen: [address], mdns: false }).peer }
  })
  for (const [at, { name, home, address }] of nodes.entries()) {
    const others = nodes.filter((_, other) => other !== at && (at === 0 || other === 0))
    // Only the first dials: so nobody is connected twice.
    const neighbours = others.map(other => ({ name: other.name, peer: other.peer, addresses: at === 0 ? [other.address] : [] }))
    writeFileSync(home.neighborhood, neighborhoodText({ name, listen: [address], mdns: false, neighbours }))
    for (const { peer } of others) addPermit(home.permissions, { email: 'bench@example.org', peer, capabilities, lifetime: 'PT8H' })
  }
  return nodes
}

/** A daemon on a home that is there; resolves when it is ready. */
export async function startDaemon(home: Home): Promise<Pick<Node, 'process' | 'readyMs' | 'connection'>> {
  const began = performance.now()
  const child = ours(spawn(process.execPath, [DAEMON, '--home', home.base, '--no-mdns'], { stdio: ['ignore', 'ignore', 'pipe'] }))
  atTheEnd(() => endRunner(home))
  const readyMs = await new Promise<number>((resolve, reject) => {
    const lines: string[] = []
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS)
    // Read to its end, or a daemon that logs much would stand still.
    createInterface({ input: child.stderr }).on('line', line => {
      if (line.includes('"msg":"ready"')) {
        clearTimeout(timer)
        resolve(performance.now() - began)
      } else if (lines.length < 50) lines.push(line)
    })
    child.once('exit', code => reject(new Error(`cloudburstd ended with ${code}\n${lines.join('\n')}`)))
  })
  return { process: child, readyMs, connection: connect(home.socket) }
}

/** Ends a daemon, and its runner, which would otherwise wait ten seconds for the next one. */
export async function stopNode({ process: child, home, connection }: Pick<Node, 'process' | 'home' | 'connection'>): Promise<void> {
  connection.close()
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  const runner = endRunner(home)
  if (runner === undefined) return
  await until('the runner has ended', () => Promise.resolve(!isAlive(runner)))
}

function endRunner(home: Home): number | undefined {
  const runner = runnerOf(home)
  if (runner !== undefined) process.kill(runner, 'SIGTERM')
  return runner
}

/** Process id of a home's runner, while there is one. */
export function runnerOf(home: Home): number | undefined {
  try {
    const pid = Number(readFileSync(join(home.state, 'runner', 'pid'), 'utf8'))
    // A pid may be somebody else's by now: the runner of this home has its state directory among its words.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(home.state) ? pid : undefined
  } catch {
    return undefined
  }
}

/** Waits for a condition. @throws Error naming it when it does not come about in time */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  { withinMs = READY_WITHIN_MS, everyMs = LOOK_EVERY_MS }: { readonly withinMs?: number; readonly everyMs?: number } = {}
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await pause(everyMs)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** TCP ports of 127.0.0.1 that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    })
  )
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
