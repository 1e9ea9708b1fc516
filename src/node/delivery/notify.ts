/** What systemd is told of a daemon that it started with Type=notify. Node has no datagram sockets of Unix, so its own program says it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface Notifying {
  /** Said once the daemon serves; from then on also that it is alive, at half of what the watchdog allows. */
  ready(): Promise<void>
  /** Said before the daemon goes down. Never fails. */
  stopping(): Promise<void>
  /** What was taken out of the environment: for the one that goes on as this process. */
  readonly variables: Readonly<Record<string, string>>
}

const MICROSECONDS = 1_000

/**
 * Takes the variables of sd_notify(3) out of `env`, so that no step can speak for the daemon.
 * Without them nothing is said.
 */
export function notifying(env: NodeJS.ProcessEnv = process.env, program = 'systemd-notify'): Notifying {
  const socket = env['NOTIFY_SOCKET']
  const watchdogMs = Number(env['WATCHDOG_USEC'] ?? 0) / MICROSECONDS
  const variables: Record<string, string> = {}
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) {
    const value = env[name]
    if (value !== undefined) variables[name] = value
    delete env[name]
  }
  if (socket === undefined || socket === '') return { ready: async () => {}, stopping: async () => {}, variables }
  const say = async (...words: string[]): Promise<void> => {
    await promisify(execFile)(program, words, { env: { PATH: env['PATH'], NOTIFY_SOCKET: socket } })
  }
  let timer: NodeJS.Timeout | undefined
  return {
    variables,
    async ready() {
      await say('--ready')
      // A word that is lost is no reason to die: the next one comes in time.
      if (watchdogMs > 0) timer = setInterval(() => void say('WATCHDOG=1').catch(() => undefined), watchdogMs / 2).unref()
    },
    async stopping() {
      clearInterval(timer)
      await say('STOPPING=1').catch(() => undefined)
    }
  }
}
