import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cli } from '../../../src/cli/cli.ts'
import { CloudburstError } from '../../../src/errors.ts'
import { programOfScript } from '../../../src/goals/frontends/shell/write.ts'
import { formatProgram } from '../../../src/goals/program/format.ts'
import { readProgram } from '../../../src/goals/program/read.ts'
import { parseScript } from '../../../src/node/programs/shell-parser.ts'
import { fakeIo } from '../../fakes/io.ts'

const fixtures = fileURLToPath(new URL('../../fixtures/scripts', import.meta.url))

/** Scripts with the number of steps that they make, at least: what can be parted is. */
const scripts: ReadonlyArray<readonly [file: string, exit: number, steps: number]> = [
  ['site.sh', 0, 6],
  ['backup.sh', 0, 6],
  ['careless.sh', 0, 8],
  ['gate.sh', 3, 4],
  ['jobs.sh', 0, 4],
  ['clean.sh', 0, 2],
  ['parse.sh', 0, 2],
  ['environment.sh', 0, 9],
  ['long.sh', 0, 9],
  ['counter.sh', 1, 1]
]

describe('a program made from a script', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const type = async (cwd: string, ...words: string[]) => {
    const io = fakeIo({ cwd, env: { ...process.env, CLOUDBURST_HOME: join(directory, 'home'), NO_COLOR: '1' } })
    return { exit: await cli(words, io), ...io.said }
  }

  for (const [file, exit, steps] of scripts) {
    it(`does what ${file} does, in ${steps} steps or more`, async function () {
      this.timeout(20_000)
      const [one, other] = ['script', 'program'].map(name => join(directory, name)) as [string, string]
      for (const place of [one, other]) {
        mkdirSync(place)
        cpSync(join(fixtures, file), join(place, file))
      }
      const interpreter = readFileSync(join(one, file), 'utf8').startsWith('#!/bin/sh') ? 'sh' : 'bash'
      const flags = /^#!\S+ (-\w+)$/m.exec(readFileSync(join(one, file), 'utf8'))?.slice(1) ?? []
      const ran = spawnSync(interpreter, [...flags, join(one, file)], { cwd: one, encoding: 'utf8' })
      assert.equal(ran.status, exit, ran.stderr)

      const made = await type(other, 'new', 'goal', '--from-script', file)
      assert.equal(made.exit, 0, made.stderr)
      const text = readFileSync(join(other, 'goal.xml'), 'utf8')
      assert.equal(formatProgram(text, 'goal.xml'), text)
      const program = readProgram([{ name: 'goal.xml', text }], { strict: true })
      const sends = program.goals.get('goal')!.methods[0]!.body.flatMap(statement => (statement.kind === 'shell' ? statement.sends : []))
      assert.ok(sends.length >= steps, `${sends.length} steps\n${made.stderr}`)
      const before = listing(other)
      const plan = await type(other, 'plan', 'goal.xml', 'goal')
      assert.equal(plan.exit, 0, plan.stdout + plan.stderr)
      assert.deepEqual(listing(other), before)

      const pursued = await type(other, 'pursue', 'goal.xml', 'goal')
      assert.equal(pursued.exit, exit === 0 ? 0 : 3, pursued.stdout + pursued.stderr)
      rmSync(join(other, 'goal.xml'))
      assert.deepEqual(listing(other), listing(one), text)
    })
  }

  it('takes the arguments of the script by name', async () => {
    const { text } = await converted('NAME=$1\nCOUNT="${2:-3}"\necho "$NAME" $COUNT')
    assert.match(text, /<variable name="NAME"\/>\n {4}<variable name="COUNT">3<\/variable>\n {4}<pre><defined><get>goal\.NAME<\/get>/)
  })

  it('takes arguments by number where the script does', async () => {
    const { text } = await converted('NAME=$1\ncase "$2" in start) echo "$NAME" ;; esac')
    assert.match(text, /<variable name="argument1"\/>\n {4}<variable name="argument2"\/>\n {4}<pre>/)
    assert.match(text, /set -- <get quote="shell">goal\.argument1<\/get> <get quote="shell">goal\.argument2<\/get>\nNAME=\$1\ncase/)
  })

  it('says what it could not part', async () => {
    const { notes } = await converted("echo a\ntrap 'echo b' EXIT\necho c")
    assert.deepEqual(notes, ['x.sh:2:1: trap changes the shell for the commands after it: lines 2 to 3 are one step'])
  })

  const refused: ReadonlyArray<readonly [script: string, message: string]> = [
    ['if true; then\n', 'x.sh:1:10: `then` must be followed by a statement list'],
    ['echo ok\necho "a\n', 'x.sh:2:6: reached EOF without closing quote `"`'],
    [
      'echo ok\n  echo "$@"',
      'x.sh:2:3: a goal has no list of arguments: give each a name at the top, as in VERSION=${1:-1.0}, and use that'
    ],
    ['echo ok\nread -r NAME', 'x.sh:2:1: a step has no terminal to read from: make it an argument, as in NAME=$1'],
    ['#!/usr/bin/python3\nprint(1)', 'x.sh:1:1: the script is for python3; sh, dash and bash are understood'],
    ['echo a\r\necho b\r\n', 'x.sh:1:1: a carriage return ends this line, which no shell expects: try dos2unix'],
    ['echo ok\necho "\u0007"', "x.sh:2:1: the character U+0007 cannot stand in XML: write it as $'\\x07'"]
  ]
  for (const [script, message] of refused) {
    it(`is not made of ${JSON.stringify(script)}`, async () => {
      await assert.rejects(converted(script), (error: unknown) => {
        assert.ok(error instanceof CloudburstError)
        assert.deepEqual([error.code, error.message], ['CB_SCRIPT_INVALID', message])
        return true
      })
    })
  }
})

async function converted(script: string): Promise<{ text: string; notes: readonly string[] }> {
  return programOfScript('x', await parseScript(Buffer.from(script), 'x.sh', '/x.sh', '/'))
}

/** Every file below with its mode and content. */
function listing(root: string): Record<string, string> {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    paths.map(path => {
      const { mode } = statSync(join(root, path))
      const isFile = (mode & 0o170000) === 0o100000
      return [path, `${mode.toString(8)} ${isFile ? readFileSync(join(root, path), 'utf8').replaceAll(root, 'ROOT') : ''}`]
    })
  )
}
