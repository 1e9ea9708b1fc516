/** The same job in the words of four tools, and what a person types in each: to begin, and to go on after the fault. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLI } from '../nodes.ts'
import { firstTouched, type Job } from './jobs.ts'

/** A command as a person types it. */
export type Typed = readonly string[]

export interface Tool {
  readonly name: string
  /** Writes the job's program into its directory. */
  write(job: Job, directory: string): void
  begin(job: Job, directory: string): Typed
  /** @param said what the first command printed */
  goOn(job: Job, directory: string, said: string): readonly Typed[]
}

/** `text` with the two places filled in. */
export const filled = (text: string, directory: string, value: string): string => text.replaceAll('{d}', directory).replaceAll('{v}', value)

/** Each step writes its name down first: what ran is counted by that. */
const noted = ({ name }: { readonly name: string }): string => `echo ${name} >> {d}/ran`

const xml = (text: string): string =>
  filled(
    text.replace(/[&<>]/g, each => `&#${each.codePointAt(0)};`),
    '<get>goal.d</get>',
    '<get>goal.v</get>'
  )

const program = (job: Job): string => {
  const sends = job.steps.map(step => `<send name="${step.name}">${xml(noted(step))}\n${xml(step.run)}</send>`)
  return `<cloudburst name="${job.name}">
<goalProto name="${job.name}"><variable name="d"/><variable name="v">${job.wrong}</variable>
<method name="all"><shell>\n${sends.join('\n')}\n</shell></method></goalProto>
</cloudburst>
`
}

const byHand = (job: Job, directory: string): readonly Typed[] =>
  job.byHand === undefined ? [] : [['sh', '-c', filled(job.byHand, directory, job.right)]]

function idIn(said: string): string {
  const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(said)?.[0]
  if (id === undefined) throw new Error(`no id of a goal in: ${said}`)
  return id
}

/** A file program without a daemon, or a program that a daemon holds. @param home of the node; absent: one in the job's directory */
export function cloudburst(name: string, home?: string): Tool {
  const words = (directory: string, job: Job): readonly string[] =>
    home === undefined ? [join(directory, 'job.xml'), '--home', join(directory, 'home')] : ['--program', job.name, '--home', home]
  const again = (directory: string): readonly string[] =>
    home === undefined ? [join(directory, 'job.xml'), '--home', join(directory, 'home')] : ['--home', home]
  return {
    name,
    write(job, directory) {
      writeFileSync(join(directory, 'job.xml'), program(job))
      if (home === undefined) return
      const { status, stderr } = spawnSync(process.execPath, [CLI, 'load', join(directory, 'job.xml'), '--home', home], {
        encoding: 'utf8'
      })
      if (status !== 0) throw new Error(stderr)
    },
    begin: (job, directory) => [
      ...[process.execPath, CLI, 'pursue', ...words(directory, job).filter(word => word.endsWith('.xml')), job.name, `goal.d=${directory}`],
      ...words(directory, job).filter(word => !word.endsWith('.xml'))
    ],
    goOn(job, directory, said) {
      const how = job.byHand === undefined ? `goal.v=${job.right}` : '--retry'
      return [...byHand(job, directory), [process.execPath, CLI, 'repair', idIn(said), ...again(directory), how]]
    }
  }
}

/** One stamp a step, each after the one before but not older for that: what is removed runs again, and no more. */
export const make: Tool = {
  name: 'make',
  write(job, directory) {
    const recipe = (text: string): string => `\t${filled(text.replaceAll('$', '$$'), '$(d)', '$(v)')}\n`
    const rules = job.steps.map((step, at) => {
      const before = job.steps[at - 1]
      return `$(d)/done.${step.name}:${before === undefined ? '' : ` | $(d)/done.${before.name}`}\n${recipe(noted(step))}${recipe(step.run)}\ttouch $@\n`
    })
    const text = `d = ${directory}\nv = ${job.wrong}\nall: ${job.steps.map(({ name }) => `$(d)/done.${name}`).join(' ')}\n${rules.join('')}`
    writeFileSync(join(directory, 'Makefile'), text)
  },
  begin: (_, directory) => ['make', '-s', '-f', join(directory, 'Makefile')],
  goOn(job, directory) {
    const go = ['make', '-s', '-f', join(directory, 'Makefile'), `v=${job.right}`]
    const stamp = join(directory, `done.${firstTouched(job)}`)
    return [...byHand(job, directory), ...(job.byHand === undefined && failsLater(job) ? [['rm', stamp]] : []), go]
  }
}

/** Whether a step before the one that fails has used the wrong value, so that it is done wrongly and counts as done. */
function failsLater({ name }: Job): boolean {
  return !['build-and-release', 'rotate-key', 'restore-backup', 'migrate-database'].includes(name)
}

export const ansible: Tool = {
  name: 'ansible',
  write(job, directory) {
    const task = (step: Job['steps'][number]): string =>
      `    - name: ${step.name}\n      shell: |\n        ${filled(noted(step), '{{ d }}', '{{ v }}')}\n        ${filled(step.run, '{{ d }}', '{{ v }}')}\n`
    const head = `- hosts: localhost\n  connection: local\n  gather_facts: false\n  vars:\n    d: ${directory}\n    v: "${job.wrong}"\n  tasks:\n`
    writeFileSync(join(directory, 'job.yml'), head + job.steps.map(task).join(''))
  },
  begin: (_, directory) => ['ansible-playbook', '-i', 'localhost,', join(directory, 'job.yml')],
  goOn(job, directory) {
    const at = job.byHand === undefined ? firstTouched(job) : 'n4'
    const go = ['ansible-playbook', '-i', 'localhost,', join(directory, 'job.yml'), '-e', `v=${job.right}`, '--start-at-task', at]
    return [...byHand(job, directory), go]
  }
}

export const script: Tool = {
  name: 'script',
  write(job, directory) {
    const lines = job.steps.map(step => `${noted(step)}\n${step.run}\n`).join('')
    const head = `set -e\nd=${directory}\nv=\${v-${job.wrong}}\n`
    writeFileSync(join(directory, 'job.sh'), head + filled(lines, '$d', '$v'))
  },
  begin: (_, directory) => ['sh', join(directory, 'job.sh')],
  goOn: (job, directory) => [...byHand(job, directory), ['env', `v=${job.right}`, 'sh', join(directory, 'job.sh')]]
}
