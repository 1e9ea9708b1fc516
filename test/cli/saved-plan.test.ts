import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'

const program = `<cloudburst name="site">
  <goalProto name="site"><variable name="port" type="int">80</variable><variable name="root"/>
    <method name="files"><shell>
      <send name="make">echo made >> <get>goal.root</get>/made</send>
      <send name="look">echo <get>goal.port</get></send></shell>
      <editFile path="\${goal.root}/conf"><replace pattern="a">b</replace></editFile>
    </method></goalProto>
</cloudburst>`

describe('saved plans', () => {
  let home: string
  let file: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'site.xml')
    writeFileSync(file, program)
    writeFileSync(join(home, 'conf'), 'a\n')
  })

  afterEach(() => rmSync(home, { recursive: true, force: true }))

  const run = async (exit: number, ...words: readonly string[]): Promise<{ stdout: string; stderr: string }> => {
    const io = fakeIo({ cwd: home })
    assert.equal(await cli([...words, '--home', home], io), exit, io.said.stderr)
    return io.said
  }
  const at = (name: string): string => join(home, name)
  const plan = (out: string, ...more: readonly string[]): Promise<unknown> =>
    run(0, 'plan', file, 'site', `goal.root=${home}`, '--out', at(out), ...more)
  const made = (): string => readFileSync(at('made'), 'utf8')

  it('are executed as they were made, and say by whom and when they were', async () => {
    await plan('p.json')
    assert.equal(statSync(at('p.json')).mode & 0o777, 0o600)
    const { stdout, stderr } = await run(0, 'execute', at('p.json'))
    assert.match(stderr, /^plan of site, made by .+ at 20\d\d-\d\d-\d\dT/)
    assert.match(stdout, /completed: 3 done/)
    assert.equal(made(), 'made\n')
  })

  it('are refused once a file that they looked at has changed, which is named; nothing is done then', async () => {
    await plan('p.json')
    writeFileSync(at('conf'), 'a a\n')
    const { stderr } = await run(4, 'execute', at('p.json'))
    assert.match(stderr, /not true any more: changed since are contents of .*conf/)
    assert.ok(stderr.endsWith(`next: cloudburst plan ${file} site goal.root=${home} --out ${at('p.json')} --home ${home}\n`), stderr)
    assert.throws(made, { code: 'ENOENT' })
  })

  it('are refused once their program was edited', async () => {
    await plan('p.json')
    writeFileSync(file, program.replace('echo made', 'echo done'))
    assert.match((await run(4, 'execute', at('p.json'))).stderr, /changed since are program site/)
  })

  it('are made of the program as it is, also when it has another name now', async () => {
    await run(0, 'pursue', file, 'site', `goal.root=${home}`)
    writeFileSync(file, program.replace('name="site"', 'name="other"'))
    await run(0, 'pursue', file, 'site', `goal.root=${home}`)
  })

  it('are refused when they were edited themselves', async () => {
    await plan('p.json')
    writeFileSync(at('p.json'), readFileSync(at('p.json'), 'utf8').replace('echo 80', 'echo 81'))
    assert.match((await run(4, 'execute', at('p.json'))).stderr, /p\.json was edited since/)
  })

  it('are not made of goals that need themselves: the way is told, also instead of a drawing', async () => {
    const ring = at('ring.xml')
    const needs = (name: string, other: string): string => `<goalProto name="${name}"><method name="m"><${other}/></method></goalProto>`
    writeFileSync(ring, `<cloudburst name="ring">\n${needs('a', 'b')}\n${needs('b', 'a')}</cloudburst>`)
    const way = /a needs itself: a → b \(ring\.xml:2:\d+\) → a \(ring\.xml:3:\d+\)/
    assert.match((await run(5, 'plan', ring, 'a', '--out', at('ring.json'))).stdout, way)
    assert.match((await run(5, 'graph', ring, 'a')).stderr, way)
    assert.throws(() => readFileSync(at('ring.json')), { code: 'ENOENT' })
  })

  it('are compared with what was done from them, which is nothing else', async () => {
    await plan('p.json')
    const { stdout } = await run(0, 'execute', at('p.json'))
    const [, id = ''] = /(01[0-9A-Z]{24})/.exec(stdout) ?? []
    assert.equal((await run(0, 'logs', file, id, '--unplanned')).stdout, '')
    const [, other = ''] = /(01[0-9A-Z]{24})/.exec((await run(0, 'execute', file, 'site', `goal.root=${home}`)).stdout) ?? []
    assert.equal((await run(0, 'logs', file, other, '--unplanned')).stdout, '', 'one that was not saved is known too')
  })

  it('that are not there, or are none, are told with what makes one', async () => {
    const none = await run(64, 'execute', at('none.json'))
    assert.equal(
      none.stderr,
      `error: there is no file ${at('none.json')}; cloudburst plan GOAL --out ${at('none.json')} makes one\nnext: cloudburst help plan\n`
    )
    writeFileSync(at('broken.json'), '{')
    assert.match(
      (await run(64, 'execute', at('broken.json'))).stderr,
      /broken\.json cannot be read as a plan: .*; cloudburst plan GOAL --out .* makes one\n/
    )
  })

  it('take no values and no program besides their own', async () => {
    await plan('p.json')
    await run(64, 'execute', at('p.json'), 'goal.port=81')
    await run(64, 'execute', at('conf.json'))
  })

  it('hold no secret that was typed, which is given again; and where others are to be found', async () => {
    writeFileSync(file, program.replace('<variable name="root"/>', '<variable name="root"/><variable name="pw" type="secret"/>'))
    await plan('p.json', 'goal.pw=hunter2')
    assert.doesNotMatch(readFileSync(at('p.json'), 'utf8'), /hunter2/)
    const { stderr } = await run(5, 'execute', at('p.json'))
    assert.match(
      stderr,
      /^error: goal\.pw is a secret, which is not in .*p\.json: to be given again\nnext: cloudburst execute .*p\.json goal\.pw=/m
    )
    await run(64, 'execute', at('p.json'), 'goal.pw=hunter2', 'goal.port=81')
    await run(0, 'execute', at('p.json'), 'goal.pw=hunter2')
    writeFileSync(at('conf'), 'a\n')
    await plan('q.json', `goal.pw=@file:${at('conf')}`)
    await run(0, 'execute', at('q.json'))
  })

  it('can be compared: what one would do that the other would not, and why', async () => {
    await plan('p.json')
    await plan('q.json', 'goal.port=81')
    assert.deepEqual((await run(0, 'plan', 'diff', at('p.json'), at('p.json'))).stdout, '')
    const { stdout } = await run(1, 'plan', 'diff', at('p.json'), at('q.json'))
    assert.deepEqual(stdout.trimEnd().split('\n'), ['~ echo 81 (site.xml:5:7): was echo 80', '~ goal.port is another'])
  })

  it('are drawn, as goals and what became of them are', async () => {
    await plan('p.json')
    const drawing = (await run(0, 'graph', at('p.json'))).stdout
    assert.equal(drawing, (await run(0, 'plan', file, 'site', `goal.root=${home}`, '-o', 'dot')).stdout)
    assert.match(drawing, /^digraph "site" \{\n/)
    const { stdout } = await run(0, 'execute', at('p.json'))
    const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(stdout)![0]
    assert.match((await run(0, 'graph', id, file, '-o', 'json')).stdout, /"status": "done"/)
    assert.match((await run(0, 'graph', id, file, '-o', 'svg')).stdout, /<svg /)
    assert.match((await run(0, 'graph', id, file, '-o', 'mermaid', '--critical-path')).stderr, /^the longest way: \d/)
  })

  it('are drawn by words that exist', async () => {
    for (const words of [['-o', 'png'], ['--cluster', 'x'], ['--collapse', '0'], ['--live']])
      await run(64, 'graph', file, 'site', `goal.root=${home}`, ...words)
  })
})
