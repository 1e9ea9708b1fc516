import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Mesh, mesh } from '../system/mesh.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('the program in docs/state.md', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(1)
  })
  after(() => m?.stop())

  it('changes what it watches, with this package as others have it', async () => {
    const [, source] = /^```js\n([\s\S]*?)^```/m.exec(readFileSync(join(root, 'docs/state.md'), 'utf8')) ?? []
    mkdirSync(join(m.directory, 'node_modules'))
    symlinkSync(root, join(m.directory, 'node_modules/cloudburst'))
    const file = join(m.directory, 'example.mjs')
    writeFileSync(file, source!)
    const home = m.node(1).home.state.replace(/\/state$/, '')
    const program = spawn(process.execPath, [file], {
      env: { ...process.env, CLOUDBURST_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    let said = ''
    program.stdout.setEncoding('utf8').on('data', (part: string) => (said += part))
    const [exit] = (await once(program, 'close')) as [number | null]
    assert.equal(exit, 0, said)
    assert.match(said, /nodes\.n1\.shared\.count \{"value":2\}/)
    assert.match((await m.node(1).cli('state', 'nodes.n1.shared')).stdout, /colour = blue\n.*count = 2/)
  })
})
