import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'
import { lookAndRemove } from './mesh/planted.ts'

describe('a goal with a target', () => {
  let home: string
  let file: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'site.xml')
    const say = (name: string): string => `<shell><send name="${name}">echo ${name} >> ${home}/done</send></shell>`
    writeFileSync(
      file,
      `<cloudburst name="site"><goalProto name="site"><method name="m">${say('one')}<folder/>${say('three')}<last/></method></goalProto>
      <goalProto name="folder"><method name="m">${say('two')}${say('more')}</method></goalProto>
      <goalProto name="last"><method name="m">${say('four')}<get>goal.nothing</get></method></goalProto></cloudburst>`
    )
  })

  afterEach(() => lookAndRemove(home))

  const run = async (exit: number, ...words: readonly string[]): Promise<{ stdout: string; stderr: string }> => {
    const io = fakeIo({ cwd: home })
    assert.equal(await cli([...words, '--home', home], io), exit, io.said.stderr + io.said.stdout)
    return io.said
  }
  const done = (): string[] => readFileSync(join(home, 'done'), 'utf8').trim().split('\n')

  it('is planned up to that, also where what comes after it cannot be planned', async () => {
    const { stdout } = await run(0, 'plan', file, 'site', '--target', 'two')
    assert.match(stdout, /plan: 2 to do/)
    assert.doesNotMatch(stdout, /more|three/)
    assert.match((await run(0, 'plan', file, 'site', '--target', 'site/m>folder')).stdout, /plan: 3 to do/)
  })

  it('rests once that is done, and goes on with the rest when it is told to', async () => {
    const { stdout } = await run(0, 'pursue', file, 'site', '--target', 'site/m>folder/m/two')
    assert.deepEqual(done(), ['one', 'two'])
    assert.match(stdout, /site\/m>folder\/m\/two is done, as was asked for/)
    const [, id = ''] = /(01[0-9A-Z]{24})/.exec(stdout) ?? []
    const { stdout: shown } = await run(3, 'repair', file, id, '--retry')
    assert.deepEqual(done(), ['one', 'two', 'more', 'three', 'four'], shown)
  })

  it('rests after a goal too', async () => {
    await run(0, 'pursue', file, 'site', '--target', 'folder')
    assert.deepEqual(done(), ['one', 'two', 'more'])
  })

  it('is refused when there is no such step, or more than one', async () => {
    assert.match((await run(64, 'plan', file, 'site', '--target', 'tow')).stderr, /no step or goal tow \(did you mean two\?\)/)
    assert.match((await run(64, 'pursue', file, 'site', '--target', 'tow')).stderr, /no step or goal tow/)
    assert.throws(done, { code: 'ENOENT' })
  })
})
