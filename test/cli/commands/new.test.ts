import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../../src/cli/cli.ts'
import { formatProgram } from '../../../src/goals/program/format.ts'
import { fakeIo } from '../../fakes/io.ts'

describe('cloudburst new', () => {
  let cwd: string

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'cb-'))
  })

  afterEach(() => rmSync(cwd, { recursive: true, force: true }))

  const type = async (...words: string[]) => {
    const io = fakeIo({ cwd, env: { ...process.env, CLOUDBURST_HOME: join(cwd, 'home'), NO_COLOR: '1' } })
    return { exit: await cli(words, io), ...io.said }
  }

  it('writes a program that is listed, planned and pursued as it is', async function () {
    this.timeout(30_000)
    const greeting = `goal.file=${join(cwd, 'greeting.txt')}`
    assert.deepEqual(await type('new', 'first'), { exit: 0, stdout: 'first.xml\n', stderr: 'next: cloudburst plan first.xml first\n' })
    assert.match((await type('list', 'first.xml')).stdout, /^first /m)
    assert.match((await type('plan', 'first.xml', 'first', greeting)).stdout, /plan: 2 to do/)
    const pursued = await type('pursue', 'first.xml', 'first', greeting, 'goal.greeting=Good day')
    assert.equal(pursued.exit, 0, pursued.stdout + pursued.stderr)
    assert.equal(readFileSync(join(cwd, 'greeting.txt'), 'utf8'), 'Good day\n')
    const text = readFileSync(join(cwd, 'first.xml'), 'utf8')
    assert.equal(formatProgram(text, 'first.xml'), text)
  })

  it('writes over nothing', async () => {
    writeFileSync(join(cwd, 'first.xml'), 'mine')
    const { exit, stderr } = await type('new', 'first')
    assert.equal(exit, 64)
    assert.match(stderr, /^error: first\.xml is there already\n/)
    assert.equal(readFileSync(join(cwd, 'first.xml'), 'utf8'), 'mine')
  })

  it('says where a script is not understood', async () => {
    writeFileSync(join(cwd, 'x.sh'), 'echo a\nif true; then\n')
    const { exit, stderr } = await type('new', 'x', '--from-script', 'x.sh')
    assert.equal(exit, 1)
    assert.match(stderr, /^error: x\.sh:2:10: `then` must be followed by a statement list\n/)
  })

  it('needs a name that can be one', async () => {
    for (const name of ['a b', '1st', '../x']) assert.equal((await type('new', name)).exit, 64)
  })
})
