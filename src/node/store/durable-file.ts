/** Files that are there, whole, after a power cut. */
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces a file in one piece; on return its content and its name are on disk. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const fresh = `${file}.new`
  const handle = await open(fresh, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(fresh, file)
  await syncPath(dirname(file))
}

/** Brings a file, or the names in a directory, to disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
