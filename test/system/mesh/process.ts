/** A process of a system test: what it printed so far, and waiting for it without guessing how long it takes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { slower } from '../busy.ts'

/** How long a process may take to say or do what a test waits for, in milliseconds, on a machine that has nothing else to do. */
export const WITHIN_MS = 15_000
/** So many times as long at most, however loaded the machine is: what hangs is to be seen within the time of a test. */
const SLOWER_MAX = 4
/** A loaded machine is slow, not broken: with so many times more work than cores it has so many times more time. */
export const patience = (ms = WITHIN_MS): number => Math.round(ms * Math.min(SLOWER_MAX, slower()))

/** How a process ended, and all it printed. */
export interface Said {
  /** Exit status; of one ended by a signal, 128 and its number as a shell has it, e.g. 137 for SIGKILL. */
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** A process that was started and may still run. */
export interface Running {
  readonly pid: number
  readonly ended: Promise<Said>
  /** What it printed so far. */
  readonly stdout: string
  readonly stderr: string
  signal(signal: NodeJS.Signals): void
  /** Resolves once it has printed what `pattern` matches. @throws when it ends, or {@link patience} is over before that */
  says(pattern: RegExp, from?: 'stdout' | 'stderr'): Promise<void>
}

const signals: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 }
/** Of this test process: none of them may outlive it, even when a test fails half-way. */
const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Starts `command`; `input` is all of its standard input. */
export function start(command: string, words: readonly string[], env: NodeJS.ProcessEnv, input = ''): Running {
  const child = spawn(command, [...words], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  alive.add(child)
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const said = { stdout: '', stderr: '' }
  const news = new EventEmitter().setMaxListeners(0)
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
      news.emit('news')
    })
  }
  let over: string | undefined
  const ended = new Promise<Said>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      over = `${code ?? signal}`
      alive.delete(child)
      resolve({ ...said, exit: code ?? 128 + (signals[signal ?? ''] ?? 0) })
      news.emit('news')
    })
  })
  return {
    pid: child.pid!,
    ended,
    get stdout() {
      return said.stdout
    },
    get stderr() {
      return said.stderr
    },
    signal: signal => void child.kill(signal),
    says: async (pattern, from = 'stdout') => {
      const withinMs = patience()
      const deadline = AbortSignal.timeout(withinMs)
      while (!pattern.test(said[from])) {
        const unheard = `${command} ${words.join(' ')}: no ${pattern} on ${from}\nstdout: ${said.stdout}\nstderr: ${said.stderr}`
        if (over !== undefined) throw new Error(`ended with ${over}: ${unheard}`)
        await once(news, 'news', { signal: deadline }).catch(() => {
          throw new Error(`not within ${withinMs} ms: ${unheard}`)
        })
      }
    }
  }
}

/** Asks again and again until `ask` gives something; for what no event announces. @throws when that takes too long */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = patience()
): Promise<T> {
  const end = Date.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await once(AbortSignal.timeout(20), 'abort')
  }
}
