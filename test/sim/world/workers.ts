/** Simulations in processes of their own: several at a time, with the memory they need, from one bundle of the sources. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { bundled } from '../variants/build.ts'
import type { SimReport, SimulateOptions } from './simulate.ts'

/** Most of what is made is thrown away at once: room for it, in megabytes, and for a thousand nodes. */
const MEMORY = ['--max-semi-space-size=64', '--max-old-space-size=12288']

/**
 * Plays all of them, so many at a time.
 * @param told of each, in no order
 */
export async function playAll(all: readonly SimulateOptions[], workers: number, told: (report: SimReport) => void): Promise<void> {
  const left = [...all]
  const running = new Set<ChildProcess>()
  const built = await bundled('worker.ts', 'worker')
  const employ = async (): Promise<void> => {
    const worker = fork(built, { execArgv: MEMORY })
    running.add(worker)
    const next = (): void => {
      const options = left.shift()
      if (options === undefined) worker.disconnect()
      else worker.send(options)
    }
    worker.on('message', message => {
      told(message as SimReport)
      next()
    })
    next()
    const [code] = await once(worker, 'exit')
    running.delete(worker)
    if (code !== 0) throw new Error(`a simulation ended with ${code}`)
  }
  try {
    await Promise.all(Array.from({ length: Math.min(workers, all.length) }, employ))
  } finally {
    for (const worker of running) worker.kill()
    rmSync(built, { force: true })
  }
}

export async function playOne(options: SimulateOptions): Promise<SimReport> {
  let report: SimReport | undefined
  await playAll([options], 1, told => (report = told))
  return report!
}
