import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { launch } from '../../../src/node/runner/launch.ts'
import { plainCommand } from '../../../src/node/runner/plain-command.ts'
import { ERR, EXIT, OUT } from '../../../src/node/runner/step-directory.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

describe('a command that needs no shell of its own', () => {
  const directory = temporaryDirectory()
  const wordsOf = (text: string, program = '/bin/sh'): readonly string[] | undefined =>
    plainCommand(program, ['sh', '-c', text], name => name !== 'absent')
  let steps = 0
  const run = async (argv: readonly string[]): Promise<{ out: string; err: string; exit: string }> => {
    const place = join(directory(), `step ${++steps}`)
    mkdirSync(place)
    const launched = launch(place, { argv, env: { BASH_ENV: '', LC_ALL: 'C' }, cwd: directory() }, process.env)
    assert(typeof launched !== 'string')
    await launched.gone
    const read = (name: string): string => readFileSync(join(place, name), 'utf8')
    return { out: read(OUT), err: read(ERR), exit: read(EXIT).replace(/^pid \d+\n/, '') }
  }

  it('is plain words, the first of them a program', () => {
    assert.deepEqual(wordsOf(' mkdir -p  a/b:c=d,e@f%g+1\n'), ['mkdir', '-p', 'a/b:c=d,e@f%g+1'])
    assert.deepEqual(wordsOf('true 7'), ['true', '7'])
    assert.deepEqual(wordsOf('./run'), ['./run'])
  })

  for (const text of [
    'absent 1',
    'a=b',
    'a=b ls',
    'cd /',
    'exec ls',
    'echo x',
    'time ls',
    'if',
    '',
    ' ',
    'ls\nls',
    'ls\n-l',
    'ls; ls',
    'ls & ls',
    'ls $HOME',
    'ls "a"',
    "ls 'a'",
    'ls a\\b',
    'ls *',
    'ls a?',
    'ls [a]',
    'ls {a,b}',
    'ls ~',
    'ls # all',
    'ls !x',
    'ls >x',
    'ls `x`',
    'ls (x)',
    'ls ä',
    'ls\0x',
    'ls\ra'
  ])
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(wordsOf(text), undefined))

  it('is none of another shell, nor one with more arguments', () => {
    assert.equal(wordsOf('ls', '/bin/bash'), undefined)
    assert.equal(
      plainCommand('/bin/sh', ['sh', '-c', 'ls', 'zero'], () => true),
      undefined
    )
    assert.equal(
      plainCommand('/bin/sh', ['sh', '-e', 'ls'], () => true),
      undefined
    )
  })

  for (const text of ['true 3', 'false', 'ls no-such-file', 'sleep -1', 'cat /proc/self/comm', 'env -u _ -u OLDPWD -u SHLVL'])
    it(`prints and ends as by a shell: ${text}`, async () => {
      const [plain, shell] = [await run(['sh', '-c', text]), await run(['sh', '-c', `${text};`])]
      assert.deepEqual(plain, shell)
    })

  it('that a signal has ended says so', async () => {
    const killed = await run(['sh', '-c', 'timeout --preserve-status -s KILL 0.01 sleep 9'])
    assert.match(killed.exit, /code 137\n$/)
  })
})
