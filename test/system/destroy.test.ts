import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import type { Plan } from '../../src/goals/plan/plan.ts'
import { fakeIo } from '../fakes/io.ts'
import { lookAndRemove } from './mesh/planted.ts'

const program = (home: string, undo = `rm <get>goal.file</get>; echo conf >> ${home}/undone`): string => `<cloudburst name="site">
  <goalProto name="site"><variable name="name">a</variable><variable name="file"/>
    <method name="files">
      <goalCompleted name="folder"><variable name="path">${home}/<get>goal.name</get></variable></goalCompleted>
      <shell><send name="where">echo ${home}/<get>goal.name</get>/conf</send></shell>
      <update><set>goal.file</set><get>goal.where.stdout</get></update>
      <shell><send name="make">echo made >> <get>goal.file</get></send></shell>
      <undo><shell><send name="unmake">${undo}</send></shell></undo>
    </method></goalProto>
  <goalProto name="folder"><variable name="path" type="localFilePath"/>
    <post><fileTest type="directory"><get>goal.path</get></fileTest></post>
    <method name="make"><shell><send name="dir">mkdir <get>goal.path</get></send></shell>
      <undo><shell><send name="undir">rmdir <get>goal.path</get>; echo dir >> ${home}/undone</send></shell></undo></method></goalProto>
</cloudburst>`

describe('undoing what a goal has done', () => {
  let home: string
  let file: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'site.xml')
    writeFileSync(file, program(home))
  })

  afterEach(() => lookAndRemove(home))

  const run = async (exit: number, ...words: readonly string[]): Promise<{ stdout: string; stderr: string }> => {
    const io = fakeIo({ cwd: home })
    assert.equal(await cli([...words, '--home', home], io), exit, io.said.stderr + io.said.stdout)
    return io.said
  }
  const undone = (): string[] => readFileSync(join(home, 'undone'), 'utf8').trim().split('\n')

  it('is planned with its marks and values, without an effect', async () => {
    await run(0, 'pursue', file, 'site')
    const { stdout } = await run(0, 'plan', file, 'site', '--destroy')
    assert.match(stdout, /^- site by files\n {2}- rm \S+\/a\/conf; echo conf/m)
    assert.match(stdout, /^- folder \(site\/files>folder\) by make\n {2}- rmdir/m)
    assert.match(stdout, /plan: 0 to do, 0 to redo, 2 to undo, 0 possible, 0 already true/)
    assert.ok(existsSync(join(home, 'a/conf')))
    assert.ok(!existsSync(join(home, 'undone')))
    const plan = JSON.parse((await run(2, 'plan', file, 'site', '--destroy', '-o', 'json', '--detailed-exitcode')).stdout) as Plan
    assert.deepEqual(
      plan.nodes.map(({ mark }) => mark),
      ['-', '-', '-', '-']
    )
  })

  it('goes backwards, once, and finds nothing to do a second time', async () => {
    await run(0, 'pursue', file, 'site')
    await run(0, 'pursue', file, 'site', '--destroy')
    assert.deepEqual(undone(), ['conf', 'dir'])
    assert.ok(!existsSync(join(home, 'a')))
    assert.match((await run(0, 'plan', file, 'site', '--destroy')).stdout, /0 to undo/)
    await run(0, 'pursue', file, 'site', '--destroy')
    assert.deepEqual(undone(), ['conf', 'dir'])
  })

  it('has the secrets again that the goal had: from where they were, or from whoever asks; and says which is missing', async () => {
    writeFileSync(
      file,
      `<cloudburst name="site"><goalProto name="site">
        <variable name="typed" type="password"/><variable name="found" type="secret"><secret from="file">${home}/found</secret></variable>
        <variable name="own" type="secret">default</variable>
        <pre><defined><get>goal.typed</get></defined></pre>
        <method name="m"><goalCompleted name="part"><variable name="key" type="secret"><get>goal.own</get></variable></goalCompleted>
          <shell><send>true <get as="env">goal.typed</get></send></shell>
          <undo><shell><send>printf '%s %s\n' <get as="env">goal.typed</get> <get as="env">goal.found</get> >> ${home}/undone</send></shell></undo>
        </method></goalProto>
        <goalProto name="part"><variable name="key" type="secret"/><method name="n"><shell><send>true</send></shell>
          <undo><shell><send>printf 'part %s\n' <get as="env">goal.key</get> >> ${home}/undone</send></shell></undo></method></goalProto>
      </cloudburst>`
    )
    writeFileSync(join(home, 'found'), 'in the file')
    await run(0, 'pursue', file, 'site', 'goal.typed=hunter2')
    const { stdout } = await run(3, 'pursue', file, 'site', '--destroy')
    assert.match(stdout, /the secret goal\.typed is not kept any more/)
    assert.match(stdout, /--set goal\.typed=…/)
    assert.ok(!existsSync(join(home, 'undone')))
    const [, id = ''] = /(01[0-9A-Z]{24})/.exec(stdout) ?? []
    await run(0, 'repair', file, id, '--set', 'goal.typed=hunter3')
    assert.deepEqual(undone(), ['hunter3 in the file', 'part default'])
    await run(0, 'pursue', file, 'site', 'goal.typed=hunter4')
    await run(0, 'pursue', file, 'site', '--destroy', 'goal.typed=hunter4')
    assert.deepEqual(undone().slice(2), ['hunter4 in the file', 'part default'])
  })

  it('is not asked for together with a look at what was done', async () => {
    assert.match((await run(64, 'plan', file, 'site', '--destroy', '--refresh')).stderr, /ask for one of them/)
    assert.match((await run(64, 'pursue', file, 'site', '--destroy', '--refresh-only')).stderr, /ask for one of them/)
  })

  it('undoes once what several runs with the same values have done', async () => {
    await run(0, 'pursue', file, 'site')
    await run(0, 'pursue', file, 'site')
    await run(0, 'pursue', file, 'site', '--destroy')
    assert.deepEqual(undone(), ['conf', 'dir'])
    await run(0, 'pursue', file, 'site')
    await run(0, 'pursue', file, 'site', '--destroy')
    assert.deepEqual(undone(), ['conf', 'dir', 'conf', 'dir'])
  })

  it('asks which, when the goal was pursued with different values', async () => {
    await run(0, 'pursue', file, 'site', 'goal.name=b')
    await run(0, 'pursue', file, 'site', 'goal.name=c')
    const { stderr } = await run(64, 'pursue', file, 'site', '--destroy')
    assert.match(stderr, /site was pursued with different values: goal\.name=c \(0\w+\), goal\.name=b \(0\w+\); say which/)
    await run(0, 'pursue', file, 'site', '--destroy', 'goal.name=b')
    assert.ok(!existsSync(join(home, 'b')) && existsSync(join(home, 'c')))
    await run(0, 'pursue', file, 'site', '--destroy')
    assert.ok(!existsSync(join(home, 'c')))
  })

  it('waits where it fails, and is refused while it waits; a repair goes on with it', async () => {
    writeFileSync(file, program(home, `test -e ${home}/may &amp;&amp; rm <get>goal.file</get>`))
    await run(0, 'pursue', file, 'site')
    const { stdout } = await run(3, 'pursue', file, 'site', '--destroy')
    const [, id = ''] = /(01[0-9A-Z]{24})/.exec(stdout) ?? []
    assert.match((await run(1, 'pursue', file, 'site', '--destroy')).stderr, /undoes it already/)
    assert.match((await run(0, 'repair', file, id, '--retry', '--plan')).stdout, /^undo {2}test -e .*\nundo {2}rmdir /m)
    writeFileSync(join(home, 'may'), '')
    await run(0, 'repair', file, id, '--retry')
    assert.ok(!existsSync(join(home, 'a')))
  })
})
