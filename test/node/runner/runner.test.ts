import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandKey } from '../../../src/goals/ports.ts'
import { localDriver, type LocalDriver } from '../../../src/node/drivers/local.ts'
import { runnerClient } from '../../../src/node/runner/client.ts'
import { CUT_MARK, OUTPUT_BYTES_MAX } from '../../../src/node/runner/output-cap.ts'
import { EXIT, META, OUT, type StepMeta, stepDirectory } from '../../../src/node/runner/step-directory.ts'
import { temporaryDirectory, until } from '../store/temporary-directory.ts'

const DAY_MS = 24 * 60 * 60 * 1_000

describe('the runner', function () {
  this.timeout(15_000)
  const directory = temporaryDirectory()
  const processes: number[] = []
  const drivers: LocalDriver[] = []
  const key: CommandKey = { goalId: 'g1', step: 'one', attempt: 1 }
  /** Leaves a line for every time that it runs, and ends with 4 once it is let go. */
  const script = (): string => `echo ran >>${directory()}/ran; echo printed; while [ ! -e ${directory()}/go ]; do sleep 0.01; done; exit 4`
  const release = (): void => writeFileSync(join(directory(), 'go'), '')
  const ran = (): number =>
    existsSync(join(directory(), 'ran')) ? readFileSync(join(directory(), 'ran'), 'utf8').split('\n').length - 1 : 0
  const shellPid = (): number => Number(/^pid (\d+)$/m.exec(readFileSync(join(stepDirectory(directory(), key), EXIT), 'utf8'))?.[1])

  const ended = (): boolean => readFileSync(join(stepDirectory(directory(), key), EXIT), 'utf8').includes('= ')
  const runnerPid = (): number => Number(readFileSync(join(directory(), 'runner/pid'), 'utf8'))

  const driver = async (): Promise<{ driver: LocalDriver; runner: number | undefined }> => {
    const client = runnerClient(directory())
    const runner = await client.ready()
    if (runner !== undefined) processes.push(runner)
    const made = localDriver(directory(), client)
    drivers.push(made)
    return { driver: made, runner }
  }
  /** A daemon in a process of its own, in the middle of the command. */
  const daemonInMidCommand = async (command = script(), env: NodeJS.ProcessEnv = {}): Promise<{ daemon: ChildProcess; runner: number }> => {
    const file = fileURLToPath(new URL('../drivers/daemon.ts', import.meta.url))
    const daemon = spawn(process.execPath, ['--import', 'tsx', file, directory(), key.step, 'sh', '-c', command], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env }
    })
    processes.push(daemon.pid!)
    let told = ''
    daemon.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      told += chunk
    })
    await until('the command runs', () => ran() === 1)
    const { runner } = JSON.parse(told.split('\n')[0]!) as { runner: number }
    processes.push(runner)
    return { daemon, runner }
  }
  const kill = async (pid: number): Promise<void> => {
    process.kill(pid, 'SIGKILL')
    await until(`${pid} is gone`, () => !isAlive(pid))
  }
  afterEach(async () => {
    release()
    for (const each of drivers.splice(0)) await each.close()
    for (const pid of processes.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })

  it('carries a command through the death of the daemon, and the command runs once', async () => {
    const { daemon, runner } = await daemonInMidCommand()
    await kill(daemon.pid!)
    const after = await driver()
    assert.equal(after.runner, undefined, 'the same runner serves the next daemon')
    const recovered = after.driver.recover(key)
    release()
    const { exit, stdout } = await recovered
    assert.deepEqual(
      { exit, stdout, ran: ran(), alive: isAlive(runner) },
      { exit: { kind: 'exited', code: 4 }, stdout: 'printed\n', ran: 1, alive: true }
    )
  })

  it('has recorded a command that ended while there was no daemon', async () => {
    const { daemon } = await daemonInMidCommand()
    await kill(daemon.pid!)
    release()
    await until('the command has ended', () => readFileSync(join(stepDirectory(directory(), key), EXIT), 'utf8').includes('= '))
    assert.deepEqual((await (await driver()).driver.recover(key)).exit, { kind: 'exited', code: 4 })
    const log = join(directory(), 'steps/exits')
    await until('that is synced too', () => existsSync(log) && /"code":4/.test(readFileSync(log, 'utf8')))
  })

  it('that was killed with its daemon costs nothing: the next one waits for the command', async () => {
    const { daemon } = await daemonInMidCommand()
    // The daemon first: while it lives it starts another runner.
    await kill(daemon.pid!)
    const killed = runnerPid()
    await kill(killed)
    const after = await driver()
    const recovered = after.driver.recover(key)
    release()
    assert.deepEqual({ exit: (await recovered).exit, ran: ran() }, { exit: { kind: 'exited', code: 4 }, ran: 1 })
    // Only now: the sockets of a killed process are there until its last thread has gone.
    assert.notEqual(runnerPid(), killed)
    processes.push(runnerPid())
  })

  it('that was killed under a living daemon is replaced, and the command goes on', async () => {
    const { driver: living, runner } = await driver()
    const running = living.run({ key, argv: ['sh', '-c', script()], env: {} })
    await until('the command runs', () => ran() === 1)
    await kill(runner!)
    release()
    assert.deepEqual({ exit: (await running).exit, ran: ran() }, { exit: { kind: 'exited', code: 4 }, ran: 1 })
    processes.push(runnerPid())
  })

  it('says lost when it was killed and the command with it', async () => {
    const { daemon } = await daemonInMidCommand()
    const shell = shellPid()
    // The daemon first: while it lives it starts another runner.
    await kill(daemon.pid!)
    await kill(runnerPid())
    process.kill(-shell, 'SIGKILL')
    await until('the command is gone', () => !isAlive(shell))
    const { driver: after } = await driver()
    assert.deepEqual((await after.recover(key)).exit, { kind: 'lost' })
    assert.deepEqual((await after.recover(key, Date.now())).exit, { kind: 'lost' }, 'it had been started, so that stays in doubt')
  })

  it('knows that a command was never started, and never starts it later', async () => {
    const { driver: first } = await driver()
    const never = { kind: 'not-started', message: 'the daemon ended before it could be started' }
    assert.deepEqual((await first.recover(key, Date.now())).exit, never)
    assert.deepEqual((await first.run({ key, argv: ['sh', '-c', script()], env: {} })).exit, never)
    assert.equal(ran(), 0)
  })

  it('is in doubt about a command whose intent is older than the host is up', async () => {
    assert.deepEqual((await (await driver()).driver.recover(key, 1_000)).exit, { kind: 'lost' })
  })

  it('keeps the time limit of a command that it has taken over', async () => {
    const { driver: first, runner } = await driver()
    const running = first.run({ key, argv: ['sh', '-c', script()], env: {}, timeoutMs: 1_500 })
    await until('the command runs', () => ran() === 1)
    await kill(runner!)
    assert.deepEqual((await running).exit, { kind: 'timed-out', afterMs: 1_500 })
    processes.push(runnerPid())
  })

  it('keeps the time limit of a command whose daemon is dead, for all that it has started', async () => {
    const grandchild = `(while :; do echo alive >>${directory()}/pulse; sleep 0.02; done) & ${script()}`
    const { daemon } = await daemonInMidCommand(grandchild, { TIMEOUT_MS: '1000' })
    await kill(daemon.pid!)
    await until('the runner has written how it ended', ended, 10_000)
    const pulse = (): number => readFileSync(join(directory(), 'pulse')).length
    const beats = pulse()
    assert.deepEqual((await (await driver()).driver.recover(key)).exit, { kind: 'timed-out', afterMs: 1_000 })
    assert.equal(pulse(), beats, 'nothing of it goes on')
  })

  it('cuts the output of a command whose daemon is dead', async () => {
    const flood = `echo ran >>${directory()}/ran; while [ ! -e ${directory()}/go ]; do sleep 0.01; done; head -c 40000000 /dev/zero; sleep 0.5`
    const { daemon } = await daemonInMidCommand(flood)
    await kill(daemon.pid!)
    release()
    await until('the runner has written how it ended', ended, 10_000)
    assert.equal(statSync(join(stepDirectory(directory(), key), OUT)).size, OUTPUT_BYTES_MAX + CUT_MARK.length)
  })

  for (const { it: name, by } of [
    { it: 'forward', by: 400 * DAY_MS },
    { it: 'back', by: -400 * DAY_MS }
  ]) {
    it(`neither ends nor spares a command when the clock jumps ${name} while it is away`, async () => {
      const { driver: first, runner } = await driver()
      const running = first.run({ key, argv: ['sh', '-c', script()], env: {}, timeoutMs: 2_000 })
      await until('the command runs', () => ran() === 1)
      const meta = join(stepDirectory(directory(), key), META)
      const { startedAt, ...rest } = JSON.parse(readFileSync(meta, 'utf8')) as StepMeta
      writeFileSync(meta, JSON.stringify({ ...rest, startedAt: startedAt - by }))
      const began = performance.now()
      await kill(runner!)
      const { exit, durationMs } = await running
      processes.push(runnerPid())
      assert.deepEqual(exit, { kind: 'timed-out', afterMs: 2_000 })
      const took = performance.now() - began
      assert.ok(took > 1_000 && took < 8_000, `ended after ${took} ms`)
      assert.ok(durationMs < 10_000, `says it took ${durationMs} ms`)
    })
  }

  it('is in doubt about what was begun before the host was restarted, whatever the clock says', async () => {
    const beganAt = Date.now()
    await until('the clock goes on', () => Date.now() > beganAt)
    mkdirSync(join(directory(), 'steps'))
    writeFileSync(join(directory(), 'steps/host'), JSON.stringify({ boot: 'of another start', since: 0 }))
    assert.deepEqual((await (await driver()).driver.recover(key, beganAt)).exit, { kind: 'lost' })
    assert.equal((await (await driver()).driver.recover({ ...key, attempt: 2 }, Date.now())).exit.kind, 'not-started')
  })

  it('finds how commands ended in its synced log when their own files are gone', async () => {
    const { driver: first } = await driver()
    await first.run({ key, argv: ['sh', '-c', 'exit 6'], env: {} })
    writeFileSync(join(stepDirectory(directory(), key), EXIT), '')
    assert.deepEqual((await first.recover(key)).exit, { kind: 'exited', code: 6 })
  })

  it('refuses a place whose socket would have too long a path', () => {
    assert.throws(() => runnerClient(`/${'x'.repeat(100)}`), { code: 'CB_USAGE' })
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // A zombie is dead: it only waits for its parent to look.
  return process.platform !== 'linux' || !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
}
