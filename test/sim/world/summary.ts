import type { SimReport } from './simulate.ts'

export interface SimSummary {
  readonly seeds: number
  readonly violated: readonly number[]
  readonly virtualMs: number
  readonly goals: number
  readonly executions: number
  readonly starts: number
  readonly messages: number
}

/** Many simulations as one. */
export function summarise(reports: readonly SimReport[]): SimSummary {
  const sum = (of: (report: SimReport) => number): number => reports.reduce((total, report) => total + of(report), 0)
  return {
    seeds: reports.length,
    violated: reports.filter(({ violations }) => violations.length > 0).map(({ seed }) => seed),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    goals: sum(({ goals }) => goals.sent),
    executions: sum(({ executions }) => executions),
    starts: sum(({ starts, nodes }) => starts - nodes),
    messages: sum(({ messages }) => messages)
  }
}

/** One line for people and for the output of CI. */
export function summaryLine({ seeds, violated, virtualMs, goals, executions, starts, messages }: SimSummary, wallMs: number): string {
  const bad = violated.length === 0 ? '0 violations' : `violations in seeds ${violated.toSorted((a, b) => a - b).join(', ')}`
  const hours = (virtualMs / 3_600_000).toFixed(1)
  const pace = `${(virtualMs / wallMs).toFixed(0)}× real time`
  return `sim: ${seeds} seeds, ${bad}; ${hours} h of ${goals} goals, ${executions} commands, ${starts} restarts, ${messages} messages; ${pace}`
}
