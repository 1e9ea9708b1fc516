/** Plans and their execution beside the tools that people plan builds with, on the same graph of commands. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { progress } from './progress.ts'
import { removeDirectory, temporaryDirectory } from './leftovers.ts'
import { CLI, startNodes } from './nodes.ts'
import { type Measured, type Row, rowOf, type Series, seriesOf } from './result.ts'
import { interleave, type Sampler, timeOf } from './sampling.ts'

/** Commands in the graph. The largest is planned only. */
const SIZES = [1_000, 10_000, 50_000] as const
/** What takes long is measured once: all of it is to be over in three minutes. */
const ROUNDS = 5
const ONCE_FROM = 10_000
/** A plan of 10,000 steps, and its drawing as DOT, in milliseconds. */
const PLAN_LIMIT_MS = 1_000
/** Doing 10,000 commands that do nothing, journaled, against make -j2. */
const EXECUTED = 10_000
const EXECUTE_LIMIT = 3
/** The same when all of it is true already, against make's look at as many files. */
const NULL_LIMIT = 2

/** All of it; tools that are not installed are named in a note. */
export async function plan(): Promise<Measured> {
  const directory = temporaryDirectory()
  const present = (['make', 'ninja', 'terraform'] as const).filter(tool => spawnSync(tool, ['--version']).error === undefined)
  try {
    const rows: Row[] = []
    const series: Series[] = []
    const add = (measured: Pick<Measured, 'rows' | 'series'>): void => {
      rows.push(...measured.rows)
      series.push(...measured.series)
    }
    for (const size of SIZES) add(await planned(directory, size, present))
    if (present.includes('make')) {
      add(await executed(directory))
      add(await allTrue(directory))
    }
    const missing = ['make', 'ninja', 'terraform'].filter(tool => !present.some(each => each === tool))
    return {
      rows,
      series,
      notes: [
        'plan: whole processes, from start to exit; make -n and ninja -n print the same commands',
        'all true already: a post that looks at 10,000 files, journaled; by a daemon that has the program, and by a process of its own that reads the file',
        ...(missing.length > 0 ? [`not installed, so not compared with: ${missing.join(', ')}`] : [])
      ]
    }
  } finally {
    removeDirectory(directory)
  }
}

async function planned(base: string, size: number, present: readonly string[]): Promise<Pick<Measured, 'rows' | 'series'>> {
  const directory = graphOf(base, size)
  const home = join(base, 'home')
  const file = join(directory, 'graph.xml')
  const samplers: Record<string, Sampler> = {
    'cloudburst plan': () => timeOf(process.execPath, [CLI, 'plan', file, 'graph', '--home', home]),
    'cloudburst graph': () => timeOf(process.execPath, [CLI, 'graph', file, 'graph', '--home', home])
  }
  if (present.includes('make')) samplers['make -n'] = () => timeOf('make', ['-n', '-C', directory])
  if (present.includes('ninja')) samplers['ninja -n -v'] = () => timeOf('ninja', ['-n', '-v', '-C', directory])
  if (present.includes('terraform') && size <= EXECUTED) samplers['terraform plan'] = terraformPlan(directory, size)
  const taken = size < ONCE_FROM ? await interleave(samplers, ROUNDS) : await once(samplers)
  const named = Object.entries(taken).map(([name, samples]) => seriesOf(`${name} × ${size.toLocaleString('en')}`, 'ms', samples))
  const [ours, graph, ...peers] = named
  if (ours === undefined || graph === undefined) return { rows: [], series: named }
  const limit = size === EXECUTED ? { limit: PLAN_LIMIT_MS } : {}
  return {
    rows: [
      rowOf(ours.name, ours, 'value', { ...limit, detail: size !== EXECUTED }),
      rowOf(graph.name, graph, 'value', { ...limit, detail: true }),
      ...peers.map(peer => rowOf(ours.name, ours, 'ratio', { peer, detail: size !== EXECUTED }))
    ],
    series: named
  }
}

async function executed(base: string): Promise<Pick<Measured, 'rows' | 'series'>> {
  const directory = graphOf(base, EXECUTED)
  const taken = await once({
    ours: () => timeOf(process.execPath, [CLI, 'execute', join(directory, 'graph.xml'), 'graph', '--home', join(base, 'home')]),
    make: () => timeOf('make', ['-s', '-j2', '-C', directory])
  })
  const size = EXECUTED.toLocaleString('en')
  const [ours, make] = [seriesOf(`cloudburst execute × ${size}`, 'ms', taken.ours), seriesOf(`make -j2 × ${size}`, 'ms', taken.make)]
  return { rows: [rowOf(ours.name, ours, 'ratio', { peer: make, limit: EXECUTE_LIMIT })], series: [ours, make] }
}

/** A look at as many files, which are all there: as users have it, by the daemon of this machine, and without one. */
async function allTrue(base: string): Promise<Pick<Measured, 'rows' | 'series'>> {
  const directory = graphOf(base, EXECUTED)
  const file = join(directory, 'true.xml')
  const nodes = await startNodes(1)
  try {
    const home = nodes.all[0]!.home.base
    const execute =
      (...words: readonly string[]): Sampler =>
      () =>
        timeOf(process.execPath, [CLI, 'execute', ...words])
    await timeOf(process.execPath, [CLI, 'load', file, '--home', home])
    const taken = await interleave(
      {
        daemon: execute('graph', '--home', home),
        file: execute(file, 'graph', '--home', join(base, 'home')),
        make: () => timeOf('make', ['-s', '-j2', '-C', directory, 'files']),
        node: () => timeOf(process.execPath, ['-e', '0'])
      },
      ROUNDS
    )
    const size = EXECUTED.toLocaleString('en')
    const daemon = seriesOf(`cloudburst execute × ${size}, all true already`, 'ms', taken.daemon)
    const own = seriesOf(`cloudburst execute FILE × ${size}, all true already`, 'ms', taken.file)
    const make = seriesOf(`make -j2 × ${size}, all made already`, 'ms', taken.make)
    const node = seriesOf('node -e 0', 'ms', taken.node)
    return {
      rows: [
        rowOf(daemon.name, daemon, 'ratio', { peer: make, limit: NULL_LIMIT }),
        rowOf(daemon.name, daemon, 'difference', { peer: node }),
        rowOf(own.name, own, 'ratio', { peer: make, limit: NULL_LIMIT }),
        rowOf(own.name, own, 'difference', { peer: node, detail: true })
      ],
      series: [daemon, own, make, node]
    }
  } finally {
    await nodes.stop()
  }
}

/** One sample of each, one after the other, without a warm-up. */
async function once<N extends string>(samplers: Readonly<Record<N, Sampler>>): Promise<Record<N, number[]>> {
  const taken: Partial<Record<N, number[]>> = {}
  for (const name of Object.keys(samplers) as N[]) {
    taken[name] = [await samplers[name]()]
    progress(`${name}: ${Math.round(taken[name]![0]!)} ms`)
  }
  return taken as Record<N, number[]>
}

/** As many resources that do nothing; its directory is made ready once, which is not measured. */
function terraformPlan(base: string, size: number): Sampler {
  const directory = join(base, 'terraform')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'main.tf'), `resource "terraform_data" "s" {\n  count = ${size}\n  input = "true ${'${count.index}'}"\n}\n`)
  const env = { ...process.env, CHECKPOINT_DISABLE: '1' }
  const ready = timeOf('terraform', [`-chdir=${directory}`, 'init', '-input=false'], env)
  return async () => {
    await ready
    return await timeOf('terraform', [`-chdir=${directory}`, 'plan', '-input=false', '-lock=false'], env)
  }
}

/** The same commands as a program, a makefile and a ninja file; and as many files that are all there, looked at by each. */
function graphOf(base: string, size: number): string {
  const directory = join(base, String(size))
  mkdirSync(join(directory, 'made'), { recursive: true })
  const each = <T>(of: (i: number) => T): T[] => Array.from({ length: size }, (_, i) => of(i))
  // The shell that make has, for the same words.
  const half = `<repeat><count>${size / 2}</count><shell shell="/bin/sh"><send name="s">true <get>goal.repeat</get></send></shell></repeat>`
  writeFileSync(
    join(directory, 'graph.xml'),
    `<cloudburst name="graph"><goalProto name="graph"><method>
<do parallel="2">${half}${half}</do>
</method></goalProto></cloudburst>`
  )
  const files = each(i => `made/${i}`)
  if (size === EXECUTED) for (const file of files) writeFileSync(join(directory, file), '')
  writeFileSync(
    join(directory, 'true.xml'),
    `<cloudburst name="graph"><goalProto name="graph"><post>${files.map(file => `<pathExists>${join(directory, file)}</pathExists>`).join('\n')}</post>
<method><shell><send>false</send></shell></method></goalProto></cloudburst>`
  )
  const targets = each(i => `s${i}`)
  writeFileSync(
    join(directory, 'Makefile'),
    `all: ${targets.join(' ')}\nfiles: ${files.join(' ')}\n.PHONY: all files ${targets.join(' ')}\n${each(i => `s${i}:\n\ttrue ${i}\n`).join('')}${files.map(file => `${file}:\n\tfalse\n`).join('')}`
  )
  writeFileSync(join(directory, 'build.ninja'), `rule r\n  command = true $i\n${each(i => `build s${i}: r\n  i = ${i}\n`).join('')}`)
  return directory
}
