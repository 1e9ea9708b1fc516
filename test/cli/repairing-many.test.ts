import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'

describe('repair --where', () => {
  let home: string
  let file: string
  let log: string

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'jobs.xml')
    log = join(home, 'log')
    writeFileSync(
      file,
      `<cloudburst name="jobs"><goalProto name="g"><variable name="n">0</variable><variable name="say">full</variable><variable name="to">wrong</variable>
         <method name="m"><shell><send name="one">echo one <get>goal.n</get> &gt;&gt; ${log}</send>
           <send name="two">[ <get as="env">goal.to</get> = right ] || { echo <get>goal.say</get> &gt;&amp;2; exit 4; }</send></shell></method></goalProto></cloudburst>`
    )
    writeFileSync(log, '')
    for (const say of ['full', 'full', 'away']) assert.equal((await run('execute', file, 'g', `goal.say=${say}`)).exit, 3)
  })

  afterEach(() => rmSync(home, { recursive: true, force: true }))

  const run = async (...words: string[]): Promise<{ exit: number; stdout: string; stderr: string }> => await answering('', false, ...words)
  const answering = async (stdin: string, tty: boolean, ...words: string[]): Promise<{ exit: number; stdout: string; stderr: string }> => {
    const io = fakeIo({ stdin, tty })
    const exit = await cli([...words, '--home', home], io)
    return { exit, ...io.said }
  }
  const causes = async (): Promise<string[]> => (await run('goals', file, '--by-cause', '-o', 'name')).stdout.trim().split('\n')
  const open = async (): Promise<number> => (await run('goals', file, '--suspended', '-o', 'name')).stdout.split('\n').length - 1

  it('takes the cause from goals --by-cause, and repairs those that have it', async () => {
    const { stdout: table } = await run('goals', file, '--by-cause')
    assert.match(table, /^CAUSE +GOALS +WAITS +STEP +ENDED +LAST LINE\n\w{8} +2 .* g\/m\/two +exited 4 +full\n\w{8} +1 .* away$/m)
    const [full] = await causes()
    const { exit, stdout } = await run('repair', file, '--where', `cause=${full}`, 'goal.to=right', '--yes')
    assert.equal(exit, 0, stdout)
    assert.equal([...stdout.matchAll(/^ {2}again .*: goal\.to has changed$/gm)].length, 2, 'the consequences of both')
    assert.equal([...stdout.matchAll(/ completed /g)].length, 2)
    assert.equal(await open(), 1)
    assert.equal(readFileSync(log, 'utf8').split('\n').length - 1, 3, 'what was done is kept')
  })

  it('asks at a terminal first, and takes everything but yes for no', async () => {
    const no = await answering('\n', true, 'repair', file, '--where', 'goal=g', 'goal.to=right')
    assert.deepEqual([no.exit, await open()], [0, 3])
    assert.match(no.stdout, /again[\s\S]*repair these 3 goals\? \[y\/N\] nothing was changed/)
    const yes = await answering('y\n', true, 'repair', file, '--where', 'goal=g', 'goal.to=right')
    assert.deepEqual([yes.exit, await open()], [0, 0])
  })

  it('does nothing without somebody to ask, or when it is only to show', async () => {
    const refused = await run('repair', file, '--where', 'step=two', 'goal.to=right')
    assert.equal(refused.exit, 64, refused.stderr)
    assert.match(refused.stderr, /--yes does it without/)
    const shown = await run('repair', file, '--where', 'step=two', 'goal.to=right', '--plan')
    assert.deepEqual([shown.exit, await open()], [0, 3])
  })

  it('exits with the worst of all', async () => {
    const { exit, stdout } = await run('repair', file, '--where', 'program=jobs', '--where', 'goal=g', '--retry', '--yes')
    assert.equal(exit, 3)
    assert.equal([...stdout.matchAll(/ suspended +exited with 4/g)].length, 3, stdout)
  })

  it('says so when there is none, or the condition means nothing', async () => {
    const none = await run('repair', file, '--where', 'cause=00000000', '--yes')
    assert.deepEqual([none.exit, none.stderr], [1, 'no suspended goal is like that\n'])
    assert.match((await run('repair', file, '--where', 'colour=red', '--yes')).stderr, /--where takes cause=ID, goal=NAME/)
  })
})

describe('goals --suspended', () => {
  it('begins with what waits longest', async () => {
    const home = mkdtempSync(join(tmpdir(), 'cb-'))
    try {
      const file = join(home, 'x.xml')
      writeFileSync(
        file,
        '<cloudburst name="x"><goalProto name="g"><method name="m"><shell><send>exit 1</send></shell></method></goalProto></cloudburst>'
      )
      const ids: string[] = []
      const run = async (...words: string[]): Promise<string> => {
        const io = fakeIo()
        await cli([...words, '--home', home], io)
        return io.said.stdout
      }
      for (let at = 0; at < 3; at++) ids.push(/\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(await run('execute', file, 'g'))![0])
      const told = (await run('goals', file, '--suspended', '-o', 'name')).trim().split('\n')
      assert.deepEqual(told, ids)
      assert.deepEqual((await run('goals', file, '--suspended', '--limit', '1', '-o', 'name')).trim(), ids[0])
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })
})
