/** How a command ended, as the outcome of its step and in words. */
import type { Exit, Finished } from '../ports.ts'
import type { StatementBase } from '../program/model.ts'
import { TAIL_BYTES_MAX } from './events.ts'
import type { Performed } from './step.ts'

/** An exit as a step's outcome, with the results stored under the statement's name. */
export function settled(statement: StatementBase, finished: Finished): Performed {
  const { exit, stdout, stderr } = finished
  const ok = exit.kind === 'exited' && exit.code === 0
  const fields = {
    stdout: { value: stdout.replace(/\n$/, '') },
    stderr: { value: stderr.replace(/\n$/, '') },
    rc: { value: exit.kind === 'exited' ? exit.code : -1 }
  }
  return {
    status: ok ? 'completed' : exit.kind === 'lost' ? 'in-doubt' : exit.kind === 'stopped' ? 'stopped' : 'failed',
    exit,
    writes: statement.name === undefined ? [] : [{ path: ['goal', statement.name], value: { fields } }],
    ...(!ok && { reason: explain(exit, finished.durationMs), tail: tail(stderr.trim() === '' ? stdout : stderr) })
  }
}

/** An exit in words: `exited with 2`, `killed by SIGKILL`, `timed out after 3 s`. */
export function explain(exit: Exit, durationMs: number): string {
  switch (exit.kind) {
    case 'exited':
      return `exited with ${exit.code} after ${seconds(durationMs)}`
    case 'signalled':
      return `killed by ${exit.signal} after ${seconds(durationMs)}`
    case 'timed-out':
      return `timed out after ${seconds(exit.afterMs)}`
    case 'not-started':
      return `could not be started: ${exit.message}`
    case 'stopped':
      return 'stopped on request'
    case 'lost':
      return 'was interrupted, and nobody knows how it ended'
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

function tail(text: string): string {
  const end = text.trimEnd()
  if (end.length <= TAIL_BYTES_MAX) return end
  const cut = end.slice(-TAIL_BYTES_MAX)
  return cut.slice(cut.indexOf('\n') + 1)
}
