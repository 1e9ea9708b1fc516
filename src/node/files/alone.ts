/** One process at a time changes a file: the daemon and a command of the same home read, change and write the same ones. */
import { closeSync, openSync, rmSync, statSync } from 'node:fs'

/** A change takes milliseconds: whoever holds a lock for so long, in milliseconds, has died. */
const ABANDONED_AFTER_MS = 5_000
const WAIT_MS = 5

/** Does `change` while no other process changes the file at `path`. Returns what it returns. */
export function alone<T>(path: string, change: () => T): T {
  const lock = `${path}.lock`
  while (!taken(lock)) {
    if (isAbandoned(lock)) rmSync(lock, { force: true })
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS)
  }
  try {
    return change()
  } finally {
    rmSync(lock, { force: true })
  }
}

function taken(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function isAbandoned(lock: string): boolean {
  const stats = statSync(lock, { throwIfNoEntry: false })
  return stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS
}
