/** Starts one command in its own process group, led by the shell of exit-file.ts. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { WRAPPER } from './exit-file.ts'
import { plainCommand } from './plain-command.ts'
import { programPath } from './program-path.ts'
import type { StartRequest } from './protocol.ts'
import { ERR, OUT } from './step-directory.ts'

/** What is needed of a request to start its command. */
export type Launch = Pick<StartRequest, 'argv' | 'env' | 'cwd'>

/** How the shell around a command ended. */
export interface Gone {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Whoever started it is gone too: only what it left on disk says more. */
  readonly unseen?: true
}

/** A command that was started, or was to be. */
export interface Launched {
  /** Process group; 0 when it could not be started. */
  readonly pid: number
  readonly gone: Promise<Gone>
  /** Why it could not be started. */
  problem(): string
}

/**
 * @param directory of the step: output goes to files there
 * @param environment that every command gets, before its own
 * @returns the child, or why there is none
 */
export function launch(directory: string, request: Launch, environment: Readonly<Record<string, string | undefined>>): Launched | string {
  const cwd = request.cwd ?? '/'
  const env = { ...environment, ...request.env }
  if (!isDirectory(cwd)) return `no such directory: ${cwd}`
  const find = (name: string): string | undefined => programPath(name, env['PATH'], cwd)
  const program = find(request.argv[0] ?? '')
  if (program === undefined) return `no such program: ${request.argv[0] ?? ''}`
  const words = plainCommand(program, request.argv, name => find(name) !== undefined) ?? [program, ...request.argv.slice(1)]
  const out = openSync(join(directory, OUT), 'a', 0o600)
  const err = openSync(join(directory, ERR), 'a', 0o600)
  let problem = 'it could not be started'
  try {
    const child = spawn('/bin/sh', ['-c', WRAPPER, directory, ...words], { cwd, env, detached: true, stdio: ['ignore', out, err] })
    const gone = new Promise<Gone>(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
      child.once('error', error => {
        problem = error.message
        resolve({ code: null, signal: null })
      })
    })
    return { pid: child.pid ?? 0, gone, problem: () => problem }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    closeSync(out)
    closeSync(err)
  }
}

function isDirectory(path: string): boolean {
  return path === '/' || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false)
}
