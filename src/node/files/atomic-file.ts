/** Files that are there whole or not at all: the one place where one is written beside and put in its place. */
import { randomBytes } from 'node:crypto'
import { closeSync, fchmodSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a whole file or leaves the old one: temporary file, fsync, rename, fsync of the directory. Durable on return. */
export function replaceFile(path: string, text: string, mode: number): void {
  const beside = writeBeside(path, text, mode)
  renameSync(beside, path)
  syncDirectory(dirname(path))
}

/**
 * Writes a file that must not exist yet: whoever comes second changes nothing. Durable on return.
 * @returns false when there was one
 */
export function createFile(path: string, text: string, mode: number): boolean {
  const beside = writeBeside(path, text, mode)
  try {
    linkSync(beside, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(beside)
    syncDirectory(dirname(path))
  }
}

function writeBeside(path: string, text: string, mode: number): string {
  const beside = `${path}.${randomBytes(6).toString('hex')}`
  const file = openSync(beside, 'wx', mode)
  try {
    fchmodSync(file, mode)
    writeSync(file, text)
    fsyncSync(file)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
  return beside
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** How {@link replaceWhole} replaces. */
export interface Replacing {
  readonly mode: number
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** Nobody else writes in that directory: what a crash leaves beside the file has one name, and is written over the next time. */
  readonly alone?: boolean
  /**
   * What is on disk on return. `name` (unless given): the file under its name. `content`: only what is in it, so that after
   * a power cut there is the old file or the new one, whole; for what can be written again, since it saves a sync.
   */
  readonly durable?: 'name' | 'content'
}

/**
 * As {@link replaceFile}, without holding up this process, with what `fill` writes.
 * @param fill text, or what writes it
 */
export async function replaceWhole(
  path: string,
  fill: string | ((into: FileHandle) => Promise<void>),
  { mode, owner, alone = false, durable = 'name' }: Replacing
): Promise<void> {
  const beside = alone ? `${path}.new` : `${path}.${randomBytes(6).toString('hex')}`
  const handle = await open(beside, alone ? 'w' : 'wx', 0o600)
  try {
    if (typeof fill === 'string') await handle.writeFile(fill)
    else await fill(handle)
    if (owner !== undefined) await handle.chown(owner.uid, owner.gid)
    await handle.chmod(mode)
    await handle.sync()
    await handle.close()
    await rename(beside, path)
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(beside, { force: true })
    throw error
  }
  if (durable === 'name') await syncPath(dirname(path))
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
