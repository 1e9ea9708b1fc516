/** Files with what a step needs and nobody else may read: scripts, key material. They live until their goal drops them. */
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileName } from '../runner/step-directory.ts'

/**
 * Writes `<state>/files/<goal id>/<name>` (0600 in 0700), whole or not at all; on disk on return.
 * @throws when `name` could name another place
 */
export async function writePrivateFile(state: string, goalId: string, name: string, text: string): Promise<string> {
  const directory = filesDirectory(state, goalId)
  const file = join(directory, fileName(name))
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const handle = await open(`${file}.new`, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await rename(`${file}.new`, file)
  return file
}

/** Removes what {@link writePrivateFile} wrote for this goal. */
export async function dropPrivateFiles(state: string, goalId: string): Promise<void> {
  await rm(filesDirectory(state, goalId), { recursive: true, force: true })
}

function filesDirectory(state: string, goalId: string): string {
  return join(state, 'files', fileName(goalId))
}
