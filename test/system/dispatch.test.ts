import assert from 'node:assert/strict'
import { type Mesh, mesh } from './mesh.ts'

describe('a mesh of daemons', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(3)
  })
  after(() => m?.stop())

  it('carries a goal from one node to two others and tells how it came out', async () => {
    const said = await m.node(1).cli('dispatch', 'inventory', '--peer', 'n2,n3', 'goal.folders=/etc')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.match(said.stdout, /n2 +completed/)
    assert.match(said.stdout, /n3 +completed/)
  })
})
