import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'

describe('the prompt of repair', () => {
  let home: string
  let file: string
  let log: string
  let id: string

  const program = (last: string): string => `<cloudburst name="jobs"><goalProto name="g"><variable name="to">wrong</variable>
    <method name="m"><shell><send name="one">echo one &gt;&gt; ${log}</send>
      <send name="two">${last} || exit 4</send><send name="three">echo three &gt;&gt; ${log}</send></shell></method>
    <method name="other"><pre><fileTest type="exists">/nowhere</fileTest></pre><shell><send>echo other &gt;&gt; ${log}</send></shell></method></goalProto></cloudburst>`
  const checked = '[ <get as="env">goal.to</get> = right ]'

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'jobs.xml')
    log = join(home, 'log')
    writeFileSync(file, program(checked))
    writeFileSync(log, '')
    const { exit, stdout } = await run('', 'execute', file, 'g')
    assert.equal(exit, 3, stdout)
    id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(stdout)![0]
  })

  afterEach(() => rmSync(home, { recursive: true, force: true }))

  const run = async (answers: string, ...words: string[]): Promise<{ exit: number; stdout: string; stderr: string; did: string }> => {
    const io = fakeIo({ tty: true, stdin: answers, env: { TERM: 'dumb', SHELL: join(home, 'shell') } })
    const exit = await cli([...words, '--home', home], io)
    return { exit, ...io.said, did: readFileSync(log, 'utf8').trim().replaceAll('\n', ' ') }
  }
  const repair = (...answers: string[]): ReturnType<typeof run> => run(answers.map(line => `${line}\n`).join(''), 'repair', id, file)

  it('shows why the goal waits, and loses nothing when the person leaves', async () => {
    const { exit, stdout, did } = await repair('set goal.to=right', 'quit')
    assert.deepEqual([exit, did], [3, 'one'])
    assert.match(stdout, /suspended: exited with 4/)
    assert.match(stdout, /these corrections were not made:\n {2}set goal\.to=right\nit waits; cloudburst repair /)
    assert.equal((await repair('set goal.to=right', 'go')).exit, 0)
  })

  it('corrects, previews without doing anything, and goes on', async () => {
    const { exit, stdout, did } = await repair('set goal.to=right', 'plan', 'plan', 'retry')
    assert.deepEqual([exit, did], [0, 'one three'])
    assert.equal([...stdout.matchAll(/kept {2}1 step\nagain .*\nthen {2}echo three/gm)].length, 3, stdout)
  })

  it('asks again when the goal fails again', async () => {
    const { exit, did } = await repair('go', 'set goal.to=right', 'go')
    assert.deepEqual([exit, did], [0, 'one three'])
  })

  it('passes over a step for a reason, which it asks for', async () => {
    const refused = await repair('skip two', '', 'quit')
    assert.match(refused.stdout, /skip needs a reason/)
    const { exit, did } = await repair('skip two', 'done elsewhere', 'go')
    assert.deepEqual([exit, did], [0, 'one three'])
    const { stdout } = await run('', 'why', id, 'two', file)
    assert.match(stdout, /repaired by .* \(done elsewhere\): it need not be done/)
  })

  it('asks for each value, as the program wants a person to, and leaves what is not answered', async () => {
    const asking = program(checked).replace(
      '<method name="m">',
      '<method name="m"><correct mode="manual">Say where to.<set>goal.to</set></correct>'
    )
    writeFileSync(join(home, 'asking.xml'), asking)
    const { stdout: said } = await run('', 'execute', join(home, 'asking.xml'), 'g')
    const [asked] = said.match(/\b[0-9A-HJKMNP-TV-Z]{26}\b/) ?? []
    const form = (...answers: string[]) => run(answers.map(line => `${line}\n`).join(''), 'repair', asked!, join(home, 'asking.xml'))
    const left = await form('fill', '', 'quit')
    assert.match(left.stdout, /to do {4}Say where to\..*fill asks for each value\nhelp lists/s)
    assert.match(left.stdout, /goal\.to \[wrong\]: /)
    const { exit, stdout } = await form('fill', 'right', 'go')
    assert.equal(exit, 0, stdout)
    assert.match(stdout, /goal\.to \[wrong\]: {3}set goal\.to=right/)
  })

  it('takes a step as done', async () => {
    assert.equal((await repair('done g/m/two', 'go')).did, 'one three')
  })

  it('does steps again that were done', async () => {
    assert.equal((await repair('again one', 'done two', 'go')).did, 'one one three')
  })

  it('tries another method', async () => {
    const { exit, did, stdout } = await repair('method other', 'go')
    assert.deepEqual([exit, did], [0, 'one other'], stdout)
  })

  it('goes on with an edited program', async () => {
    writeFileSync(join(home, 'edited.xml'), program('true'))
    const { exit, did, stdout } = await repair(`program ${join(home, 'edited.xml')}`, 'go')
    assert.deepEqual([exit, did], [0, 'one three'], stdout)
  })

  it('tells why, shows again, forgets corrections, and says what it does not know', async () => {
    const { stdout } = await repair(
      'why one',
      'set goal.to=right',
      'undo',
      'show',
      'dance',
      'set nonsense',
      'again nobody',
      'set goal.nobody=1',
      'plan'
    )
    assert.match(stdout, /ran: it was not done before/)
    assert.match(stdout, /there is no dance here/)
    assert.match(stdout, /error: the line nonsense is not PATH=VALUE/)
    assert.match(stdout, /error: goal .* has not begun a step nobody/)
    assert.match(stdout, /error: .*goal\.nobody/)
    assert.doesNotMatch(stdout.slice(stdout.indexOf('repair> suspended')), /set goal\.to=right/)
  })

  it('opens a shell where the step runs, with what the step finds in its environment', async () => {
    const shell = join(home, 'shell')
    writeFileSync(shell, `#!/bin/sh\n{ pwd; echo $CB_STEP; echo $CB_IDEMPOTENCY_KEY; echo $CB_GOAL_TO; } > ${home}/seen\n`)
    chmodSync(shell, 0o755)
    await repair('shell', 'quit')
    assert.deepEqual(readFileSync(join(home, 'seen'), 'utf8').trim().split('\n'), ['/', 'g/m/two', `${id}/g/m/two`, 'wrong'])
  })

  it('gives the goal up', async () => {
    const { exit, stdout } = await repair('cancel no longer wanted')
    assert.equal(exit, 1)
    assert.match(stdout, /cancelled/)
    const again = await repair('go')
    assert.equal(again.exit, 1)
    assert.match(again.stderr, /error: goal .* is cancelled, not suspended/)
  })

  it('is not opened when the words say what to do, or nobody can be asked', async () => {
    const io = fakeIo()
    assert.equal(await cli(['repair', id, file, '--home', home], io), 3)
    assert.doesNotMatch(io.said.stdout, /repair>/)
    assert.doesNotMatch((await run('', 'repair', id, file, '--retry')).stdout, /repair>/)
  })
})
