/** Which step did what to the machine: what strace saw, by the shells that lead the commands of steps. Source: strace(1). */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import type { Context } from 'mocha'
import { unplanned } from '../../src/goals/plan/conformance.ts'
import type { GoalEvent } from '../../src/goals/pursuit/events.ts'
import { stepDirectory } from '../../src/node/runner/step-directory.ts'
import { skip } from '../skip.ts'
import { effectsOf, wholeLines } from './tracing.ts'

/** Words of strace for all that {@link tracedSteps} reads; `-o FILE` and whom to trace come behind them. */
export const STRACE = ['-f', '-qq', '-s', '4096', '-e', 'trace=%file,%process'] as const

/** Skips the suite or test where nothing can be traced. */
export function needStrace(context: Context): void {
  if (process.platform !== 'linux') skip(context, 'strace is for Linux')
  if (spawnSync('strace', ['-o', '/dev/null', 'true']).status !== 0) skip(context, 'strace is not installed, or may not trace here')
}

/** A change of a file that no command of a step made, or a command. */
export interface TracedSteps {
  /** Directories of the steps whose commands were started, as often as they were. */
  readonly started: readonly string[]
  /** Changes by others than commands of steps, as strace told them. */
  readonly ownChanges: readonly string[]
  /** Changes by commands of steps. */
  readonly changes: number
}

const SHELL_OF_A_STEP = /^execve\("[^"]*\/sh", \["[^"]*", "-c", "trap : HUP .*?echo \\"code \$s\\" >&2", "([^"]+)"/
const BIRTH = /^(?:clone|clone3|fork|vfork)\(.*\) += (\d+)$/

/**
 * @param trace of `strace -f -e trace=%file,%process`, with the longest strings whole
 * @param besides beginnings of paths that are ours to change
 */
export function tracedSteps(trace: string, besides: readonly string[]): TracedSteps {
  const lines = wholeLines(trace)
  const parents = new Map<string, string>()
  const steps = new Map<string, string>()
  const started: string[] = []
  for (const { pid, text } of lines) {
    const born = BIRTH.exec(text)?.[1]
    if (born !== undefined) parents.set(born, pid)
    const directory = / += 0$/.test(text) ? SHELL_OF_A_STEP.exec(text)?.[1] : undefined
    if (directory === undefined) continue
    steps.set(pid, directory)
    started.push(directory)
  }
  const isOfStep = (pid: string | undefined): boolean => pid !== undefined && (steps.has(pid) || isOfStep(parents.get(pid)))
  const changed = lines.filter(({ pid, text }) => {
    // Where a link leads to is not changed by it.
    const call = text.replace(/^(symlink(?:at)?\()"[^"]*", /, '$1')
    return effectsOf(`${pid} ${call}`, besides).some(({ kind }) => kind === 'file')
  })
  const ownChanges = changed.filter(({ pid }) => !isOfStep(pid)).map(({ text }) => text)
  return { started, ownChanges, changes: changed.length - ownChanges.length }
}

/** The steps of all runs in `events` were planned, each command was one of them, and nothing but a step has changed a file. */
export function assertNothingElse({ started, ownChanges, changes }: TracedSteps, events: readonly GoalEvent[]): void {
  for (const id of new Set(events.map(({ goalId }) => goalId)))
    assert.deepEqual(unplanned(events.filter(({ goalId }) => goalId === id)), [])
  const known = events.flatMap(({ goalId, body }) =>
    body.type === 'step-began' ? [stepDirectory('', { goalId, step: body.step, attempt: body.attempt })] : []
  )
  const told = started.map(directory => directory.slice(directory.indexOf('steps/')))
  assert.deepEqual([...told].sort(), [...new Set(told)].sort(), 'each once')
  assert.deepEqual(
    told.filter(directory => !known.includes(directory)),
    [],
    'commands that no step of the journal had'
  )
  const edited = events.flatMap(({ body }) => (body.type === 'step-began' && body.kind === 'editFile' ? [body.show] : []))
  assert.deepEqual(
    ownChanges.filter(call => !edited.some(show => call.includes(/(\/\S+)/.exec(show)?.[1] ?? '\0'))),
    [],
    'changes that no step made'
  )
  console.log(`        ${told.length} commands, ${changes} changes of files by them`)
}

/** Events out of what `logs -o json` prints. */
export function eventsIn(lines: string): readonly GoalEvent[] {
  const items = lines
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { type: string; event: GoalEvent })
  return items.flatMap(({ type, event }) => (type === 'event' ? [event] : []))
}
