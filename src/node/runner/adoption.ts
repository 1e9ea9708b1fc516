/** Commands that an earlier runner started: they are not our children, so their end is seen by looking. */
import { watch } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { readExitFile } from './exit-file.ts'
import { isShellOf } from './process-group.ts'

/** A command started by a runner that is gone. */
export interface Adopted {
  /** Of its process group; undefined when its shell never came to write it down. */
  readonly pid: number | undefined
  /** Resolves when the shell has written how it ended, or is gone without. */
  readonly gone: Promise<void>
}

/** How long a shell that was just forked may take to write its first line, in milliseconds. */
const FIRST_LINE_MS = 1_000
/** How often it is looked whether the shell still lives, in milliseconds; its last word is seen at once by watching the file. */
const LOOK_EVERY_MS = 250

/** Finds the command of the step in `directory` again. */
export async function adopt(directory: string): Promise<Adopted> {
  const deadline = performance.now() + FIRST_LINE_MS
  while (readExitFile(directory).pid === undefined && performance.now() < deadline) await wait(20)
  const { pid } = readExitFile(directory)
  return { pid, gone: pid === undefined ? Promise.resolve() : untilGone(directory, pid) }
}

function untilGone(directory: string, pid: number): Promise<void> {
  return new Promise(resolve => {
    const look = (): void => {
      // Alive is asked first: what ends between the two questions has written its last word.
      const alive = isShellOf(directory, pid)
      if (alive && readExitFile(directory).code === undefined) return
      clearInterval(timer)
      watcher.close()
      resolve()
    }
    const watcher = watch(directory, look)
    watcher.on('error', () => undefined)
    const timer = setInterval(look, LOOK_EVERY_MS)
    look()
  })
}
