import assert from 'node:assert/strict'
import { Testbed, type TestNode } from './mesh/testbed.ts'

describe('a mesh', () => {
  let bed: Testbed
  beforeEach(() => {
    bed = new Testbed()
  })
  afterEach(() => bed.close())

  it('connects nodes that know and permit one another, and carries messages between them', async function () {
    this.timeout(10_000)
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    b.mesh.handle('/test/echo/1', async (channel, caller) => {
      caller.require('agency:hello')
      assert.equal(caller.node, 'a')
      for (let message = await channel.read(); message !== undefined; message = await channel.read()) await channel.write(message)
    })
    const channel = await a.mesh.open(b.identity.peer, '/test/echo/1')
    await channel.write({ hello: 1, list: ['x', null] })
    assert.deepEqual(await channel.read(), { hello: 1, list: ['x', null] })
    await channel.finish()
    assert.equal(await channel.read(), undefined)
  })
})
