/** Where connections that steps share have their sockets. */
import { createHash } from 'node:crypto'
import { lstat, mkdir, rmdir } from 'node:fs/promises'

/** The directory below /tmp: the path of a socket may have 104 bytes, and ssh needs 57 of them behind it. */
const PARENT = '/tmp'

/**
 * The private directory for one state directory; the same at every call.
 * @throws Error when something else lies there that others could write to
 */
export async function connectionDirectory(state: string): Promise<string> {
  const uid = process.getuid?.() ?? 0
  const directory = `${PARENT}/cloudburst-${uid}-${createHash('sha256').update(state).digest('hex').slice(0, 10)}`
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  const found = await lstat(directory)
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0)
    throw new Error(`${directory} is not a private directory of this user: remove it`)
  return directory
}

/** Removes the directory unless a connection still has its socket in it. */
export async function dropConnectionDirectory(directory: string): Promise<void> {
  await rmdir(directory).catch(() => undefined)
}
