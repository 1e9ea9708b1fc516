/**
 * Simulations by the thousand: `npm run sim` plays 20,000 seeds; `npm run sim -- --from 5001 --to 10000` a part of them.
 * What was played is written down, and the same sources do not play it again: an interrupted run goes on where it was
 * (`--resume`: whatever has changed since; `--anew`: from the beginning).
 * `npm run sim -- --seed 211` plays one again, bit for bit, and `--trace` tells all that happens in it.
 * `npm run sim -- --nodes 1000` plays one mesh of so many, each with eight neighbours and without troubles, for `--seconds`, with a
 * goal `--every` so many milliseconds.
 * The last line is the summary; `--record` puts it into bench/results/sim.json; the exit status is 1 when anything was violated.
 */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { openProgress, type Played, playedIn } from './world/progress.ts'
import { record } from './world/results.ts'
import { paceLine, summarise, summaryLine } from './world/summary.ts'
import { type SimReport, simulate } from './world/simulate.ts'
import { playAll, playOne } from './world/workers.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    from: { type: 'string', default: '1' },
    to: { type: 'string', default: '20000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    resume: { type: 'boolean', default: false },
    anew: { type: 'boolean', default: false },
    nodes: { type: 'string' },
    seconds: { type: 'string', default: '3' },
    /** Mean time between two goals of a large mesh, in milliseconds of its time. */
    every: { type: 'string', default: '500' },
    record: { type: 'boolean', default: false }
  }
})

/** Neighbours of each node of a large mesh. */
const LARGE_DEGREE = 8

function tell({ seed, nodes, troubles, violations }: Played): void {
  if (violations.length === 0) return
  console.log(`seed ${seed} (${nodes} nodes; ${troubles.join(', ')}):`)
  for (const each of violations) console.log(`  ${each}`)
}

function isGood(report: SimReport): boolean {
  tell(playedIn(report, ''))
  const { violations, trouble, ...rest } = report
  console.log(JSON.stringify({ ...rest, troubles: trouble.kinds }))
  return violations.length === 0
}

async function one(seed: number): Promise<boolean> {
  return isGood(await simulate({ seed, ...(values.trace && { tell: (line: string) => console.log(line) }) }))
}

async function large(nodes: number): Promise<boolean> {
  const mesh = { seed: 1, nodes, degree: LARGE_DEGREE, attack: '', disks: '' as const, faults: [] }
  const load = loadavg()[0]!
  const report = await playOne({ ...mesh, troubledMs: Number(values.seconds) * 1_000, goalEveryMs: Number(values.every) })
  const good = isGood(report)
  const { sources: _, ...measured } = playedIn(report, '')
  console.log(paceLine(report))
  if (values.record)
    record(
      `nodes${nodes}every${values.every}`,
      `npm run sim -- --nodes ${nodes} --seconds ${values.seconds} --every ${values.every}`,
      load,
      { ...measured, pace: report.virtualMs / report.cpuMs }
    )
  return good
}

async function many(from: number, to: number, workers: number): Promise<boolean> {
  const began = performance.now()
  const load = loadavg()[0]!
  const progress = openProgress(values)
  const seeds = Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at)
  const left = seeds.filter(seed => !progress.played.has(seed))
  if (left.length < seeds.length) console.error(`${seeds.length - left.length} of ${seeds.length} were played before`)
  let count = 0
  const told = (report: SimReport): void => {
    const played = playedIn(report, progress.sources)
    progress.add(played)
    tell(played)
    if (++count % 500 === 0) console.error(`${count} of ${left.length}, ${((performance.now() - began) / 60_000).toFixed(1)} min`)
  }
  const options = left.map(seed => ({ seed }))
  await playAll(options, workers, told)
  const all = seeds.flatMap(seed => progress.played.get(seed) ?? [])
  const summary = summarise(all)
  console.log(summaryLine(summary))
  const versions = new Set(all.map(({ sources }) => sources)).size
  if (versions > 1) console.log(`played with ${versions} states of the sources, one after the other`)
  if (values.record) record('seeds', `npm run sim -- --from ${from} --to ${to}`, load, { ...summary, versions })
  return summary.violated.length === 0
}

const [from, to, workers] = [Number(values.from), Number(values.to), Number(values.workers)]
const good =
  values.seed !== undefined
    ? await one(Number(values.seed))
    : values.nodes !== undefined
      ? await large(Number(values.nodes))
      : await many(from, to, workers)
process.exitCode = good ? 0 : 1
