import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
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

describe("a node that is nobody's neighbour but one's", function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(3, { started: false })
    // n1 and n3 know n2 alone, and permit each other.
    for (const [number, other] of [
      [1, 'n3'],
      [3, 'n1']
    ] as const) {
      const file = m.node(number).home.neighborhood
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.replace(new RegExp(` *<peer name="${other}"[\\s\\S]*?</peer>\\n`), ''))
      assert.notEqual(readFileSync(file, 'utf8'), text)
    }
    for (const number of [1, 2, 3]) await m.node(number).start()
  })
  after(() => m?.stop())

  it('is known by its state, and dialled when a goal is sent to it', async () => {
    await until('n1 has heard of n3', async () => (await m.node(1).json<readonly PeerInfo[]>('peers')).some(({ name }) => name === 'n3'))
    const said = await m.node(1).cli('dispatch', 'greet', '--peer', 'n3')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.match(said.stdout, /n3 +completed/)
  })
})
