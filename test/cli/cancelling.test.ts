import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import type { Plan } from '../../src/goals/plan/plan.ts'
import { fakeIo } from '../fakes/io.ts'

describe('giving a suspended goal up', () => {
  let home: string
  let file: string
  let id: string

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'site.xml')
    writeFileSync(
      file,
      `<cloudburst name="site"><goalProto name="site"><method name="files">
        <shell><send name="make">touch ${home}/made</send><send name="serve">exit 7</send></shell>
        <undo><shell><send name="unmake">rm ${home}/made; echo gone >> ${home}/undone</send></shell></undo></method></goalProto></cloudburst>`
    )
    const { stdout, stderr } = await run(3, 'pursue', file, 'site')
    id = /01[0-9A-Z]{24}/.exec(stdout + stderr)?.[0] ?? ''
  })

  afterEach(() => rmSync(home, { recursive: true, force: true }))

  const run = async (exit: number, ...words: readonly string[]): Promise<{ stdout: string; stderr: string }> => {
    const io = fakeIo({ cwd: home })
    assert.equal(await cli([...words, '--home', home], io), exit, io.said.stderr + io.said.stdout)
    return io.said
  }
  const undone = (): string => readFileSync(join(home, 'undone'), 'utf8')

  for (const words of [['repair', '--cancel'], ['cancel']]) {
    const [verb = '', ...more] = words

    it(`shows by ${words.join(' ')} --plan what would be undone, and does nothing`, async () => {
      const { stdout } = await run(0, verb, file, id, ...more, '--plan')
      assert.match(stdout, /^undo {2}rm \S+\/made; echo gone \S+ \S+\/undone \(site\/files\/undo\/unmake\)$/m)
      assert.ok(existsSync(join(home, 'made')))
      assert.ok(!existsSync(join(home, 'undone')))
      const plan = JSON.parse((await run(0, verb, file, id, ...more, '--plan', '-o', 'json')).stdout) as Plan
      assert.equal(plan.summary.undo, 1)
    })

    it(`shows by ${words.join(' ')} what it undoes, and undoes it`, async () => {
      const { stdout } = await run(0, verb, file, id, ...more, '--why', 'not wanted')
      assert.match(stdout, /^undo {2}rm /m)
      assert.equal(undone(), 'gone\n')
      assert.match((await run(1, verb, file, id, ...more, '--plan')).stderr, /is cancelled already/)
    })
  }

  it('says that nothing is undone when nothing is to be', async () => {
    assert.match((await run(0, 'repair', file, id, '--cancel', '--no-undo', '--plan')).stdout, /what it has done stays done/)
    await run(0, 'repair', file, id, '--cancel', '--no-undo')
    assert.ok(existsSync(join(home, 'made')))
  })

  it('is not a correction', async () => {
    assert.match((await run(64, 'repair', file, id, '--cancel', '--retry')).stderr, /--cancel gives the goal up/)
    assert.match((await run(64, 'repair', file, id, '--no-undo')).stderr, /--no-undo is about --cancel/)
  })
})
