import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentInfo } from '../../src/node/control/contract.ts'
import { QUIESCE_WITHIN_MS } from '../../src/node/goals/quiescence.ts'
import { until } from './mesh/process.ts'
import { type Mesh, mesh } from './mesh.ts'

/** What starting the command may take on a loaded machine, in milliseconds. */
const STARTING_MS_MAX = 4_000

describe('an agent', function () {
  this.timeout(60_000)
  let m: Mesh
  let count = 0

  before(async () => {
    m = await mesh(1)
    writeFileSync(
      join(m.directory, 'worker.xml'),
      `<cloudburst name="worker"><agent name="worker"><variable name="x"/>
        <goalProto name="work"><variable name="place"/><method name="m"><shell>
          <send name="long">echo long &gt;&gt; <get>goal.place</get>/ran; while [ ! -e <get>goal.place</get>/gate ]; do sleep 0.05; done</send>
          <send name="last">echo last &gt;&gt; <get>goal.place</get>/ran</send></shell></method></goalProto></agent></cloudburst>`
    )
    assert.equal((await m.node(1).cli('start', join(m.directory, 'worker.xml'))).exit, 0)
  })
  after(() => m?.stop())

  async function working(): Promise<{ id: string; ran(): string; open(): void }> {
    const place = join(m.directory, `w${++count}`)
    mkdirSync(place)
    const ran = (): string => (existsSync(join(place, 'ran')) ? readFileSync(join(place, 'ran'), 'utf8').trim().replaceAll('\n', ' ') : '')
    const said = await m.node(1).cli('pursue', 'work', '--agent', 'worker', `goal.place=${place}`, '--detach')
    assert.equal(said.exit, 0, said.stderr)
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(said.stdout)![0]
    await until('the long step runs', () => ran() === 'long')
    return { id, ran, open: () => writeFileSync(join(place, 'gate'), '') }
  }

  it('that is suspended says within a second which step still runs, rests after it, and is resumed there', async () => {
    const { id, ran, open } = await working()
    const began = Date.now()
    const said = await m.node(1).cli('suspend', 'worker')
    assert.ok(Date.now() - began < QUIESCE_WITHIN_MS + STARTING_MS_MAX, `${Date.now() - began} ms`)
    assert.match(
      said.stderr,
      new RegExp(
        `^step work/m/long of goal ${id} still runs; the goal rests once it has ended\nto end it now: cloudburst stop worker --now`
      )
    )
    open()
    const rested = await m.node(1).goal(id)
    assert.deepEqual([rested.status, rested.suspended?.code, ran()], ['suspended', 'requested', 'long'])
    assert.equal((await m.node(1).cli('resume', 'worker')).exit, 0)
    assert.equal((await m.node(1).goal(id, ({ status }) => status === 'completed')).steps.done, 2)
    assert.equal(ran(), 'long last')
  })

  it('that is resumed while its step still runs goes on as if nothing had been', async () => {
    const { id, ran, open } = await working()
    await m.node(1).cli('suspend', 'worker')
    await m.node(1).cli('resume', 'worker')
    open()
    await m.node(1).goal(id, ({ status }) => status === 'completed')
    assert.equal(ran(), 'long last')
  })

  it('whose single goal is suspended goes on with the others; the goal rests after its step, also over a restart', async () => {
    const [one, other] = [await working(), await working()]
    const began = Date.now()
    const said = await m.node(1).cli('suspend', one.id.slice(0, 22), '--why', 'later')
    assert.equal(said.exit, 0, said.stderr)
    assert.ok(Date.now() - began < QUIESCE_WITHIN_MS + STARTING_MS_MAX, `${Date.now() - began} ms`)
    assert.match(
      said.stderr,
      new RegExp(`^step work/m/long of goal ${one.id} still runs; .*\nto end it now, and the goal: cloudburst cancel`)
    )
    assert.match((await m.node(1).cli('goal', one.id)).stdout, /^status +pursuing\nto rest +suspended by n1: later$/m)
    await m.node(1).kill('SIGKILL')
    await m.node(1).restart()
    one.open()
    other.open()
    const rested = await m.node(1).goal(one.id)
    assert.deepEqual(
      [rested.status, rested.suspended?.code, rested.suspended?.reason],
      ['suspended', 'requested', 'suspended by n1: later']
    )
    await m.node(1).goal(other.id, ({ status }) => status === 'completed')
    assert.deepEqual([one.ran(), other.ran()], ['long', 'long last'])
    // It was meant alone: an agent that goes on does not take it along.
    await m.node(1).cli('suspend', 'worker')
    await m.node(1).cli('resume', 'worker')
    assert.equal((await m.node(1).goal(one.id)).status, 'suspended')
    const resumed = await m.node(1).cli('resume', one.id)
    assert.equal(resumed.exit, 0, resumed.stderr)
    await m.node(1).goal(one.id, ({ status }) => status === 'completed')
    assert.equal(one.ran(), 'long last')
    assert.match((await m.node(1).cli('logs', one.id, '--replay')).stdout, /resumed by n1/)
    const again = await m.node(1).cli('suspend', one.id)
    assert.deepEqual([again.exit, again.stderr.split('\n')[0]], [1, `error: goal ${one.id} is completed already`])
  })

  it('that is stopped pursues what its program has for that, once its goals rest', async () => {
    const file = join(m.directory, 'leaving.xml')
    writeFileSync(
      file,
      `<cloudburst name="leaving"><agent name="leaving" onStop="leave"><variable name="place" type="string">${m.directory}</variable>
        <goalProto name="toil"><method name="m"><shell>
          <send name="long">while [ ! -e <get>agent.place</get>/left-gate ]; do sleep 0.05; done</send>
          <send name="never">touch <get>agent.place</get>/never</send></shell></method></goalProto>
        <goalProto name="leave"><method name="m"><shell><send>touch <get>agent.place</get>/left</send></shell></method></goalProto>
      </agent></cloudburst>`
    )
    assert.equal((await m.node(1).cli('start', file)).exit, 0)
    const said = await m.node(1).cli('pursue', 'toil', '--agent', 'leaving', '--detach')
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(said.stdout)![0]
    await m.node(1).goal(id, ({ steps }) => steps.running === 1)
    const [stopped] = await m.node(1).json<readonly AgentInfo[]>('stop', 'leaving')
    assert.deepEqual([stopped?.status, stopped?.inFlight?.length], ['stopped', 1])
    // Not forgotten by who goes on in its place.
    await m.node(1).kill('SIGKILL')
    await m.node(1).restart()
    writeFileSync(join(m.directory, 'left-gate'), '')
    await until('it has left', () => existsSync(join(m.directory, 'left')))
    await m.node(1).goal(stopped!.stopGoal!, ({ status }) => status === 'completed')
    const rested = await m.node(1).goal(id)
    assert.deepEqual([rested.suspended?.reason, rested.steps.done], ['agent leaving is stopped', 1])
    assert.equal(existsSync(join(m.directory, 'never')), false)
  })

  it('that is stopped now ends its step; the goal waits with what was done', async () => {
    const { id, ran, open } = await working()
    const stopped = await m.node(1).json<readonly AgentInfo[]>('stop', 'worker', '--now')
    assert.deepEqual([stopped[0]?.status, stopped[0]?.inFlight], ['stopped', undefined])
    const rested = await m.node(1).goal(id)
    assert.deepEqual([rested.status, rested.suspended?.code, rested.steps.running], ['suspended', 'stopped', 0])
    open()
    const said = await m.node(1).cli('repair', id, '--retry')
    assert.deepEqual([said.exit, ran()], [0, 'long long last'], said.stdout + said.stderr)
  })
})
