import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { type Mesh, mesh } from './mesh.ts'
import { until } from './mesh/process.ts'

const file = (name: string): string => `<get>goal.place</get>/${name}`
const given = '<variable name="place"><get>goal.place</get></variable>'
const goal = (name: string, body: string): string =>
  `<goalProto name="${name}"><variable name="place" type="localFilePath"/><method name="m">${body}</method></goalProto>`

/** `site` needs `base` on n3, and so does `part` on n2, which it needs too. `made` is undone when it is given up. */
const PROGRAM = `<cloudburst name="sharing">
  ${goal('site', `<do parallel="2"><base peer="n3">${given}</base><part peer="n2">${given}</part></do>`)}
  ${goal('part', `<base peer="n3">${given}</base><shell><send name="part">echo part &gt;&gt; ${file('ran')}</send></shell>`)}
  ${goal('base', `<shell><send name="base">echo base &gt;&gt; ${file('ran')}; while [ ! -e ${file('gate')} ]; do sleep 0.05; done</send></shell>`)}
  ${goal(
    'made',
    `<shell><send name="make">echo made &gt; ${file('made')}</send><send name="bad">false</send></shell>
    <undo><shell><send name="remove">rm ${file('made')}</send></shell></undo>`
  )}
</cloudburst>`

const note = (text: string, file = 'ran'): string =>
  `<shell><send name="${text.replace(' ', '-')}">echo ${text} &gt;&gt; <get>goal.place</get>/${file}</send></shell>`
const undoable = (name: string, body: string): string =>
  `<goalProto name="${name}"><variable name="place" type="localFilePath"/>
    <method name="m">${note(name)}${body}<undo>${note(`no ${name}`, 'undone')}</undo></method></goalProto>`
const FAILS = '<shell><send name="may">test -e <get>goal.place</get>/may</send></shell>'

/** `tower` needs `base` of n3, and so does `floor` of n2, which it needs too; then it fails. `roof` of `hut` fails on n3. */
const BUILDING = `<cloudburst name="building">
  ${undoable('tower', `<floor peer="n2">${given}</floor><base where="test=n3">${given}</base>${FAILS}`)}
  ${undoable('floor', `<base peer="n3">${given}</base>`)}
  ${undoable('base', '')}
  ${undoable('hut', `<roof peer="n3">${given}</roof>`)}
  ${undoable('roof', FAILS)}
</cloudburst>`

describe('a goal with parts on other nodes', function () {
  this.timeout(90_000)
  let m: Mesh
  let hash: string
  before(async () => {
    m = await mesh(3)
    writeFileSync(join(m.directory, 'sharing.xml'), PROGRAM)
    hash = (await m.node(1).json<{ hash: string }>('load', join(m.directory, 'sharing.xml'))).hash
    writeFileSync(join(m.directory, 'building.xml'), BUILDING)
    assert.equal((await m.node(1).cli('load', join(m.directory, 'building.xml'))).exit, 0)
  })
  after(() => m?.stop())
  const ran = (): readonly string[] => readFileSync(join(m.directory, 'ran'), 'utf8').trim().split('\n')

  it('has one run of a sub-goal that two nodes ask for, and both have its outcome', async () => {
    const asked = m.node(1).begin('pursue', 'site', `goal.place=${m.directory}`)
    const goals = async (node: number): Promise<readonly RunInfo[]> => await m.node(node).json<readonly RunInfo[]>('goals')
    await until('both have asked for it', async () => (await goals(2)).some(run => run.goal === 'base'))
    await until('it runs', () => existsSync(join(m.directory, 'ran')))
    writeFileSync(join(m.directory, 'gate'), '')
    const said = await asked.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(ran(), ['base', 'part'])
    assert.equal((await goals(3)).filter(run => run.goal === 'base').length, 1)
    rmSync(join(m.directory, 'ran'))
  })

  it('keeps a sub-goal that one of them gives up, and asks anew for what was cancelled when it goes on', async () => {
    const path = join(m.directory, 'kept')
    mkdirSync(path)
    const lines = (): string => (existsSync(join(path, 'ran')) ? readFileSync(join(path, 'ran'), 'utf8').trim().replaceAll('\n', ' ') : '')
    const asked = m.node(1).begin('pursue', 'site', '--program', hash, `goal.place=${path}`)
    const of = async (node: number, name: string): Promise<RunInfo | undefined> =>
      (await m.node(node).json<readonly RunInfo[]>('goals')).find(
        run => run.goal === name && JSON.stringify(run.assignments).includes(path)
      )
    const both = async (): Promise<RunInfo | false> =>
      (await of(2, 'base'))?.status === 'pursuing' && lines() === 'base' && (await of(2, 'part'))!
    const { id } = await until('both have asked for it', both)
    assert.equal((await m.node(2).cli('cancel', id, '--why', 'wrong')).exit, 0)
    assert.equal((await m.node(2).goal(id)).status, 'cancelled')
    assert.equal((await of(3, 'base'))?.status, 'pursuing', 'n1 needs it')
    writeFileSync(join(path, 'gate'), '')
    const said = await asked.ended
    assert.equal(said.exit, 3, said.stdout + said.stderr)
    assert.match(said.stdout, /part on n2: it was cancelled there/)
    const site = await of(1, 'site')
    const again = await m.node(1).cli('repair', site!.id, '--retry')
    assert.equal(again.exit, 0, again.stdout + again.stderr)
    assert.equal(lines(), 'base part')
  })

  it('is undone where it is pursued when it is cancelled from elsewhere', async () => {
    const sent = await m.node(1).cli('dispatch', 'made', '--peer', 'n2', `goal.place=${m.directory}`)
    assert.equal(sent.exit, 3, sent.stdout + sent.stderr)
    const { id } = (await m.node(1).json<readonly RunInfo[]>('goals')).find(run => run.goal === 'made')!
    assert.ok(existsSync(join(m.directory, 'made')))
    const cancelled = await m.node(1).cli('cancel', id, '--why', 'not wanted')
    assert.equal(cancelled.exit, 0, cancelled.stdout + cancelled.stderr)
    assert.equal((await m.node(1).goal(id, ({ status }) => status === 'cancelled')).status, 'cancelled')
    assert.ok(!existsSync(join(m.directory, 'made')))
  })

  const place = (name: string): { path: string; lines(file: string): readonly string[] } => {
    const path = join(m.directory, name)
    mkdirSync(path)
    const lines = (file: string): readonly string[] =>
      existsSync(join(path, file)) ? readFileSync(join(path, file), 'utf8').trim().split('\n') : []
    return { path, lines }
  }
  const goalsOf = async (node: number, name: string): Promise<readonly RunInfo[]> =>
    (await m.node(node).json<readonly RunInfo[]>('goals')).filter(run => run.goal === name && run.on === undefined)
  const built = async (at: { readonly path: string }): Promise<string> => {
    const said = await m.node(1).cli('pursue', 'tower', `goal.place=${at.path}`)
    assert.equal(said.exit, 3, said.stdout + said.stderr)
    return (await goalsOf(1, 'tower'))[0]!.id
  }

  it('is taken back where it was done when it is given up, the last first, and what two have asked for once', async () => {
    const at = place('whole')
    const id = await built(at)
    assert.deepEqual(at.lines('ran'), ['tower', 'floor', 'base'], 'base is one goal, whatever its node is called')
    const { stdout } = await m.node(1).cli('cancel', id, '--plan')
    assert.match(stdout, /^undo {2}echo no tower .*\nundo {2}undo base on test=n3 .*@test=n3\nundo {2}undo floor on n2 .*@n2$/m)
    assert.deepEqual(at.lines('undone'), [])
    // By another node: who asks for it is known, and permitted, wherever something is taken back.
    const cancelled = await m.node(3).cli('cancel', id, '--peer', 'n1')
    assert.equal(cancelled.exit, 0, cancelled.stdout + cancelled.stderr)
    await m.node(1).goal(id, ({ status }) => status === 'cancelled')
    assert.deepEqual(at.lines('undone'), ['no tower', 'no floor', 'no base'])
  })

  it('is taken back where it was done when its work is destroyed', async () => {
    const at = place('complete')
    writeFileSync(join(at.path, 'may'), '')
    const words = ['tower', `goal.place=${at.path}`]
    assert.equal((await m.node(1).cli('pursue', ...words)).exit, 0)
    const { stdout } = await m.node(1).cli('plan', ...words, '--destroy')
    assert.match(stdout, /^- tower by m\n {2}- echo no tower.*\n {2}- undo base @test=n3\n {2}- undo floor @n2$/m)
    const said = await m.node(1).cli('pursue', ...words, '--destroy')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(at.lines('undone'), ['no tower', 'no floor', 'no base'])
  })

  it('does not wait, when it is given up, for a part that waits itself: that is given up too, there', async () => {
    const at = place('waiting')
    const asked = m.node(1).begin('pursue', 'hut', `goal.place=${at.path}`)
    await asked.says(/waiting: roof on n3 waits for repair there/)
    const [hut] = await goalsOf(1, 'hut')
    assert.match(hut!.waitsFor?.[0] ?? '', /^roof on n3 waits for repair there: 01/)
    const cancelled = await m.node(2).cli('cancel', hut!.id, '--peer', 'n1', '--why', 'not wanted')
    assert.equal(cancelled.exit, 0, cancelled.stdout + cancelled.stderr)
    await m.node(1).goal(hut!.id, ({ status }) => status === 'cancelled')
    await asked.ended
    assert.deepEqual(at.lines('undone'), ['no hut', 'no roof'])
    assert.equal((await goalsOf(3, 'roof'))[0]!.status, 'cancelled')
  })

  it('says which node it waits for while that is away, and is taken back there when that has returned', async () => {
    const at = place('away')
    const id = await built(at)
    await m.node(3).kill('SIGKILL')
    assert.equal((await m.node(1).cli('cancel', id)).exit, 0)
    const { waitsFor = [] } = await m.node(1).goal(id, run => (run.waitsFor?.length ?? 0) > 0)
    assert.match(waitsFor[0]!, /^base on n3: n3 (is away|has left).*, since \d{4}-/)
    assert.deepEqual(at.lines('undone'), ['no tower'])
    await m.node(3).start()
    await m.node(1).goal(id, ({ status }) => status === 'cancelled')
    await until('all is taken back', () => at.lines('undone').length === 3)
    assert.deepEqual(at.lines('undone'), ['no tower', 'no floor', 'no base'])
  })
})
