import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { until } from '../system/mesh/process.ts'
import { type Mesh, mesh } from '../system/mesh.ts'

describe('dataflow.xml', function () {
  this.timeout(90_000)
  let m: Mesh
  before(async () => {
    m = await mesh(4)
  })
  after(() => m?.stop())

  /** A folder with so many files. */
  const folder = (name: string, files: number): string => {
    const path = join(m.directory, name)
    mkdirSync(path, { recursive: true })
    for (let at = 0; at < files; at++) writeFileSync(join(path, `f${at}`), '')
    return path
  }

  it('adds up on a fourth node what three have measured, one of which cannot be reached in the middle', async () => {
    for (const [at, files] of [5, 7].entries())
      assert.equal((await m.node(at + 1).cli('pursue', 'measure', `goal.folder=${folder(`has${at}`, files)}`)).exit, 0)
    // n3 is cut off from everybody, and measures all the same.
    const words = ['measure', '--program', 'dataflow', `goal.folder=${folder('has2', 30)}`]
    await m.node(1).cli('dispatch', ...words, '--peer', 'n3')
    process.kill(m.node(3).pid(), 'SIGSTOP')
    const total = m.node(4).begin('pursue', 'total', 'goal.sensors=3')
    const value = async (path: string): Promise<string> => (await m.node(4).cli('state', path)).stdout
    await until('n4 knows two readings', async () => (await value('nodes.n2.agents.sensor')).includes('reading'))
    process.kill(m.node(3).pid(), 'SIGCONT')
    const said = await total.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.match(await value('nodes.n4.agents.collector.variables.total'), /= 42/)
    const why = await until('n1 knows the sum', async () => {
      const { stdout } = await m.node(1).cli('state', 'why', 'nodes.n4.agents.collector.variables.total', '-o', 'json')
      const [found] = JSON.parse(stdout) as { goal?: string; origin: string }[]
      return found?.goal !== undefined && found
    })
    const [run] = await m.node(4).json<readonly RunInfo[]>('goals')
    assert.deepEqual([why.goal, why.origin], [run!.id, m.node(4).peer])
  })
})
