import assert from 'node:assert/strict'
import type { PeerInfo } from '../../src/node/control/contract.ts'
import { until } from './mesh/process.ts'
import { type Mesh, mesh, type MeshNode } from './mesh.ts'

describe('nodes that come and go', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(3)
  })
  after(() => m?.stop())

  const seen = async (by: MeshNode, name: string): Promise<PeerInfo> =>
    (await by.json<readonly PeerInfo[]>('peers')).find(peer => peer.name === name)!

  it('are away to all others soon after one stands still, and up again when it goes on, over the same connection', async () => {
    const stopped = Date.now()
    process.kill(m.node(3).pid(), 'SIGSTOP')
    const noticed = await until('n1 and n2 notice', async () => {
      const both = await Promise.all([1, 2].map(number => seen(m.node(number), 'n3')))
      return both.every(({ status }) => status === 'away') && Date.now() - stopped
    })
    process.kill(m.node(3).pid(), 'SIGCONT')
    await m.up()
    // What the command line takes, and a busy machine, are not the mesh's.
    assert.ok(noticed <= 8_000, `noticed after ${noticed} ms`)
    assert.match(m.node(1).log(), /a node does not answer/)
    assert.match(m.node(1).log(), /a node answers again/)
  })

  it('have left when they end in order', async () => {
    await m.node(3).kill('SIGTERM')
    await until('n1 knows that it left', async () => (await seen(m.node(1), 'n3')).left)
    assert.match((await m.node(1).cli('peers')).stdout, /n3 .* left/)
    await m.node(3).start()
    await m.up()
    assert.equal((await seen(m.node(1), 'n3')).left, undefined)
  })
})
