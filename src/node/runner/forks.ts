/** Commands started by a small process in place of this one: see forker.ts. One JSON object a line, each way. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type Gone, type Launch, launch, type Launched } from './launch.ts'
import { ownProgram } from './own-program.ts'
import { lineSplitter } from './protocol.ts'

/** Start this command. */
export interface ForkRequest extends Launch {
  readonly id: number
  readonly directory: string
}

/** Why it was not started; or that it was, and how it ended, at once when that does not take long. The first line of all has no id: it is ready. */
export type ForkerAnswer =
  | { readonly id?: undefined }
  | { readonly id: number; readonly refused: string }
  | { readonly id: number; readonly pid: number; readonly ended?: { readonly gone: Gone; readonly problem: string } }

/** That a command was started is told after so long, in milliseconds: most have ended by then, and each line wakes the large process. */
const TOLD_AFTER_MS = 10

/** Starts commands elsewhere. */
export interface Forks {
  /** Of its process; undefined when there is none. */
  readonly pid: number | undefined
  /** Whether it can be asked; it is not any more once its process is gone. */
  readonly isReady: boolean
  /** As {@link launch}, as soon as it has begun. */
  launch(directory: string, request: Launch): Promise<Launched | string>
  /** Lets go; what runs goes on. */
  close(): void
}

interface Asked {
  /** Only what it is told first counts. */
  began(launched: Launched | string): void
  readonly gone: Promise<Gone>
  ended(gone: Gone): void
  problem: string
}

/** Every command gets the environment of this process. */
export function openForks(): Forks {
  const asked = new Map<number, Asked>()
  let lastId = 0
  let isReady = false
  const child = start()
  const hear = (answer: ForkerAnswer): void => {
    if (answer.id === undefined) {
      isReady = true
      return
    }
    const one = asked.get(answer.id)
    if (one === undefined) return
    if ('refused' in answer) {
      asked.delete(answer.id)
      one.began(answer.refused)
      return
    }
    const { pid, ended } = answer
    one.began({ pid, gone: one.gone, problem: () => one.problem })
    if (ended === undefined) return
    asked.delete(answer.id)
    one.problem = ended.problem
    one.ended(ended.gone)
  }
  const lost = (): void => {
    isReady = false
    for (const one of asked.values()) {
      one.began({ pid: 0, gone: one.gone, problem: () => one.problem })
      one.ended({ code: null, signal: null, unseen: true })
    }
    asked.clear()
  }
  child.stdout!.setEncoding('utf8').on(
    'data',
    lineSplitter(line => hear(JSON.parse(line) as ForkerAnswer))
  )
  child.stdin!.on('error', () => undefined)
  child.once('error', lost)
  child.once('exit', lost)
  return {
    pid: child.pid,
    get isReady() {
      return isReady
    },
    launch: (directory, { argv, env: own, cwd }) =>
      new Promise(began => {
        const id = ++lastId
        const { promise: gone, resolve: ended } = Promise.withResolvers<Gone>()
        asked.set(id, { began, gone, ended, problem: 'it could not be started' })
        child.stdin!.write(
          `${JSON.stringify({ id, directory, argv, env: own, ...(cwd !== undefined && { cwd }) } satisfies ForkRequest)}\n`
        )
      }),
    close: () => {
      child.removeAllListeners('exit')
      child.stdin!.end()
      child.stdout!.destroy()
      child.unref()
    }
  }
}

/** What the small process does for each request. @param environment of all commands */
export function serveForks(
  { id, directory, ...request }: ForkRequest,
  environment: Readonly<Record<string, string | undefined>>,
  say: (answer: ForkerAnswer) => void
): void {
  const launched = launch(directory, request, environment)
  if (typeof launched === 'string') {
    say({ id, refused: launched })
    return
  }
  const { pid } = launched
  const told = setTimeout(() => say({ id, pid }), TOLD_AFTER_MS)
  void launched.gone.then(gone => {
    clearTimeout(told)
    say({ id, pid, ended: { gone, problem: launched.problem() } })
  })
}

/** In a session of its own: what ends this process from a terminal does not end it. */
function start(): ChildProcess {
  return spawn(process.execPath, ownProgram('forker', ['--max-semi-space-size=1', '--v8-pool-size=0']), {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'ignore']
  })
}
