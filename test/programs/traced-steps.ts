/** Which step did what to the machine: what strace saw, by the shells that lead the commands of steps. Source: strace(1). */
import { effectsOf, wholeLines } from './tracing.ts'

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
