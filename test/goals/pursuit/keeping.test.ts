import assert from 'node:assert/strict'
import { type Stage, type StageOptions, stage } from './stage.ts'

const sends = (...texts: string[]): string => `<shell>${texts.map(text => `<send>${text}</send>`).join('')}</shell>`
const named = (...texts: string[]): string =>
  `<shell>${texts.map(text => `<send name="${text.split(' ')[0]}">${text}</send>`).join('')}</shell>`
const g = (body: string, head = ''): string => `<goalProto name="g">${head}<method name="m">${body}</method></goalProto>`

/** A goal whose commands that begin with `bad` fail until they are mended. */
function failing(options: Omit<StageOptions, 'goal' | 'play'>): Stage & { mend(): void } {
  let mended = false
  const s = stage({ goal: 'g', ...options, play: text => ({ code: text.startsWith('bad') && !mended ? 1 : 0 }) })
  return Object.assign(s, {
    mend: () => {
      mended = true
    }
  })
}

describe('a repair', () => {
  it('leaves out a step that a person skips, and goes on behind it', async () => {
    const s = failing({ xml: g(named('one', 'bad', 'three')) })
    assert.equal(await s.go(), 'suspended')
    s.repair({}, { decisions: [{ step: 'g/m/bad', verdict: 'skip' }], why: 'not needed here' })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['one', 'bad', 'three'])
  })

  it('takes a step as done, with the results that a person gives', async () => {
    const s = failing({ xml: g(`${named('bad')}${sends('use <get>goal.bad.stdout</get>')}`) })
    assert.equal(await s.go(), 'suspended')
    const writes = [{ path: 'goal.bad', value: { fields: { stdout: { value: 'by-hand' } } } }]
    s.repair({}, { decisions: [{ step: 'g/m/bad', verdict: 'done', writes }] })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['bad', 'use by-hand'])
  })

  it('does a step again because a person says so, and what it changes follows', async () => {
    let prints = 'old'
    const s = stage({
      goal: 'g',
      xml: g(`${named('make')}${sends('use <get>goal.make.stdout</get>', 'other', 'bad')}`),
      play: text => ({ code: text === 'bad' && prints === 'old' ? 1 : 0, stdout: text === 'make' ? prints : '' })
    })
    assert.equal(await s.go(), 'suspended')
    prints = 'new'
    s.repair({}, { decisions: [{ step: 'g/m/make', verdict: 'again' }] })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran.slice(4), ['make', 'use new', 'bad'])
  })

  it('starts over from a step when a person says so', async () => {
    const s = failing({ xml: g(named('one', 'two', 'three', 'bad')) })
    assert.equal(await s.go(), 'suspended')
    s.mend()
    s.repair({}, { decisions: [{ step: 'g/m/two', verdict: 'from' }] })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran.slice(4), ['two', 'three', 'bad'])
  })

  it('tries the method first that a person names, also one whose guard was false', async () => {
    const s = failing({
      xml: `<goalProto name="g"/><method name="other" targetGoalType="g"><pre><fileTest type="exists">/nowhere</fileTest></pre>${sends('good')}</method>
        <method name="first" targetGoalType="g">${sends('bad')}</method>`
    })
    assert.equal(await s.go(), 'suspended')
    s.repair({}, { method: { instance: 'g', method: 'other' } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['bad', 'good'])
  })

  it('goes on with an edited program: what was not edited is kept', async () => {
    const s = failing({ xml: g(named('one', 'two', 'bad')) })
    assert.equal(await s.go(), 'suspended')
    s.repair(
      {},
      s.edit(
        g(
          '<shell><send name="one">one</send><send name="new">new</send><send name="two">two edited</send><send name="bad">good</send></shell>'
        )
      )
    )
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran.slice(3), ['new', 'two edited', 'good'])
  })

  it('does again what read a default that an edited program has changed', async () => {
    const program = (port: number, last: string): string =>
      g(sends('build', `serve <get>goal.port</get>`, last), `<variable name="port" type="int">${port}</variable>`)
    const s = failing({ xml: program(80, 'bad') })
    assert.equal(await s.go(), 'suspended')
    s.repair({}, s.edit(program(81, 'good')))
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran.slice(3), ['serve 81', 'good'])
  })

  it('keeps the results of a sub-goal whose post still holds', async () => {
    let there = false
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="sub"><variable name="x"/><post><fileTest type="exists">/there</fileTest></post>
          <method name="m">${sends('make')}<update><set>goal.x</set><string>made</string></update></method></goalProto>
        ${g(`<goalCompleted name="sub"><variable name="x"><get>goal.y</get></variable></goalCompleted>${sends('bad <get>goal.y</get>')}`, '<variable name="y">none</variable>')}`,
      play: text => {
        if (text === 'make') there = true
        return { code: text.startsWith('bad') && s.ran.length < 3 ? 1 : 0 }
      },
      facts: () => ({ kind: 'bool', value: there })
    })
    assert.equal(await s.go(), 'suspended')
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['make', 'bad made', 'bad made'])
  })

  it('does a sub-goal again whose post does not hold any more', async () => {
    let there = false
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="sub"><post><fileTest type="exists">/there</fileTest></post><method name="m">${sends('make')}</method></goalProto>
        ${g(`<goalCompleted name="sub"/>${sends('bad')}`)}`,
      play: text => {
        if (text === 'make') there = true
        return { code: text === 'bad' && s.ran.length < 3 ? 1 : 0 }
      },
      facts: () => ({ kind: 'bool', value: there })
    })
    assert.equal(await s.go(), 'suspended')
    there = false
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['make', 'bad', 'make', 'bad'])
  })
})

const sub = (body: string, head = ''): string =>
  `<goalProto name="sub"><variable name="x">none</variable>${head}<method name="m">${body}</method></goalProto>`
const calls = (path: string): string => `<sub><variable name="x"><get>${path}</get></variable></sub>`
const exists = '<post><fileTest type="exists">/there</fileTest></post>'

describe('a value that a person sets', () => {
  it('for a sub-goal reaches its steps, also where it is an argument', async () => {
    const s = failing({ xml: `${sub(sends('use <get>goal.x</get>', 'bad'))}${g(calls('goal.y'), '<variable name="y">a</variable>')}` })
    assert.equal(await s.go(), 'suspended')
    s.mend()
    s.repair({ 'g/m>sub:goal.x': { value: 'b' } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['use a', 'bad', 'use b', 'bad'])
  })

  it('to what it was before makes nothing run again', async () => {
    const s = failing({ xml: g(sends('use <get>goal.y</get>', 'bad'), '<variable name="y">a</variable>') })
    assert.equal(await s.go(), 'suspended')
    s.mend()
    s.repair({ 'goal.y': { value: 'a' } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['use a', 'bad', 'bad'])
  })

  it('for a sub-goal stands in no way of an edited program', async () => {
    const program = (last: string): string =>
      `${sub(sends('use <get>goal.x</get>', last))}${g(calls('goal.y'), '<variable name="y">a</variable>')}`
    const s = failing({ xml: program('bad') })
    assert.equal(await s.go(), 'suspended')
    s.repair({ 'g/m>sub:goal.x': { value: 'b' } })
    assert.equal(await s.go('repair'), 'suspended')
    s.repair({}, s.edit(program('good')))
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['use a', 'bad', 'use b', 'bad', 'good'])
  })

  it('stays over what a sub-goal gave back before', async () => {
    const s = failing({
      xml: `${sub('<update><set>goal.x</set><string>wrong</string></update>')}${g(`${calls('goal.y')}${sends('bad <get>goal.y</get>')}`, '<variable name="y">a</variable>')}`
    })
    assert.equal(await s.go(), 'suspended')
    s.mend()
    s.repair({ 'goal.y': { value: 'right' } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['bad wrong', 'bad right'])
  })

  it('stays over what a sub-goal gave back before whose post still holds', async () => {
    let there = false
    const s = stage({
      goal: 'g',
      xml: `${sub(sends('make'), exists)}${g(`${calls('goal.y')}${sends('bad <get>goal.y</get>')}`, '<variable name="y">wrong</variable>')}`,
      play: text => {
        if (text === 'make') there = true
        return { code: text === 'bad wrong' ? 1 : 0 }
      },
      facts: () => ({ kind: 'bool', value: there })
    })
    assert.equal(await s.go(), 'suspended')
    s.repair({ 'goal.y': { value: 'right' } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['make', 'bad wrong', 'bad right'])
  })
})

describe('a goal that was found true', () => {
  it('is done again when it is not any more', async () => {
    let there = false
    const s = stage({
      goal: 'g',
      xml: `${sub(sends('make'), exists)}${g(`${calls('goal.y')}${sends('bad')}`, '<variable name="y">a</variable>')}`,
      play: text => {
        if (text === 'make') there = true
        return { code: text === 'bad' && s.ran.length < 4 ? 1 : 0 }
      },
      facts: () => ({ kind: 'bool', value: there })
    })
    assert.equal(await s.go(), 'suspended')
    s.repair()
    assert.equal(await s.go('repair'), 'suspended')
    there = false
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['make', 'bad', 'bad', 'make', 'bad'])
  })
})

describe('the preview of a repair', () => {
  it('shows what is kept, done again and done for the first time, and does nothing', async () => {
    const s = failing({
      xml: g(
        sends('build <get>goal.name</get>', 'bad <get>goal.port</get>', 'announce'),
        '<variable name="name">a</variable><variable name="port">80</variable>'
      )
    })
    assert.equal(await s.go(), 'suspended')
    const before = s.events.length
    assert.deepEqual(await s.preview({ 'goal.port': { value: '81' } }), ['= build a', '~ bad 81', '+ announce'])
    assert.deepEqual(await s.preview({ 'goal.name': { value: 'b' } }), ['~ build b', '~ bad 80', '+ announce'])
    assert.deepEqual(await s.preview({}, { decisions: [{ step: 'g/m/#00000000', verdict: 'skip' }] }), [
      '= build a',
      '~ bad 80',
      '+ announce'
    ])
    assert.equal(s.events.length, before)
  })

  it('counts as possibly changed what a step that runs again has written', async () => {
    const s = failing({
      xml: g(
        `${named('make <get>goal.name</get>')}${sends('use <get>goal.make.stdout</get>', 'other', 'bad')}`,
        '<variable name="name">a</variable>'
      )
    })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(await s.preview({ 'goal.name': { value: 'b' } }), ['~ make b', '~ use ${goal.make.stdout}', '= other', '~ bad'])
  })

  it('shows what runs again because an argument of its goal is another one', async () => {
    const s = failing({
      xml: `${sub(sends('use <get>goal.x</get>', 'bad'))}<goalProto name="mid"><variable name="v">a</variable><method name="m">${calls('goal.v')}</method></goalProto>${g('<mid/>')}`
    })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(await s.preview({ 'g/m>mid:goal.v': { value: 'b' } }), ['~ use b', '~ bad'])
  })
})

describe('a goal that is not true although all was done', () => {
  const post = '<post><fileTest type="exists">/there</fileTest></post>'
  const lying = (xml: string): { s: Stage; there: { is: boolean } } => {
    const there = { is: false }
    return { s: stage({ goal: 'g', xml, facts: () => ({ kind: 'bool', value: there.is }) }), there }
  }

  it('has its own steps done again by a retry, and keeps those of its sub-goals', async () => {
    const { s } = lying(
      `${g(`<h/>${named('one', 'two')}`, post)}<goalProto name="h"><method name="m">${named('below')}</method></goalProto>`
    )
    assert.equal(await s.go(), 'suspended')
    s.repair()
    assert.equal(await s.go('repair'), 'suspended')
    assert.deepEqual(s.ran, ['below', 'one', 'two', 'one', 'two'])
    assert.equal(s.bodies('step-began').at(-1)?.again, 'g is not true although all was done')
  })

  it('is not done again from the start when a person says what was wrong', async () => {
    const { s } = lying(g(`${named('one')}${sends('two <get>goal.x</get>')}`, `<variable name="x">1</variable>${post}`))
    assert.equal(await s.go(), 'suspended')
    s.repair({ 'goal.x': { value: '2' } })
    assert.equal(await s.go('repair'), 'suspended')
    assert.deepEqual(s.ran, ['one', 'two 1', 'two 2'])
  })

  it('is done again once by each retry, wherever that is interrupted', async () => {
    const { s } = lying(g(named('one', 'two'), post))
    await s.go()
    s.repair()
    const began = s.events.length
    await s.go('repair')
    for (let at = began + 1; at < s.events.length; at++) {
      const { s: again } = lying(g(named('one', 'two'), post))
      await again.go()
      again.repair()
      await again.go('repair')
      again.cut(at)
      const [before, finished] = [again.ran.length, again.bodies('step-ended').length]
      await again.go('restart')
      assert.ok(again.ran.length - before <= 4 - finished, `cut at ${at}`)
    }
  })

  it('is done again by its own retries', async () => {
    const xml = `<goalProto name="g"><method name="m"><h onFail="retry" retries="1"/></method></goalProto>
      <goalProto name="h">${post}<method name="m">${named('one')}</method></goalProto>`
    const { s } = lying(xml)
    await s.go()
    assert.deepEqual(s.ran, ['one', 'one'])
  })

  it('that was true once is done again once, also when that is interrupted', async () => {
    const xml = `${g(`<h/>${named('bad')}`)}<goalProto name="h">${post}<method name="m">${named('one', 'two')}</method></goalProto>`
    const there = { is: false }
    const s = stage({
      goal: 'g',
      xml,
      facts: () => ({ kind: 'bool', value: there.is }),
      play: text => {
        there.is ||= text === 'two'
        return { code: text === 'bad' ? 1 : 0 }
      }
    })
    assert.equal(await s.go(), 'suspended')
    there.is = false
    s.repair()
    const before = s.events.length
    await s.go('repair')
    const redone = s.events.findIndex(({ seq, body }) => seq > before && body.type === 'step-ended' && body.step.endsWith('/one'))
    s.cut(redone + 1)
    there.is = false
    s.ran.length = 0
    await s.go('restart')
    assert.deepEqual(s.ran, ['two', 'bad'])
  })
})

describe('an argument that is one of the agent’s variables', () => {
  const xml = `<agent name="keeper"><variable name="count" type="int">1</variable></agent>
    <goalProto name="g"><method name="m">CALL<update><set>agent.count</set><int>7</int></update>${named('bad')}</method></goalProto>
    <goalProto name="h"><variable name="n"/><method name="m"><shell><send>use <get>goal.n</get></send></shell></method></goalProto>`
  const call = (text: string): string => `<h><variable name="n">${text}</variable></h>`
  for (const [what, text] of [
    ['as it is', '<get>agent.count</get>'],
    ['within a text', 'no.<get>agent.count</get>']
  ] as const)
    it(`stays what it was when a later step writes there, ${what}`, async () => {
      const s = failing({ agent: 'keeper', xml: xml.replace('CALL', call(text)) })
      assert.equal(await s.go(), 'suspended')
      s.mend()
      s.repair()
      assert.equal(await s.go('repair'), 'completed')
      assert.equal(s.ran.filter(command => command.startsWith('use')).length, 1, s.ran.join())
    })

  it('is another one when a person has set it, and when the call is written otherwise', async () => {
    const text = xml.replace('CALL', call('<get>agent.count</get>'))
    const s = failing({ agent: 'keeper', xml: text })
    await s.go()
    s.repair({ 'agent.count': { value: 3 } })
    await s.go('repair')
    assert.equal(s.ran.filter(command => command.startsWith('use')).length, 2, s.ran.join())
    s.repair({}, s.edit(text.replace(call('<get>agent.count</get>'), call('x<get>agent.count</get>'))))
    await s.go('repair')
    assert.equal(s.ran.filter(command => command.startsWith('use x')).length, 1, s.ran.join())
  })

  it('is asked for once where two calls have it, also after it has changed', async () => {
    const s = failing({ agent: 'keeper', xml: xml.replace('CALL', call('<get>agent.count</get>').repeat(2)) })
    await s.go()
    s.mend()
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.equal(s.ran.filter(command => command.startsWith('use')).length, 1, s.ran.join())
  })
})
