/** The daemon's side of the runner: finds the one that runs, or starts one; goes on with what was asked when it has to start another. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { ownProgram } from './own-program.ts'
import { checkSocketPath } from '../files/socket-path.ts'
import { hostSince } from './host-start.ts'
import { type Ended, type FromRunner, lineSplitter, type Runner, runnerDirectory, runnerSocket, type ToRunner } from './protocol.ts'

/** A runner in another process. */
export interface RunnerClient extends Runner {
  /** Connects, starting a runner when none is there. Not needed before the first command, but the first is quicker then. @returns its pid if it was started here */
  ready(): Promise<number | undefined>
}

type Request = Exclude<ToRunner, { type: 'hello' }>

interface Pending {
  readonly request: Request
  readonly resolve: (reply: FromRunner) => void
  readonly reject: (error: unknown) => void
}

/** Until a new runner must be serving, in milliseconds. */
const START_WITHIN_MS = 20_000
/** Variables that the runner's own process gets; commands get the daemon's whole environment over the socket. */
const OWN_ENVIRONMENT = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'USER']

/**
 * @param state the node's state directory
 * @param env environment of all commands
 * @throws CloudburstError CB_USAGE when the path of the socket would be too long
 */
export function runnerClient(state: string, env: NodeJS.ProcessEnv = process.env): RunnerClient {
  const path = runnerSocket(state)
  checkSocketPath(path, "runner's socket")
  // Noted before any step is begun, so that the first one already was begun under this start of the host.
  hostSince(state)
  const pending = new Map<number, Pending>()
  let connecting: Promise<{ socket: Socket; pid?: number }> | undefined
  let lastId = 0
  let closed = false

  const serve = (socket: Socket): void => {
    socket.setEncoding('utf8')
    socket.on(
      'data',
      lineSplitter(line => settle(JSON.parse(line) as FromRunner))
    )
    socket.on('close', () => {
      connecting = undefined
      if (!closed && pending.size > 0) void again()
    })
    send(socket, { type: 'hello', env: withoutHoles(env) })
  }
  const settle = (reply: FromRunner): void => {
    pending.get(reply.id)?.resolve(reply)
    pending.delete(reply.id)
  }
  const connect = (): Promise<{ socket: Socket; pid?: number }> => {
    connecting ??= connectOrStart(state).then(
      connected => {
        serve(connected.socket)
        return connected
      },
      error => {
        connecting = undefined
        throw error
      }
    )
    return connecting
  }
  /** The runner is gone: whether it came to start what it was asked is for the next one to find out, never to repeat. */
  const again = async (): Promise<void> => {
    try {
      const { socket } = await connect()
      for (const { request } of pending.values()) send(socket, request.type === 'start' ? recoverOf(request) : request)
    } catch (error) {
      for (const { reject } of pending.values()) reject(error)
      pending.clear()
    }
  }
  const ask = async (make: (id: number) => Request): Promise<FromRunner> => {
    const { socket } = await connect()
    const request = make(++lastId)
    return new Promise((resolve, reject) => {
      pending.set(request.id, { request, resolve, reject })
      send(socket, request)
      if (socket.destroyed) void again()
    })
  }
  const askForEnd = async (make: (id: number) => Request): Promise<Ended> => {
    try {
      return (await ask(make)).ended!
    } catch (error) {
      const message = `the runner cannot be started: ${error instanceof Error ? error.message : String(error)}`
      return { exit: make(0).type === 'start' ? { kind: 'not-started', message } : { kind: 'lost' }, durationMs: 0 }
    }
  }

  return {
    ready: async () => (await connect()).pid,
    start: request => askForEnd(id => ({ type: 'start', id, request })),
    recover: (key, beganAt) => askForEnd(id => ({ type: 'recover', id, key, ...(beganAt === undefined ? {} : { beganAt }) })),
    stop: async key => void (await ask(id => ({ type: 'stop', id, key }))),
    close: async () => {
      closed = true
      const connected = await connecting?.catch(() => undefined)
      connected?.socket.destroy()
    }
  }
}

/** The request that finds out what became of `start`. It was asked by this process, so under this start of the host. */
function recoverOf(request: Extract<Request, { type: 'start' }>): Request {
  return { type: 'recover', id: request.id, key: request.request.key, beganAt: Date.now() }
}

async function connectOrStart(state: string): Promise<{ socket: Socket; pid?: number }> {
  mkdirSync(runnerDirectory(state), { recursive: true, mode: 0o700 })
  const present = await connectTo(runnerSocket(state)).catch(() => undefined)
  if (present !== undefined) return { socket: present }
  const pid = await startRunner(state)
  return { socket: await connectTo(runnerSocket(state)), pid }
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

/** Starts the runner in a session of its own; resolves when it serves. */
function startRunner(state: string): Promise<number> {
  const log = openSync(join(runnerDirectory(state), 'log'), 'a', 0o600)
  const own = Object.fromEntries(OWN_ENVIRONMENT.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
  const child = spawn(process.execPath, [...ownProgram('main', ['--max-semi-space-size=1']), state], {
    detached: true,
    cwd: '/',
    env: own,
    stdio: ['ignore', 'pipe', log]
  })
  closeSync(log)
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer)
      reject(new Error(`${reason}; see ${join(runnerDirectory(state), 'log')}`))
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail(`it did not serve within ${START_WITHIN_MS} ms`)
    }, START_WITHIN_MS)
    child.once('error', error => fail(error.message))
    child.once('exit', code => fail(`it ended with ${code}`))
    child.stdout?.once('data', () => {
      clearTimeout(timer)
      child.removeAllListeners()
      child.stdout?.destroy()
      child.unref()
      resolve(child.pid!)
    })
  })
}

function send(socket: Socket, message: ToRunner): void {
  socket.write(`${JSON.stringify(message)}\n`)
}

function withoutHoles(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
