import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../../src/cli/cli.ts'
import { fakeIo } from '../../fakes/io.ts'

describe('cloudburst fmt', () => {
  let cwd: string

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'cb-'))
  })

  afterEach(() => rmSync(cwd, { recursive: true, force: true }))

  const type = async (words: string[], stdin = '') => {
    const io = fakeIo({ cwd, stdin })
    const exit = await cli(['fmt', ...words], io)
    return { ...io.said, exit }
  }
  const ugly = "<cloudburst>\n<struct name='S'/></cloudburst>"
  const pretty = '<cloudburst>\n  <struct name="S"/>\n</cloudburst>\n'

  it('writes files in place, names those it changed, and keeps their mode', async () => {
    writeFileSync(join(cwd, 'a.xml'), ugly)
    writeFileSync(join(cwd, 'b.xml'), pretty)
    chmodSync(join(cwd, 'a.xml'), 0o640)
    assert.deepEqual(await type(['a.xml', 'b.xml']), { exit: 0, stdout: 'a.xml\n', stderr: '' })
    assert.equal(readFileSync(join(cwd, 'a.xml'), 'utf8'), pretty)
    assert.equal(statSync(join(cwd, 'a.xml')).mode & 0o777, 0o640)
    assert.deepEqual(readdirSync(cwd).sort(), ['a.xml', 'b.xml'])
  })

  it('only says which files differ with --check', async () => {
    writeFileSync(join(cwd, 'a.xml'), ugly)
    assert.deepEqual(await type(['a.xml', '--check']), { exit: 1, stdout: 'a.xml\n', stderr: '' })
    assert.equal(readFileSync(join(cwd, 'a.xml'), 'utf8'), ugly)
  })

  it('goes from standard input to standard output without a file', async () => {
    assert.deepEqual(await type([], ugly), { exit: 0, stdout: pretty, stderr: '' })
    assert.deepEqual(await type(['--check'], pretty), { exit: 0, stdout: '', stderr: '' })
  })

  it('leaves a file alone that is not well-formed, and says where', async () => {
    writeFileSync(join(cwd, 'a.xml'), '<cloudburst>')
    const { exit, stderr } = await type(['a.xml'])
    assert.equal(exit, 1)
    assert.match(stderr, /^error: a\.xml:1:1: <cloudburst> is never closed\n/)
    assert.equal(readFileSync(join(cwd, 'a.xml'), 'utf8'), '<cloudburst>')
  })
})
