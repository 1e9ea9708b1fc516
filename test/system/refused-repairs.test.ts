import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { openLog } from '../../src/node/log.ts'
import { recordKey } from '../../src/node/store/records.ts'
import { openStore } from '../../src/node/store/store.ts'
import { TICKET_CAPABILITIES } from '../../src/node/joining/tickets.ts'
import { killRunner, pretendReboot } from '../lab/crash/faults.ts'
import { type Mesh, mesh } from './mesh.ts'
import { until } from './mesh/process.ts'

/** `two` fails unless goal.word is right; each step leaves its name in goal.place/ran. */
function program(goal: string, two = '[ <get as="env">goal.word</get> = right ] || exit 4'): string {
  const named = (name: string, more = ''): string => `<send name="${name}">echo ${name} &gt;&gt; <get>goal.place</get>/ran${more}</send>`
  return `<cloudburst name="job"><goalProto name="${goal}"><variable name="place"/><variable name="word">wrong</variable><variable name="times" type="int">1</variable>
    <method name="first"><shell>${named('one')}${named('two', `; ${two}`)}${named('three')}</shell></method>
    <method name="second"><pre><fileTest type="exists">/nowhere</fileTest></pre><shell>${named('other')}</shell></method></goalProto></cloudburst>`
}

describe('a repair from another node', function () {
  this.timeout(90_000)
  let m: Mesh
  let count = 0
  let hash: string

  before(async () => {
    const capabilities = TICKET_CAPABILITIES.filter(each => each !== 'program:load')
    m = await mesh(3, { permits: () => ({ capabilities }) })
    writeFileSync(join(m.directory, 'job.xml'), program('job'))
    writeFileSync(join(m.directory, 'edited.xml'), program('job', 'true'))
    writeFileSync(join(m.directory, 'without.xml'), program('other'))
    hash = (await m.node(2).json<{ hash: string }>('load', join(m.directory, 'job.xml'))).hash
  })
  after(() => m?.stop())

  /** Fails at n2. */
  async function failed(): Promise<{ id: string; place: string; ran(): string }> {
    const place = join(m.directory, `job${++count}`)
    mkdirSync(place)
    const said = await m.node(2).cli('execute', 'job', '--program', hash, `goal.place=${place}`)
    assert.equal(said.exit, 3, said.stdout + said.stderr)
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(said.stdout)![0]
    return { id, place, ran: () => readFileSync(join(place, 'ran'), 'utf8').trim().replaceAll('\n', ' ') }
  }

  const verbs: ReadonlyArray<{ words: readonly string[]; ran: string }> = [
    { words: ['--set', 'goal.word=right'], ran: 'one two two three' },
    { words: ['--skip', 'two', '--why', 'not here'], ran: 'one two three' },
    { words: ['--done', 'two'], ran: 'one two three' },
    { words: ['--again', 'one', '--done', 'job/first/two'], ran: 'one two one three' },
    { words: ['--from', 'one', 'goal.word=right'], ran: 'one two one two three' },
    { words: ['--method', 'second'], ran: 'one two other' }
  ]
  for (const { words, ran: expected } of verbs) {
    it(`by ${words.join(' ')} does what it does at home; --plan before it does nothing`, async () => {
      const { id, ran } = await failed()
      const shown = await m.node(1).cli('repair', id, '--peer', 'n2', ...words, '--plan')
      assert.deepEqual([shown.exit, ran()], [0, 'one two'], shown.stdout + shown.stderr)
      const said = await m.node(1).cli('repair', id, '--peer', 'n2', ...words)
      assert.deepEqual([said.exit, ran()], [0, expected], said.stdout + said.stderr)
    })
  }

  const refusals: ReadonlyArray<{ it: string; words: readonly string[]; exit: number; error: RegExp }> = [
    { it: 'of a step that was not begun', words: ['--again', 'tow'], exit: 64, error: /has not begun a step tow \(did you mean two\?\)/ },
    {
      it: 'that says of a step how it ended, which is known,',
      words: ['--failed', 'two'],
      exit: 64,
      error: /two is not in doubt, it is known/
    },
    { it: 'with a value of the wrong type', words: ['goal.times=often'], exit: 5, error: /goal\.times.*often/ },
    { it: 'with a variable that is not there', words: ['goal.wrod=right'], exit: 5, error: /wrod/ },
    { it: 'by a method that is not there', words: ['--method', 'third'], exit: 64, error: /has no method third; it has second, first/ },
    { it: 'of an older state', words: ['--seq', '2', '--retry'], exit: 1, error: /has changed since event 2/ },
    { it: 'without a reason for what is left out', words: ['--skip', 'two'], exit: 64, error: /--skip needs a reason/ }
  ]
  for (const { it: what, words, exit, error } of refusals) {
    it(`${what} is refused, says what to do, and changes nothing`, async () => {
      const { id, ran } = await failed()
      const before = await m.node(2).goal(id)
      const said = await m.node(1).cli('repair', id, '--peer', 'n2', ...words)
      assert.equal(said.exit, exit, said.stdout + said.stderr)
      assert.match(said.stderr, error)
      assert.match(said.stderr, /^next: /m)
      assert.deepEqual([await m.node(2).goal(id), ran()], [before, 'one two'])
    })
  }

  it('with an edited program needs program:load there', async () => {
    const { id, ran } = await failed()
    const words = ['repair', id, '--peer', 'n2', '--program', join(m.directory, 'edited.xml')]
    const said = await m.node(1).cli(...words)
    assert.equal(said.exit, 6, said.stdout + said.stderr)
    assert.match(said.stderr, /program:load/)
    const loaded = await m.node(2).json<{ hash: string }>('load', join(m.directory, 'edited.xml'))
    const named = await m.node(1).cli('repair', id, '--peer', 'n2', '--program', loaded.hash)
    assert.equal(named.exit, 6, 'also when the program is there already')
    assert.equal((await m.node(2).goal(id)).status, 'suspended')
    assert.equal((await m.node(2).cli('repair', id, '--program', join(m.directory, 'edited.xml'))).exit, 0)
    assert.equal(ran(), 'one two two three')
  })

  it('is not taken for a program that does not have the goal any more', async () => {
    const { id } = await failed()
    const said = await m.node(2).cli('repair', id, '--program', join(m.directory, 'without.xml'))
    assert.equal(said.exit, 1, said.stdout + said.stderr)
    assert.match(said.stderr, /program job has no goal job any more/)
    assert.equal((await m.node(2).goal(id)).status, 'suspended')
  })

  it('that comes second is told what the first has done', async () => {
    const { id } = await failed()
    const { seq } = await m.node(1).json<RunInfo>('goal', id, '--peer', 'n2')
    const first = await m.node(3).cli('repair', id, '--peer', 'n2', 'goal.word=worse', '--why', 'a guess')
    assert.equal(first.exit, 3)
    const second = await m.node(1).cli('repair', id, '--peer', 'n2', '--seq', String(seq), 'goal.word=right')
    assert.equal(second.exit, 1)
    assert.match(second.stderr, /has changed since event \d+: repaired by n3@example\.org, who set goal\.word \(a guess\), event \d+ at /)
    assert.equal((await m.node(1).cli('repair', id, '--peer', 'n2', 'goal.word=right')).exit, 0)
    const late = await m.node(3).cli('repair', id, '--peer', 'n2', '--retry')
    assert.match(late.stderr, /is completed, not suspended: repaired by n1@example\.org, who set goal\.word/)
  })

  it('says of a step in doubt that it has failed, and what the program says of failures is done', async () => {
    const place = join(m.directory, 'doubt')
    mkdirSync(place)
    const file = join(m.directory, 'doubt.xml')
    writeFileSync(file, program('job', 'sleep 300').replace('<send name="two">', '<send name="two" onFail="ignore">'))
    const asked = m.node(2).begin('pursue', 'job', '--program', file, `goal.place=${place}`)
    const ran = (): string => readFileSync(join(place, 'ran'), 'utf8').trim().replaceAll('\n', ' ')
    await until('two runs', () => existsSync(join(place, 'ran')) && ran() === 'one two')
    await m.node(2).kill('SIGKILL')
    await killRunner(m.node(2), { steps: true })
    pretendReboot(m.node(2))
    await m.node(2).start()
    const [id] = (await asked.ended).stdout.match(/\b[0-9A-HJKMNP-TV-Z]{26}\b/) ?? []
    assert.equal((await m.node(2).goal(id!)).suspended?.code, 'in-doubt')
    await m.up()
    const words = ['repair', id!, '--peer', 'n2', '--failed', 'two', '--why', 'it was never sent']
    assert.match((await m.node(1).cli(...words, '--plan')).stdout, /^skip .*two.*it failed, says n1@example\.org: it was never sent/m)
    const said = await m.node(1).cli(...words)
    assert.deepEqual([said.exit, ran()], [0, 'one two three'], said.stdout + said.stderr)
  })

  it('of all that have one cause leaves the others waiting, and shows what it would do to each first', async () => {
    const alike = [await failed(), await failed()]
    const third = await failed()
    const file = join(m.directory, 'louder.xml')
    writeFileSync(file, program('job', '{ echo it is too loud; exit 4; }'))
    assert.equal((await m.node(2).cli('repair', third.id, '--program', file)).exit, 3)
    const causes = await m
      .node(1)
      .json<readonly { cause: { id: string; last: string }; runs: readonly RunInfo[] }[]>(
        'goals',
        '--suspended',
        '--by-cause',
        '--peer',
        'n2'
      )
    const { cause } = causes.find(({ runs }) => runs.some(({ id }) => id === alike[0]!.id))!
    assert.equal(causes.find(({ runs }) => runs.some(({ id }) => id === third.id))!.cause.last, 'it is too loud')
    const words = ['repair', '--peer', 'n2', '--where', `cause=${cause.id}`, '--where', 'goal=job', 'goal.word=right']
    const shown = await m.node(1).cli(...words, '--plan')
    for (const { id } of alike) assert.match(shown.stdout, new RegExp(`^job ${id}`, 'm'))
    assert.doesNotMatch(shown.stdout, new RegExp(third.id))
    assert.deepEqual(
      alike.map(({ ran }) => ran()),
      ['one two', 'one two']
    )
    const said = await m.node(1).cli(...words, '--yes')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(
      alike.map(({ ran }) => ran()),
      ['one two two three', 'one two two three']
    )
    assert.equal((await m.node(2).goal(third.id)).status, 'suspended')
  })

  it('looks secrets up again', async () => {
    const [file, secret] = [join(m.directory, 'db.xml'), join(m.directory, 'secret')]
    writeFileSync(secret, 'stale')
    writeFileSync(
      file,
      `<cloudburst name="db"><goalProto name="connect"><variable name="pw" type="password"/><method name="m"><shell>
         <send>[ <get as="env">goal.pw</get> = fresh ]</send></shell></method></goalProto></cloudburst>`
    )
    const said = await m.node(2).cli('pursue', 'connect', '--program', file, `goal.pw=@file:${secret}`)
    assert.equal(said.exit, 3, said.stdout + said.stderr)
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(said.stdout)![0]
    writeFileSync(secret, 'fresh')
    const again = await m.node(1).cli('repair', id, '--peer', 'n2', '--retry')
    assert.equal(again.exit, 0, again.stdout + again.stderr)
  })

  it('of a goal whose journal is damaged is refused, and nothing is written to it', async () => {
    const { id, ran } = await failed()
    const node = m.node(2)
    await node.kill('SIGTERM')
    const store = await openStore(join(node.home.state, 'store'), { log: openLog('silent') })
    await store.batch([{ type: 'del', key: recordKey(id, 3) }], { sync: true })
    await store.close()
    await node.start()
    await m.up()
    const said = await m.node(1).cli('repair', id, '--peer', 'n2', 'goal.word=right')
    assert.equal(said.exit, 1, said.stdout + said.stderr)
    assert.match(said.stderr, /record 3 of goal .* is missing/)
    assert.match(said.stderr, /^next: /m)
    assert.equal((await node.goal(id)).suspended?.code, 'journal-damaged')
    assert.ok(existsSync(node.home.state) && ran() === 'one two')
  })
})
