import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'

describe('a mistyped word', () => {
  let home: string

  before(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    writeFileSync(
      join(home, 'website.xml'),
      `<cloudburst name="website"><goalProto name="publish"><variable name="port" type="int"/><method name="m"/></goalProto>
        <agent name="keeper"><variable name="count" type="int">0</variable><goalProto name="tidy"><method name="m"/></goalProto></agent></cloudburst>`
    )
  })

  after(() => rmSync(home, { recursive: true, force: true }))

  const cases: [what: string, words: readonly string[], meant: string][] = [
    ['command', ['pursu'], 'pursue'],
    ['option', ['pursue', '--narate'], '--narrate'],
    ['goal', ['plan', 'website.xml', 'publsh'], 'publish'],
    ['goal of an agent', ['plan', 'website.xml', 'tiddy'], 'tidy'],
    ['program', ['plan', 'website.xml', 'publish', '--program', 'webstie'], 'website'],
    ['agent', ['plan', 'website.xml', 'publish', '--agent', 'keper'], 'keeper'],
    ['path', ['plan', 'website.xml', 'publish', 'goal.prot=80'], 'goal.port'],
    ['path without its beginning', ['plan', 'website.xml', 'publish', 'port=80'], 'goal.port'],
    ['file', ['plan', 'webste.xml', 'publish'], 'website.xml'],
    ['output format', ['list', 'website.xml', '-o', 'josn'], 'json']
  ]
  for (const [what, words, meant] of cases) {
    it(`that is a ${what} is answered with the one that was meant`, async () => {
      const io = fakeIo({ cwd: home })
      assert.notEqual(await cli([...words, '--home', home], io), 0)
      assert.match(io.said.stderr, new RegExp(`did you mean ${meant}\\?`))
    })
  }
})
