/** What several suspended goals have in common: the same step failed in the same way with the same last words. */
import { createHash } from 'node:crypto'
import type { RunSummary, Suspension } from '../pursuit/summary.ts'

/** Characters of a cause's id: enough to tell apart what fails on one day, short enough to type. */
const ID_CHARS = 8

export interface Cause {
  /** Hash of all the rest. */
  readonly id: string
  readonly code: Suspension['code']
  /** The step without its items; absent where no step has failed. */
  readonly step?: string
  /** `exited 1`, `timed-out`. */
  readonly exit?: string
  /** The last line of its output, or else the reason. */
  readonly last: string
}

/** Suspended goals with one cause, those that wait longest first. */
export interface Caused<Run extends RunSummary = RunSummary> {
  readonly cause: Cause
  readonly runs: readonly Run[]
}

/** The cause of a suspension as `goal ID` tells it. Goals of one program that were sent to many nodes have the same one. */
export function causeOf({ code, step, reason }: Suspension): Cause {
  const lines = (step?.tail ?? '').trim().split('\n')
  const known = {
    code,
    ...(step !== undefined && { step: withoutItems(step.step) }),
    ...(step?.exit !== undefined && { exit: exitKind(step.exit) }),
    last: lines.at(-1)?.trim() || (step?.exit === undefined ? reason : withoutTime(reason))
  }
  const id = createHash('sha256').update(JSON.stringify(known)).digest('hex').slice(0, ID_CHARS)
  return { id, ...known }
}

/** `exited with 4 after 13 ms` → `exited with 4`: of those that say nothing each has taken another time. */
function withoutTime(reason: string): string {
  return reason.replace(/ after [\d.]+ \w+/, '').replace(/; \d+ more failed beside it$/, '')
}

/** Suspended goals by cause: the cause of most goals first. */
export function byCause<Run extends RunSummary>(runs: readonly Run[]): readonly Caused<Run>[] {
  const groups = new Map<string, { cause: Cause; runs: Run[] }>()
  for (const run of runs.toSorted((a, b) => a.updatedAt - b.updatedAt)) {
    if (run.suspended === undefined) continue
    const cause = causeOf(run.suspended)
    const group = groups.get(cause.id) ?? { cause, runs: [] }
    groups.set(cause.id, group)
    group.runs.push(run)
  }
  return [...groups.values()].toSorted((a, b) => b.runs.length - a.runs.length)
}

/** `site/apache/copy[web1]` → `site/apache/copy` */
function withoutItems(step: string): string {
  return step.replaceAll(/\[[^\]]*\]/g, '')
}

function exitKind(exit: NonNullable<NonNullable<Suspension['step']>['exit']>): string {
  switch (exit.kind) {
    case 'exited':
      return `exited ${exit.code}`
    case 'signalled':
      return `signalled ${exit.signal}`
    default:
      return exit.kind
  }
}
