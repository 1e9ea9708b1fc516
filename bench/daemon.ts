import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { initHome, resolveHome } from '../src/node/home.ts'
import { removeDirectory, temporaryDirectory } from './leftovers.ts'
import { runnerOf, startDaemon, startNodes, stopNode, until } from './nodes.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { interleave, roundsOf, timeOf } from './sampling.ts'
import { progress } from './progress.ts'

/** Times the start of bare Node. */
const START_LIMIT = 5
const RSS_LIMIT_MB = 110
/** After this long nothing of the start is still going on, in milliseconds. */
const IDLE_AFTER_MS = 10_000
/** Daemons whose memory is looked at: two that know each other, twice. */
const RSS_ROUNDS = 2

/** From spawn to ready against bare Node, and memory at rest. */
export async function daemon(): Promise<Measured> {
  const directory = temporaryDirectory()
  const home = resolveHome(join(directory, 'n1'))
  initHome(home, { name: 'n1', listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  try {
    const taken = await interleave({
      ours: async () => {
        const started = await startDaemon(home)
        // A runner that is only just being started would outlive the look for it.
        await until('there is a runner', () => Promise.resolve(runnerOf(home) !== undefined))
        await stopNode({ ...started, home })
        return started.readyMs
      },
      bare: () => timeOf(process.execPath, ['-e', '0'])
    })
    const ready = seriesOf('cloudburstd, spawn to ready', 'ms', taken.ours)
    const bare = seriesOf('node -e 0', 'ms', taken.bare)
    const { daemons, runners } = await idleMemory()
    const memory = seriesOf('cloudburstd, RSS at rest', 'MB', daemons)
    const runner = seriesOf('its runner, RSS at rest', 'MB', runners)
    return {
      rows: [
        rowOf('cloudburstd, spawn to ready', ready, 'ratio', { peer: bare, limit: START_LIMIT }),
        rowOf('cloudburstd, memory at rest', memory, 'value', { limit: RSS_LIMIT_MB }),
        rowOf('its runner, memory at rest', runner, 'value', { detail: true })
      ],
      series: [ready, bare, memory, runner],
      notes: [
        `memory is VmRSS ${IDLE_AFTER_MS / 1000} s after ready, with one neighbour; the runner is a process of its own and counted by itself`
      ]
    }
  } finally {
    removeDirectory(directory)
  }
}

async function idleMemory(): Promise<{ daemons: number[]; runners: number[] }> {
  const daemons: number[] = []
  const runners: number[] = []
  for (let round = 0; round < roundsOf(RSS_ROUNDS); round++) {
    const nodes = await startNodes(2)
    try {
      await pause(IDLE_AFTER_MS)
      progress(`memory, round ${round + 1} of ${roundsOf(RSS_ROUNDS)}`)
      for (const { process: child, home } of nodes.all) {
        daemons.push(rssMB(child.pid))
        runners.push(rssMB(runnerOf(home)))
      }
    } finally {
      await nodes.stop()
    }
  }
  return { daemons, runners }
}

function rssMB(pid: number | undefined): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}
