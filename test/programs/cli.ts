/** The CLI as a user has it, run without a daemon, with a home and files of its own. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Said, start } from '../system/mesh/process.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const entry = join(root, 'dist/cloudburst.js')

export interface Place {
  /** For the test's own files. */
  readonly directory: string
  /** State of the CLI. */
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  /** A command to its end. */
  cli(...words: readonly string[]): Promise<Said>
  remove(): void
}

/** A new directory, and the CLI with its home in it. */
export function place(): Place {
  const directory = mkdtempSync(join(tmpdir(), 'cb-'))
  const home = join(directory, 'home')
  const files = join(directory, 'files')
  mkdirSync(files)
  const env = { ...process.env, CLOUDBURST_HOME: home, NO_COLOR: '1', LANG: 'C.UTF-8' }
  return {
    directory: files,
    home,
    env,
    cli: (...words) => start(process.execPath, [entry, ...words], env).ended,
    remove: () => rmSync(directory, { recursive: true, force: true })
  }
}
