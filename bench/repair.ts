import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cleanly, removeDirectory, temporaryDirectory } from './leftovers.ts'
import { startNodes } from './nodes.ts'
import { type Job, jobs } from './repair/jobs.ts'
import { ansible, cloudburst, filled, make, script, type Tool, type Typed } from './repair/tools.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { QUICK } from './sampling.ts'
import { progress } from './progress.ts'

/** What a repair took. */
interface Taken {
  /** Commands that a person typed after the fault. */
  readonly commands: number
  /** Steps that were done before the fault and were done again. */
  readonly again: number
  /** From the first of these commands to the job's end, without the person. */
  readonly ms: number
}

/** Ten everyday jobs with a fault at a late step, repaired in each tool's best way. Every outcome is checked. */
export async function repair(of: readonly Job[] = process.env[QUICK] === '1' ? jobs.slice(0, 2) : jobs): Promise<Measured> {
  return await cleanly(async later => {
    const nodes = await startNodes(1)
    later(() => nodes.stop())
    const directory = temporaryDirectory()
    later(() => removeDirectory(directory))
    const all = [cloudburst('cloudburst (daemon)', nodes.all[0]!.home.base), cloudburst('cloudburst (file)'), make, ansible, script]
    const tools = all.filter(tool => tool !== ansible || spawnSync('ansible-playbook', ['--version']).status === 0)
    const taken = new Map<string, Taken[]>(tools.map(tool => [tool.name, []]))
    const lines: string[] = []
    for (const [at, job] of of.entries()) {
      progress(`job ${at + 1} of ${of.length}, ${job.name}`)
      const cells = tools.map(tool => {
        const one = repaired(tool, job, directory)
        taken.get(tool.name)!.push(one)
        return `${tool.name} ${one.commands}, ${one.again}, ${(one.ms / 1000).toFixed(1)} s`
      })
      lines.push(`${job.name}: ${cells.join(' · ')}`)
    }
    const series = tools.map(({ name }) =>
      seriesOf(
        `repair, ${name}`,
        'ms',
        taken.get(name)!.map(({ ms }) => ms)
      )
    )
    const [ours, ...peers] = series
    const rows = peers.map(peer => rowOf('a failed job repaired, from the first command to its end', ours!, 'ratio', { peer }))
    const sums = tools.map(({ name }) => `${name} ${sum(taken.get(name)!, 'commands')} commands, ${sum(taken.get(name)!, 'again')} steps`)
    const missing = tools.includes(ansible) ? [] : ['ansible: not measured, there is no ansible-playbook']
    const notes = [
      `after the faults of ${of.length} jobs, commands typed and steps done again that had been done: ${sums.join(' · ')}`,
      ...missing
    ]
    return { rows, series, notes, details: lines.map(line => `commands typed, done steps run again, time: ${line}`) }
  })
}

function repaired(tool: Tool, job: Job, below: string): Taken {
  const directory = join(below, `${job.name}-${tool.name.replace(/\W+/g, '-')}`)
  mkdirSync(directory)
  tool.write(job, directory)
  const ran = (): string[] => readFileSync(join(directory, 'ran'), 'utf8').trim().split('\n')
  const first = typed(tool.begin(job, directory))
  if (first.status === 0) throw new Error(`${job.name} with ${tool.name} did not fail`)
  const before = ran()
  const done = before.slice(0, -1)
  const commands = tool.goOn(job, directory, first.said)
  const began = performance.now()
  for (const command of commands) {
    const { status, said } = typed(command)
    if (status !== 0) throw new Error(`${job.name} with ${tool.name}: ${command.join(' ')} ended with ${status}\n${said}`)
  }
  const ms = performance.now() - began
  const check = typed(['sh', '-c', filled(job.result, directory, job.right)])
  if (check.status !== 0) throw new Error(`${job.name} with ${tool.name} was not done as it should be\n${check.said}`)
  const again = ran()
    .slice(before.length)
    .filter(step => done.includes(step)).length
  return { commands: commands.length, again, ms }
}

function typed([command = '', ...words]: Typed): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  return { status, said: `${stdout}${stderr}` }
}

function sum(all: readonly Taken[], what: 'commands' | 'again'): number {
  return all.reduce((total, one) => total + one[what], 0)
}
