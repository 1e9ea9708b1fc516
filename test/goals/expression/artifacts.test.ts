import assert from 'node:assert/strict'
import { CloudburstError } from '../../../src/errors.ts'
import type { Fact, FactQuery } from '../../../src/goals/ports.ts'
import type { Tree } from '../../../src/goals/tree.ts'
import { stage, type StageOptions } from '../pursuit/stage.ts'

const BUILD = `sha256:${'a'.repeat(64)}`
const OTHER = `sha256:${'b'.repeat(64)}`
const here: Tree = { type: 'artifact', value: BUILD }

/** Where a daemon would find the file, and what it was asked. */
const finding = (asked: FactQuery[] = []): Pick<StageOptions, 'facts'> => ({
  facts: query => {
    asked.push(query)
    if (query.kind === 'state') return { kind: 'tree', value: here }
    return { kind: 'artifact', path: `/kept/${query.kind === 'artifact' ? query.reference.slice(7, 11) : ''}` } satisfies Fact
  }
})
const builder = (value: string): string =>
  `<agent name="a"><variable name="build" type="artifact"/>
     <goalProto name="g"><method name="m"><update><set>agent.build</set><string>${value}</string></update></method></goalProto></agent>`
const using = (text: string): string => `<goalProto name="g"><method name="m"><shell><send>${text}</send></shell></method></goalProto>`

describe('a file as a value', () => {
  it('is kept when its path is written to a place of type artifact, and goes by what is in it from then on', async () => {
    const kept: string[] = []
    const s = stage({
      goal: 'g',
      agent: 'a',
      xml: builder('/srv/build.tgz'),
      keepFile: path => {
        kept.push(path)
        return Promise.resolve(BUILD)
      }
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(kept, ['/srv/build.tgz'])
    assert.deepEqual(s.agent()['build'], here)
    assert.deepEqual(s.bodies('step-ended')[0]?.writes, [{ path: 'agent.build', value: here }])
  })

  it('fails the step that cannot have it kept, with why', async () => {
    const refusing = (): Promise<string> => Promise.reject(new CloudburstError('CB_USAGE', '/srv/build.tgz is not a file'))
    for (const [keepFile, why] of [
      [refusing, /is not a file/],
      [undefined, /only a daemon keeps files/]
    ] as const) {
      const s = stage({ goal: 'g', agent: 'a', xml: builder('/srv/build.tgz'), ...(keepFile && { keepFile }) })
      assert.equal(await s.go(), 'suspended')
      assert.match(s.bodies('suspended')[0]!.reason, why)
      assert.equal(s.agent()['build']?.value, undefined)
    }
  })

  it('is refused when it is neither a path nor an artifact', async () => {
    const s = stage({ goal: 'g', agent: 'a', xml: builder('build.tgz'), keepFile: () => Promise.resolve(BUILD) })
    assert.equal(await s.go(), 'suspended')
    assert.match(s.bodies('suspended')[0]!.reason, /'build\.tgz' is not an artifact/)
  })

  it('is fetched before the step that uses it, which gets a path', async () => {
    const asked: FactQuery[] = []
    const s = stage({ goal: 'g', xml: using('tar xf <get>nodes.n1.agents.a.variables.build</get>'), ...finding(asked) })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['tar xf /kept/aaaa'])
    assert.deepEqual(
      asked.filter(query => query.kind === 'artifact' && query.fetch),
      [{ kind: 'artifact', reference: BUILD, fetch: true }]
    )
  })

  it('is not fetched by a plan, which shows what is in it', async () => {
    const asked: FactQuery[] = []
    const s = stage({ goal: 'g', xml: using('tar xf <get>nodes.n1.agents.a.variables.build</get>'), ...finding(asked) })
    const { nodes } = await s.plan()
    assert.ok(asked.every(query => query.kind !== 'artifact' || !query.fetch))
    assert.ok(nodes.some(({ text }) => text.includes(`tar xf ${BUILD}`)))
  })

  it('fails the step, with why, when nobody has it', async () => {
    const facts = (query: FactQuery): Fact =>
      query.kind === 'state' ? { kind: 'tree', value: here } : { kind: 'artifact', why: 'no known node has the file' }
    const s = stage({ goal: 'g', xml: using('tar xf <get>nodes.n1.agents.a.variables.build</get>'), facts })
    assert.equal(await s.go(), 'suspended')
    assert.match(s.bodies('suspended')[0]!.reason, /cannot be had: no known node has the file/)
    assert.deepEqual(s.ran, [])
  })

  it('is never taken from what another node calls a path', async () => {
    const kept: string[] = []
    const s = stage({
      goal: 'g',
      agent: 'a',
      xml: `<agent name="a"><variable name="build" type="artifact"/><goalProto name="g"><method name="m">
        <update><set>agent.build</set><get>nodes.n1.shared.build</get></update></method></goalProto></agent>`,
      facts: () => ({ kind: 'tree', value: { type: 'artifact', value: '/etc/shadow' } }),
      keepFile: path => {
        kept.push(path)
        return Promise.resolve(OTHER)
      }
    })
    await s.go()
    assert.deepEqual(kept, [])
  })

  it('runs the step that used it again when it is another one, and only then', async () => {
    const xml = `<goalProto name="g"><variable name="build" type="artifact"/><method name="m"><shell><send>unpack <get>goal.build</get></send><send>check</send></shell></method></goalProto>`
    let bad = true
    const s = stage({
      goal: 'g',
      xml,
      assignments: [{ path: 'goal.build', value: BUILD }],
      ...finding(),
      play: text => ({ code: text === 'check' && bad ? 1 : 0 })
    })
    assert.equal(await s.go(), 'suspended')
    bad = false
    s.repair({ 'goal.build': here })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['unpack /kept/aaaa', 'check', 'check'])
    const t = stage({
      goal: 'g',
      xml,
      assignments: [{ path: 'goal.build', value: BUILD }],
      ...finding(),
      play: text => ({ code: text === 'check' ? 1 : 0 })
    })
    await t.go()
    t.repair({ 'goal.build': { type: 'artifact', value: OTHER } })
    await t.go('repair')
    assert.deepEqual(t.ran, ['unpack /kept/aaaa', 'check', 'unpack /kept/bbbb', 'check'])
  })

  it('is a path for code, for tests of files, and for a parameter of type localFilePath', async () => {
    const xml = `<goalProto name="g"><variable name="build" type="artifact"/><method name="m">
        <fileTest type="file"><get>goal.build</get></fileTest>
        <use><variable name="file"><string><get>goal.build</get></string></variable></use>
        <shell><send>list <string><get>goal.build</get>.txt</string></send></shell>
      </method></goalProto>
      <goalProto name="use"><variable name="file" type="localFilePath"/><method name="m"><shell><send>use <get>goal.file</get></send></shell></method></goalProto>`
    const asked: FactQuery[] = []
    const s = stage({
      goal: 'g',
      xml,
      assignments: [{ path: 'goal.build', value: BUILD }],
      facts: query => {
        asked.push(query)
        return query.kind === 'artifact' ? { kind: 'artifact', path: '/kept/it' } : { kind: 'bool', value: true }
      }
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['use /kept/it', 'list /kept/it.txt'])
    assert.deepEqual(s.bodies('goal-began').at(-1)?.arguments, { file: here }, 'the value goes on as what it is')
    assert.ok(asked.some(query => query.kind === 'file' && query.path === '/kept/it'))
  })
})
