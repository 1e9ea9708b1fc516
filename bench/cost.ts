/** What a daemon spends, as the kernel counts it: that holds on a machine that does other work too. */
import { readFileSync } from 'node:fs'

/** Of /proc/<pid>/stat, in milliseconds. Source: proc(5), getconf CLK_TCK */
const TICK_MS = 10

export interface Cost {
  readonly cpuMs: number
  /** Read and written, files included. */
  readonly bytes: number
}

/** What a process has spent so far. Source: proc(5) */
export function costOf({ process: { pid } }: { readonly process: { readonly pid?: number | undefined } }): Cost {
  const [, , ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/\(.*\)/, '')
    .split(' ')
  const io = readFileSync(`/proc/${pid}/io`, 'utf8')
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? 0)
  // utime and stime are the 14th and 15th of all, the 12th and 13th behind pid and name.
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS, bytes: field('rchar') + field('wchar') }
}
