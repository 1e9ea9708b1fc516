/** A configuration file that is read again when it changes: the new one whole, or the old one still. */
import { type FSWatcher, existsSync, readFileSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { checkOnlyOursToWrite } from './file-safety.ts'

/** Editors write in several steps: this long after the last of them the file is read, in milliseconds. */
const SETTLE_MS = 50

/** The part of a logger that is needed here; pino's fits. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface LiveFile<T> {
  /** What the last good version of the file says. */
  readonly current: T
  /**
   * Reads the file now.
   * @throws CloudburstError why the new version is refused; the old one stays
   */
  reload(): void
  /** Called after each change of `current`; returns a function that ends this. */
  onChange(listener: (now: T, before: T) => void): () => void
  /** Stops watching. */
  close(): void
}

export interface LiveFileOptions<T> {
  readonly path: string
  readonly read: (text: string, path: string) => T
  /** What holds while there is no file; without it a missing file is an error. */
  readonly absent?: T
  readonly log: Log
}

/**
 * Reads the file, and again whenever it changes on disk. A version that is refused is logged and the old one stays.
 * @throws CloudburstError CB_FILE_UNSAFE, and whatever `read` throws, for the first version
 */
export function liveFile<T>(options: LiveFileOptions<T>): LiveFile<T> {
  const { path, log } = options
  const listeners = new Set<(now: T, before: T) => void>()
  let text = textOf(path)
  let current = meaning(text, options)
  let timer: NodeJS.Timeout | undefined
  const reload = (): void => {
    const newText = textOf(path)
    if (newText === text) return
    const before = current
    current = meaning(newText, options)
    text = newText
    log.info({ file: path }, 'configuration read again')
    for (const listener of listeners) listener(current, before)
  }
  const reloadOrSay = (): void => {
    try {
      reload()
    } catch (error) {
      log.error({ file: path, reason: error instanceof Error ? error.message : String(error) }, 'configuration refused, the old one stays')
    }
  }
  const watcher = watchFile(path, () => {
    clearTimeout(timer)
    timer = setTimeout(reloadOrSay, SETTLE_MS).unref()
  })
  return {
    get current() {
      return current
    },
    reload,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      clearTimeout(timer)
      watcher?.close()
    }
  }
}

function textOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  checkOnlyOursToWrite(path)
  return readFileSync(path, 'utf8')
}

function meaning<T>(text: string | undefined, { path, read, absent }: LiveFileOptions<T>): T {
  if (text === undefined && absent !== undefined) return absent
  return read(text ?? readFileSync(path, 'utf8'), path)
}

/** The directory is watched, because a file that is replaced by rename is another file. */
function watchFile(path: string, changed: () => void): FSWatcher | undefined {
  if (!existsSync(dirname(path))) return undefined
  const name = basename(path)
  const watcher = watch(dirname(path), { persistent: false }, (_event, file) => {
    if (file === null || file === name) changed()
  })
  watcher.on('error', () => undefined)
  return watcher
}
