/** How often a process asks the disk to hold on to what it wrote, seen from outside by strace. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ours, removeDirectory, temporaryDirectory } from './leftovers.ts'

const STRACE = '/usr/bin/strace'

/** Why it cannot be counted, or undefined. */
export function whyNoStrace(): string | undefined {
  return existsSync(STRACE) ? undefined : 'strace is not installed'
}

/**
 * Counts fdatasync and fsync of these processes, all threads, while `work` runs.
 * @returns one number a process, in their order
 * @throws Error when strace may not attach
 */
export async function countSyncs(pids: readonly number[], work: () => Promise<void>): Promise<number[]> {
  const directory = temporaryDirectory()
  try {
    const tracers = await Promise.all(pids.map(pid => attach(pid, join(directory, String(pid)))))
    try {
      await work()
    } finally {
      await Promise.all(tracers.map(detach => detach()))
    }
    return pids.map(pid => callsIn(readFileSync(join(directory, String(pid)), 'utf8')))
  } finally {
    removeDirectory(directory)
  }
}

async function attach(pid: number, file: string): Promise<() => Promise<void>> {
  const words = ['-f', '-c', '-e', 'trace=fdatasync,fsync', '-o', file, '-p', String(pid)]
  const tracer = ours(spawn(STRACE, words, { stdio: ['ignore', 'ignore', 'pipe'] }))
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: tracer.stderr }).on('line', line => {
      if (line.includes('attached')) resolve()
    })
    tracer.once('exit', code => reject(new Error(`strace ended with ${code}`)))
    tracer.once('error', reject)
  })
  return async () => {
    tracer.kill('SIGINT')
    await once(tracer, 'exit')
  }
}

/** The table of `strace -c` has the number of calls in its fourth column. */
function callsIn(table: string): number {
  const rows = table.split('\n').filter(line => /\b(fdatasync|fsync)$/.test(line.trim()))
  return rows.reduce((sum, row) => sum + Number(row.trim().split(/\s+/)[3]), 0)
}
