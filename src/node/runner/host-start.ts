/**
 * Since when this host has been up, as far as commands are concerned: what was begun before is in doubt, because a host
 * that goes down takes files with it that were not synced. Told by the kernel's boot id and not by the clock, which jumps.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { stepsDirectory } from './step-directory.ts'

interface Mark {
  /** The kernel's id of the present start of the host. */
  readonly boot: string
  /** Epoch milliseconds when it was first seen here: everything begun later was begun under it. */
  readonly since: number
}

/** Doubt about the time of the host's start where there is no boot id, in milliseconds: clocks are set after it. */
const HOST_START_DOUBT_MS = 60_000

/**
 * Epoch milliseconds from which on whatever was begun was begun under the present start of the host. Noted at the first
 * call after each; not synced, since losing the note makes doubt and never certainty.
 */
export function hostSince(state: string): number {
  const boot = bootId()
  if (boot === undefined) return Date.now() - uptime() * 1_000 + HOST_START_DOUBT_MS
  const file = join(stepsDirectory(state), 'host')
  const known = readMark(file)
  if (known?.boot === boot) return known.since
  const mark: Mark = { boot, since: Date.now() }
  mkdirSync(stepsDirectory(state), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(mark), { mode: 0o600 })
  renameSync(`${file}.${process.pid}`, file)
  return mark.since
}

/** Time since the host's start in milliseconds: unlike the clock it does not jump. */
export function upMs(): number {
  return Math.round(uptime() * 1_000)
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined
  }
}

function readMark(file: string): Mark | undefined {
  try {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Partial<Mark>
    return typeof read.boot === 'string' && typeof read.since === 'number' ? { boot: read.boot, since: read.since } : undefined
  } catch {
    return undefined
  }
}
