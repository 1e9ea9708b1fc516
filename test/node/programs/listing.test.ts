import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { skip } from '../../skip.ts'

const cloudburst = fileURLToPath(new URL('../../../dist/cloudburst.js', import.meta.url))

describe('a listing of files', () => {
  let directory: string
  let file: string

  before(function () {
    if (!existsSync(cloudburst)) skip(this, 'needs dist/ (npm run build)')
  })

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(directory, 'x.xml')
    write('one')
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const write = (goal: string, more = ''): void =>
    writeFileSync(
      file,
      `<cloudburst name="x">${more}<goalProto name="${goal}"><method><shell><send>true</send></shell></method></goalProto></cloudburst>`
    )
  const cache = (): string => join(directory, 'cache', 'cloudburst', 'listings')
  const list = async (...words: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
    await promisify(execFile)(process.execPath, [cloudburst, 'list', file, '-o', 'name', ...words], {
      env: { PATH: process.env['PATH'], HOME: directory, XDG_CACHE_HOME: join(directory, 'cache'), NODE_NO_WARNINGS: '1' }
    })

  it('is the same when it is remembered, with its warnings', async () => {
    write('one', '<strange/>')
    const first = await list()
    assert.equal(first.stdout, 'one\n')
    assert.match(first.stderr, /unknown element <strange>/)
    assert.equal(readdirSync(cache()).length, 1)
    assert.deepEqual(await list(), first)
    await assert.rejects(list('--strict'), /unknown element <strange>/)
  })

  it('is made anew when the text, an included file or the private file is another', async () => {
    writeFileSync(join(directory, 'y.xml'), '<cloudburst name="y"><goalProto name="inner"/></cloudburst>')
    write('one', '<include file="y.xml"/>')
    assert.equal((await list()).stdout, 'inner\none\n')
    writeFileSync(join(directory, 'y.xml'), '<cloudburst name="y"><goalProto name="other"/></cloudburst>')
    assert.equal((await list()).stdout, 'other\none\n')
    write('two')
    assert.equal((await list()).stdout, 'two\n')
    assert.equal(readdirSync(cache()).length, 3)
  })

  it('is not believed when somebody else could have written it, and not missed when it is damaged', async () => {
    await list()
    const [name = ''] = readdirSync(cache())
    const path = join(cache(), name)
    writeFileSync(path, readFileSync(path, 'utf8').replace('"one"', '"false"'))
    assert.equal((await list()).stdout, 'false\n')
    chmodSync(cache(), 0o777)
    assert.equal((await list()).stdout, 'one\n')
    chmodSync(cache(), 0o700)
    writeFileSync(path, '{')
    assert.equal((await list()).stdout, 'one\n')
  })
})
