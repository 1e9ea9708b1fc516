/** Seeds that were played, written down one by one, so that a long run can be interrupted and go on. */
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SimReport } from './simulate.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** Below node_modules: it says nothing about another checkout. */
const FILE = join(root, 'node_modules/.cache/cloudburst-seeds.jsonl')

/** What is kept of a report. */
export interface Played {
  readonly seed: number
  readonly nodes: number
  readonly troubles: readonly string[]
  readonly violations: readonly string[]
  readonly virtualMs: number
  /** Of the processor, in milliseconds. */
  readonly cpuMs: number
  readonly goals: number
  readonly executions: number
  readonly restarts: number
  readonly messages: number
  /** Of the product and the simulator with which it was played. */
  readonly sources: string
}

export interface Progress {
  readonly sources: string
  readonly played: ReadonlyMap<number, Played>
  add(played: Played): void
}

export function playedIn(report: SimReport, sources: string): Played {
  const { seed, nodes, trouble, attack, disks, violations, virtualMs, cpuMs, goals, executions, starts, messages } = report
  const troubles = [...trouble.kinds, ...[attack, disks].filter(each => each !== '')]
  const figures = { virtualMs, cpuMs: Math.round(cpuMs), goals: goals.sent, executions, restarts: starts - nodes, messages }
  return { seed, nodes, troubles, violations, ...figures, sources }
}

/** @param how `anew`: what was played is forgotten; `resume`: what was good counts whatever the sources were */
export function openProgress({ anew, resume }: { readonly anew: boolean; readonly resume: boolean }): Progress {
  mkdirSync(dirname(FILE), { recursive: true })
  if (anew) rmSync(FILE, { force: true })
  const sources = sourcesHash()
  const played = new Map<number, Played>()
  for (const line of linesOf(FILE)) {
    const one = JSON.parse(line) as Played
    if (one.sources === sources || (resume && one.violations.length === 0)) played.set(one.seed, one)
  }
  return {
    sources,
    played,
    add: one => {
      played.set(one.seed, one)
      appendFileSync(FILE, `${JSON.stringify(one)}\n`)
    }
  }
}

/** Whole lines: the last one may be half of one. */
function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
  }
}

function sourcesHash(): string {
  const hash = createHash('sha256')
  for (const directory of ['src', 'test/sim/world'])
    for (const name of readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' }).sort())
      if (name.endsWith('.ts')) hash.update(name).update(readFileSync(join(root, directory, name)))
  return hash.digest('hex').slice(0, 12)
}
