import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './mesh/process.ts'
import { type Mesh, mesh } from './mesh.ts'

const PROGRAM = `<cloudburst name="carry">
  <agent name="builder">
    <variable name="build" type="artifact"/>
    <goalProto name="make">
      <variable name="to" type="localFilePath"/>
      <method>
        <shell><send>seq 200000 > <get quote="shell">goal.to</get></send></shell>
        <update><set>agent.build</set><get>goal.to</get></update>
      </method>
    </goalProto>
  </agent>
  <goalProto name="use">
    <variable name="from" type="string"/>
    <variable name="to" type="localFilePath"/>
    <method>
      <wait timeout="20"><defined><get>nodes.n1.agents.builder.variables.build</get></defined></wait>
      <shell><send>cat <get quote="shell">nodes.n1.agents.builder.variables.build</get> > <get quote="shell">goal.to</get></send></shell>
    </method>
  </goalProto>
  <goalProto name="install">
    <variable name="file" type="artifact"/>
    <variable name="to" type="localFilePath"/>
    <method><shell><send>cp <get quote="shell">goal.file</get> <get quote="shell">goal.to</get></send></shell></method>
  </goalProto>
  <goalProto name="see">
    <variable name="file" type="artifact"/>
    <method>
      <tempFile name="seen"><get>peer.name</get></tempFile>
      <shell><send>{ cat <get quote="shell">goal.file</get>; echo and seen by "$(cat <get quote="shell">goal.seen</get>)"; } > <get quote="shell">goal.seen</get>.txt</send></shell>
      <update><set>goal.file</set><string><get>goal.seen</get>.txt</string></update>
    </method>
  </goalProto>
  <goalProto name="send">
    <variable name="file" type="artifact"/>
    <variable name="to" type="localFilePath"/>
    <method>
      <see peer="n3"><variable name="file"><get>goal.file</get></variable></see>
      <install><variable name="file"><get>goal.file</get></variable><variable name="to"><get>goal.to</get></variable></install>
    </method>
  </goalProto>
</cloudburst>`

describe('files between nodes', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(3)
  })
  after(() => m?.stop())

  it('go with the values that name them: set on one node, a path in the steps of another, kept and fetched in between', async () => {
    const program = join(m.directory, 'carry.xml')
    writeFileSync(program, PROGRAM)
    const made = join(m.directory, 'made')
    const used = join(m.directory, 'used')
    assert.equal((await m.node(1).cli('load', program)).exit, 0)
    assert.equal((await m.node(2).cli('load', program)).exit, 0)
    const built = await m.node(1).cli('pursue', 'make', `goal.to=${made}`, '--program', 'carry')
    assert.equal(built.exit, 0, built.stdout + built.stderr)
    // What counts is what was there when it was set.
    const bytes = readFileSync(made)
    assert.ok(bytes.length > 1_000_000)
    writeFileSync(made, 'another build, half done')
    const wanted = await m.node(2).cli('pursue', 'use', 'goal.from=n1', `goal.to=${used}`, '--program', 'carry')
    assert.equal(wanted.exit, 0, wanted.stdout + wanted.stderr)
    assert.deepEqual(readFileSync(used), bytes)
  })

  it('go along with a goal for another node, as an argument of it and as its result', async () => {
    const given = join(m.directory, 'given')
    writeFileSync(given, 'what is given\n')
    const [there, back] = [join(m.directory, 'there'), join(m.directory, 'back')]
    const said = await m
      .node(1)
      .cli('dispatch', 'install', '--peer', 'n3', `goal.file=@artifact:${given}`, `goal.to=${there}`, '--program', 'carry')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.equal(readFileSync(there, 'utf8'), 'what is given\n')
    const twice = await m.node(1).cli('pursue', 'send', `goal.file=@artifact:${given}`, `goal.to=${back}`, '--program', 'carry')
    assert.equal(twice.exit, 0, twice.stdout + twice.stderr)
    assert.equal(readFileSync(back, 'utf8'), 'what is given\nand seen by n3\n')
  })

  it('are kept by one, found by all, and fetched by their hash', async () => {
    const bytes = randomBytes(3_000_000)
    const file = join(m.directory, 'build.bin')
    writeFileSync(file, bytes)
    const put = await m.node(1).cli('artifact', 'put', file)
    assert.equal(put.exit, 0, put.stderr)
    const name = put.stdout.trim()
    await until('n3 knows of it', async () => (await m.node(3).cli('artifact', 'list')).stdout.includes(name.slice(7)))
    const copy = join(m.directory, 'copy.bin')
    const got = await m.node(3).cli('artifact', 'get', name, copy)
    assert.equal(got.exit, 0, got.stderr)
    assert.deepEqual(readFileSync(copy), bytes)
    await until('n2 knows that both have it', async () =>
      /build\.bin +3000000 +n1 n3/.test((await m.node(2).cli('artifact', 'list')).stdout)
    )
    await m.node(1).kill('SIGTERM')
    assert.equal((await m.node(2).cli('artifact', 'get', name.slice(0, 20))).exit, 0, 'from n3')
    assert.equal((await m.node(2).cli('artifact', 'drop', name)).exit, 0)
    assert.equal((await m.node(2).cli('artifact', 'get', 'sha256:0123456789')).exit, 1)
  })
})
