/** Files with what a step needs and nobody else may read: scripts, key material. They live until their goal drops them. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TEXT_BYTES_MAX } from '../../goals/ports.ts'
import { replaceWhole } from '../files/atomic-file.ts'
import { fileName } from '../runner/step-directory.ts'

/**
 * Writes `<state>/files/<goal id>/<name>` (0600 in 0700), whole or not at all. Its name may be lost with the power: whoever
 * looks for one that is gone writes it again.
 * @throws when `name` could name another place
 */
export async function writePrivateFile(state: string, goalId: string, name: string, text: string): Promise<string> {
  const directory = filesDirectory(state, goalId)
  const file = join(directory, fileName(name))
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await replaceWhole(file, text, { mode: 0o600, alone: true, durable: 'content' })
  return file
}

/** What {@link writePrivateFile} wrote, or a command in its place; undefined when it is gone. @throws when it is longer than TEXT_BYTES_MAX */
export async function readPrivateFile(state: string, goalId: string, name: string): Promise<string | undefined> {
  const file = join(filesDirectory(state, goalId), fileName(name))
  const size = (await stat(file).catch(() => undefined))?.size
  if (size === undefined) return undefined
  if (size > TEXT_BYTES_MAX) throw new Error(`${name} is longer than ${TEXT_BYTES_MAX} bytes`)
  return await readFile(file, 'utf8')
}

/** Removes what {@link writePrivateFile} wrote for this goal. */
export async function dropPrivateFiles(state: string, goalId: string): Promise<void> {
  const directory = filesDirectory(state, goalId)
  // Most goals have none, and their outcome waits for this: removing nothing takes several turns of the event loop.
  if (existsSync(directory)) await rm(directory, { recursive: true, force: true })
}

function filesDirectory(state: string, goalId: string): string {
  return join(state, 'files', fileName(goalId))
}
