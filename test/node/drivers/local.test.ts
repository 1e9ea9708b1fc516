import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { OutputChunk } from '../../../src/goals/pursuit/events.ts'
import { OUTPUT_VALUE_BYTES_MAX, type Command } from '../../../src/goals/ports.ts'
import { localDriver, type LocalDriver } from '../../../src/node/drivers/local.ts'
import { CUT_MARK, OUTPUT_BYTES_MAX } from '../../../src/node/runner/output-cap.ts'
import { createRunner } from '../../../src/node/runner/runner.ts'
import { aDriver } from '../../compliance/driver.ts'
import { type Behaviour, fakeDriver } from '../../fakes/driver.ts'
import { temporaryDirectory, until } from '../store/temporary-directory.ts'

describe('the fake driver', () => {
  const behaviours: Record<string, (argument: string) => Behaviour> = {
    print: stdout => ({ stdout }),
    exit: code => ({ exit: { kind: 'exited', code: Number(code) } }),
    hang: () => ({ until: new Promise(() => undefined) })
  }
  aDriver({ print: text => ['print', text], exit: code => ['exit', String(code)], hang: ['hang'] }, async () =>
    fakeDriver(({ argv: [name = '', argument = ''] }) => behaviours[name]?.(argument) ?? {})
  )
})

describe('the local driver', () => {
  const directory = temporaryDirectory()
  const drivers: LocalDriver[] = []
  const open = async (): Promise<LocalDriver> => {
    const driver = localDriver(directory(), await createRunner(directory()))
    drivers.push(driver)
    return driver
  }
  const sh = (script: string, more: Partial<Command> = {}): Command => ({
    key: { goalId: 'g1', step: 'one', attempt: 1 },
    argv: ['sh', '-c', script],
    env: {},
    ...more
  })
  afterEach(async () => {
    for (const driver of drivers.splice(0)) await driver.close()
  })

  aDriver({ print: text => ['printf', '%s', text], exit: code => ['sh', '-c', `exit ${code}`], hang: ['sleep', '60'] }, open)

  it('passes arguments as they are', async () => {
    const odd = ['$(id)', 'a b', "it's", '*', '-n', '', 'x\ny']
    const { stdout } = await (await open()).run({ ...sh(''), argv: ['printf', '[%s]', ...odd] })
    assert.equal(stdout, odd.map(each => `[${each}]`).join(''))
  })

  it('gives a command its key, its environment and no input', async () => {
    const { stdout } = await (await open()).run(sh('cat; echo "$CB_IDEMPOTENCY_KEY $CB_GOAL_ID $CB_STEP $MINE"', { env: { MINE: 'yes' } }))
    assert.equal(stdout, 'g1/one g1 one yes\n')
  })

  it('keeps no part of the environment on disk', async () => {
    const driver = await open()
    await driver.run(sh(':', { env: { MINE: 'hunter2' } }))
    const { readdirSync } = await import('node:fs')
    const files = readdirSync(directory(), { recursive: true, withFileTypes: true }).filter(each => each.isFile())
    assert.ok(files.length > 2)
    for (const each of files) assert.ok(!readFileSync(join(each.parentPath, each.name), 'utf8').includes('hunter2'), each.name)
  })

  it('tells a signal from an exit status', async () => {
    const driver = await open()
    assert.deepEqual((await driver.run(sh('kill -TERM $$'))).exit, { kind: 'signalled', signal: 'SIGTERM' })
    assert.deepEqual((await driver.run(sh('exit 143', { key: { goalId: 'g1', step: 'two', attempt: 1 } }))).exit, {
      kind: 'exited',
      code: 143
    })
  })

  it('says what could not be started', async () => {
    const driver = await open()
    assert.deepEqual((await driver.run({ ...sh(''), argv: ['no-such-program'] })).exit, {
      kind: 'not-started',
      message: 'no such program: no-such-program'
    })
    const nowhere = await driver.run(sh(':', { cwd: '/no/such/place', key: { goalId: 'g1', step: 'two', attempt: 1 } }))
    assert.deepEqual(nowhere.exit, { kind: 'not-started', message: 'no such directory: /no/such/place' })
  })

  it('does not take the name of a shell built-in for one', async () => {
    assert.deepEqual((await (await open()).run({ ...sh(''), argv: ['exit', '3'] })).exit, {
      kind: 'not-started',
      message: 'no such program: exit'
    })
  })

  it('ends everything that a command has started when its time is over', async () => {
    const pids = join(directory(), 'pids')
    const finished = await (await open()).run(
      sh(`sh -c 'sleep 60 & echo $! >>${pids}; wait' & echo $! >>${pids}; wait`, { timeoutMs: 300 })
    )
    assert.deepEqual(finished.exit, { kind: 'timed-out', afterMs: 300 })
    const started = readFileSync(pids, 'utf8').trim().split('\n')
    assert.equal(started.length, 2)
    for (const pid of started)
      assert.ok(!existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '), `${pid} is alive`)
  })

  it('kills what does not want to end', async function () {
    this.timeout(10_000)
    const { exit } = await (await open()).run(sh('trap "" TERM; while :; do sleep 0.1; done', { timeoutMs: 100 }))
    assert.deepEqual(exit, { kind: 'timed-out', afterMs: 100 })
  })

  it('cuts output at its limit and says so, while the command goes on', async function () {
    this.timeout(10_000)
    const driver = await open()
    const { exit, stdout, truncated } = await driver.run(
      sh('head -c 40000000 /dev/zero | tr "\\0" x; sleep 0.3; head -c 1000000 /dev/zero; exit 5')
    )
    assert.deepEqual(
      { exit, truncated, length: stdout.length },
      { exit: { kind: 'exited', code: 5 }, truncated: true, length: OUTPUT_VALUE_BYTES_MAX }
    )
    const end = await driver.readOutput({ goalId: 'g1', step: 'one', attempt: 1, stream: 'stdout', from: OUTPUT_BYTES_MAX - 1 })
    assert.equal(Buffer.from(end).toString(), `x${CUT_MARK.toString()}`)
  })

  it('shows output while it is printed, each byte once and in order', async () => {
    const driver = await open()
    const chunks: OutputChunk[] = []
    driver.tailOutput('g1', chunk => void chunks.push(chunk))
    const go = join(directory(), 'go')
    const running = driver.run(sh(`echo first; while [ ! -e ${go} ]; do sleep 0.01; done; echo second; echo third >&2`))
    const text = (stream: OutputChunk['stream']): string =>
      Buffer.concat(chunks.filter(each => each.stream === stream).map(each => each.bytes)).toString()
    await until('the first line is shown while the command runs', () => text('stdout') === 'first\n')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(go, '')
    await running
    assert.deepEqual([text('stdout'), text('stderr')], ['first\nsecond\n', 'third\n'])
    let offset = 0
    for (const each of chunks.filter(one => one.stream === 'stdout')) {
      assert.equal(each.offset, offset)
      offset += each.bytes.length
    }
  })

  it('does not wait for a reader that is stuck', async () => {
    const driver = await open()
    driver.tailOutput('g1', () => new Promise(() => undefined))
    assert.equal((await driver.run(sh('echo hello'))).stdout, 'hello\n')
  })

  it('keeps output of a peer as if it were its own, and refuses what would leave a gap', async () => {
    const driver = await open()
    const chunk = (offset: number, text: string): OutputChunk => ({
      goalId: 'far',
      step: 's',
      attempt: 1,
      stream: 'stdout',
      offset,
      bytes: Buffer.from(text)
    })
    const shown: string[] = []
    driver.tailOutput('far', each => void shown.push(Buffer.from(each.bytes).toString()))
    assert.equal(await driver.writeMirror(chunk(0, 'one ')), 4)
    assert.equal(await driver.writeMirror(chunk(0, 'one ')), 4)
    assert.equal(await driver.writeMirror(chunk(2, 'e two')), 7)
    await assert.rejects(driver.writeMirror(chunk(9, 'x')), { code: 'CB_FRAME_INVALID', details: { id: 'far', expected: 7 } })
    await driver.endMirror({ goalId: 'far', step: 's', attempt: 1 })
    const all = await driver.readOutput({ goalId: 'far', step: 's', attempt: 1, stream: 'stdout', from: 0 })
    assert.deepEqual([Buffer.from(all).toString(), shown.join('')], ['one two', 'one two'])
  })

  it('keeps private files private, and removes them with their goal', async () => {
    const driver = await open()
    const path = await driver.writeFile('g1', 'script', 'secret')
    assert.deepEqual(
      [statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o777, readFileSync(path, 'utf8')],
      [0o600, 0o700, 'secret']
    )
    await assert.rejects(driver.writeFile('g1', '../out', 'x'))
    await driver.dropFiles('g1')
    assert.ok(!existsSync(path))
  })

  it('leads from a label to the output', async () => {
    await (await open()).run(sh('echo hello', { label: 'build' }))
    assert.equal(readFileSync(join(directory(), 'steps/g1/labels/build.log'), 'utf8'), 'hello\n')
  })
})
