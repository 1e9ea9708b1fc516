import assert from 'node:assert/strict'
import { stage, type Stage } from './stage.ts'

const goal = (body: string, more = ''): string => `<goalProto name="g">${more}<method name="m">${body}</method></goalProto>`
const send = (text: string, attributes = ''): string => `<shell><send ${attributes}>${text}</send></shell>`
const reasonOf = (s: Stage): string => s.bodies('suspended').at(-1)?.reason ?? ''
const outcomes = (s: Stage): string[] => s.bodies('block-ended').map(({ outcome }) => outcome)

describe('the time of a block', () => {
  it('ends the command that runs when it is over, and nothing after that begins', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<do timeout="2">${send('one')}${send('two')}${send('three')}</do>`),
      play: text => ({ ms: text === 'one' ? 500 : 60_000 })
    })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['one', 'two'])
    assert.equal(s.bodies('suspended')[0]?.code, 'timed-out')
    assert.match(reasonOf(s), /^timed out: the 2 s of the block at test\.xml:1:\d+ are over$/)
    assert.deepEqual(outcomes(s), ['timed-out'])
    const exit = s.bodies('step-ended')[1]?.exit
    assert.equal(exit?.kind, 'timed-out')
    assert.ok(exit?.kind === 'timed-out' && exit.afterMs <= 1505, 'what was left of it')
  })

  it('holds in loops, in sub-goals and in what they call', async () => {
    const inner = `<goalProto name="h"><method name="n">${send('long')}</method></goalProto>`
    for (const body of [
      `<repeat timeout="1"><count>3</count>${send('long')}</repeat>`,
      `<find symbol="x" timeout="1"><in><string>a</string></in><do>${send('long')}</do></find>`,
      '<goalCompleted name="h" timeout="1"/>',
      '<h timeout="1"/>',
      '<task timeout="1"><h/></task>'
    ]) {
      const s = stage({ goal: 'g', xml: goal(body) + inner, play: () => ({ ms: 5000 }) })
      assert.equal(await s.go(), 'suspended', body)
      assert.equal(s.bodies('suspended')[0]?.code, 'timed-out', body)
      assert.equal(s.ran.length, 1, body)
    }
  })

  it('is that of the whole of it: the tries of a step in it share it', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<do timeout="2">${send('flaky', 'retries="10" backoff="0"')}</do>`),
      play: () => ({ code: 1, ms: 900 })
    })
    assert.equal(await s.go(), 'suspended')
    assert.equal(s.ran.length, 3)
    assert.match(reasonOf(s), /are over$/)
  })

  it('is not cheated by what ignores failures within it', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<do timeout="1"><do onFail="ignore">${send('a', 'onFail="ignore"')}</do>${send('b')}</do>${send('c')}`),
      play: () => ({ ms: 3000 })
    })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['a'])
  })

  it('that is ignored by the block itself goes on behind it, also after a restart', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<do timeout="1" onFail="ignore">${send('a')}${send('b')}</do>${send('c')}`),
      play: text => ({ ms: text === 'a' ? 3000 : 1 })
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['a', 'c'])
    s.cut(s.events.findIndex(({ body }) => body.type === 'step-began' && body.show === 'c'))
    assert.equal(await s.go('restart'), 'completed')
    assert.deepEqual(s.ran, ['a', 'c', 'c'])
  })

  it('is whole again for each try of the block, and its next method', async () => {
    let tries = 0
    const s = stage({
      goal: 'g',
      xml: goal(`<do timeout="1" retries="1" backoff="0">${send('a')}</do>`),
      play: () => ({ ms: ++tries === 1 ? 3000 : 900 })
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(outcomes(s), ['timed-out', 'completed'])

    const other = stage({
      goal: 'g',
      xml: `<goalProto name="g"/><method name="second" targetGoalType="g">${send('b')}</method>
        <method name="first" targetGoalType="g"><do timeout="1">${send('a')}</do></method>`,
      play: text => ({ ms: text === 'a' ? 3000 : 1 })
    })
    assert.equal(await other.go(), 'completed')
    assert.deepEqual(other.ran, ['a', 'b'])
  })

  it('goes on through a restart', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<do timeout="2">${send('a')}${send('b')}${send('c')}</do>`),
      play: text => ({ ms: text === 'a' ? 1500 : 400 })
    })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['a', 'b', 'c'])
    // the daemon dies with `a` done, and is back at the clock of now: the time is over
    s.cut(s.events.findIndex(({ body }) => body.type === 'step-ended') + 1)
    assert.equal(await s.go('restart'), 'suspended')
    assert.deepEqual(s.ran, ['a', 'b', 'c'], 'nothing more was begun')
    assert.equal(s.bodies('suspended').at(-1)?.code, 'timed-out')
  })

  it('that a crash interrupted asks first how its command ended', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<do timeout="2">${send('a')}</do>`),
      play: () => ({ ms: 9000 }),
      recover: () => ({ kind: 'timed-out', afterMs: 2000 })
    })
    assert.equal(await s.go(), 'suspended')
    s.cut(s.events.findIndex(({ body }) => body.type === 'step-began') + 1)
    assert.equal(await s.go('restart'), 'suspended')
    assert.equal(s.bodies('suspended').at(-1)?.code, 'timed-out')
    assert.deepEqual(s.ran, ['a'])
  })

  it('begins anew with a repair, and keeps what was done', async () => {
    let slow = true
    const s = stage({
      goal: 'g',
      xml: goal(`<do timeout="2">${send('a')}${send('b')}</do>`),
      play: text => ({ ms: text === 'b' && slow ? 9000 : 500 })
    })
    assert.equal(await s.go(), 'suspended')
    slow = false
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['a', 'b', 'b'])
    assert.deepEqual(outcomes(s), ['timed-out', 'completed'])
  })

  it('ends a wait in it, with what it waited for', async () => {
    const s = stage({ goal: 'g', xml: goal('<do timeout="0.05"><wait every="1"><pathExists>/there</pathExists></wait></do>') })
    assert.equal(await s.go(), 'suspended')
    assert.match(reasonOf(s), /\/there does not exist; timed out: the 0.05 s of the block/)
    const sleeping = stage({ goal: 'g', xml: goal('<do timeout="0.05"><wait seconds="60"/></do>') })
    assert.equal(await sleeping.go(), 'suspended')
    assert.match(reasonOf(sleeping), /^timed out/)
  })

  it('ends what another node does, and asks it anew the next time', async () => {
    const asked: string[] = []
    let late = true
    const s = stage({
      goal: 'g',
      xml: `${goal('<goalCompleted name="h" peer="n2" timeout="2"/>')}<goalProto name="h"/>`,
      dispatch: (request, signal) => {
        asked.push(request.id)
        if (!late) return Promise.resolve({ kind: 'completed', results: {} })
        return new Promise(resolve => signal.addEventListener('abort', () => resolve({ kind: 'failed', message: 'it took too long' })))
      }
    })
    assert.equal(await s.go(), 'suspended')
    assert.match(reasonOf(s), /timed out: the 2 s/)
    late = false
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.equal(new Set(asked).size, 2)
  })

  it('writes nothing down about a block without one', async () => {
    const s = stage({ goal: 'g', xml: goal(`<do>${send('a')}</do>`) })
    assert.equal(await s.go(), 'completed')
    assert.ok(!s.types().includes('block-began'))
  })
})
