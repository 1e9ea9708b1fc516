import { setTimeout as pause } from 'node:timers/promises'
import { type Cost, costOf } from './cost.ts'
import { cleanly } from './leftovers.ts'
import { type Node, startNodes } from './nodes.ts'
import { type Measured, type Row, rowOf, type Series, seriesOf } from './result.ts'
import { QUICK } from './sampling.ts'
import { progress } from './progress.ts'

/** So many daemons, one after the other; twice as many may not cost each of them twice as much. */
const SIZES = [10, 20, 40]
/** How long each is watched, in milliseconds. */
const WATCHED_MS = 10_000
/** Changes of state a second, at one node, that all others come to know. */
const UPDATES_PER_SECOND = 10
/** After this long nothing of the start is still going on, in milliseconds. */
const SETTLED_AFTER_MS = 5_000
/** Times as much for each node when there are twice as many. */
const GROWTH_LIMIT = 2
/** What a node costs while nothing happens, and while one of many changes its state ten times a second: per node and second. */
export function idle(): Promise<Measured> {
  return cleanly(async later => {
    const sizes = process.env[QUICK] === undefined ? SIZES : SIZES.slice(0, 2)
    const rows: Row[] = []
    const series: Series[] = []
    const notes: string[] = []
    let before: Series | undefined
    for (const size of sizes) {
      const nodes = await startNodes(size)
      let running = true
      later(async () => await (running ? nodes.stop() : undefined))
      await pause(SETTLED_AFTER_MS)
      progress(`${size} nodes at rest`)
      const rest = await watched(nodes.all, () => pause(WATCHED_MS))
      progress(`${size} nodes, ${UPDATES_PER_SECOND} updates a second`)
      const busy = await watched(nodes.all, () => update(nodes.all[0]!))
      await nodes.stop()
      running = false
      const quiet = seriesOf(
        `processor time, ${size} nodes at rest`,
        'ms',
        rest.map(({ cpuMs }) => cpuMs)
      )
      const active = seriesOf(
        `processor time, ${size} nodes, ${UPDATES_PER_SECOND} updates/s`,
        'ms',
        busy.map(({ cpuMs }) => cpuMs)
      )
      rows.push(rowOf(`each of ${size} nodes at rest, processor time a second`, quiet, 'value', { detail: true }))
      const growth = before === undefined ? {} : { peer: before, limit: GROWTH_LIMIT }
      rows.push(
        rowOf(
          `each of ${size} nodes, ${UPDATES_PER_SECOND} updates/s, processor time a second`,
          active,
          before === undefined ? 'value' : 'ratio',
          growth
        )
      )
      series.push(quiet, active)
      notes.push(`${size} nodes: ${kilobytes(rest)} kB a second read and written by each at rest, ${kilobytes(busy)} with updates`)
      before = active
    }
    return {
      rows,
      series,
      notes: ['all nodes are neighbours of the first, which makes the updates; bytes are those of /proc/PID/io, files included', ...notes]
    }
  })
}

async function update(node: Node): Promise<void> {
  const every = 1_000 / UPDATES_PER_SECOND
  const began = performance.now()
  // A machine that does not keep up makes fewer; it is not watched for longer.
  for (let at = 0; at * every < WATCHED_MS && performance.now() - began < WATCHED_MS; at++) {
    await node.connection.post('calls/update', { changes: [{ path: 'shared.count', value: String(at) }] })
    await pause(Math.max(0, (at + 1) * every - (performance.now() - began)))
  }
}

/** What each node spends while `work` goes on, per second. */
async function watched(nodes: readonly Node[], work: () => Promise<unknown>): Promise<Cost[]> {
  const [before, began] = [nodes.map(costOf), performance.now()]
  await work()
  const seconds = (performance.now() - began) / 1_000
  return nodes.map((node, at) => {
    const now = costOf(node)
    return { cpuMs: (now.cpuMs - before[at]!.cpuMs) / seconds, bytes: (now.bytes - before[at]!.bytes) / seconds }
  })
}

function kilobytes(costs: readonly Cost[]): string {
  const sorted = costs.map(({ bytes }) => bytes).sort((a, b) => a - b)
  return ((sorted[Math.floor(sorted.length / 2)] ?? 0) / 1_000).toFixed(1)
}
