import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readProgram } from '../../../src/goals/program/read.ts'
import { readPrivate, readProgramFiles } from '../../../src/node/programs/program-files.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

const root = (inner: string): string => `<cloudburst name="t">${inner}</cloudburst>`

describe('files of a program', () => {
  const directory = temporaryDirectory()
  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory(), name)), { recursive: true })
      writeFileSync(join(directory(), name), text)
    }
  }
  const around = (env: Readonly<Record<string, string>> = {}) => ({ cwd: directory(), env })

  it('are the one named and what it includes, beside the file that says so', () => {
    write({
      'a.xml': root('<include file="lib/b.xml"/>'),
      'lib/b.xml': root('<include file="c.xml"/><include file="../d.xml"/>'),
      'lib/c.xml': root('<struct name="c"/>'),
      'd.xml': root('<struct name="d"/>')
    })
    const files = readProgramFiles(['a.xml'], around())
    assert.deepEqual(
      files.map(file => file.name),
      ['a.xml', 'lib/b.xml', 'lib/c.xml', 'd.xml']
    )
    assert.deepEqual([...readProgram(files).types.keys()], ['c', 'd'])
  })

  it('are found in $CBPATH, ~ allowed, and among the shipped programs', () => {
    write({ 'home/lib/b.xml': root('<struct name="b"/>'), 'a.xml': root('<include file="b.xml"/><include file="quickstart.xml"/>') })
    const files = readProgramFiles(['a.xml'], around({ CBPATH: '/nowhere:~/lib', HOME: join(directory(), 'home') }))
    assert.deepEqual(
      files.map(file => file.name),
      ['a.xml', 'b.xml', 'quickstart.xml']
    )
  })

  it('leave out an include that is switched off or commented out', () => {
    write({ 'a.xml': root('<include enabled="false" file="b.xml"/><!-- <include file="b.xml"/> -->'), 'b.xml': root('') })
    assert.equal(readProgramFiles(['a.xml'], around()).length, 1)
  })

  it('leave a missing include to the reader, who knows its place', () => {
    write({ 'a.xml': root('\n<include file="none.xml"/>') })
    assert.throws(() => readProgram(readProgramFiles(['a.xml'], around())), /a\.xml:2:10: there is no file none\.xml to include/)
  })

  it('do not include the private file, which every program can use and replace', () => {
    write({
      'home/.cloudburst/private.xml': root('<variable name="key" type="password">hush</variable>'),
      'a.xml': root('<struct name="s"/>')
    })
    const own = readPrivate(around({ HOME: join(directory(), 'home') }))!
    assert.match(own.warning ?? '', /chmod 600 .*private\.xml/)
    chmodSync(own.file.name, 0o600)
    assert.equal(readPrivate(around({ HOME: join(directory(), 'home') }))?.warning, undefined)
    const files = readProgramFiles(['a.xml'], around())
    const program = readProgram(files, { before: [own.file] })
    assert.ok(program.instances.has('key'))
    assert.equal(program.hash, readProgram(files).hash)
    assert.equal(program.files.length, 1)
  })
})
