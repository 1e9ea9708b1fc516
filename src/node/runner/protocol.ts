/** What daemon and runner say to one another: one JSON object a line over a Unix socket in a private directory. */
import { join } from 'node:path'
import type { CommandKey } from '../../goals/ports.ts'
import type { Ended } from './exit-file.ts'

export type { Ended } from './exit-file.ts'

/** A command as the runner takes it. */
export interface StartRequest {
  readonly key: CommandKey
  readonly argv: readonly string[]
  /** Added to the environment of the daemon. Never written to disk. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly timeoutMs?: number
}

/** Starts commands and knows how they ended: in its own process for a daemon, in this one for a run without a daemon. */
export interface Runner {
  /** Resolves when the command has ended and that is written; it is synced soon. A key that was started before is not started again: its end is returned. Never throws. */
  start(request: StartRequest): Promise<Ended>
  /**
   * How a command ended that may have been started by an earlier daemon; waits while it runs. Never starts anything, never throws.
   * @param beganAt epoch milliseconds of the step's intent. With it a command that certainly was never started is
   *   `not-started`, and the key is spent; without it, or when the host has been restarted since, that is `lost`
   */
  recover(key: CommandKey, beganAt?: number): Promise<Ended>
  /** Ends the command's process group; resolves when it is gone. Nothing happens when it is not running. */
  stop(key: CommandKey): Promise<void>
  /** Lets go; what runs goes on. */
  close(): Promise<void>
}

/** Daemon → runner. */
export type ToRunner =
  /** First: the daemon's environment, which every command gets. */
  | { readonly type: 'hello'; readonly env: Readonly<Record<string, string>> }
  | { readonly type: 'start'; readonly id: number; readonly request: StartRequest }
  | { readonly type: 'recover'; readonly id: number; readonly key: CommandKey; readonly beganAt?: number }
  | { readonly type: 'stop'; readonly id: number; readonly key: CommandKey }

/** Runner → daemon: the answer to the request with this id; `stop` is answered without `ended`. */
export interface FromRunner {
  readonly id: number
  readonly ended?: Ended
}

/** Directory (0700) of the runner's socket and its log, below the state directory. */
export function runnerDirectory(state: string): string {
  return join(state, 'runner')
}

/** The runner's socket. */
export function runnerSocket(state: string): string {
  return join(runnerDirectory(state), 'socket')
}

/** Longest line either side takes, in bytes: the kernel's limit for arguments and environment is 2 MiB on Linux, escaped it may double. */
export const LINE_BYTES_MAX = 8 * 1024 * 1024

/** Splits a stream of text into lines; @throws when one is longer than {@link LINE_BYTES_MAX} */
export function lineSplitter(onLine: (line: string) => void): (chunk: string) => void {
  let rest = ''
  return chunk => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    if (rest.length > LINE_BYTES_MAX) throw new Error(`line of more than ${LINE_BYTES_MAX} bytes`)
    for (const line of lines) onLine(line)
  }
}
