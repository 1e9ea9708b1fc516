/** The audit log: one JSON line for each allow and deny, each with the hash of the line before it, so that a missing line shows. */
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
  writeSync
} from 'node:fs'
import { dirname } from 'node:path'
import type { Capability } from '../../crypto/capability.ts'
import { CloudburstError } from '../../errors.ts'
import type { Subject } from './decide.ts'

/** Longest audit log, in bytes, before it is put aside as `audit.log.1` (the one before that is dropped). The chain goes on. */
export const AUDIT_BYTES_MAX = 64 * 1024 * 1024
/** Longest line, in bytes: every field is bounded by the shapes of requests. */
const LINE_BYTES_MAX = 64 * 1024
const GENESIS = '0'.repeat(64)

/** One decision, or one event of trust such as a session that ended. */
export interface AuditEntry {
  readonly decision: 'allow' | 'deny'
  readonly peer: string
  readonly node?: string
  readonly email?: string
  readonly capability?: Capability
  readonly what?: Subject
  readonly reason: string
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
  const append = (entry: object): void => {
    const line = `${JSON.stringify({ at: new Date(now()).toISOString(), ...entry, previous })}\n`
    if (bytes + line.length > AUDIT_BYTES_MAX) {
      closeSync(file)
      renameSync(path, `${path}.1`)
      file = openSync(path, 'a', 0o600)
      bytes = 0
    }
    bytes += writeSync(file, line)
    previous = hash(line)
  }
  return {
    record(entry) {
      try {
        if (lost > 0) append({ lost })
        lost = 0
        append(entry)
      } catch (error) {
        // A full disk must not keep anybody from looking at this node, nor end it; the gap is said as soon as it can be.
        if (lost++ === 0) process.emitWarning(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
      }
    },
    close() {
      closeSync(file)
    }
  }
}

/**
 * Checks the chain of a log.
 * @returns how many lines it has
 * @throws CloudburstError CB_STORE_DAMAGED with the number of the first line that does not follow the one before it
 */
export function verifyAudit(path: string, first = GENESIS): number {
  let previous = first
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  lines.forEach((line, at) => {
    if (claimedPrevious(line) !== previous)
      throw new CloudburstError('CB_STORE_DAMAGED', `${path}:${at + 1}: this line does not follow the one before it`)
    previous = hash(`${line}\n`)
  })
  return lines.length
}

/** Undefined for a line that was cut short. */
function claimedPrevious(line: string): unknown {
  try {
    return (JSON.parse(line) as { previous?: unknown }).previous
  } catch {
    return undefined
  }
}

function hash(line: string): string {
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
