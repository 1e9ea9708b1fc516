import assert from 'node:assert/strict'
import type { Anticipated, RunInfo } from '../../src/node/control/contract.ts'
import { TICKET_CAPABILITIES } from '../../src/node/joining/tickets.ts'
import { until } from './mesh/process.ts'
import { work } from './mesh/program.ts'
import { type Mesh, mesh } from './mesh.ts'

/** n4 takes no goals from n1. */
const permits = (host: string, guest: string) => ({
  capabilities: TICKET_CAPABILITIES.filter(each => !(host === 'n4' && guest === 'n1' && each === 'goal:dispatch'))
})

interface Outcome {
  readonly node: string
  readonly status: string
  readonly id: string
}

describe('a goal for many nodes', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(4, { permits })
  })
  after(() => m?.stop())

  /** The newest goal that n1 knows. */
  const newest = async (): Promise<RunInfo> => (await m.node(1).json<readonly RunInfo[]>('goals'))[0]!

  it('shows before anything runs which node would do what, is reachable and permits it, and has the program', async () => {
    const job = work(m.directory, 'anticipated')
    await m.node(3).kill('SIGTERM')
    const said = await m.node(1).cli('dispatch', ...job.words, '--all', '--plan', '-o', 'json')
    await m.node(3).start()
    await m.up()
    const rows = Object.fromEntries((JSON.parse(said.stdout) as Anticipated[]).map(row => [row.node, row]))
    assert.equal(said.exit, 6, said.stderr)
    assert.deepEqual([rows['n2']!.reachable, rows['n2']!.permitted, rows['n2']!.program], [true, true, 'to send'])
    assert.equal(rows['n3']!.reachable, false)
    assert.deepEqual([rows['n4']!.reachable, rows['n4']!.permitted], [true, false])
    assert.deepEqual(job.ran(), [])
    assert.deepEqual(await m.node(1).json('goals'), [])
  })

  it('goes to those with the labels, one after the other, and tells in one table how each came out', async () => {
    const job = work(m.directory, 'labelled', { open: true })
    const labels = `os=${process.platform},arch=${process.arch}`
    const said = await m.node(1).cli('dispatch', ...job.words, '--where', labels, '--parallel', '1', '-o', 'json')
    const outcomes = JSON.parse(said.stdout) as Outcome[]
    assert.deepEqual(
      outcomes.map(({ node, status }) => `${node} ${status}`).sort(),
      ['n1 completed', 'n2 completed', 'n3 completed', 'n4 denied'],
      said.stderr
    )
    assert.equal(said.exit, 6)
    assert.equal(job.ran().length, 9)
  })

  it('goes to no more nodes once too many have failed', async () => {
    const job = work(m.directory, 'failing', { open: true })
    const words = [...job.words, 'goal.word=wrong', '--peer', 'n2,n3,n4', '--parallel', '1', '--max-failures', '34%']
    const said = await m.node(1).cli('dispatch', ...words, '-o', 'json')
    const outcomes = JSON.parse(said.stdout) as Outcome[]
    assert.deepEqual(
      outcomes.map(({ node, status }) => `${node} ${status}`),
      ['n2 suspended', 'n3 suspended', 'n4 not sent'],
      said.stderr
    )
  })

  it('waits here for a node that is away, says why, and can be cancelled before it was sent', async () => {
    const [wanted, unwanted] = [work(m.directory, 'wanted', { open: true }), work(m.directory, 'unwanted', { open: true })]
    await m.node(3).kill('SIGTERM')
    const sent: Outcome[][] = []
    for (const { words } of [wanted, unwanted])
      sent.push(await m.node(1).json<Outcome[]>('dispatch', ...words, '--peer', 'n3', '--wait', '--detach'))
    const [first, second] = sent.map(([only]) => only!)
    assert.equal(first!.status, 'queued')
    const queued = await m.node(1).goal(first!.id, run => run.dispatch?.state === 'queued' && run.dispatch.why !== undefined)
    assert.match(queued.dispatch?.why ?? '', /n3 is away/)
    assert.equal((await m.node(1).cli('cancel', second!.id, '--why', 'changed my mind')).exit, 0)
    await m.node(1).restart()
    await m.node(3).start()
    assert.equal((await m.node(1).goal(first!.id)).status, 'completed')
    assert.equal((await m.node(1).json<RunInfo>('goal', second!.id)).dispatch?.state, 'refused')
    assert.deepEqual([wanted.ran().length, unwanted.ran().length], [3, 0])
  })

  it('is followed from a node that neither sent nor pursues it, through a restart of the one that does', async () => {
    const job = work(m.directory, 'attached')
    await m.node(1).cli('dispatch', ...job.words, '--peer', 'n2', '--detach')
    await job.waits()
    const { id } = await newest()
    await until('n4 knows of the goal', async () => (await m.node(4).cli('state', `nodes.n2.goals.${id}`)).exit === 0)
    const following = m.node(4).begin('attach', id)
    await following.says(/first/)
    await m.node(2).restart()
    await following.says(/waiting/)
    job.open()
    const said = await following.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(said.stdout.match(/ok .* (echo first|cd|echo last) /g)?.length, 3, said.stdout)
    assert.match(said.stdout, /completed: 3 done/)
  })

  it('is cancelled by somebody who asked while its node was away, once that is there again', async () => {
    const job = work(m.directory, 'given-up')
    await m.node(1).cli('dispatch', ...job.words, '--peer', 'n2', '--detach')
    await job.waits()
    const { id } = await newest()
    const following = m.node(1).begin('attach', id)
    await following.says(/echo first/)
    await m.node(2).kill('SIGKILL')
    const said = await m.node(1).cli('cancel', id, '--why', 'too late')
    assert.equal(said.exit, 0, said.stderr)
    assert.match(said.stdout, /to be cancelled/)
    await m.node(2).start()
    assert.equal((await m.node(1).goal(id)).status, 'cancelled')
    assert.deepEqual(job.ran(), ['first', 'middle'])
    const followed = await following.ended
    assert.match(followed.stdout, /\ncancelled by n1@example.org \(too late\)/)
    assert.doesNotMatch(followed.stdout, /suspended/)
  })

  it('is abandoned with a node that is gone for good, and stopped there when that comes back all the same', async () => {
    const job = work(m.directory, 'abandoned')
    await m.node(1).cli('dispatch', ...job.words, '--peer', 'n2', '--detach')
    await job.waits()
    const { id } = await newest()
    await m.node(2).kill('SIGKILL')
    assert.equal((await m.node(1).cli('abandon', id, '--why', 'it burned')).exit, 0)
    assert.equal((await m.node(1).json<RunInfo>('goal', id)).dispatch?.state, 'abandoned')
    await m.node(2).start()
    const there = await m.node(2).goal(id, run => run.suspended?.code === 'abandoned')
    assert.match(there.suspended?.reason ?? '', /n1 gave this goal up .*it burned/)
    job.open()
    assert.deepEqual(job.ran(), ['first', 'middle'])
    assert.equal((await m.node(2).cli('repair', id, '--retry')).exit, 0)
    assert.equal((await m.node(1).json<RunInfo>('goal', id)).dispatch?.state, 'abandoned')
  })
})
