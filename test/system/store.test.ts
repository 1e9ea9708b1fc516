import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StoreCheck } from '../../src/node/control/contract.ts'
import { type Mesh, type MeshNode, mesh } from './mesh.ts'
import { start } from './mesh/process.ts'
import { work } from './mesh/program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('the store of a node', function () {
  this.timeout(60_000)
  let m: Mesh
  let node: MeshNode
  let id: string
  before(async () => {
    m = await mesh(2, { started: false })
    node = m.node(1)
    await node.start()
    const said = await node.cli('pursue', ...work(m.directory, 'job', { open: true }).words, '-o', 'name')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    id = said.stdout.trim()
  })
  after(() => m?.stop())

  const file = (): string => join(m.directory, 'export.ndjson')

  it('is checked by the daemon that runs', async () => {
    const found = await node.json<StoreCheck>('store', 'check')
    assert.deepEqual([found.runs, found.problems], [1, []])
    assert.ok(found.events >= 6)
  })

  it('is neither exported nor replaced while the daemon runs', async () => {
    for (const words of [
      ['export', file()],
      ['import', file()]
    ]) {
      const said = await node.cli('store', ...words)
      assert.equal(said.exit, 1)
      assert.match(said.stderr, /another daemon holds/)
    }
    assert.ok(!existsSync(file()))
  })

  it('is checked and exported when the daemon is down, and imported on another node, whose daemon goes on with it', async () => {
    await node.kill('SIGTERM')
    const check = await node.cli('store', 'check')
    assert.equal(check.exit, 0, check.stderr)
    assert.match(check.stdout, /goals +1\n/)
    assert.equal((await node.cli('store', 'export', file())).exit, 0)
    assert.match(readFileSync(file(), 'utf8'), /^\{"type":"store","version":2,/)
    const other = m.node(2)
    const read = await other.cli('store', 'import', file())
    assert.equal(read.exit, 0, read.stderr)
    await other.start()
    assert.equal((await other.goal(id)).status, 'completed')
    const again = await node.cli('store', 'import', file())
    assert.deepEqual([again.exit, /is not empty/.test(again.stderr)], [1, true])
  })

  it('says what it takes', async () => {
    for (const words of [[], ['export'], ['mend']]) assert.equal((await node.cli('store', ...words)).exit, 64)
  })
})

describe('an upgrade of the daemon', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(1)
  })
  after(() => m?.stop())

  it('lets the steps that run go on, and goes on with their goals', async () => {
    const node = m.node(1)
    const job = work(m.directory, 'upgraded')
    const command = node.begin('pursue', ...job.words)
    await job.waits()
    const runner = node.runner()
    await node.kill('SIGTERM')
    const newer = start(process.execPath, [join(newDist(m.directory), 'cloudburstd.js'), '--home', node.home.base], process.env)
    try {
      await newer.says(/"msg":"ready"/, 'stderr')
      assert.equal(node.runner(), runner, 'the same runner serves the new daemon')
      job.open()
      const said = await command.ended
      assert.equal(said.exit, 0, said.stdout + said.stderr)
      assert.deepEqual(job.ran(), ['first', 'middle', 'last'])
    } finally {
      newer.signal('SIGTERM')
      await newer.ended
    }
  })
})

/** The same programs in another place, as a package of the next version would bring them. */
function newDist(directory: string): string {
  const place = join(directory, 'newer')
  mkdirSync(place)
  cpSync(join(root, 'dist'), join(place, 'dist'), { recursive: true })
  for (const name of ['node_modules', 'programs', 'package.json']) symlinkSync(join(root, name), join(place, name))
  return join(place, 'dist')
}
