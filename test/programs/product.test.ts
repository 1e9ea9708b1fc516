import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { skip } from '../skip.ts'
import { until } from '../system/mesh/process.ts'
import { type Mesh, mesh } from '../system/mesh.ts'
import { freePort } from './ports.ts'

describe('product.xml', function () {
  this.timeout(90_000)
  let m: Mesh
  let folder: string
  before(async function () {
    if (spawnSync('python3', ['-c', 'import http.server']).status !== 0) skip(this, 'no python3 to serve with')
    m = await mesh(3)
    folder = join(m.directory, 'shop')
  })
  after(async () => {
    if (m === undefined) return
    for (const part of ['data', 'app', 'front']) await m.node(1).cli('pursue', 'stopWebsite', `goal.folder=${folder}/${part}`)
    await m.stop()
  })

  it('stands after one goal: data and app on two nodes, found through the mesh, front here; then it changes', async () => {
    const ports = [await freePort(), await freePort(), await freePort()] as const
    const words = ['product', 'goal.data=n2', 'goal.app=n3', `goal.folder=${folder}`]
    const at = [`goal.dataPort=${ports[0]}`, `goal.appPort=${ports[1]}`, `goal.frontPort=${ports[2]}`]
    const page = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${ports[2]}/`)).text()

    const planned = await m.node(1).cli('plan', ...words, ...at)
    assert.equal(planned.exit, 0, planned.stdout + planned.stderr)
    assert.match(planned.stdout, /\+ dataPart @n2\n {2}\+ appPart @n3\n {2}[+?] frontPart/)
    assert.doesNotMatch(planned.stdout, /^!/m)
    assert.equal((await m.node(2).json<readonly RunInfo[]>('goals')).length, 0, 'planning pursues nothing anywhere')

    const first = await m.node(1).cli('pursue', ...words, ...at)
    assert.equal(first.exit, 0, first.stdout + first.stderr)
    assert.equal(await page(), 'Welcome. In stock: apples, pears\n')
    for (const [number, goal] of [
      [2, 'dataPart'],
      [3, 'appPart']
    ] as const) {
      const runs = await m.node(number).json<readonly RunInfo[]>('goals')
      assert.deepEqual(
        runs.filter(run => run.on === undefined).map(run => run.goal),
        [goal]
      )
    }
    const seen = await m.node(1).cli('state', 'nodes')
    assert.ok(seen.stdout.includes(`nodes.n2.agents.data.variables.dataUrl = http://127.0.0.1:${ports[0]}/`), seen.stdout)

    const changed = await m.node(1).cli('pursue', ...words, ...at, 'goal.catalogue=plums')
    assert.equal(changed.exit, 0, changed.stdout + changed.stderr)
    assert.equal(await page(), 'Welcome. In stock: plums\n')
  })

  it('waits while a part is suspended on its node; once that is repaired it goes on, and finds the part at its new place', async () => {
    const taken = createServer(socket => socket.on('error', () => undefined))
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = taken.address() as { port: number }
      const at = [`goal.dataPort=${port}`, `goal.appPort=${await freePort()}`, `goal.frontPort=${await freePort()}`]
      const words = ['product', 'goal.data=n2', 'goal.app=n3', `goal.folder=${folder}`, 'goal.catalogue=cherries', ...at]
      const product = m.node(1).begin('pursue', ...words)
      const part = await until('the data part suspends on n2', async () =>
        (await m.node(2).json<readonly RunInfo[]>('goals')).find(run => run.goal === 'dataPart' && run.status === 'suspended')
      )
      const elsewhere = await freePort()
      const repaired = await m.node(1).cli('repair', part.id, '--peer', 'n2', '--set', `goal.port=${elsewhere}`)
      assert.equal(repaired.exit, 0, repaired.stdout + repaired.stderr)
      const { exit, stdout, stderr } = await product.ended
      assert.equal(exit, 0, stdout + stderr)
      const seen = await m.node(1).cli('state', 'nodes')
      assert.ok(seen.stdout.includes(`nodes.n2.agents.data.variables.dataUrl = http://127.0.0.1:${elsewhere}/`), seen.stdout)
      const front = at[2]!.split('=')[1]
      assert.equal(await (await fetch(`http://127.0.0.1:${front}/`)).text(), 'Welcome. In stock: cherries\n')
    } finally {
      taken.close()
    }
  })
})
