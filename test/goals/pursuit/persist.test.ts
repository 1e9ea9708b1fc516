import assert from 'node:assert/strict'
import { stage } from './stage.ts'

const goal = (body: string, more = ''): string => `<goalProto name="g"><method name="m">${body}</method></goalProto>${more}`
const send = (text: string): string => `<shell><send>${text}</send></shell>`
/** Fails the first `times` times that `text` runs. */
const failing = (text: string, times: number): ((command: string) => { code: number }) => {
  let left = times
  return command => ({ code: command === text && left-- > 0 ? 1 : 0 })
}

describe('the failure of a block', () => {
  it('is ignored with onFail="ignore", and the rest of the block is left out', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<do onFail="ignore">${send('a')}${send('bad')}${send('b')}</do>${send('c')}`),
      play: failing('bad', 9)
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['a', 'bad', 'c'])
  })

  it('that was ignored is not tried again when the goal goes on', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<do onFail="ignore">${send('bad')}</do>${send('late')}`),
      play: text => ({ code: text === 'bad' || (text === 'late' && s.ran.length < 3) ? 1 : 0 })
    })
    assert.equal(await s.go(), 'suspended')
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['bad', 'late', 'late'])
  })

  it('is tried again with retries, and what was done before is kept', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<do retries="2" backoff="0">${send('a')}${send('bad')}${send('b')}</do>`),
      play: failing('bad', 2)
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['a', 'bad', 'bad', 'bad', 'b'])
    assert.deepEqual(
      s.bodies('step-began').map(each => each.attempt),
      [1, 1, 2, 3, 1]
    )
  })

  it('that no retry puts right suspends', async () => {
    const s = stage({ goal: 'g', xml: goal(`<do retries="1" backoff="0">${send('bad')}</do>`), play: failing('bad', 9) })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['bad', 'bad'])
  })

  it('suspends at once with onFail="suspend", without another method', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"/><method name="second" targetGoalType="g">${send('other')}</method>
        <method name="first" targetGoalType="g"><do onFail="suspend">${send('bad')}</do></method>`,
      play: failing('bad', 9)
    })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['bad'])
  })
})

describe('the failure of a sub-goal', () => {
  const sub = `<goalProto name="sub"><method name="n">${send('x')}${send('bad')}</method></goalProto>`

  it('is tried again with retries, its steps that were done kept', async () => {
    const s = stage({ goal: 'g', xml: goal('<goalCompleted name="sub" retries="1" backoff="0"/>', sub), play: failing('bad', 1) })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['x', 'bad', 'bad'])
  })

  it('is ignored with onFail="ignore"', async () => {
    const s = stage({ goal: 'g', xml: goal(`<sub onFail="ignore"/>${send('c')}`, sub), play: failing('bad', 9) })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['x', 'bad', 'c'])
  })
})

describe('a shell', () => {
  it('gives its onFail and retries to sends that say nothing', async () => {
    const s = stage({
      goal: 'g',
      xml: goal('<shell onFail="ignore" retries="1" backoff="0"><send>bad</send><send>c</send></shell>'),
      play: failing('bad', 9)
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['bad', 'bad', 'c'])
  })
})

describe('a repeat', () => {
  it('pursues the sub-goals of its body anew in each turn', async () => {
    const s = stage({
      goal: 'g',
      xml: goal('<repeat><count>3</count><sub/></repeat><sub/>', `<goalProto name="sub"><method name="n">${send('x')}</method></goalProto>`)
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['x', 'x', 'x'])
  })
})

describe('a correction', () => {
  const xml = (correct: string, body = `${send('a')}${send('bad')}`): string =>
    `<goalProto name="g"><variable name="port">1</variable><method name="m">${correct}${body}</method></goalProto>`

  it('runs before the next try, and what was done is kept', async () => {
    const s = stage({ goal: 'g', xml: xml(`<correct>${send('fix')}</correct>`), play: failing('bad', 1) })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['a', 'bad', 'fix', 'bad'])
  })

  it('that changes a value makes the steps run again that read it', async () => {
    const s = stage({
      goal: 'g',
      xml: xml(
        '<correct><update><set>goal.port</set>2</update></correct>',
        '<shell><send>one <get>goal.port</get></send><send>two</send><send>three <get>goal.port</get></send></shell>'
      ),
      play: failing('three 1', 9)
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['one 1', 'two', 'three 1', 'one 2', 'three 2'])
  })

  it('runs no more often than its limit', async () => {
    const s = stage({ goal: 'g', xml: xml(`<correct limit="2">${send('fix')}</correct>`), play: failing('bad', 9) })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['a', 'bad', 'fix', 'bad', 'fix', 'bad'])
  })

  it('of the goal holds for its methods', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"><correct>${send('fix')}</correct></goalProto><method name="m" targetGoalType="g">${send('bad')}</method>`,
      play: failing('bad', 1)
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['bad', 'fix', 'bad'])
  })

  it('by hand says what to do and which values to supply', async () => {
    const s = stage({
      goal: 'g',
      xml: xml('<correct mode="manual">Free port <get>goal.port</get>. <set>goal.port</set></correct>'),
      play: failing('bad', 9)
    })
    assert.equal(await s.go(), 'suspended')
    const suspended = s.bodies('suspended')[0]
    assert.equal(suspended?.instructions, 'Free port 1.')
    assert.deepEqual(suspended?.values, { 'goal.port': { value: '1' } })
  })
})

describe('a temporary file', () => {
  it('that is gone is made again when the goal goes on, and what read its path is kept', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(`<tempFile name="f">text</tempFile><shell><send>read <get>goal.f</get></send></shell>${send('late')}`),
      play: text => ({ code: text === 'late' && s.ran.length < 3 ? 1 : 0 })
    })
    assert.equal(await s.go(), 'suspended')
    const path = [...s.files.keys()][0]!
    s.files.clear()
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.equal(s.files.get(path), 'text')
    assert.deepEqual(s.ran.slice(1), ['late', 'late'])
    assert.equal(s.bodies('step-began').find(each => each.again !== undefined)?.again, 'its file is gone')
  })
})

describe('a prerequisite', () => {
  const needs = (attributes: string, steps: string): string =>
    `<goalProto name="g"><method name="m"><pre><goalCompleted name="h" ${attributes}/></pre><shell><send>then</send></shell></method></goalProto>
     <goalProto name="h"><method name="n">${steps}</method></goalProto>`
  const steps = '<shell><send>one</send></shell><shell><send>two</send></shell>'

  it('is tried again with retries, what was done in it is kept', async () => {
    let failures = 1
    const s = stage({
      goal: 'g',
      xml: needs('retries="1" backoff="0"', steps),
      play: text => ({ code: text === 'two' && failures-- > 0 ? 1 : 0 })
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['one', 'two', 'two', 'then'])
  })

  it('that fails and is ignored counts as met', async () => {
    const s = stage({ goal: 'g', xml: needs('onFail="ignore"', steps), play: text => ({ code: text === 'one' ? 1 : 0 }) })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['one', 'then'])
  })

  it('has only so much time', async () => {
    const s = stage({ goal: 'g', xml: needs('timeout="1"', steps), play: text => ({ ms: text === 'two' ? 5000 : 1 }) })
    assert.equal(await s.go(), 'suspended')
    assert.equal(s.bodies('suspended')[0]?.code, 'timed-out')
    assert.deepEqual(s.ran, ['one', 'two'])
  })
})
