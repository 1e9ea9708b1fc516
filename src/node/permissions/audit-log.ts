/** Reading the audit log of a home: what it says, whether it is whole, and what comes. Needs no daemon. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import { type AuditEntry, claimedPrevious, GENESIS, hash, headOf, linesOf, readHead } from './audit.ts'

/** One line as it is shown. */
export type AuditLine = Partial<AuditEntry> & {
  /** ISO 8601. */
  readonly at: string
  /** So many lines could not be written before this one: the disk was full. */
  readonly lost?: number
}

/** A log that is whole. */
export interface AuditCheck {
  readonly lines: number
  /** The log that was put aside when it had grown too long is part of it. */
  readonly files: readonly string[]
  /** ISO 8601, of the first and last line. */
  readonly from?: string
  readonly until?: string
  /** Hash of the last line: written down elsewhere, it proves later that nothing before it was changed. */
  readonly head: string
}

/** Bytes read at a time while following. */
const READ_BYTES = 64 * 1024

/** The files of a log, the older one first. */
export function auditFiles(path: string): readonly string[] {
  return [`${path}.1`, path].filter(file => existsSync(file))
}

/** The last `limit` entries, oldest first. Lines that are none are left out: `verify` is who complains. */
export function readAudit(path: string, limit = Number.POSITIVE_INFINITY): readonly AuditLine[] {
  const found: AuditLine[] = []
  for (const file of [...auditFiles(path)].reverse()) {
    if (found.length >= limit) break
    found.unshift(...linesOf(file).flatMap(entryOf))
  }
  return found.slice(Math.max(0, found.length - limit))
}

/**
 * Checks the chain of the log at `path`, with the one that was put aside, and its end against the head.
 * @throws CloudburstError CB_AUDIT_DAMAGED with `file:line` of the first line that does not follow the one before it, or
 *   saying how many lines are missing at the end
 */
export function checkAudit(path: string): AuditCheck {
  const files = auditFiles(path)
  // What was before the log that was put aside is gone: the first line there is believed about it.
  const [oldest] = files.length > 1 ? linesOf(files[0]!) : []
  let previous = oldest === undefined ? GENESIS : (claimedPrevious(oldest) ?? GENESIS)
  const counted = files.map(file => {
    const lines = linesOf(file)
    previous = follow(file, lines, previous)
    return lines
  })
  checkEnd(path, files, counted.at(-1) ?? [], previous)
  const all = counted.flat()
  const [from, until] = [all[0], all.at(-1)].map(line => (line === undefined ? undefined : entryOf(line)[0]?.at))
  return { lines: all.length, files, ...(from !== undefined && { from }), ...(until !== undefined && { until }), head: previous }
}

/** Hash of the last line. */
function follow(file: string, lines: readonly string[], first: string): string {
  let previous = first
  lines.forEach((line, at) => {
    if (claimedPrevious(line) !== previous) throw damaged(`${file}:${at + 1}: this line does not follow the one before it`, file)
    previous = hash(`${line}\n`)
  })
  return previous
}

/** The daemon may have written lines since the head was read, and one more than the head says; never fewer. */
function checkEnd(path: string, files: readonly string[], lines: readonly string[], last: string): void {
  const file = files.at(-1)
  const head = readHead(path)
  if (head === undefined) {
    if (file === undefined) return
    throw damaged(`${headOf(path)} is missing or unreadable: whether the end of the log is there cannot be told`, path)
  }
  if (file === undefined || lines.length < head.lines) {
    throw damaged(`${path}: it had ${head.lines} lines and has ${lines.length}: its end was cut off`, path)
  }
  const upTo = lines.length === head.lines ? last : claimedPrevious(lines[head.lines] ?? '')
  if (upTo !== head.last) throw damaged(`${path}:${head.lines}: this line is not the one that was written`, path)
}

/** New entries as they are written, until `signal` fires; those that are there already are not told. */
export async function* followAudit(path: string, signal: AbortSignal): AsyncGenerator<AuditLine> {
  let wake = (): void => undefined
  const watcher = watch(dirname(path), { persistent: true }, (_event, name) => {
    if (name === null || name === basename(path)) wake()
  })
  signal.addEventListener('abort', () => wake(), { once: true })
  let tail = openTail(path, true)
  try {
    while (!signal.aborted) {
      // Asked for before the file is read: what is written meanwhile wakes this one.
      const news = new Promise<void>(resolve => {
        wake = resolve
      })
      for (const line of tail?.read() ?? []) yield* entryOf(line)
      if (tail === undefined || tail.isOld()) {
        for (const line of tail?.read() ?? []) yield* entryOf(line)
        tail?.close()
        tail = openTail(path, false)
        if (tail !== undefined) continue
      }
      if (!signal.aborted) await news
    }
  } finally {
    watcher.close()
    tail?.close()
  }
}

interface Tail {
  read(): string[]
  /** Put aside meanwhile. */
  isOld(): boolean
  close(): void
}

function openTail(path: string, atEnd: boolean): Tail | undefined {
  if (!existsSync(path)) return undefined
  const file = openSync(path, 'r')
  const { ino, size } = fstatSync(file)
  let offset = atEnd ? size : 0
  let held = ''
  return {
    read() {
      const chunk = Buffer.alloc(READ_BYTES)
      for (let got = readSync(file, chunk, 0, READ_BYTES, offset); got > 0; got = readSync(file, chunk, 0, READ_BYTES, offset)) {
        offset += got
        held += chunk.toString('latin1', 0, got)
      }
      const lines = held.split('\n')
      held = lines.pop() ?? ''
      return lines.map(line => Buffer.from(line, 'latin1').toString('utf8'))
    },
    isOld: () => !existsSync(path) || statSync(path).ino !== ino,
    close: () => closeSync(file)
  }
}

function entryOf(line: string): AuditLine[] {
  try {
    const entry = JSON.parse(line) as AuditLine
    return typeof entry === 'object' && entry !== null && typeof entry.at === 'string' ? [entry] : []
  } catch {
    return []
  }
}

function damaged(message: string, file: string): CloudburstError {
  return new CloudburstError('CB_AUDIT_DAMAGED', message, { file })
}
