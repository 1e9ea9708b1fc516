import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import type { Plan } from '../../src/goals/plan/plan.ts'
import { fakeIo } from '../fakes/io.ts'
import { lookAndRemove } from './mesh/planted.ts'

describe('what was true and is no longer', () => {
  let home: string
  let file: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'site.xml')
    writeFileSync(
      file,
      `<cloudburst name="site"><goalProto name="site"><variable name="name">a</variable><method name="m">
        <folder><variable name="path">${home}/<get>goal.name</get></variable></folder>
        <folder><variable name="path">${home}/<get>goal.name</get>/sub</variable></folder>
        <asked/></method></goalProto>
      <goalProto name="folder"><variable name="path" type="localFilePath"/>
        <post><fileTest type="directory"><get>goal.path</get></fileTest></post>
        <method name="make"><shell><send name="dir">mkdir <get>goal.path</get></send></shell></method></goalProto>
      <goalProto name="asked"><post><shell value="isZero" pure="true"><send>test ! -e ${home}/gone</send></shell></post>
        <method name="m"><shell><send name="x">true</send></shell></method></goalProto></cloudburst>`
    )
  })

  afterEach(() => lookAndRemove(home))

  const run = async (exit: number, ...words: readonly string[]): Promise<{ stdout: string; stderr: string }> => {
    const io = fakeIo({ cwd: home })
    assert.equal(await cli([...words, '--home', home], io), exit, io.said.stderr + io.said.stdout)
    return io.said
  }
  const driftOf = async (): Promise<NonNullable<Plan['drift']>> => {
    const { drift } = JSON.parse((await run(0, 'plan', file, 'site', '--refresh', '-o', 'json')).stdout) as Plan
    assert.ok(drift !== undefined)
    return drift
  }

  it('is told by a plan that looks again, with when it was true and why it is not', async () => {
    await run(0, 'pursue', file, 'site')
    assert.deepEqual((await driftOf()).drifted, [])
    rmdirSync(join(home, 'a/sub'))
    const { stdout } = await run(2, 'plan', file, 'site', '--refresh', '--detailed-exitcode')
    assert.match(stdout, /^! folder site\/m>folder\.2: .*a\/sub.* \S*site\.xml:\d+.* \(goal 01\w+, 20\d\d-.*Z\)$/m)
    assert.match(stdout, /^drift: 1 of 3 goals/m)
    assert.match(stdout, /^estimate: .*, by earlier runs/m)
    mkdirSync(join(home, 'a/sub'))
    assert.deepEqual((await driftOf()).drifted, [])
  })

  it('is not known where that needs a process and none may be started', async () => {
    await run(0, 'pursue', file, 'site')
    writeFileSync(join(home, 'gone'), '')
    assert.deepEqual(
      (await driftOf()).drifted.map(({ goal, now }) => [goal, now]),
      [['asked', 'false']]
    )
    const { stdout } = await run(0, 'plan', file, 'site', '--refresh', '--no-probe', '-o', 'json')
    assert.deepEqual(
      (JSON.parse(stdout) as Plan).drift?.drifted.map(({ goal, now }) => [goal, now]),
      [['asked', 'unknown']]
    )
  })

  it('is written down by a run that pursues nothing', async () => {
    await run(0, 'pursue', file, 'site')
    rmdirSync(join(home, 'a/sub'))
    writeFileSync(join(home, 'gone'), '')
    const { stdout } = await run(0, 'pursue', file, 'site', '--refresh-only')
    assert.match(stdout, /^! folder site\/m>folder\.2: .*a\/sub is not a directory$/m)
    assert.match(stdout, /^drift: 2 of 3 goals that were true are so no longer/m)
    assert.throws(() => rmdirSync(join(home, 'a/sub')), { code: 'ENOENT' })
    const [, id = ''] = /(01[0-9A-Z]{24})/.exec(stdout) ?? []
    const { stdout: data } = await run(0, 'goal', file, id, '-o', 'json')
    assert.deepEqual((JSON.parse(data) as { results: { drifted: unknown } }).results.drifted, {
      items: [{ value: 'site/m>folder.2' }, { value: 'site/m>asked' }]
    })
    assert.deepEqual((await driftOf()).drifted.length, 2, 'and changes nothing of what is looked at')
  })

  it('is looked for in what each configuration reached last', async () => {
    await run(0, 'pursue', file, 'site')
    await run(0, 'pursue', file, 'site', 'goal.name=b')
    await run(0, 'pursue', file, 'site')
    rmSync(join(home, 'b'), { recursive: true })
    assert.deepEqual(
      (await driftOf()).drifted.map(({ instance }) => instance),
      ['site/m>folder', 'site/m>folder.2']
    )
  })
})
