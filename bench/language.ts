/** What the language costs: starting with a large program, planning and evaluating against the size of what is planned. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { removeDirectory, temporaryDirectory } from './leftovers.ts'
import { CLI } from './nodes.ts'
import { type Measured, type Row, rowOf, type Series, seriesOf } from './result.ts'
import { interleave, roundsOf, timeOf } from './sampling.ts'
import { progress } from './progress.ts'

/** `list` on a large program, beyond bare Node, in milliseconds. */
const LIST_LIMIT_MS = 100
const DEFINITIONS = 1000
/** Processes for each size: each plans from scratch, the largest for seconds. */
const ROUNDS = 3
const WORKER = fileURLToPath(new URL('./language-worker.ts', import.meta.url))

/** What is planned, by how many steps, with the limits that hold for it. */
const cases: readonly { readonly work: string; readonly size: number; readonly limitMs?: number; readonly limitMB?: number }[] = [
  { work: 'flat', size: 1_000 },
  { work: 'flat', size: 10_000, limitMs: 1_000 },
  { work: 'repeat', size: 1_000 },
  { work: 'repeat', size: 10_000, limitMs: 1_000 },
  { work: 'repeat', size: 100_000, limitMs: 12_000, limitMB: 600 },
  { work: 'find', size: 1_000 },
  { work: 'find', size: 10_000, limitMs: 1_000 },
  { work: 'find', size: 100_000, limitMs: 12_000, limitMB: 600 },
  { work: 'sub-goals', size: 1_000 },
  { work: 'sub-goals', size: 10_000, limitMs: 1_000 },
  { work: 'sub-goals', size: 100_000, limitMs: 12_000, limitMB: 600 },
  { work: 'read', size: 1_000 },
  { work: 'read', size: 10_000 },
  { work: 'expressions', size: 1_000_000, limitMs: 2_000 }
]

/** All of it. */
export async function language(): Promise<Measured> {
  const series: Series[] = []
  const rows: Row[] = []
  for (const { work, size, limitMs, limitMB } of cases) {
    const taken: { readonly ms: number; readonly peakMB: number }[] = []
    for (let round = 0; round < roundsOf(ROUNDS); round++) {
      taken.push(await worker(work, size))
      progress(`${work} × ${size}`)
    }
    const what = `${work === 'expressions' || work === 'read' ? work : `plan, ${work}`} × ${size.toLocaleString('en')}`
    const time = seriesOf(
      what,
      'ms',
      taken.map(({ ms }) => ms)
    )
    series.push(time)
    rows.push(rowOf(what, time, 'value', { detail: true, ...(limitMs !== undefined && { limit: limitMs }) }))
    if (limitMB === undefined) continue
    const memory = seriesOf(
      `${what}, memory at most`,
      'MB',
      taken.map(({ peakMB }) => peakMB)
    )
    series.push(memory)
    rows.push(rowOf(memory.name, memory, 'value', { limit: limitMB, detail: true }))
  }
  return {
    rows,
    series,
    notes: [
      `each size ${ROUNDS} times in a process of its own: processor time of the work, collecting garbage included; memory is the most that the process ever held`,
      'read × n: a program of n goals with a requirement, a method and a command each'
    ]
  }
}

/** What a person waits for who looks at a large program. */
export async function list(): Promise<Measured> {
  const directory = temporaryDirectory()
  try {
    const file = join(directory, 'large.xml')
    writeFileSync(file, largeProgram(0, DEFINITIONS))
    const kept = { ...process.env, XDG_CACHE_HOME: join(directory, 'cache') }
    const never = { ...process.env, XDG_CACHE_HOME: '/dev/null' }
    const taken = await interleave({
      again: () => timeOf(process.execPath, [CLI, 'list', file, '-o', 'name', '--home', directory], kept),
      ours: () => timeOf(process.execPath, [CLI, 'list', file, '-o', 'name', '--home', directory], never),
      bare: () => timeOf(process.execPath, ['-e', '0'])
    })
    const again = seriesOf(`cloudburst list, ${DEFINITIONS} definitions`, 'ms', taken.again)
    const ours = seriesOf(`cloudburst list, ${DEFINITIONS} definitions, the first time`, 'ms', taken.ours)
    const bare = seriesOf('node -e 0', 'ms', taken.bare)
    const row = (series: Series) => rowOf(series.name, series, 'difference', { peer: bare, limit: LIST_LIMIT_MS })
    return {
      rows: [row(again), row(ours)],
      series: [again, ours, bare],
      notes: ['list: what a file lists is remembered by its text, below $XDG_CACHE_HOME']
    }
  } finally {
    removeDirectory(directory)
  }
}

/** A file of `count` goals. */
export function largeProgram(from: number, count: number): string {
  const goals = Array.from(
    { length: count },
    (_, i) => `<goalProto name="g${from + i}"><describe>Goal ${i}</describe><variable name="a" type="int">${i}</variable>
<pre><op name="ge"><get>goal.a</get>0</op></pre>
<method><shell><send>echo <get>goal.a</get></send></shell></method></goalProto>`
  )
  return `<cloudburst name="bench">${goals.join('\n')}</cloudburst>`
}

async function worker(work: string, size: number): Promise<{ readonly ms: number; readonly peakMB: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', WORKER, work, String(size)])
  return JSON.parse(stdout) as { ms: number; peakMB: number }
}
