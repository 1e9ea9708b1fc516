import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './mesh/process.ts'
import { type Mesh, mesh } from './mesh.ts'

describe('files between nodes', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(3)
  })
  after(() => m?.stop())

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
