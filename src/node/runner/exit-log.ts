/**
 * How commands ended, synced: what a step's own files may lose in a host crash is here.
 * One line of JSON each. Commands that end together share one sync.
 */
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Ended } from './exit-file.ts'

/** One line: the step's directory below `steps/`, and how it ended. */
interface Line extends Ended {
  readonly step: string
}

/** An open log. */
export interface ExitLog {
  /** On disk on return. */
  append(step: string, ended: Ended): Promise<void>
  /** What was recorded for a step, in this or the previous file, or is just being. */
  find(step: string): Promise<Ended | undefined>
  close(): Promise<void>
}

/**
 * Size of a file, in bytes, written full of zeros when it is made: a write that makes a file longer would sync the
 * file system's own journal with it, and with that every directory made since (measured: 0.2 against 4 ms).
 * Some five thousand exits; the file before is kept, so far more than are in flight can be found.
 */
const FILE_BYTES = 1024 * 1024

/**
 * Exits are gathered for so long, in milliseconds, before they share a sync: nobody waits for it, since the daemon's journal has them
 * on disk sooner when there is one, and its syncs go faster the fewer there are beside them.
 */
const GATHERED_MS = 20

/** Opens `exits` in the directory of all steps. */
export async function openExitLog(directory: string): Promise<ExitLog> {
  const file = join(directory, 'exits')
  const previous = join(directory, 'exits.1')
  let handle: FileHandle | undefined
  let end = 0
  let waiting: { line: string; resolve: () => void; reject: (error: unknown) => void }[] = []
  let running: Promise<void> | undefined

  const openFile = async (): Promise<FileHandle> => {
    if (!existsSync(file)) await makeFile(file)
    end = readLog(file).length
    handle = await open(file, 'r+')
    return handle
  }
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        await write(Buffer.from(group.map(({ line }) => line).join('')))
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    running = undefined
  }
  const write = async (text: Buffer): Promise<void> => {
    let into = handle ?? (await openFile())
    if (end + text.length > FILE_BYTES) {
      await into.close()
      handle = undefined
      renameSync(file, previous)
      into = await openFile()
    }
    await into.write(text, 0, text.length, end)
    await into.datasync()
    end += text.length
  }

  return {
    append: (step, ended) =>
      new Promise((resolve, reject) => {
        // A cut line of before would swallow this one, so each begins on its own.
        waiting.push({ line: `\n${JSON.stringify({ step, ...ended } satisfies Line)}\n`, resolve, reject })
        running ??= wait(GATHERED_MS).then(drain)
      }),
    find: async step => {
      await running
      return lookUp(file, step) ?? lookUp(previous, step)
    },
    close: async () => {
      await running
      await handle?.close()
    }
  }
}

async function makeFile(file: string): Promise<void> {
  await writeFile(`${file}.new`, Buffer.alloc(FILE_BYTES), { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}

/** What was written, without the zeros behind it. */
function readLog(file: string): Buffer {
  const bytes = readFileSync(file)
  const end = bytes.indexOf(0)
  return end === -1 ? bytes : bytes.subarray(0, end)
}

function lookUp(file: string, step: string): Ended | undefined {
  if (!existsSync(file)) return undefined
  const lines = readLog(file).toString().split('\n')
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
