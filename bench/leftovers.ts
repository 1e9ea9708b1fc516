/** What a benchmark must not leave behind, however it ends: directories and processes of its own. */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const directories = new Set<string>()
const children = new Set<ChildProcess>()
const ends = new Set<() => void>()

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  for (const end of ends) end()
  // Those just ended may still be writing their last.
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** A new directory, removed at the end of this process at the latest. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cloudburst-bench-'))
  directories.add(directory)
  return directory
}

/** Removes it now. */
export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
  directories.delete(directory)
}

/** Ends with this process at the latest. */
export function ours<C extends ChildProcess>(child: C): C {
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Called when this process ends, for what is not its child: at once, without waiting. */
export function atTheEnd(end: () => void): void {
  ends.add(end)
}

/**
 * Runs `work` and afterwards, also when it throws, whatever it gave to `later`, last first.
 * @throws whatever `work` throws, or else what the first of the others throws
 */
export async function cleanly<T>(work: (later: (undo: () => Promise<void> | void) => void) => Promise<T>): Promise<T> {
  const undos: (() => Promise<void> | void)[] = []
  try {
    return await work(undo => undos.push(undo))
  } finally {
    for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) await undo()
  }
}
