/**
 * The small shell around every command and the file it leaves. The shell outlives the runner, so that
 * a killed runner costs nothing; it is given program and arguments as arguments and builds nothing from text.
 *
 * Lines of `exit`: `pid N` first; then what the shell itself says, which it does only when a signal ended the
 * command ("Terminated"); `code N`; and last, by the runner when it was there, `= {json}`. A line without
 * its newline was not written completely and counts as absent.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Exit } from '../../goals/ports.ts'
import { EXIT } from './step-directory.ts'

/** How a command ended and how long it took. */
export interface Ended {
  readonly exit: Exit
  readonly durationMs: number
}

/** $0 is the step's directory, the rest the command. Signals to the group must not end the shell before it has written. */
export const WRAPPER =
  'trap : HUP INT QUIT TERM USR1 USR2; exec 3>&2 2>>"$0/exit"; echo "pid $$" >&2; ("$@" 2>&3 3>&-); s=$?; echo "code $s" >&2'

/** What the exit file of a step says so far. */
export interface ExitFile {
  /** Of the shell, which leads the command's process group. */
  readonly pid?: number
  /** Exit status as shells tell it. */
  readonly code?: number
  /** The shell said that a signal ended the command. */
  readonly signalled: boolean
  /** The runner's own word, which is exact. */
  readonly ended?: Ended
}

/** Shells report a death by signal N as status 128 + N. */
const SIGNAL_BASE = 128

/** Reads what is there; everything absent when the file is. */
export function readExitFile(directory: string): ExitFile {
  const lines = completeLines(join(directory, EXIT))
  const pid = numberAfter('pid ', lines[0])
  const codeAt = lines.findIndex(line => /^code \d+$/.test(line))
  const ended = lines.findLast(line => line.startsWith('= '))
  return {
    ...(pid === undefined ? {} : { pid }),
    ...(codeAt === -1 ? {} : { code: numberAfter('code ', lines[codeAt])! }),
    signalled: codeAt > 1,
    ...(ended === undefined ? {} : { ended: JSON.parse(ended.slice(2)) as Ended })
  }
}

/** Adds the runner's word. Not synced: a killed process loses nothing, and for a host crash there is the exit log. */
export function appendEnded(directory: string, ended: Ended): void {
  appendFileSync(join(directory, EXIT), `= ${JSON.stringify(ended)}\n`, { mode: 0o600 })
}

/** The exit that the shell's word stands for. @returns undefined when it did not come to write it */
export function exitOf(file: ExitFile): Exit | undefined {
  if (file.code === undefined) return undefined
  const signal = file.signalled ? signalName(file.code - SIGNAL_BASE) : undefined
  return signal === undefined ? { kind: 'exited', code: file.code } : { kind: 'signalled', signal }
}

function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0]
}

function completeLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
  }
}

function numberAfter(prefix: string, line: string | undefined): number | undefined {
  return line?.startsWith(prefix) === true ? Number(line.slice(prefix.length)) : undefined
}
