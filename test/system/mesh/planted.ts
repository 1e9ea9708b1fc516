/**
 * Secrets that no test may leave behind: the keys of every node, a value in the environment of every daemon, and whatever a test
 * plants. After each test they are searched for in the homes (state, journals, outputs, logs of audit), in what daemons have logged,
 * in the argument lists of all processes, and in what nodes tell one another; where there is no daemon, in all that a test leaves.
 * Found is failed.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { httpOver } from '../../../src/cli/http.ts'
import type { MeshNode } from '../mesh.ts'

/** In the environment of every daemon and command, which every step inherits. */
export const ENVIRONMENT_SECRET = `planted-env-${randomBytes(8).toString('hex')}`
process.env['CLOUDBURST_TEST_SECRET'] = ENVIRONMENT_SECRET
/** How often the argument lists of all processes are read, in milliseconds. */
const SAMPLE_INTERVAL_MS = 100
/** A longer file is output that a test made on purpose; its beginning is enough. */
const FILE_BYTES_MAX = 8 * 1024 * 1024

interface Planted {
  readonly what: string
  readonly bytes: Buffer
  /** Whether it may stand in a file, by its path below the home. */
  readonly allowed: (path: string) => boolean
}

/** What is live now: each mesh adds its nodes, and takes them away when it has stopped. */
const nodes = new Set<MeshNode>()
const planted: Planted[] = [{ what: 'a value of the environment', bytes: Buffer.from(ENVIRONMENT_SECRET), allowed: () => false }]
const found = new Set<string>()
let sampling: NodeJS.Timeout | undefined

/** What a test hands to a program as a secret: from now on it may stand in sealed files only. */
export function plant(secret: string): void {
  planted.push({ what: `the planted ${secret.slice(0, 4)}…`, bytes: Buffer.from(secret), allowed: isSealed })
}

/** Keeps an eye on these nodes. */
export function watchNodes(watched: readonly MeshNode[]): void {
  for (const node of watched) {
    nodes.add(node)
    planted.push(...keyOf(node))
  }
  sampling ??= setInterval(lookAtProcesses, SAMPLE_INTERVAL_MS).unref()
}

/** The last look, while the daemons may still be asked what they tell one another. @throws when something was found */
export async function lookAndForget(watched: readonly MeshNode[]): Promise<void> {
  for (const node of watched) await lookAtState(node)
  lookAtAll()
  for (const node of watched) nodes.delete(node)
  if (nodes.size === 0) {
    clearInterval(sampling)
    sampling = undefined
  }
  complain()
}

/**
 * Of a test without a mesh: looks in everything that it has left, and removes it. What it runs has the secret in its environment too.
 * @throws when a secret was found
 */
export function lookAndRemove(directory: string): void {
  try {
    look(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** In everything below a directory. @throws when a secret was found */
export function look(directory: string): void {
  lookBelow(directory)
  complain()
}

/** What was printed. @throws when a secret is in it */
export function lookInText(where: string, text: string): void {
  lookIn(where, Buffer.from(text))
  complain()
}

/** @throws when a secret was found since the last time */
export function complain(): void {
  lookAtAll()
  if (found.size === 0) return
  const all = [...found].join('\n')
  found.clear()
  throw new Error(`secrets were left behind:\n${all}`)
}

function isSealed(path: string): boolean {
  return path.startsWith('state/sealed/')
}

/** The key itself, in the forms in which it could be printed. */
function keyOf({ name, home }: MeshNode): Planted[] {
  const pem = readFileSync(home.identityKey, 'utf8')
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const seed = der.subarray(-32)
  const allowed = (path: string): boolean => path === 'identity.key'
  const forms = [
    seed,
    ...(['hex', 'base64', 'base64url'] as const).map(encoding => Buffer.from(seed.toString(encoding).replace(/=+$/, '')))
  ]
  return [...forms, Buffer.from(pem.split('\n')[1]!)].map(bytes => ({ what: `the key of ${name}`, bytes, allowed }))
}

function lookAtAll(): void {
  for (const node of nodes) {
    lookIn(`what the daemon of ${node.name} logs`, Buffer.from(node.log()))
    lookBelow(node.home.base)
  }
}

function lookBelow(directory: string): void {
  for (const path of filesBelow(directory)) {
    const below = relative(directory, path)
    for (const { what, bytes, allowed } of planted) if (!allowed(below) && contentOf(path).includes(bytes)) found.add(`${what} in ${path}`)
  }
}

/** Arguments are read while commands run: the next test is too late. Those of our own command line are what the test itself typed. */
function lookAtProcesses(): void {
  if (!existsSync('/proc/self')) return
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`)
      if (!words.includes('dist/cloudburst.js')) lookIn(`the arguments of process ${pid}`, words)
    } catch {
      // It has ended.
    }
  }
}

/** What this node knows of all: all that was gossiped to it. */
async function lookAtState({ name, home }: MeshNode): Promise<void> {
  const http = httpOver(home.socket, home.base)
  const reply = await http.post('/api/v1/calls/state', { path: 'nodes' }, AbortSignal.timeout(2_000)).catch(() => undefined)
  if (reply !== undefined) lookIn(`the state of all nodes at ${name}`, Buffer.from(JSON.stringify(reply)))
}

function lookIn(where: string, content: Buffer): void {
  for (const { what, bytes } of planted) if (content.includes(bytes)) found.add(`${what} in ${where}`)
}

let cached: { path: string; content: Buffer } | undefined

function contentOf(path: string): Buffer {
  if (cached?.path === path) return cached.content
  cached = { path, content: readable(path) }
  return cached.content
}

function readable(path: string): Buffer {
  try {
    return statSync(path).size > FILE_BYTES_MAX ? readFileSync(path).subarray(0, FILE_BYTES_MAX) : readFileSync(path)
  } catch {
    // It went while we looked.
    return Buffer.alloc(0)
  }
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return filesBelow(path)
    return entry.isFile() ? [path] : []
  })
}
