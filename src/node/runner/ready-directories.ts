/**
 * Directories of steps that are made while the command before runs: making one and its four files takes as long as
 * starting a command does, putting one in its place takes a single change of the file system.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ERR, EXIT, META, OUT, type StepMeta } from './step-directory.ts'

/** Most that are ready at a time: as many commands as usually begin at once. */
const READY_MAX = 4
/** Name of their directory; no goal is called like this. */
const READY = '.ready'

export interface ReadyDirectories {
  /**
   * Puts a directory with `meta` and empty files at `directory`, at once and as a whole.
   * @returns false when there is something already, or none is ready: nothing has happened then
   */
  place(directory: string, meta: StepMeta): boolean
  /** Makes one more soon, when there are too few. To be called when there is a moment. */
  prepare(): void
}

/** @param steps the directory of all steps; what a runner before left ready is removed */
export function readyDirectories(steps: string): ReadyDirectories {
  const all = join(steps, READY)
  rmSync(all, { recursive: true, force: true })
  const ready: string[] = []
  let made = 0
  let preparing = false

  const make = (): void => {
    preparing = false
    const directory = join(all, `${process.pid}.${++made}`)
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      for (const name of [META, OUT, ERR, EXIT]) closeSync(openSync(join(directory, name), 'wx', 0o600))
      ready.push(directory)
    } catch {
      // A full disk: the next command finds that out by itself.
      rmSync(directory, { recursive: true, force: true })
    }
  }
  return {
    place: (directory, meta) => {
      // Somebody who follows its output may have made it, and looks at that very one.
      const from = existsSync(directory) ? undefined : ready.pop()
      if (from === undefined) return false
      try {
        writeFileSync(join(from, META), JSON.stringify(meta))
        moveTo(from, directory)
        return true
      } catch {
        rmSync(from, { recursive: true, force: true })
        return false
      }
    },
    prepare: () => {
      if (preparing || ready.length >= READY_MAX) return
      preparing = true
      setImmediate(make)
    }
  }
}

/** Fails where there is a directory with anything in it: whose step it is, is decided once. */
function moveTo(from: string, directory: string): void {
  try {
    renameSync(from, directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    // The first step of its goal.
    mkdirSync(dirname(directory), { recursive: true, mode: 0o700 })
    renameSync(from, directory)
  }
}
