import { randomBytes } from 'node:crypto'
import { closeSync, fchmodSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
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
