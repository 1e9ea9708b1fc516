import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { machine } from '../../../bench/result.ts'

const FILE = fileURLToPath(new URL('../../../bench/results/sim.json', import.meta.url))

/** Puts what was measured into bench/results/sim.json, in the place of what was there under this name. */
export function record(name: string, command: string, loadBefore: number, measured: object): void {
  const all = read()
  const load = [loadBefore, loadavg()[0]!].map(each => Math.round(each * 100) / 100)
  all[name] = { at: new Date().toISOString(), machine: machine(), load, command, ...measured }
  writeFileSync(FILE, `${JSON.stringify(all, undefined, 2)}\n`)
}

function read(): Record<string, object> {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, object>
  } catch {
    return {}
  }
}
