import assert from 'node:assert/strict'
import { existsSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '../../src/goals/plan/plan.ts'
import { until } from './mesh/process.ts'
import { type Mesh, mesh } from './mesh.ts'

const given = '<variable name="place"><get>goal.place</get></variable>'
const PROGRAM = `<cloudburst name="looking">
  <goalProto name="site"><variable name="place" type="localFilePath"/><method name="m"><folder peer="n2">${given}</folder></method></goalProto>
  <goalProto name="folder"><variable name="place" type="localFilePath"/>
    <post><fileTest type="directory"><get>goal.place</get>/folder</fileTest></post>
    <method name="make"><shell><send name="make">mkdir <get>goal.place</get>/folder</send><send name="wait">sleep 0.1</send></shell>
      <undo><shell><send name="remove">rmdir <get>goal.place</get>/folder</send></shell></undo></method></goalProto>
</cloudburst>`

describe('what a goal has done, looked at later by daemons', function () {
  this.timeout(60_000)
  let m: Mesh
  const folder = (): string => join(m.directory, 'folder')
  before(async () => {
    m = await mesh(2)
    writeFileSync(join(m.directory, 'looking.xml'), PROGRAM)
    assert.equal((await m.node(1).cli('load', join(m.directory, 'looking.xml'))).exit, 0)
  })
  after(() => m?.stop())
  const plan = async (...words: readonly string[]): Promise<Plan> =>
    await m.node(1).json<Plan>('plan', 'site', `goal.place=${m.directory}`, ...words)

  it('is looked at on the node where it was done', async () => {
    const done = await m.node(1).cli('pursue', 'site', `goal.place=${m.directory}`)
    assert.equal(done.exit, 0, done.stdout + done.stderr)
    assert.deepEqual((await plan('--refresh')).drift, { checked: 1, drifted: [] })
    rmdirSync(folder())
    const { drift } = await plan('--refresh')
    assert.deepEqual(
      drift?.drifted.map(({ goal, now, peer }) => [goal, now, peer]),
      [['folder', 'false', 'n2']]
    )
  })

  it('is planned with the time that it took', async () => {
    const { estimate, nodes } = await plan()
    assert.deepEqual(
      nodes.flatMap(({ kind, peer, there }) => (kind === 'step' ? [{ peer, there }] : [])),
      [{ peer: 'n2', there: { reachable: true, permitted: true, program: 'there' } }]
    )
    assert.ok(estimate !== undefined && estimate.leastMs >= 100, JSON.stringify(estimate))
    assert.ok(nodes.some(({ took }) => took !== undefined))
  })

  it('is taken back there, and not twice', async () => {
    const again = await m.node(1).cli('pursue', 'site', `goal.place=${m.directory}`)
    assert.equal(again.exit, 0, again.stdout + again.stderr)
    assert.ok(existsSync(folder()))
    const planned = await m.node(1).cli('plan', 'folder', '--destroy', '--peer', 'n2')
    assert.match(planned.stdout, /- rmdir .*folder/)
    const undone = await m.node(1).cli('pursue', 'folder', '--destroy', '--peer', 'n2')
    assert.equal(undone.exit, 0, undone.stdout + undone.stderr)
    assert.ok(!existsSync(folder()))
    assert.match((await m.node(1).cli('plan', 'folder', '--destroy', '--peer', 'n2')).stdout, /0 to undo/)
  })

  it('goes up to a target and on from there when it is resumed', async () => {
    const said = await m.node(2).cli('pursue', 'folder', `goal.place=${m.directory}`, '--target', 'make', '-o', 'name')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    const id = said.stdout.trim()
    assert.equal((await m.node(2).goal(id)).status, 'suspended')
    assert.equal((await m.node(2).cli('resume', id)).exit, 0)
    await m.node(2).goal(id, ({ status }) => status === 'completed')
  })

  it('is drawn at each change while it goes on, also when nothing more happens then', async () => {
    const [waits, goes] = [join(m.directory, 'waits'), join(m.directory, 'goes')]
    const words = ['pursue', 'run', `goal.command=touch ${waits}; until [ -e ${goes} ]; do sleep 0.02; done`]
    const id = (await m.node(1).cli(...words, '--detach', '-o', 'name')).stdout.trim()
    await until('its step runs', () => existsSync(waits))
    const drawing = m.node(1).begin('graph', id, '--live', '-o', 'json')
    await drawing.says(/"kind": "step"[\s\S]*?"status": "running"/)
    writeFileSync(goes, '')
    const { exit, stdout } = await drawing.ended
    assert.equal(exit, 0)
    assert.match(stdout.slice(stdout.lastIndexOf('"version"')), /"kind": "step"[\s\S]*?"status": "done"/)
  })

  it('is not known while that node is away, and no saved plan that needs it is executed', async () => {
    const saved = join(m.directory, 'saved.json')
    assert.equal((await m.node(1).cli('plan', 'site', `goal.place=${m.directory}/other`, '--out', saved)).exit, 0)
    await m.node(2).kill('SIGKILL')
    const { drift } = await plan('--refresh')
    assert.deepEqual(
      drift?.drifted.map(({ goal, now, peer }) => [goal, now, peer]),
      [['folder', 'unknown', 'n2']]
    )
    const { stdout } = await m.node(1).cli('plan', 'site', `goal.place=${m.directory}`)
    assert.match(stdout, /\+ folder @n2 \(cannot be reached now: ./)
    const refused = await m.node(1).cli('execute', saved)
    assert.equal(refused.exit, 7, refused.stderr)
    assert.match(refused.stderr, /the plan of site needs n2, which cannot be reached now/)
    assert.match(drift.drifted[0]?.because ?? '', /^that cannot be told now: ./)
  })
})
