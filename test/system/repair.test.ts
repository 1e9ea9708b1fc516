import assert from 'node:assert/strict'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { cli } from '../../src/cli/cli.ts'
import { addPermit } from '../../src/node/permissions/permissions.ts'
import { fakeIo } from '../fakes/io.ts'
import { until } from './mesh/process.ts'
import { work } from './mesh/program.ts'
import { FOREVER, type Mesh, mesh } from './mesh.ts'

describe('a goal that failed on another node', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(3)
  })
  after(() => m?.stop())

  /** Fails at n2 on behalf of n1, because of its word. */
  async function failed(name: string): Promise<{ id: string; ran(): readonly string[] }> {
    const job = work(m.directory, name, { open: true })
    const said = await m.node(1).cli('dispatch', ...job.words, 'goal.word=wrong', '--peer', 'n2')
    assert.equal(said.exit, 3, said.stdout + said.stderr)
    const [newest] = await m.node(1).json<readonly RunInfo[]>('goals')
    const id = newest!.id
    assert.match(said.stdout, /the word is wrong/, 'it says why')
    assert.match(said.stdout, /exit(ed|s)?\D*4/, 'and how the step ended')
    assert.match(said.stdout, new RegExp(`cloudburst repair ${id}.*goal\\.word=`), 'and what to type')
    assert.deepEqual(job.ran(), ['first', 'middle'])
    return { id, ran: job.ran }
  }

  it('is repaired from a third node; what was done does not run again', async () => {
    const { id, ran } = await failed('from-third')
    const said = await m.node(3).cli('repair', id, '--peer', 'n2', '--set', 'goal.word=right')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(ran(), ['first', 'middle', 'middle', 'last'])
    assert.equal((await m.node(1).goal(id, ({ status }) => status === 'completed')).on, 'n2')
  })

  it('is repaired from the node that sent it', async () => {
    const { id, ran } = await failed('from-sender')
    const said = await m.node(1).cli('repair', id, 'goal.word=right')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(ran(), ['first', 'middle', 'middle', 'last'])
  })

  it('stays suspended, with everything kept, when the repair does not help', async () => {
    const { id, ran } = await failed('no-help')
    const said = await m.node(1).cli('repair', id, '--retry')
    assert.equal(said.exit, 3, said.stdout + said.stderr)
    assert.equal((await m.node(1).cli('repair', id, '--peer', 'n2', 'goal.word=right')).exit, 0)
    assert.deepEqual(ran(), ['first', 'middle', 'middle', 'middle', 'last'])
  })

  it('is still there to be repaired after both daemons were restarted', async () => {
    const { id, ran } = await failed('restarted')
    await Promise.all([m.node(1).restart(), m.node(2).restart()])
    await m.up()
    const said = await m.node(1).cli('repair', id, 'goal.word=right')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(ran(), ['first', 'middle', 'middle', 'last'])
  })

  it('is not repaired twice: the second is told that it does not wait any more', async () => {
    const { id } = await failed('twice')
    assert.equal((await m.node(3).cli('repair', id, '--peer', 'n2', 'goal.word=right')).exit, 0)
    const again = await m.node(3).cli('repair', id, '--peer', 'n2', '--retry')
    assert.equal(again.exit, 1)
    assert.match(again.stderr, new RegExp(`^error: .*${id}`))
    assert.match(again.stderr, /^next: /m)
  })

  it('has a shell in its prompt, which runs what is typed where the step runs, if that is permitted', async () => {
    const { id } = await failed('shell')
    const typed = async (from: number, ...lines: string[]): Promise<{ stdout: string; stderr: string }> => {
      const io = fakeIo({ tty: true, stdin: `${['shell', ...lines, 'exit', 'quit'].join('\n')}\n`, env: { TERM: 'dumb' } })
      const peer = from === 1 ? [] : ['--peer', 'n2']
      assert.equal(await cli(['repair', id, ...peer, '--home', m.node(from).home.base], io), 3, io.said.stdout + io.said.stderr)
      return io.said
    }
    assert.match((await typed(1, 'echo it ran > /dev/stderr')).stdout, /error: .*node:shell/)
    for (const from of [1, 3])
      addPermit(m.node(2).home.permissions, {
        email: `n${from}@example.org`,
        peer: m.node(from).peer,
        capabilities: ['node:shell'],
        lifetime: FOREVER
      })
    for (const from of [1, 3]) {
      await until('n2 permits node:shell', async () => (await m.node(from).cli('run', '--peer', 'n2', '--', 'true')).exit === 0)
      const { stdout, stderr } = await typed(
        from,
        'echo "$CB_GOAL_ID at $CB_STEP"',
        `cd ${m.directory}`,
        'pwd; sh -c "exit 7"',
        'false; exit 3'
      )
      assert.match(stdout, new RegExp(`n2:/\\$ ${id} at \\S*middle$`, 'm'), stdout)
      assert.match(stdout, new RegExp(`n2:${m.directory}\\$ ${m.directory}$`, 'm'), stdout)
      assert.match(stderr, /^exit 7\nexit 3\n/m)
    }
    assert.equal((await m.node(1).goal(id)).status, 'suspended')
  })
})

describe('a goal that runs on another node', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(3)
  })
  after(() => m?.stop())

  it('is suspended from where it was sent, and resumed from anywhere', async () => {
    const job = work(m.directory, 'rested')
    const said = await m.node(1).cli('dispatch', ...job.words, '--peer', 'n2', '--detach')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    await job.waits()
    const [newest] = await m.node(1).json<readonly RunInfo[]>('goals')
    const id = newest!.id
    const suspended = await m.node(1).cli('suspend', id, '--why', 'n2 needs care')
    assert.equal(suspended.exit, 0, suspended.stderr)
    assert.match(suspended.stderr, new RegExp(`^step work/steps/middle of goal ${id} still runs; the goal rests once it has ended`))
    job.open()
    const rested = await m.node(1).goal(id, ({ status }) => status === 'suspended')
    assert.deepEqual([rested.suspended?.code, rested.suspended?.reason], ['requested', 'suspended by n1@example.org: n2 needs care'])
    assert.deepEqual(job.ran(), ['first', 'middle'])
    const resumed = await m.node(3).cli('resume', id, '--peer', 'n2', '-o', 'name')
    assert.deepEqual([resumed.exit, resumed.stdout], [0, `${id}\n`], resumed.stderr)
    await m.node(1).goal(id, ({ status }) => status === 'completed')
    assert.deepEqual(job.ran(), ['first', 'middle', 'last'])
  })
})
