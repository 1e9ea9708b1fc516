import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { plant } from './mesh/planted.ts'
import { type Mesh, mesh } from './mesh.ts'

const SECRET = 'correct-horse-8264'

describe('a secret that is sent to another node', function () {
  this.timeout(60_000)
  let m: Mesh
  let file: string

  before(async () => {
    plant(SECRET)
    m = await mesh(2)
    file = join(m.directory, 'db.xml')
    writeFileSync(
      file,
      `<cloudburst name="db">
        <agent name="keeper"><variable name="kept" type="password"/></agent>
        <goalProto name="connect"><variable name="pw" type="password"/><variable name="fail">1</variable>
          <method name="m"><shell><send>printf %s <get>goal.pw</get> | wc -c</send><send>exit <get>goal.fail</get></send></shell>
            <update><set>agent.kept</set><get>goal.pw</get></update></method></goalProto>
      </cloudburst>`
    )
  })
  after(() => m?.stop())

  const filesWith = (text: string, directory: string): string[] =>
    readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) return filesWith(text, path)
      return entry.isFile() && readFileSync(path).includes(text) ? [path] : []
    })

  it('reaches the command there, is kept in sealed files only, and is told to nobody', async () => {
    const sent = await m.node(1).cli('dispatch', file, 'connect', '--peer', 'n2', `goal.pw=${SECRET}`, '-g', '-v', '-e')
    assert.equal(sent.exit, 3, sent.stdout + sent.stderr)
    assert.ok(!(sent.stdout + sent.stderr).includes(SECRET))
    assert.match(sent.stdout, new RegExp(`\\| ${SECRET.length}$`, 'm'))
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(sent.stdout)![0]

    await m.node(2).kill('SIGKILL')
    await m.node(2).restart()
    await m.up()
    const mended = await m.node(1).cli('repair', id, 'goal.fail=0')
    assert.equal(mended.exit, 0, mended.stdout + mended.stderr)

    const told = await Promise.all([
      m.node(1).cli('state', 'nodes.n2'),
      m.node(1).cli('goal', id, '-o', 'json'),
      m.node(2).cli('examine', 'keeper', '-o', 'json'),
      m.node(1).cli('logs', id, '--replay', '-vv', '-o', 'json')
    ])
    for (const { stdout, stderr } of told) assert.ok(!(stdout + stderr).includes(SECRET))
    assert.ok(!(m.node(1).log() + m.node(2).log()).includes(SECRET))
    const open = filesWith(SECRET, m.directory).filter(path => !path.includes('/state/sealed/'))
    assert.deepEqual(open, [])
  })

  it('of this node cannot be named by another', async () => {
    const said = await m.node(1).cli('pursue', 'connect', '--peer', 'n2', 'goal.pw=@file:/etc/hostname', 'goal.fail=0')
    assert.equal(said.exit, 5, said.stdout + said.stderr)
    assert.match(said.stderr, /goal\.pw refers to a secret of this node, which only its own people may/)
  })
})
