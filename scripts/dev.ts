/**
 * Three nodes on loopback that know one another, built again and started again whenever a source changes.
 *   npm run dev
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startWalk } from './quickstart/walk.ts'

const NODES = ['node1', 'node2', 'node3'] as const
/** An editor saves several files in a row: wait this long after the last, in milliseconds. */
const SETTLE_MS = 300

const root = fileURLToPath(new URL('..', import.meta.url))
const walk = startWalk(false)
const ending = new AbortController()
process.once('SIGINT', () => ending.abort())
process.once('SIGTERM', () => ending.abort())

try {
  for (const node of NODES) {
    await walk.type(node, `cloudburst init --name ${node} --listen /ip4/127.0.0.1/tcp/0 --no-mdns`)
    await walk.startDaemon(node)
  }
  for (const [host, guest] of [
    ['node1', 'node2'],
    ['node1', 'node3'],
    ['node2', 'node3']
  ] as const) {
    const { stdout } = await walk.type(host, 'cloudburst init --ticket')
    await walk.type(guest, stdout.trim())
  }
  walk.say(`\nexport PATH=${walk.path('bin')}:$PATH CLOUDBURST_HOME=${walk.path('node1')}\nctrl-C ends the nodes and removes them`)
  for await (const name of changes(join(root, 'src'), ending.signal)) await rebuild(name)
} finally {
  await walk.end()
}

async function rebuild(name: string): Promise<void> {
  walk.say(`\n${name} changed`)
  const build = spawn(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' })
  const [exit] = (await once(build, 'exit')) as [number | null]
  if (exit !== 0) return
  for (const node of NODES) {
    await walk.stopDaemon(node)
    await walk.startDaemon(node)
  }
}

/** Names of changed files, several changes in a row as one. */
async function* changes(directory: string, signal: AbortSignal): AsyncGenerator<string> {
  let changed: string | undefined
  const watcher = watch(directory, { recursive: true, signal }, (_, name) => {
    changed = String(name)
  })
  watcher.on('error', () => {})
  while (!signal.aborted) {
    await pause(SETTLE_MS, undefined, { signal }).catch(() => {})
    const name = changed
    changed = undefined
    if (name !== undefined) yield name
  }
}
