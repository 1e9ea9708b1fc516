import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { work } from './mesh/program.ts'
import { type Mesh, mesh } from './mesh.ts'

/** Most that a clean stop may take, in milliseconds. */
const STOP_MS_MAX = 2_000

describe('a daemon', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
  })
  after(() => m?.stop())

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`stops cleanly at ${signal} while a step runs: the step goes on, and the next daemon picks it up`, async () => {
      const node = m.node(1)
      const job = work(m.directory, `stopped-by-${signal.toLowerCase()}`)
      const command = node.begin('pursue', ...job.words)
      await job.waits()
      const began = Date.now()
      const { exit } = await node.kill(signal)
      assert.ok(Date.now() - began < STOP_MS_MAX, `${Date.now() - began} ms`)
      assert.equal(exit, 0, node.log())
      assert.equal(existsSync(node.home.socket), false)
      job.open()
      await node.start()
      const said = await command.ended
      assert.equal(said.exit, 0, said.stdout + said.stderr)
      assert.deepEqual(job.ran(), ['first', 'middle', 'last'])
    })
  }

  it('is missed by the others when it stops, and up again when it comes back', async () => {
    await m.node(2).kill('SIGTERM')
    const away = await m.node(1).cli('peers')
    assert.doesNotMatch(away.stdout, /n2 .* up /)
    await m.node(2).start()
    await m.up()
  })

  it('lets a command be interrupted: exit 130, and the goal goes on', async () => {
    const job = work(m.directory, 'interrupted')
    const command = m.node(1).begin('pursue', ...job.words)
    await job.waits()
    command.signal('SIGINT')
    const said = await command.ended
    assert.equal(said.exit, 130, said.stdout + said.stderr)
    const [newest] = await m.node(1).json<readonly RunInfo[]>('goals')
    assert.match(said.stderr, new RegExp(`error: .*${newest!.id}`))
    assert.match(said.stderr, new RegExp(`next: cloudburst logs ${newest!.id} --follow`))
    job.open()
    assert.equal((await m.node(1).goal(newest!.id)).status, 'completed')
    assert.deepEqual(job.ran(), ['first', 'middle', 'last'])
  })
})

describe('a change of state', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
  })
  after(() => m?.stop())

  it('on one node is seen by a watch on another', async () => {
    const watch = m.node(2).begin('state', 'nodes.n1.agents', '--watch')
    await watch.says(/nodes\.n1\.agents/)
    assert.equal((await m.node(1).cli('start', 'inventory', '--name', 'seen')).exit, 0)
    await watch.says(/seen/)
    assert.equal((await m.node(1).cli('stop', 'seen')).exit, 0)
    await watch.says(/stopped/)
    watch.signal('SIGINT')
    assert.ok([0, 130].includes((await watch.ended).exit))
  })

  it('is seen by a watch that was there before the other node', async () => {
    await m.node(1).kill('SIGKILL')
    const watch = m.node(2).begin('state', 'nodes.n1.agents', '--watch')
    await m.node(1).start()
    assert.equal((await m.node(1).cli('start', 'inventory', '--name', 'later')).exit, 0)
    await watch.says(/later/)
    watch.signal('SIGINT')
    await watch.ended
  })
})
