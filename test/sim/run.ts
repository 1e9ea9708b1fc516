/**
 * Simulations by the thousand: `npm run sim` plays 20,000 seeds; `npm run sim -- --from 5001 --to 10000` a part of them;
 * `npm run sim -- --seed 211` plays one again, bit for bit, and `--trace` tells all that happens in it. The last line is the
 * summary; the exit status is 1 when anything was violated.
 */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { type SimReport, simulate } from './world/simulate.ts'
import { summarise, summaryLine } from './world/summary.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    from: { type: 'string', default: '1' },
    to: { type: 'string', default: '20000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    /** Told on every report of a seed, as JSON: for this script's own workers. */
    worker: { type: 'boolean', default: false }
  }
})

function tell(report: SimReport): void {
  if (report.violations.length === 0) return
  console.log(`seed ${report.seed} (${report.nodes} nodes; ${report.trouble.kinds.join(', ')}):`)
  for (const each of report.violations) console.log(`  ${each}`)
}

async function one(seed: number): Promise<boolean> {
  const report = await simulate({ seed, ...(values.trace && { tell: (line: string) => console.log(line) }) })
  tell(report)
  const { violations, trouble, ...rest } = report
  console.log(JSON.stringify({ ...rest, troubles: trouble.kinds }))
  return violations.length === 0
}

/** Every `step`th seed. */
async function play(from: number, to: number, step: number): Promise<void> {
  for (let seed = from; seed <= to; seed += step) process.send?.(await simulate({ seed }))
}

async function many(from: number, to: number, workers: number): Promise<boolean> {
  const began = performance.now()
  const reports: SimReport[] = []
  await Promise.all(
    Array.from({ length: workers }, async (_, at) => {
      const own = ['--worker', '--from', String(from + at), '--to', String(to), '--workers', String(workers)]
      const worker = fork(fileURLToPath(import.meta.url), own, { execArgv: process.execArgv })
      worker.on('message', message => {
        const report = message as SimReport
        reports.push(report)
        tell(report)
        if (reports.length % 500 === 0) console.error(`${reports.length} of ${to - from + 1}`)
      })
      const [code] = await new Promise<[number | null]>(resolve => worker.on('exit', code => resolve([code])))
      if (code !== 0) throw new Error(`a worker ended with ${code}`)
    })
  )
  console.log(summaryLine(summarise(reports), performance.now() - began))
  return reports.every(({ violations }) => violations.length === 0)
}

const [from, to, workers] = [Number(values.from), Number(values.to), Number(values.workers)]
if (values.worker) await play(from, to, workers)
else if (values.seed !== undefined) process.exitCode = (await one(Number(values.seed))) ? 0 : 1
else process.exitCode = (await many(from, to, workers)) ? 0 : 1
process.disconnect?.()
