import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'

const program = `<cloudburst name="talk">
  <goalProto name="user"><variable name="name"/><post><pathExists>/nowhere/<get>goal.name</get></pathExists></post>
    <method name="never"><pre><op name="eq"><get>goal.name</get>root</op></pre></method>
    <method name="none"><pre><fileTest type="directory">/</fileTest></pre><shell><send name="make">echo made; exit 1</send></shell></method>
  </goalProto>
  <goalProto name="talk"><describe>Talk</describe><describe locale="de">Rede</describe><variable name="to">world</variable>
    <pre><defined><get>goal.to</get></defined></pre>
    <method name="loud" priority="1"><shell><send name="hello"><describe>say it</describe>echo "hello <get>goal.to</get>"</send></shell>
      <goalCompleted name="user"><variable name="name">x</variable></goalCompleted></method>
    <method name="quiet"><shell><send>true</send></shell></method></goalProto>
</cloudburst>`

describe('verbosity', () => {
  let home: string
  let file: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'talk.xml')
    writeFileSync(file, program)
  })

  afterEach(() => rmSync(home, { recursive: true, force: true }))

  const run = async (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const io = fakeIo({ cwd: home, env })
    assert.equal(await cli([...words, '--home', home], io), 0, io.said.stderr)
    return io.said.stdout
  }
  const idOf = (text: string): string => /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(text)![0]
  /** What happened, without when and under which id. */
  const journalOf = async (id: string): Promise<unknown[]> => {
    const items = (await run(['logs', id, file, '-o', 'json'])).trim().split('\n').slice(1)
    return items
      .map(line => JSON.parse(line).event?.body)
      .filter(body => body !== undefined)
      .map(body =>
        JSON.parse(
          JSON.stringify(body)
            .replaceAll(id, 'ID')
            .replace(/"durationMs":\d+/g, '"durationMs":0')
            .replace(/after [\d.]+ m?s/g, 'after')
        )
      )
  }

  it('changes what is printed, never what is done: the journals are equal', async function () {
    this.timeout(15_000)
    const quiet = await run(['pursue', file, 'talk'])
    const loud = await run(['pursue', file, 'talk', '-n', '-g', '-e', '-l', '-vv'])
    assert.ok(loud.length > 2 * quiet.length)
    assert.deepEqual(await journalOf(idOf(loud)), await journalOf(idOf(quiet)))
  })

  it('can be chosen later: a replay prints what the run would have printed', async function () {
    this.timeout(15_000)
    const first = await run(['pursue', file, 'talk'])
    const id = idOf(first)
    const loud = await run(['pursue', file, 'talk', '-n', '-g', '-e', '-v'])
    const replayed = await run(['logs', id, file, '--replay', '-n', '-g', '-e', '-v'])
    const plain = (text: string): string => text.replace(/[0-9A-HJKMNP-TV-Z]{26}/g, 'ID').replace(/ *[\d.]+ m?s/g, ' T')
    assert.equal(plain(replayed), plain(loud))
    assert.equal(plain(await run(['logs', id, file, '--replay'])), plain(first))
  })

  it('tells with -g why each method was selected or rejected, with -v what was looked up', async () => {
    const told = await run(['pursue', file, 'talk', '-g', '-v'])
    assert.match(told, /^ {2}method never rejected: goal\.name is 'x', not equal to 'root'|^ {2}method never rejected: /m)
    assert.match(told, /^ {4}goal\.name = x$/m)
    assert.match(told, /^ {4}because goal\.to is defined$/m)
    assert.match(told, /^ {2}goal\.to = world {3}# validated, default, talk\.xml:6$/m)
  })

  it('tells the same of a plan', async () => {
    const told = await run(['plan', file, 'talk', '-g', '-v', '-l'])
    assert.match(told, /^ {2}goal\.to = world$/m)
    assert.match(told, /^talk\.xml:\d+: .*method never rejected/m)
    assert.match(told, /because \/ is a directory/)
  })

  it('describes in the language of the person', async () => {
    assert.match(await run(['pursue', file, 'talk', '-n'], { LANG: 'de_DE.UTF-8' }), /# BEGIN talk : Rede/)
    assert.match(await run(['pursue', file, 'talk', '-n'], { LANG: 'de_DE.UTF-8', LC_ALL: 'C' }), /# BEGIN talk : Talk/)
    assert.match(await run(['plan', file, 'talk'], { LANG: 'de_DE.UTF-8' }), /Rede/)
    assert.match(await run(['list', file], { LANG: 'de_DE.UTF-8' }), /Rede/)
  })
})
