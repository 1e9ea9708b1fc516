import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'

describe('--step', () => {
  let home: string
  let file: string
  let log: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'steps.xml')
    log = join(home, 'log')
    writeFileSync(
      file,
      `<cloudburst name="steps"><goalProto name="g"><variable name="to">a</variable><method name="m"><shell>
         <send name="one">echo one <get>goal.to</get> &gt;&gt; ${log}</send><send name="two">echo two &gt;&gt; ${log}</send>
       </shell></method></goalProto></cloudburst>`
    )
    writeFileSync(log, '')
  })

  afterEach(() => rmSync(home, { recursive: true, force: true }))

  const run = async (answers: string, ...words: string[]): Promise<{ exit: number; stdout: string; stderr: string; did: string }> => {
    const io = fakeIo({ tty: true, stdin: answers })
    const exit = await cli([...words, '--home', home], io)
    return { exit, ...io.said, did: readFileSync(log, 'utf8') }
  }
  const idOf = (stdout: string): string => /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(stdout)?.[0] ?? ''

  it('needs a terminal, and says so before anything begins', async () => {
    const io = fakeIo()
    assert.equal(await cli(['pursue', file, 'g', '--step', '--home', home], io), 64)
    assert.match(io.said.stderr, /--step asks before each step, so it needs a terminal/)
    assert.equal(readFileSync(log, 'utf8'), '')
  })

  it('does a step on yes, passes over one on skip', async () => {
    const { exit, did } = await run('s\nyes\n', 'pursue', file, 'g', '--step')
    assert.deepEqual([exit, did], [0, 'two\n'])
  })

  it('takes edited values for the step it asks about', async () => {
    const { exit, did, stdout } = await run('e\nnot a value\ngoal.to=b\n\ny\nc\n', 'pursue', file, 'g', '--step')
    assert.deepEqual([exit, did], [0, 'one b\ntwo\n'])
    assert.match(stdout, /the line not a value is not PATH=VALUE/)
  })

  it('loses nothing when the person leaves, and goes on where it was', async () => {
    const first = await run('y\nq\n', 'pursue', file, 'g', '--step')
    assert.deepEqual([first.exit, first.did], [3, 'one a\n'])
    const again = await run('y\n', 'repair', idOf(first.stdout), file, '--step')
    assert.deepEqual([again.exit, again.did], [0, 'one a\ntwo\n'])
  })

  it('takes the end of the answers for leaving', async () => {
    const { exit, did } = await run('', 'pursue', file, 'g', '--step')
    assert.deepEqual([exit, did], [3, ''])
  })

  it('keeps each decision in the journal', async () => {
    const { stdout } = await run('s\nc\n', 'pursue', file, 'g', '--step')
    const io = fakeIo()
    await cli(['logs', idOf(stdout), file, '-o', 'json', '--home', home], io)
    const bodies = io.said.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).event?.body)
      .filter(body => body?.type === 'repaired')
    assert.deepEqual(
      bodies.map(({ verb, step }) => [verb, step]),
      [
        ['skip', 'g/m/one'],
        ['retry', undefined]
      ]
    )
  })
})
