import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Runners have sessions of their own: process ids of those whose command names a home below `directory`. */
export function runnersOf(directory: string): string[] {
  if (!existsSync('/proc/self')) return []
  return readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${directory}/`)
    } catch {
      return false
    }
  })
}
