import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { instancesOf } from '../../src/goals/config/instances.ts'
import type { World } from '../../src/goals/ports.ts'
import { readProgram } from '../../src/goals/program/read.ts'
import { EVENT_VERSION, type GoalEvent, type GoalEventBody } from '../../src/goals/pursuit/events.ts'
import { pursue } from '../../src/goals/pursuit/pursue.ts'
import { localDriver } from '../../src/node/drivers/local.ts'
import { openVault } from '../../src/node/secrets/vault.ts'
import { machineProbe } from '../../src/node/probe.ts'
import { createRunner } from '../../src/node/runner/runner.ts'
import { startSshd, whyNoSshd } from '../language/sshd.ts'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { skip } from '../skip.ts'
import { look } from './mesh/planted.ts'

const has = (program: string): boolean => {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('statements on a real machine', () => {
  const directory = temporaryDirectory()
  afterEach(() => look(directory()))

  /** Pursues goal `g` of a program with that method, and gives its events. */
  const go = async (method: string, variables = ''): Promise<readonly GoalEventBody[]> => {
    const xml = `<cloudburst name="t"><goalProto name="g">${variables}<method name="m">${method}</method></goalProto></cloudburst>`
    const program = readProgram([{ name: 't.xml', text: xml }])
    const driver = localDriver(directory(), await createRunner(directory()))
    const events: GoalEvent[] = []
    const record = (goalId: string, body: GoalEventBody): GoalEvent => {
      const event = { goalId, seq: events.length + 1, at: Date.now(), body }
      events.push(event)
      return event
    }
    const proposed = {
      type: 'proposed',
      version: EVENT_VERSION,
      goal: 'g',
      program: { name: 't', hash: program.hash },
      mode: 'pursue'
    } as const
    record('g1', { ...proposed, assignments: [], by: { peer: 'p', node: 'here' }, chain: [] })
    const world = {
      journal: { append: async (goalId: string, body: GoalEventBody) => record(goalId, body), read: async () => events },
      driver,
      probe: machineProbe({ state: () => undefined, now: Date.now }),
      messenger: { dispatch: async () => ({ kind: 'failed', message: 'nobody' }) },
      clock: { now: Date.now, sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal && { signal }) },
      random: { id: () => 'x' },
      surroundings: { agent: () => ({}), host: {}, peer: {} },
      vault: openVault(join(directory(), 'sealed'))
    } as unknown as World
    try {
      await pursue({
        id: 'g1',
        program,
        instances: instancesOf(program),
        world,
        events: [...events],
        cause: 'first',
        stop: new AbortController().signal
      })
    } finally {
      await driver.close()
    }
    return events.map(event => event.body)
  }
  const resultOf = (bodies: readonly GoalEventBody[], name: string): unknown => {
    const completed = bodies.find(body => body.type === 'completed')
    assert.ok(completed?.type === 'completed', JSON.stringify(bodies.at(-1)))
    return completed.results[name]
  }
  const tailOf = (bodies: readonly GoalEventBody[]): string => {
    const ended = bodies.findLast(body => body.type === 'step-ended')
    return ended?.type === 'step-ended' ? (ended.tail ?? '') : ''
  }

  it('run JavaScript with values in and out', async () => {
    const bodies = await go(
      '<code language="javascript"><set>goal.total</set> = <get>goal.list</get>.map(Number).reduce((a, b) => a + b)</code>',
      '<list name="list"><variable>1</variable><variable>2</variable></list><variable name="total" type="int"/>'
    )
    assert.deepEqual(resultOf(bodies, 'total'), { type: 'int', value: 3 })
  })

  it('show the line of the program where JavaScript failed', async () => {
    const bodies = await go('<code language="javascript">\n\nthrow new Error("no")\n</code>')
    assert.match(tailOf(bodies), /t\.xml:3/)
  })

  it('run Python with values in and out', async function () {
    if (!has('python3')) skip(this, 'python3 is not installed')
    const bodies = await go(
      `<code language="python">
        from __future__ import annotations
        text = <get>goal.text</get>
        <set>goal.answer</set> = {"upper": text.upper(), "none": None, "n": 2.5}
      </code>`,
      '<variable name="text">ä "quoted"\n</variable><struct name="answer"/>'
    )
    assert.deepEqual(resultOf(bodies, 'answer'), { fields: { upper: { value: 'Ä "QUOTED"\n' }, none: {}, n: { value: 2.5 } } })
  })

  it('show the line of the program where Python failed, and nothing of our own', async function () {
    if (!has('python3')) skip(this, 'python3 is not installed')
    const bodies = await go('<code language="python">\n\n  x = 1\n  y = x / 0\n</code>')
    assert.match(
      tailOf(bodies),
      /^Traceback.*\n {2}File "t\.xml", line 4, in <module>\n {4}y = x \/ 0\n(.*\n)?ZeroDivisionError: division by zero$/
    )
  })

  it('paste literals into older Python', async function () {
    if (!has('python3')) skip(this, 'python3 is not installed')
    const bodies = await go(
      '<python><code>\n  <set>goal.y</set> = <get>goal.x</get> + "!"\n</code></python>',
      `<variable name="x">it's "x" \\n</variable><variable name="y"/>`
    )
    assert.deepEqual(resultOf(bodies, 'y'), { value: `it's "x" \\n!` })
  })

  it('give code a secret, and keep it out of the journal', async () => {
    const bodies = await go(
      '<code language="javascript"><set>goal.length</set> = <get>goal.key</get>.length</code>',
      '<variable name="key" type="password">hush!</variable><variable name="length" type="int"/>'
    )
    assert.deepEqual(resultOf(bodies, 'length'), { type: 'int', value: 5 })
    assert.doesNotMatch(JSON.stringify(bodies), /hush/)
  })

  it('edit a file in place, keeping its mode and a backup', async () => {
    const file = join(directory(), 'app.conf')
    writeFileSync(file, 'port=1\n')
    chmodSync(file, 0o640)
    await go(`<editFile path="${file}"><replace pattern="^port=.*$" with="port=2"/><append>last</append></editFile>`)
    assert.equal(readFileSync(file, 'utf8'), 'port=2\nlast\n')
    assert.equal(readFileSync(`${file}.cb-backup`, 'utf8'), 'port=1\n')
    assert.equal(statSync(file).mode & 0o777, 0o640)
    assert.deepEqual(
      readdirSync(directory()).filter(name => name.startsWith('app.conf')),
      ['app.conf', 'app.conf.cb-backup']
    )
  })

  it('wait for a file that comes', async () => {
    const file = join(directory(), 'come')
    const waited = go(`<wait every="0.05" timeout="20"><pathExists>${file}</pathExists></wait>`)
    writeFileSync(file, '')
    assert.equal((await waited).at(-1)?.type, 'completed')
  })

  it('answer a prompt from a terminal, without the answer in the output', async function () {
    this.timeout(20_000)
    if (!has('script')) skip(this, 'script(1) is not installed')
    const bodies = await go(
      `<shell timeout="20"><send name="s">read -r -p "User: " u; read -r -s -p "Password: " p; echo; test -t 0; echo "$? $u \${#p}"</send>
        <receive prompt="User: $">ann</receive><receive prompt="[Pp]assword: $"><get>goal.key</get></receive></shell>`,
      '<variable name="key" type="password">it\'s hush</variable>'
    )
    const s = resultOf(bodies, 's') as { fields: { stdout: { value: string } } }
    assert.match(s.fields.stdout.value, /User: Password: \n0 ann 9$/)
    assert.doesNotMatch(JSON.stringify(s), /hush/)
    assert.equal(existsSync(join(directory(), 'files', 'g1')), false)
  })

  it('end everything that runs in a terminal when its time is over', async function () {
    this.timeout(20_000)
    if (!has('script')) skip(this, 'script(1) is not installed')
    const mark = `sleep 61.${process.pid}`
    await go(`<shell timeout="1"><send>${mark}; true</send><receive prompt="never">x</receive></shell>`)
    const left = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
      .split('\n')
      .filter(line => line === mark)
    assert.deepEqual(left, [])
  })

  it('share the connection of ssh', async function () {
    this.timeout(30_000)
    const why = whyNoSshd()
    if (why !== undefined) skip(this, why)
    const sshd = await startSshd()
    const connections = await localDriver(directory(), await createRunner(directory())).connections()
    try {
      const before = sshd.connections()
      const bodies = await go(
        `<shell reuse="true"><command>ssh -F ${sshd.config} there</command><send>true</send><send name="s">echo one; echo two</send></shell>`
      )
      const s = resultOf(bodies, 's') as { fields: { stdout: { value: string } } }
      assert.equal(s.fields.stdout.value, 'one\ntwo')
      assert.equal(sshd.connections() - before, 1)
      const [socket = ''] = readdirSync(connections)
      execFileSync('ssh', ['-F', sshd.config, '-o', `ControlPath=${join(connections, socket)}`, '-O', 'exit', 'there'], { stdio: 'ignore' })
    } finally {
      await sshd.stop()
      rmSync(connections, { recursive: true, force: true })
    }
  })
})
