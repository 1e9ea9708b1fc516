/**
 * The audit log: one JSON line for each allow and deny, each with the hash of the line before it, so that a missing line shows.
 * Beside it stands the head, how many lines there are and the hash of the last, so that a missing or changed end shows too.
 */
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeSync
} from 'node:fs'
import { dirname } from 'node:path'
import type { Capability } from '../../crypto/capability.ts'
import type { Subject } from './decide.ts'

/** Longest audit log, in bytes, before it is put aside as `audit.log.1` (the one before that is dropped). The chain goes on. */
export const AUDIT_BYTES_MAX = 64 * 1024 * 1024
/** Longest line, in bytes, to be found at the end of a log. */
const LINE_BYTES_MAX = 64 * 1024
/** Most that is written of a word that whoever asks has chosen, of a reason, and of a list of variables. */
const WORD_CHARS_MAX = 128
const REASON_CHARS_MAX = 256
const VARS_MAX = 4
/** What the first line of a log follows. */
export const GENESIS = '0'.repeat(64)
/** The head is rewritten in place with every line: always as long, in bytes, so that no rest of an older one stands behind it. */
const HEAD_BYTES = 256

/** One decision, or one event of trust such as a session that ended. */
export interface AuditEntry {
  readonly decision: 'allow' | 'deny'
  readonly peer: string
  readonly node?: string
  readonly email?: string
  readonly capability?: Capability
  readonly what?: Subject
  readonly reason: string
  /** So many decisions alike, the first of them at `since` (ISO 8601); absent for one. */
  readonly times?: number
  readonly since?: string
}

export interface Audit {
  /**
   * Appends one line: safe from a crash of the daemon on return, from one of the host when the kernel has written it.
   * Never throws: when the disk is full, a later line says how many were lost.
   */
  record(entry: AuditEntry): void
  close(): void
}

/** Opens or makes the log at `path`, mode 0600, and goes on with its chain. `now` gives epoch milliseconds. */
export function openAudit(path: string, now: () => number = Date.now): Audit {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let previous = existsSync(path) ? hashOfLastLine(path) : GENESIS
  let file = openSync(path, 'a', 0o600)
  let bytes = fstatSync(file).size
  let lost = 0
  const headFile = openSync(headOf(path), 'a+', 0o600)
  closeSync(headFile)
  const head = openSync(headOf(path), 'r+')
  let { first, lines } = startOf(path, previous)
  const writeHead = (): void => {
    writeSync(head, `${JSON.stringify({ first, lines, last: previous })}`.padEnd(HEAD_BYTES - 1).concat('\n'), 0)
  }
  try {
    writeHead()
  } catch {
    // The disk is full: the first line that can be written brings its head along.
  }
  const append = (entry: object): void => {
    const line = `${JSON.stringify({ at: new Date(now()).toISOString(), ...entry, previous })}\n`
    if (bytes + line.length > AUDIT_BYTES_MAX) {
      closeSync(file)
      renameSync(path, `${path}.1`)
      file = openSync(path, 'a', 0o600)
      bytes = 0
      lines = 0
      first = previous
    }
    bytes += writeSync(file, line)
    previous = hash(line)
    lines++
    writeHead()
  }
  return {
    record(entry) {
      try {
        if (lost > 0) append({ lost })
        lost = 0
        append(shortened(entry))
      } catch (error) {
        // A full disk must not keep anybody from looking at this node, nor end it; the gap is said as soon as it can be.
        if (lost++ === 0) process.emitWarning(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
      }
    },
    close() {
      closeSync(file)
      closeSync(head)
    }
  }
}

/** An entry as it is written: enough to know what was asked, and no more. A peer is not to fill the log, or this process, by long words. */
export function shortened(entry: AuditEntry): AuditEntry {
  const { what } = entry
  if (what === undefined) return { ...entry, reason: cut(entry.reason, REASON_CHARS_MAX) }
  const { program, programName, goal, vars } = what
  const short = {
    ...what,
    ...(program !== undefined && { program: cut(program) }),
    ...(programName !== undefined && { programName: cut(programName) }),
    ...(goal !== undefined && { goal: cut(goal) }),
    ...(vars !== undefined && {
      vars:
        vars.length > VARS_MAX + 1
          ? [...vars.slice(0, VARS_MAX).map(word => cut(word)), `… ${vars.length} of them`]
          : vars.map(word => cut(word))
    })
  }
  return { ...entry, what: short, reason: cut(entry.reason, REASON_CHARS_MAX) }
}

function cut(text: string, charsMax = WORD_CHARS_MAX): string {
  return text.length > charsMax ? `${text.slice(0, charsMax)}…` : text
}

/** What the head says: the hash before the first line of the log, how many lines it has, and the hash of the last. */
export interface AuditHead {
  readonly first: string
  readonly lines: number
  readonly last: string
}

/** Where the head of a log stands. */
export function headOf(path: string): string {
  return `${path}.head`
}

/** What the head has to go on with: itself when it agrees with the log, else what the log says. */
function startOf(path: string, previous: string): { first: string; lines: number } {
  const head = readHead(path)
  if (head?.last === previous) return head
  const lines = existsSync(path) && statSync(path).isFile() ? linesOf(path) : []
  return { first: lines[0] === undefined ? previous : (claimedPrevious(lines[0]) ?? GENESIS), lines: lines.length }
}

/** The head of the log at `path`; undefined when there is none that can be read. */
export function readHead(path: string): AuditHead | undefined {
  try {
    const head = JSON.parse(readFileSync(headOf(path), 'utf8')) as AuditHead
    return typeof head.last === 'string' && Number.isSafeInteger(head.lines) ? head : undefined
  } catch {
    return undefined
  }
}

/** The whole lines of a log, without their ends. */
export function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1)
}

/** What a line says it follows; undefined for a line that was cut short. */
export function claimedPrevious(line: string): string | undefined {
  try {
    const { previous } = JSON.parse(line) as { previous?: unknown }
    return typeof previous === 'string' ? previous : undefined
  } catch {
    return undefined
  }
}

/** Of a line with its end, as the next one names it. */
export function hash(line: string): string {
  return createHash('sha256').update(line).digest('hex')
}

function hashOfLastLine(path: string): string {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const tail = Buffer.alloc(Math.min(size, LINE_BYTES_MAX))
    readSync(file, tail, 0, tail.length, size - tail.length)
    const text = tail.toString('utf8')
    const start = text.lastIndexOf('\n', text.length - 2) + 1
    if (size === 0) return GENESIS
    if (text.endsWith('\n')) return hash(text.slice(start))
    // A crash of the machine cut the last line: end it, so that the next one stands alone.
    appendFileSync(path, '\n')
    return hash(`${text.slice(start)}\n`)
  } finally {
    closeSync(file)
  }
}
