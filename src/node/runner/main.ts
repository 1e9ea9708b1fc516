/**
 * The runner's process: `runner STATE-DIRECTORY`. Serves daemons over a private socket, one after the other;
 * imports nothing heavy, since what it forks is a copy of it. Ends by itself when nobody needs it.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { lineSplitter, type FromRunner, runnerDirectory, runnerSocket, type ToRunner } from './protocol.ts'
import { createRunner, type LocalRunner } from './runner.ts'

/** Without daemon and without work the runner waits this long for either, in milliseconds. */
const IDLE_MS = 10_000

const report = (error: unknown): void => {
  process.stderr.write(`${new Date().toISOString()} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
}

// The daemon's death must not be ours: its terminal may go, its pipe may close.
process.on('SIGHUP', () => undefined)
process.on('SIGINT', () => undefined)
process.on('SIGPIPE', () => undefined)
process.on('uncaughtException', report)
process.on('unhandledRejection', report)

const state = process.argv[2]!
const runner = await createRunner(state, { onProblem: report })
const daemons = new Set<Socket>()
let idleSince = performance.now()

const server = createServer(socket => {
  daemons.add(socket)
  socket.setEncoding('utf8')
  socket.on(
    'data',
    lineSplitter(line => void answer(runner, socket, JSON.parse(line) as ToRunner).catch(report))
  )
  socket.on('error', () => undefined)
  socket.on('close', () => daemons.delete(socket))
})
server.on('error', error => {
  report(error)
  process.exit(1)
})
// The daemon has found nobody there before it started us, and there is one daemon to a home.
rmSync(runnerSocket(state), { force: true })
server.listen(runnerSocket(state), () => {
  writeFileSync(join(runnerDirectory(state), 'pid'), `${process.pid}\n`, { mode: 0o600 })
  process.stdout.write('ready\n')
})

setInterval(() => {
  if (daemons.size > 0 || runner.running > 0) idleSince = performance.now()
  if (performance.now() - idleSince < IDLE_MS) return
  server.close()
  void runner.close().finally(() => process.exit(0))
}, IDLE_MS / 10)

async function answer(runner: LocalRunner, socket: Socket, message: ToRunner): Promise<void> {
  if (message.type === 'hello') return runner.setEnvironment(message.env)
  const reply = (await perform(runner, message)) satisfies FromRunner
  if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`)
}

async function perform(runner: LocalRunner, message: Exclude<ToRunner, { type: 'hello' }>): Promise<FromRunner> {
  switch (message.type) {
    case 'start':
      return { id: message.id, ended: await runner.start(message.request) }
    case 'recover':
      return { id: message.id, ended: await runner.recover(message.key, message.beganAt) }
    case 'stop':
      await runner.stop(message.key)
      return { id: message.id }
  }
}
