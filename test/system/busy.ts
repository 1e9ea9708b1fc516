/** How busy the machine is with other things: figures that are measured beside them say nothing. */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

/** Share of all cores that others may use while something is measured. */
const BUSY_MAX = 0.3
/** How long to look each time, in milliseconds. */
const LOOK_MS = 1_000

/** How much slower than alone: on a machine whose cores are wanted several times over, what a figure promises takes as many times as long. */
export function slower(): number {
  return Math.max(1, (loadavg()[0] ?? 1) / availableParallelism())
}

/** Share of all cores that is used within the next second, 0 to 1. Asked while nothing of the test's own runs, it is that of others. */
export async function busyShare(): Promise<number> {
  const before = spent()
  await pause(LOOK_MS)
  const after = spent()
  const all = after.all - before.all
  return all <= 0 ? 0 : 1 - (after.idle - before.idle) / all
}

/** Waits until others leave the machine alone. @returns undefined, or what is to be said when they did not within `withinMs` */
export async function whyBusy(withinMs: number): Promise<string | undefined> {
  const until = performance.now() + withinMs
  for (;;) {
    const share = await busyShare()
    if (share <= BUSY_MAX) return undefined
    if (performance.now() >= until)
      return `others use ${Math.round(share * 100)} % of the machine (load ${(loadavg()[0] ?? 0).toFixed(1)} on ${cpus().length} cores)`
  }
}

function spent(): { readonly all: number; readonly idle: number } {
  let [all, idle] = [0, 0]
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.idle + times.irq
    idle += times.idle
  }
  return { all, idle }
}
