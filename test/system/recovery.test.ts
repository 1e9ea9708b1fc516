import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { skip } from '../skip.ts'
import { type Mesh, mesh } from './mesh.ts'
import { masked, type Terminal, terminal } from './mesh/terminal.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const golden = join(root, 'test/golden/recovery.txt')

/** What docs/recovery.md shows of it, too. */
const SITE = `<?xml version="1.0" encoding="UTF-8"?>
<cloudburst name="site">
  <goalProto name="publish">
    <describe>Publish the site</describe>
    <variable name="root" type="localFilePath"/>
    <variable name="port" type="int">80</variable>
    <pre><defined><get>goal.root</get></defined></pre>
    <method name="files">
      <shell>
        <send name="make">mkdir -p <get>goal.root</get></send>
        <send name="page">echo hello &gt;&gt; <get>goal.root</get>/index.html</send>
        <send name="listen">[ <get>goal.port</get> -gt 1023 ] || { echo port <get>goal.port</get> is not ours &gt;&amp;2; exit 13; }</send>
        <send name="announce">echo <get>goal.port</get> &gt;&gt; <get>goal.root</get>/announced</send>
      </shell>
    </method>
  </goalProto>
</cloudburst>
`

describe('the recovery of a goal', function () {
  this.timeout(90_000)
  let m: Mesh
  let shell: Terminal | undefined

  before(async function () {
    if (spawnSync('tmux', ['-V']).status !== 0) skip(this, 'needs tmux (Debian: tmux)')
    m = await mesh(3)
    writeFileSync(join(m.directory, 'site.xml'), SITE)
  })
  after(async () => {
    shell?.close()
    await m?.stop()
  })

  it('that failed on node 3 is a session at node 1: why, another value, a preview, on', async () => {
    const place = join(m.directory, 'www')
    const sent = await m
      .node(2)
      .cli('dispatch', 'publish', '--program', join(m.directory, 'site.xml'), '--peer', 'n3', `goal.root=${place}`)
    assert.equal(sent.exit, 3, sent.stdout + sent.stderr)
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(sent.stdout)![0]

    shell = terminal({ bin: programs(m.directory), home: m.directory, env: { CLOUDBURST_HOME: m.node(1).home.base } })
    await shell.types('cloudburst goals --suspended --peer n3', '$')
    await shell.types(`cloudburst repair ${id} --peer n3`, 'repair>')
    await shell.types('why listen', 'repair>')
    await shell.types('set goal.port=8080', 'repair>')
    await shell.types('plan', 'repair>')
    await shell.types('go', '$')
    await shell.types(`cloudburst why ${id} page --peer n3`, '$')
    const said = masked(shell.screen(), { [m.directory]: '/srv' })
    if (process.env['CLOUDBURST_GOLDEN'] === 'write') {
      mkdirSync(join(root, 'test/golden'), { recursive: true })
      writeFileSync(golden, said)
    }
    assert.equal(said, readFileSync(golden, 'utf8'))
    assert.equal(readFileSync(join(place, 'index.html'), 'utf8'), 'hello\n', 'what was done did not run again')
    assert.equal(readFileSync(join(place, 'announced'), 'utf8'), '8080\n')
  })
})

describe('docs/recovery.md', () => {
  it('teaches with that very session', () => {
    const page = readFileSync(join(root, 'docs/recovery.md'), 'utf8')
    const shown = [...page.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(([, text]) => text).join('')
    assert.equal(shown, readFileSync(golden, 'utf8'))
    assert.ok(page.includes(SITE.split('\n').slice(1).join('\n')), 'and with its program')
  })
})

/** A directory with the command as a person types it. */
function programs(directory: string): string {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const file = join(bin, 'cloudburst')
  writeFileSync(file, `#!/bin/sh\nexec ${process.execPath} ${join(root, 'dist/cloudburst.js')} "$@"\n`)
  chmodSync(file, 0o755)
  return bin
}
