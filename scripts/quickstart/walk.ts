/** A walk through the product: commands typed on several nodes of this machine, printed with what they print. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A daemon is ready within a second; this long, in milliseconds, on a machine that is busy with other things. */
const READY_WITHIN_MS = 15_000
/** Then a daemon that was asked to stop is ended, in milliseconds. */
const STOP_WITHIN_MS = 10_000
const POLL_MS = 100
/** Lines of a daemon's log that are shown when something went wrong. */
const LOG_LINES = 15

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Typed {
  readonly exit: number
  readonly stdout: string
}

export interface Walk {
  say(text: string): void
  chapter(title: string): void
  /**
   * Runs a line of a shell as typed on a node, printing it and its output.
   * @throws Error when its exit status is not `exit`
   */
  type(node: string, line: string, exit?: number): Promise<Typed>
  /** The JSON that a command gives, printing nothing. */
  ask<T>(node: string, line: string): Promise<T>
  /** Resolves when the daemon answers. */
  startDaemon(node: string): Promise<void>
  /** Resolves when its process is gone. */
  stopDaemon(node: string): Promise<void>
  until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void>
  /** @throws Error when it does not hold */
  check(what: string, holds: boolean): void
  /** A path below the walk's own directory. */
  path(name: string): string
  write(name: string, text: string): void
  read(name: string): string
  /** Tells what went wrong, and what the daemons say; the process will exit 1. */
  failed(error: unknown): void
  /** Stops the daemons and removes everything, or says how to go on. */
  end(): Promise<void>
}

/** @param keep leave everything as it is at the end */
export function startWalk(keep: boolean): Walk {
  // Short, because a socket's path has at most 107 bytes.
  const directory = mkdtempSync(join(tmpdir(), 'cloudburst-'))
  const daemons = new Map<string, ChildProcess>()
  makeCommands(directory)
  const ended = new AbortController()
  process.once('SIGINT', () => ended.abort(new Error('interrupted')))

  const path = (name: string): string => join(directory, name)
  const run = (node: string, line: string, show: boolean): Promise<Typed> => runLine(line, environment(directory, node), show)

  async function type(node: string, line: string, exit = 0): Promise<Typed> {
    ended.signal.throwIfAborted()
    process.stdout.write(`\n${bold(`${node}$`)} ${shortened(line.replaceAll(directory, '$DIR'))}\n`)
    const typed = await run(node, line, true)
    if (typed.exit !== exit) throw new Error(`${line}: exit status ${typed.exit}, not ${exit}`)
    return typed
  }

  async function ask<T>(node: string, line: string): Promise<T> {
    const { exit, stdout } = await run(node, line, false)
    if (exit !== 0) throw new Error(`${line} on ${node}: exit status ${exit}`)
    return JSON.parse(stdout) as T
  }

  async function until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + withinMs; !(await holds()); await pause(POLL_MS, undefined, { signal: ended.signal })) {
      if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`)
    }
  }

  async function startDaemon(node: string): Promise<void> {
    process.stdout.write(`\n${bold(`${node}$`)} cloudburstd &\n`)
    const log = createWriteStream(path(`${node}.log`))
    await once(log, 'open')
    const daemon = spawn('cloudburstd', [], { env: environment(directory, node), stdio: ['ignore', log, log], detached: keep })
    daemons.set(node, daemon)
    await until(
      `the daemon of ${node} answers`,
      READY_WITHIN_MS,
      async () => (await run(node, 'cloudburst hello -o name 2>&1', false)).exit === 0
    )
  }

  async function end(): Promise<void> {
    if (keep) return howToGoOn(directory, daemons)
    await Promise.all(Array.from(daemons.values(), stop))
    rmSync(directory, { recursive: true, force: true })
  }

  return {
    say: text => {
      process.stdout.write(`${text}\n`)
    },
    chapter: title => {
      process.stdout.write(`\n${bold(`## ${title}`)}\n`)
    },
    type,
    ask,
    startDaemon,
    stopDaemon: async node => {
      const daemon = daemons.get(node)
      if (daemon !== undefined) await stop(daemon)
    },
    until,
    check: (what, holds) => {
      if (!holds) throw new Error(`it does not hold that ${what}`)
    },
    path,
    write: (name, text) => {
      mkdirSync(dirname(path(name)), { recursive: true })
      writeFileSync(path(name), text)
    },
    read: name => readFileSync(path(name), 'utf8'),
    failed: error => {
      process.exitCode = 1
      process.stdout.write(`\nerror: ${error instanceof Error ? error.message : String(error)}\n`)
      for (const node of daemons.keys()) process.stdout.write(`\n${node}.log:\n${lastLines(readFileSync(path(`${node}.log`), 'utf8'))}\n`)
    },
    end
  }
}

/** `cloudburst` and `cloudburstd` as an installed package has them. */
function makeCommands(directory: string): void {
  mkdirSync(join(directory, 'bin'))
  for (const name of ['cloudburst', 'cloudburstd']) {
    const file = join(directory, 'bin', name)
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist', `${name}.js`)}' "$@"\n`)
    chmodSync(file, 0o755)
  }
}

function environment(directory: string, node: string): NodeJS.ProcessEnv {
  const colour = process.stdout.isTTY && !process.env['NO_COLOR'] ? { FORCE_COLOR: '1' } : {}
  return {
    ...process.env,
    ...colour,
    PATH: `${join(directory, 'bin')}:${process.env['PATH']}`,
    CLOUDBURST_HOME: join(directory, node),
    DIR: directory
  }
}

async function runLine(line: string, env: NodeJS.ProcessEnv, show: boolean): Promise<Typed> {
  const child = spawn('/bin/sh', ['-c', line], { env, stdio: ['ignore', 'pipe', show ? 'pipe' : 'ignore'] })
  let stdout = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (show) process.stdout.write(shortened(text))
  })
  child.stderr?.on('data', (bytes: Buffer) => process.stdout.write(bytes))
  const [exit] = (await once(child, 'close')) as [number | null]
  return { exit: exit ?? 1, stdout }
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const exited = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  const slow = setTimeout(() => daemon.kill('SIGKILL'), STOP_WITHIN_MS)
  await exited
  clearTimeout(slow)
}

function howToGoOn(directory: string, daemons: ReadonlyMap<string, ChildProcess>): void {
  for (const daemon of daemons.values()) daemon.unref()
  const pids = Array.from(daemons.values(), daemon => daemon.pid).join(' ')
  process.stdout.write(`
The nodes go on. To be at node1:
  export PATH=${join(directory, 'bin')}:$PATH CLOUDBURST_HOME=${join(directory, 'node1')}
  cloudburst peers
  cloudburst run -- uname -a
  cloudburst help
To end them:
  kill ${pids}; rm -r ${directory}
`)
}

/** A ticket is a secret, and four lines long. */
function shortened(text: string): string {
  return text.replace(/cb1-[\w-]{20,}/g, ticket => `${ticket.slice(0, 16)}…`)
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-LOG_LINES).join('\n')
}

function bold(text: string): string {
  return process.stdout.isTTY && !process.env['NO_COLOR'] ? `\u001b[1m${text}\u001b[22m` : text
}
