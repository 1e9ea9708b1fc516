import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseInvocation } from '../../src/cli/arguments.ts'
import { commands } from '../../src/cli/commands.ts'
import { withFilesKept } from '../../src/cli/kept-files.ts'
import { fakeIo } from '../fakes/io.ts'

describe('a file among the values of a command', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  const kept = async (command: 'plan' | 'pursue' | 'dispatch', ...words: string[]): Promise<readonly string[]> => {
    const invocation = parseInvocation(command, commands[command]!, ['deploy', ...words, '--home', directory], fakeIo())
    return (await withFilesKept(invocation)).assignments.map(({ value }) => value)
  }

  it('is named by what is in it where nothing is to be changed, and no daemon is asked to keep it', async () => {
    const file = join(directory, 'build')
    writeFileSync(file, 'built')
    const name = `sha256:${createHash('sha256').update('built').digest('hex')}`
    assert.deepEqual(await kept('plan', `goal.build=@artifact:${file}`, 'goal.port=80'), [name, '80'])
    assert.deepEqual(await kept('dispatch', '--all', '--plan', `goal.build=@artifact:${file}`), [name])
    await assert.rejects(kept('pursue', `goal.build=@artifact:${file}`), { code: 'CB_NO_DAEMON' })
  })

  it('has to be there, and to be named', async () => {
    await assert.rejects(kept('plan', `goal.build=@artifact:${directory}/none`), { code: 'CB_USAGE', message: /none cannot be read/ })
    await assert.rejects(kept('pursue', 'goal.build=@artifact:'), { code: 'CB_USAGE', message: /needs the path of a file/ })
  })
})
