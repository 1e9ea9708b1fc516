import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'
import { lookAndRemove } from './mesh/planted.ts'

const program = `<cloudburst name="site">
  <goalProto name="site"><variable name="root"/><variable name="port" type="int">80</variable>
    <pre><defined><get>goal.root</get></defined></pre>
    <method name="m">
      <shell><send name="make">echo made >> <get>goal.root</get>/log; echo 10.0.0.7</send></shell>
      <goalCompleted name="part"><variable name="root"><get>goal.root</get></variable></goalCompleted>
      <snapshot name="made"/>
      <shell><send name="serve">echo <get>goal.make.stdout</get>:<get>goal.port</get> >> <get>goal.root</get>/log</send></shell>
      <snapshot name="served"/>
      <shell><send name="tell">echo told >> <get>goal.root</get>/log</send></shell>
    </method></goalProto>
  <goalProto name="part"><variable name="root"/><method><shell><send>echo part >> <get>goal.root</get>/log</send></shell></method></goalProto>
  <goalProto name="other"><method><shell><send>true</send></shell></method></goalProto>
</cloudburst>`

describe('a snapshot', () => {
  let home: string
  let file: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'site.xml')
    writeFileSync(file, program)
  })

  afterEach(() => lookAndRemove(home))

  const run = async (exit: number, ...words: readonly string[]): Promise<string> => {
    const io = fakeIo({ cwd: home })
    assert.equal(await cli([...words, '--home', home], io), exit, io.said.stderr)
    return io.said.stdout + io.said.stderr
  }
  const first = async (): Promise<string> =>
    /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(await run(0, 'pursue', file, 'site', `goal.root=${home}`))![0]
  const log = (): string[] => readFileSync(join(home, 'log'), 'utf8').trim().split('\n')

  it('is where a later goal begins: what was done before it is kept, with its values', async () => {
    const id = await first()
    assert.deepEqual(log(), ['made', 'part', '10.0.0.7:80', 'told'])
    await run(0, 'pursue', file, 'site', '--from-snapshot', `${id}:made`)
    assert.deepEqual(log().slice(4), ['10.0.0.7:80', 'told'])
    await run(0, 'pursue', file, 'site', '--from-snapshot', id)
    assert.deepEqual(log().slice(6), ['told'])
  })

  it('takes other values: what read them before the snapshot is done again, what did not is kept', async () => {
    const id = await first()
    await run(0, 'pursue', file, 'site', '--from-snapshot', `${id}:served`, 'goal.port=81')
    assert.deepEqual(log().slice(4), ['10.0.0.7:81', 'told'])
  })

  it('takes an edited program: steps that were edited are done again', async () => {
    const id = await first()
    writeFileSync(file, program.replace('echo told', 'echo heard'))
    await run(0, 'pursue', file, 'site', '--from-snapshot', `${id}:served`)
    assert.deepEqual(log().slice(4), ['heard'])
  })

  it('can be begun at by a goal that itself began at one, and leaves the first as it was', async () => {
    const id = await first()
    const before = await run(0, 'logs', id, file, '-o', 'json')
    const second = await run(0, 'pursue', file, 'site', '--from-snapshot', `${id}:made`)
    const [next] = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(second)!
    await run(0, 'pursue', file, 'site', '--from-snapshot', `${next}:served`)
    assert.deepEqual(log().slice(6), ['told'])
    assert.equal(await run(0, 'logs', id, file, '-o', 'json'), before)
  })

  it('is refused where there is none of that name, for another goal, and for a goal that is not known', async () => {
    const id = await first()
    assert.match(
      await run(5, 'pursue', file, 'site', '--from-snapshot', `${id}:mad`),
      /has reached made, served, not mad \(did you mean made\?\)/
    )
    assert.match(await run(5, 'pursue', file, 'other', '--from-snapshot', id), /is no other, so its snapshots are of no use/)
    await run(1, 'pursue', file, 'site', '--from-snapshot', '01JD')
    assert.equal(log().length, 4)
  })
})
