import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'

describe('a program given as a file', () => {
  it('tells with -v which definitions replace earlier ones, on standard error', async () => {
    const home = mkdtempSync(join(tmpdir(), 'cb-'))
    try {
      writeFileSync(
        join(home, 'p.xml'),
        '<cloudburst name="p">\n<goalProto name="g"/>\n<goalProto name="g"><method/></goalProto>\n</cloudburst>'
      )
      const said = async (...words: string[]): Promise<string> => {
        const io = fakeIo({ cwd: home, env: { HOME: home } })
        assert.equal(await cli(['list', 'p.xml', '--home', join(home, 'home'), ...words], io), 0)
        return io.said.stderr
      }
      assert.equal(await said('-v'), 'note: p.xml:3:1: <goalProto name="g"> replaces that of p.xml:2\n')
      assert.equal(await said(), '')
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })
})
