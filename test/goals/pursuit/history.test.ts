import assert from 'node:assert/strict'
import { type Stage, stage } from './stage.ts'

const three = (some: { readonly stepwise?: boolean } = {}): Stage =>
  stage({
    goal: 'g',
    stepwise: true,
    ...some,
    xml: `<goalProto name="g"><variable name="to">a</variable>
      <method name="m"><shell><send name="one">one <get>goal.to</get></send><send name="two">two</send></shell>
      <update><set>goal.to</set><string>z</string></update></method></goalProto>`
  })

const waitsFor = (s: Stage): string | undefined => s.bodies('suspended').at(-1)?.step
const decide = async (s: Stage, verb: 'step' | 'skip' | 'look', values = {}): Promise<string> => {
  const step = waitsFor(s)
  s.repair(values, { verb, ...(verb !== 'look' && step !== undefined && { step }) })
  return await s.go('repair')
}

describe('a goal pursued stepwise', () => {
  it('waits before each step, and says what it would do', async () => {
    const s = three()
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, [])
    const { code, reason, step, values } = s.bodies('suspended')[0]!
    assert.deepEqual([code, reason, step], ['stepping', 'one a', 'g/m/one'])
    assert.deepEqual(values, { 'goal.to': { value: 'a' } })
  })

  it('does one step for each yes', async () => {
    const s = three()
    await s.go()
    await decide(s, 'step')
    assert.deepEqual([s.ran, waitsFor(s)], [['one a'], 'g/m/two'])
    await decide(s, 'step')
    assert.equal(await decide(s, 'step'), 'completed')
    assert.deepEqual(s.ran, ['one a', 'two'])
    assert.equal(s.bodies('goal-began').length + s.bodies('goal-ended').length, 2)
  })

  it('passes over a step that is skipped', async () => {
    const s = three()
    await s.go()
    await decide(s, 'skip')
    assert.deepEqual([s.ran, waitsFor(s)], [[], 'g/m/two'])
  })

  it('offers the same step with edited values', async () => {
    const s = three()
    await s.go()
    await decide(s, 'look', { 'goal.to': { value: 'b' } })
    assert.deepEqual([s.ran, waitsFor(s), s.bodies('suspended').at(-1)?.reason], [[], 'g/m/one', 'one b'])
    await decide(s, 'step')
    assert.deepEqual(s.ran, ['one b'])
  })

  it('goes on without asking after a plain repair', async () => {
    const s = three()
    await s.go()
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['one a', 'two'])
  })

  it('asks again after a restart, and has forgotten no answer', async () => {
    const s = three()
    await s.go()
    s.repair({}, { verb: 'step', step: 'g/m/one' })
    await s.go('restart')
    assert.deepEqual([s.ran, waitsFor(s)], [['one a'], 'g/m/two'])
    await s.go('restart')
    assert.deepEqual([s.ran, waitsFor(s)], [['one a'], 'g/m/two'])
  })

  it('does the steps after one that makes its post hold, as it would without asking', async () => {
    let there = false
    const s = stage({
      goal: 'g',
      stepwise: true,
      xml: `<goalProto name="g"><post><pathExists>/x</pathExists></post>
        <method name="m"><shell><send name="one">make</send><send name="two">two</send></shell></method></goalProto>`,
      play: command => {
        there ||= command === 'make'
        return {}
      },
      facts: () => ({ kind: 'bool', value: there })
    })
    await s.go()
    await decide(s, 'step')
    assert.equal(await decide(s, 'step'), 'completed')
    assert.deepEqual(s.ran, ['make', 'two'])
  })
})

describe('the description of a goal', () => {
  const xml = `<goalProto name="g"><describe locale="en">hello</describe><describe locale="de">hallo</describe><method name="m"/></goalProto>`
  for (const [locale, text] of [
    ['de_AT.UTF-8', 'hallo'],
    ['C', 'hello']
  ] as const)
    it(`is "${text}" for a person with LANG=${locale}`, async () => {
      const s = stage({ goal: 'g', xml, locale })
      await s.go()
      assert.equal(s.bodies('goal-began')[0]?.describe, text)
    })
})

describe('what a decision rested on', () => {
  it('is in the journal: reasons and look-ups of requirements, post and guards', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"><variable name="size" type="int">3</variable><pre><defined><get>goal.size</get></defined></pre>
        <method name="big"><pre><op name="gt"><get>goal.size</get><int>5</int></op></pre></method><method name="small"/></goalProto>`
    })
    await s.go()
    const chosen = s.bodies('method-chosen')[0]!
    assert.deepEqual(chosen.grounds, { reasons: ['goal.size is defined'], reads: { 'goal.size': '3' } })
    const big = chosen.candidates.find(each => each.method === 'big')
    assert.deepEqual([big?.verdict, big?.grounds?.reads], ['rejected', { 'goal.size': '3' }])
  })
})
