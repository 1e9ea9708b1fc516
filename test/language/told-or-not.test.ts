/** What is printed is a matter of options; what is done is not. Source: docs/language.md, "What is printed". */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import type { EventItem, RunInfo } from '../../src/node/control/contract.ts'
import { fakeIo } from '../fakes/io.ts'

/** Something of each: a method that fails, a sub-goal, a loop, a value that is written, code, a file that is edited, and an end that waits. */
const PROGRAM = (place: string): string => `<cloudburst name="all">
  <list name="names"><variable>ann</variable><variable>bob</variable></list>
  <goalProto name="greet"><describe>Greet <get>goal.who</get></describe><variable name="who"/>
    <method><shell><send name="said">echo hello <get>goal.who</get></send></shell></method>
  </goalProto>
  <goalProto name="all">
    <describe>All of it</describe>
    <variable name="count" type="int">1</variable>
    <variable name="key" type="password">hush</variable>
    <pre><op name="ge"><get>goal.count</get>1</op></pre>
    <method name="second">
      <find symbol="who"><in><get>names</get></in><do><greet><variable name="who"><get>who</get></variable></greet></do></find>
      <update><set>goal.count</set><op name="add"><get>goal.count</get>1</op></update>
      <code name="sum" language="javascript"><set>goal.count</set> = <get>goal.count</get> * 2</code>
      <editFile path="${place}/edited" create="true"><append>count=<get>goal.count</get></append></editFile>
      <shell><describe>Try the key</describe><send>test -n <get>goal.key</get></send><send onFail="ignore">false</send></shell>
      <shell><send>echo why not &gt;&amp;2; exit 3</send></shell>
    </method>
    <method name="first"><pre><pathExists>/</pathExists></pre><shell><send>exit 4</send></shell></method>
    <method name="never"><pre><pathExists>/no/such/path</pathExists></pre></method>
  </goalProto>
</cloudburst>`

describe('the same goal told in another way', function () {
  this.timeout(60_000)

  /** The journal of a run with those options, without what differs between any two runs: ids, times, how long it took. */
  const journalOf = async (...options: string[]): Promise<{ journal: string; printed: string }> => {
    const home = mkdtempSync(join(tmpdir(), 'cb-'))
    try {
      const file = join(home, 'all.xml')
      writeFileSync(file, PROGRAM(home))
      const run = async (...words: string[]): Promise<string> => {
        const io = fakeIo({ cwd: home, env: { HOME: home, PATH: process.env['PATH'] ?? '' } })
        await cli([...words, '--home', join(home, 'home')], io)
        return io.said.stdout
      }
      const printed = await run('pursue', file, 'all', ...options)
      const [goal] = JSON.parse(await run('goals', file, '-o', 'json')) as RunInfo[]
      assert.equal(goal?.status, 'suspended', printed)
      const lines = (await run('logs', file, goal.id, '--replay', '-o', 'json')).trim().split('\n')
      const events = lines.map(line => JSON.parse(line) as EventItem | { readonly type: 'version' })
      const bodies = events.flatMap(each => (each.type === 'event' ? [each.event.body] : []))
      const journal = JSON.stringify(bodies, null, 1)
        .replaceAll(home, '/home')
        .replaceAll(/"(durationMs|startedAt)": \d+/g, '"$1": 0')
        .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, 'ID')
        .replaceAll(/kept:ID\/\w+/g, 'kept:ID')
        .replaceAll(/after \d+(\.\d+)? m?s/g, 'after some time')
        .replaceAll(/"hash": "\w+"/g, '"hash": ""')
        .replaceAll(/"key": "\w+(:\w+)?"/g, '"key": ""')
        .replaceAll(/#[0-9a-f]{8}/g, '#')
      return { journal, printed }
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  }

  it('does the same: the journals are equal, whatever is printed', async () => {
    const plain = await journalOf()
    assert.match(plain.journal, /"type": "suspended"/)
    for (const options of [
      ['-g', '-v', '-e'],
      ['-n', '-l', '-vv'],
      ['-o', 'json']
    ]) {
      const told = await journalOf(...options)
      assert.equal(told.journal, plain.journal, options.join(' '))
      assert.ok(told.printed.length > plain.printed.length, `${options.join(' ')} says more`)
    }
  })
})
