import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { type Mesh, mesh } from './mesh.ts'
import { until } from './mesh/process.ts'

/** `first` is quick; `long` and the process it leaves behind wait for goal.place/gate. */
const PROGRAM = `<?xml version="1.0" encoding="UTF-8"?>
<cloudburst name="timed">
  <goalProto name="timed">
    <variable name="place" type="localFilePath"/>
    <pre><defined><get>goal.place</get></defined></pre>
    <method name="m">
      <do timeout="2">
        <shell>
          <send name="first">echo first &gt;&gt; <get>goal.place</get>/ran</send>
          <send name="long">cd <get>goal.place</get>; echo long &gt;&gt; ran; (while [ -d . ] &amp;&amp; [ ! -e gate ]; do sleep 0.05; done; true) &amp; echo $! &gt; child; echo $$ &gt; leader; wait</send>
        </shell>
      </do>
    </method>
  </goalProto>
  <goalProto name="elsewhere">
    <variable name="place" type="localFilePath"/>
    <pre><defined><get>goal.place</get></defined></pre>
    <method name="m">
      <goalCompleted name="untimed" peer="n2" timeout="2"><variable name="place"><get>goal.place</get></variable></goalCompleted>
    </method>
  </goalProto>
  <goalProto name="untimed">
    <variable name="place" type="localFilePath"/>
    <method name="m">
      <shell><send name="long">cd <get>goal.place</get>; echo long &gt;&gt; ran; echo $$ &gt; leader; while [ -d . ] &amp;&amp; [ ! -e gate ]; do sleep 0.05; done</send></shell>
    </method>
  </goalProto>
</cloudburst>
`

describe('the timeout of a block', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
    writeFileSync(join(m.directory, 'timed.xml'), PROGRAM)
    assert.equal((await m.node(1).cli('load', join(m.directory, 'timed.xml'))).exit, 0)
  })
  after(() => m?.stop())

  const place = (name: string): string => {
    const made = join(m.directory, name)
    mkdirSync(made)
    return made
  }
  const ran = (where: string): string => readFileSync(join(where, 'ran'), 'utf8').trim().replaceAll('\n', ' ')
  const pidOf = (where: string, which: string): number => Number(readFileSync(join(where, which), 'utf8'))
  const isGone = (pid: number): boolean => {
    try {
      process.kill(pid, 0)
      return false
    } catch {
      return true
    }
  }
  const newest = async (node: number): Promise<RunInfo> => (await m.node(node).json<readonly RunInfo[]>('goals'))[0]!

  it('ends all its processes while the daemon is killed and down; the goal waits after the restart, and goes on with a repair', async () => {
    const where = place('restart')
    const command = m.node(1).begin('pursue', 'timed', `goal.place=${where}`)
    await until('the long step runs', () => existsSync(join(where, 'leader')))
    const { id } = await newest(1)
    await m.node(1).kill('SIGKILL')
    const [leader, child] = [pidOf(where, 'leader'), pidOf(where, 'child')]
    await until('both processes are gone without a daemon', () => isGone(leader) && isGone(child))
    await m.node(1).start()
    const run = await m.node(1).goal(id, ({ status }) => status === 'suspended')
    assert.equal(run.suspended?.code, 'timed-out')
    assert.match(run.suspended?.reason ?? '', /^timed out: the 2 s of the block at timed\.xml:7:7 are over$/)
    assert.equal((await command.ended).exit, 3)

    writeFileSync(join(where, 'gate'), '')
    const repaired = await m.node(1).cli('repair', id, '--retry')
    assert.equal(repaired.exit, 0, repaired.stdout + repaired.stderr)
    assert.equal(ran(where), 'first long long', 'what was done is kept')
  })

  it('cancels what another node does for it, which ends there too', async () => {
    const where = place('elsewhere')
    const said = await m.node(1).cli('pursue', 'elsewhere', `goal.place=${where}`)
    assert.equal(said.exit, 3, said.stdout + said.stderr)
    assert.match(said.stdout, /timed out: the 2 s of the block/)
    await until('the step on the other node is gone', () => isGone(pidOf(where, 'leader')))
    const there = await newest(2)
    assert.equal((await m.node(2).goal(there.id, ({ status }) => status === 'cancelled')).status, 'cancelled')

    const { id } = (await m.node(1).json<readonly RunInfo[]>('goals')).find(({ goal }) => goal === 'elsewhere')!
    writeFileSync(join(where, 'gate'), '')
    const repaired = await m.node(1).cli('repair', id, '--retry')
    assert.equal(repaired.exit, 0, repaired.stdout + repaired.stderr)
    assert.equal(ran(where), 'long long')
  })
})
