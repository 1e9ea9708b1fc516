import type { Played } from './progress.ts'
import type { SimReport } from './simulate.ts'

export interface SimSummary extends Pick<Played, 'virtualMs' | 'cpuMs' | 'goals' | 'executions' | 'restarts' | 'messages'> {
  readonly seeds: number
  readonly violated: readonly number[]
}

/** Many simulations as one. */
export function summarise(reports: readonly Played[]): SimSummary {
  const sum = (of: (report: Played) => number): number => reports.reduce((total, report) => total + of(report), 0)
  return {
    seeds: reports.length,
    violated: reports.filter(({ violations }) => violations.length > 0).map(({ seed }) => seed),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    goals: sum(({ goals }) => goals),
    executions: sum(({ executions }) => executions),
    restarts: sum(({ restarts }) => restarts),
    messages: sum(({ messages }) => messages)
  }
}

/** One line for people and for the output of CI. */
export function summaryLine({ seeds, violated, virtualMs, cpuMs, goals, executions, restarts, messages }: SimSummary): string {
  const bad = violated.length === 0 ? '0 violations' : `violations in seeds ${violated.toSorted((a, b) => a - b).join(', ')}`
  const hours = (virtualMs / 3_600_000).toFixed(1)
  const pace = `${(virtualMs / cpuMs).toFixed(0)}× real time`
  return `sim: ${seeds} seeds, ${bad}; ${hours} h of ${goals} goals, ${executions} commands, ${restarts} restarts, ${messages} messages; ${pace}`
}

/** One mesh in one line. */
export function paceLine({ nodes, virtualMs, cpuMs, goals, messages }: SimReport): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1)
  const pace = (virtualMs / cpuMs).toFixed(1)
  return `${nodes} nodes: ${seconds(virtualMs)} s with ${goals.sent} goals and ${messages} messages in ${seconds(cpuMs)} s of the processor: ${pace}× real time`
}
