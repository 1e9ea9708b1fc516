import assert from 'node:assert/strict'
import type { EventItem, RunInfo } from '../../src/node/control/contract.ts'
import type { Running } from './mesh/process.ts'
import { type Work, work } from './mesh/program.ts'
import { type Mesh, type MeshNode, mesh } from './mesh.ts'

const ONCE = ['first', 'middle', 'last']

/** Event numbers of a goal as `logs -o json` of a node tells them. */
async function eventsOf(node: MeshNode, id: string): Promise<readonly number[]> {
  const said = await node.cli('logs', id, '--replay', '-o', 'json')
  assert.equal(said.exit, 0, said.stderr)
  const items = said.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as EventItem | { readonly type: 'version' })
  return items.flatMap(item => (item.type === 'event' ? [item.event.seq] : []))
}

function oneToLast(run: RunInfo): readonly number[] {
  return Array.from({ length: run.seq }, (_, at) => at + 1)
}

describe('kill -9', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
  })
  after(() => m?.stop())

  /** n1 has sent a goal to n2, whose second step runs; the command still follows. */
  async function underway(name: string): Promise<{ job: Work; command: Running; id: string }> {
    const job = work(m.directory, name)
    const command = m.node(1).begin('dispatch', ...job.words, '--peer', 'n2')
    await job.waits()
    const [newest] = await m.node(1).json<readonly RunInfo[]>('goals')
    return { job, command, id: newest!.id }
  }

  it('of the executing daemon: after its restart the goal goes on, no step runs twice, and the command tells the outcome', async () => {
    const { job, command, id } = await underway('executor')
    await m.node(2).kill('SIGKILL')
    await m.node(2).start()
    job.open()
    const said = await command.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.match(said.stdout, /n2 +completed/)
    assert.deepEqual(job.ran(), ONCE)
    assert.equal((await m.node(2).goal(id)).status, 'completed')
  })

  it('of the executing daemon while its step ends: what ended meanwhile is known after the restart', async () => {
    const { job, command } = await underway('ended-meanwhile')
    await m.node(2).kill('SIGKILL')
    job.open()
    await m.node(2).start()
    const said = await command.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(job.ran(), ONCE)
  })

  it('of the dispatching daemon: the executor finishes, and the outcome is known after the restart, every event of it', async () => {
    const { job, command, id } = await underway('dispatcher')
    await m.node(1).kill('SIGKILL')
    job.open()
    assert.equal((await m.node(2).goal(id)).status, 'completed')
    await m.node(1).start()
    const run = await m.node(1).goal(id)
    assert.equal(run.status, 'completed')
    assert.deepEqual(await eventsOf(m.node(1), id), oneToLast(run))
    assert.deepEqual(await eventsOf(m.node(2), id), oneToLast(run))
    const said = await command.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.match(said.stderr, /waiting for the daemon/)
    assert.match(said.stdout, /n2 +completed/)
    assert.deepEqual(job.ran(), ONCE)
  })

  it('of both daemons at once: the goal goes on, and the command tells the outcome', async () => {
    const { job, command, id } = await underway('both')
    await Promise.all([m.node(1).kill('SIGKILL'), m.node(2).kill('SIGKILL')])
    await Promise.all([m.node(1).start(), m.node(2).start()])
    job.open()
    const said = await command.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(job.ran(), ONCE)
    const run = await m.node(1).goal(id)
    assert.deepEqual(await eventsOf(m.node(1), id), oneToLast(run))
  })

  it('of the daemon and its runner: how the step ended is still known, since its wrapper writes it down', async () => {
    const { job, command } = await underway('runner')
    const runner = m.node(2).runner()!
    await m.node(2).kill('SIGKILL')
    process.kill(runner, 'SIGKILL')
    await m.node(2).start()
    job.open()
    const said = await command.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(job.ran(), ONCE)
  })

  it('of the daemon, its runner and the step: the goal is in doubt, and goes on after a repair that says to try again', async () => {
    const { job, command, id } = await underway('doubt')
    const runner = m.node(2).runner()!
    await m.node(2).kill('SIGKILL')
    process.kill(runner, 'SIGKILL')
    job.kill()
    await m.node(2).start()
    const said = await command.ended
    assert.equal(said.exit, 3, said.stdout + said.stderr)
    assert.equal((await m.node(2).goal(id)).suspended?.code, 'in-doubt')
    assert.deepEqual(job.ran(), ['first', 'middle'], 'nothing runs again by itself')
    job.open()
    const repaired = await m.node(1).cli('repair', id, '--retry')
    assert.equal(repaired.exit, 0, repaired.stdout + repaired.stderr)
    assert.deepEqual(job.ran(), ['first', 'middle', 'middle', 'last'])
  })
})
