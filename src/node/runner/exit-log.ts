/**
 * How commands ended, synced: what a step's own files may lose in a host crash is here.
 * One line of JSON each. Commands that end together share one sync.
 */
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ended } from './exit-file.ts'

/** One line: the step's directory below `steps/`, and how it ended. */
interface Line extends Ended {
  readonly step: string
}

/** An open log. */
export interface ExitLog {
  /** On disk on return. */
  append(step: string, ended: Ended): Promise<void>
  /** What was recorded for a step, in this or the previous file. */
  find(step: string): Ended | undefined
  close(): Promise<void>
}

/** Then a new file begins, in bytes; the one before is kept: some ten thousand exits, far more than are in flight. */
const FILE_BYTES_MAX = 1024 * 1024

/** Opens `exits` in the directory of all steps. */
export async function openExitLog(directory: string): Promise<ExitLog> {
  const file = join(directory, 'exits')
  const previous = join(directory, 'exits.1')
  let handle: FileHandle | undefined
  let size = 0
  let waiting: { line: string; resolve: () => void; reject: (error: unknown) => void }[] = []
  let running: Promise<void> | undefined

  const openFile = async (): Promise<FileHandle> => {
    handle = await open(file, 'a', 0o600)
    size = (await handle.stat()).size
    return handle
  }
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        if (size > FILE_BYTES_MAX) await rotate()
        const into = handle ?? (await openFile())
        const text = group.map(({ line }) => line).join('')
        await into.appendFile(text)
        await into.datasync()
        size += text.length
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    running = undefined
  }
  const rotate = async (): Promise<void> => {
    await handle?.close()
    handle = undefined
    renameSync(file, previous)
    size = 0
  }

  if (existsSync(file)) size = statSync(file).size
  return {
    append: (step, ended) =>
      new Promise((resolve, reject) => {
        // A cut line of before would swallow this one, so each begins on its own.
        waiting.push({ line: `\n${JSON.stringify({ step, ...ended } satisfies Line)}\n`, resolve, reject })
        running ??= Promise.resolve().then(drain)
      }),
    find: step => lookUp(file, step) ?? lookUp(previous, step),
    close: async () => {
      await running
      await handle?.close()
    }
  }
}

function lookUp(file: string, step: string): Ended | undefined {
  if (!existsSync(file)) return undefined
  const lines = readFileSync(file, 'utf8').split('\n')
  for (const line of lines.reverse()) {
    if (!line.includes(step)) continue
    const read = parse(line)
    if (read?.step === step) return { exit: read.exit, durationMs: read.durationMs }
  }
  return undefined
}

function parse(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line
  } catch {
    return undefined
  }
}
