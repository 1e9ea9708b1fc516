import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { type Mesh, mesh } from './mesh.ts'
import { until } from './mesh/process.ts'

const file = (name: string): string => `<get>goal.place</get>/${name}`
const given = '<variable name="place"><get>goal.place</get></variable>'
const goal = (name: string, body: string): string =>
  `<goalProto name="${name}"><variable name="place" type="localFilePath"/><method name="m">${body}</method></goalProto>`

/** `site` needs `base` on n3, and so does `part` on n2, which it needs too. `made` is undone when it is given up. */
const PROGRAM = `<cloudburst name="sharing">
  ${goal('site', `<do parallel="2"><base peer="n3">${given}</base><part peer="n2">${given}</part></do>`)}
  ${goal('part', `<base peer="n3">${given}</base><shell><send name="part">echo part &gt;&gt; ${file('ran')}</send></shell>`)}
  ${goal('base', `<shell><send name="base">echo base &gt;&gt; ${file('ran')}; while [ ! -e ${file('gate')} ]; do sleep 0.05; done</send></shell>`)}
  ${goal(
    'made',
    `<shell><send name="make">echo made &gt; ${file('made')}</send><send name="bad">false</send></shell>
    <undo><shell><send name="remove">rm ${file('made')}</send></shell></undo>`
  )}
</cloudburst>`

describe('a goal with parts on other nodes', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(3)
    writeFileSync(join(m.directory, 'sharing.xml'), PROGRAM)
    assert.equal((await m.node(1).cli('load', join(m.directory, 'sharing.xml'))).exit, 0)
  })
  after(() => m?.stop())
  const ran = (): readonly string[] => readFileSync(join(m.directory, 'ran'), 'utf8').trim().split('\n')

  it('has one run of a sub-goal that two nodes ask for, and both have its outcome', async () => {
    const asked = m.node(1).begin('pursue', 'site', `goal.place=${m.directory}`)
    const goals = async (node: number): Promise<readonly RunInfo[]> => await m.node(node).json<readonly RunInfo[]>('goals')
    await until('both have asked for it', async () => (await goals(2)).some(run => run.goal === 'base'))
    await until('it runs', () => existsSync(join(m.directory, 'ran')))
    writeFileSync(join(m.directory, 'gate'), '')
    const said = await asked.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(ran(), ['base', 'part'])
    assert.equal((await goals(3)).filter(run => run.goal === 'base').length, 1)
    rmSync(join(m.directory, 'ran'))
  })

  it('is undone where it is pursued when it is cancelled from elsewhere', async () => {
    const sent = await m.node(1).cli('dispatch', 'made', '--peer', 'n2', `goal.place=${m.directory}`)
    assert.equal(sent.exit, 3, sent.stdout + sent.stderr)
    const { id } = (await m.node(1).json<readonly RunInfo[]>('goals')).find(run => run.goal === 'made')!
    assert.ok(existsSync(join(m.directory, 'made')))
    const cancelled = await m.node(1).cli('cancel', id, '--why', 'not wanted')
    assert.equal(cancelled.exit, 0, cancelled.stdout + cancelled.stderr)
    assert.equal((await m.node(1).goal(id, ({ status }) => status === 'cancelled')).status, 'cancelled')
    assert.ok(!existsSync(join(m.directory, 'made')))
  })
})
