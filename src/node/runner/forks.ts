/** Commands started by a small process in place of this one: see forker.ts. One JSON object a line, each way. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Gone, type Launch, launch, type Launched } from './launch.ts'
import { lineSplitter } from './protocol.ts'

/** Start this command. */
export interface ForkRequest extends Launch {
  readonly id: number
  readonly directory: string
}

/** First it was started, or why not; then how it ended. The first line of all has no id: it is ready. */
export type ForkerAnswer =
  | { readonly id?: undefined }
  | { readonly id: number; readonly pid: number }
  | { readonly id: number; readonly refused: string }
  | { readonly id: number; readonly gone: Gone; readonly problem: string }

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
  began(launched: Launched | string): void
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
    if ('pid' in answer) {
      const gone = new Promise<Gone>(resolve => {
        one.ended = resolve
      })
      one.began({ pid: answer.pid, gone, problem: () => one.problem })
      return
    }
    asked.delete(answer.id)
    if ('refused' in answer) one.began(answer.refused)
    else {
      one.problem = answer.problem
      one.ended(answer.gone)
    }
  }
  const lost = (): void => {
    isReady = false
    for (const one of asked.values()) {
      const gone: Gone = { code: null, signal: null, unseen: true }
      one.began({ pid: 0, gone: Promise.resolve(gone), problem: () => 'it could not be started' })
      one.ended(gone)
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
        asked.set(id, { began, ended: () => undefined, problem: 'it could not be started' })
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
  say({ id, pid: launched.pid })
  void launched.gone.then(gone => say({ id, gone, problem: launched.problem() }))
}

/** In a session of its own: what ends this process from a terminal does not end it. */
function start(): ChildProcess {
  return spawn(process.execPath, forkerArguments(), { detached: true, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] })
}

/** Built, the forker stands beside or above this file; in a checkout it is source. */
function forkerArguments(): string[] {
  const here = fileURLToPath(import.meta.url)
  if (here.endsWith('.ts')) {
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
    return ['--import', tsx, join(dirname(here), 'forker.ts')]
  }
  const built = ['forker.js', '../forker.js'].map(name => join(dirname(here), name)).find(file => existsSync(file))
  if (built === undefined) throw new Error(`forker.js is missing beside ${here}`)
  return ['--max-semi-space-size=1', '--v8-pool-size=0', built]
}
