import assert from 'node:assert/strict'
import { undoConsequences } from '../../../src/goals/render/consequences.ts'
import { type Stage, type StageOptions, stage } from './stage.ts'

const send = (text: string): string => `<shell><send name="${text.split(' ')[0]}">${text}</send></shell>`
const undo = (text: string): string => `<undo>${send(text)}</undo>`
const goal = (name: string, body: string, head = ''): string =>
  `<goalProto name="${name}">${head}<method name="m">${body}</method></goalProto>`

/** Commands that begin with `bad` fail until they are mended. */
function failing(options: Omit<StageOptions, 'goal' | 'play'>): Stage & { mend(): void } {
  let mended = false
  const s = stage({ goal: 'g', ...options, play: text => ({ code: text.startsWith('bad') && !mended ? 1 : 0, stdout: `${text}!` }) })
  return Object.assign(s, {
    mend: () => {
      mended = true
    }
  })
}

const product =
  goal('g', `${send('one')}<h><variable name="n">a</variable></h><h><variable name="n">b</variable></h>${send('bad')}${undo('back')}`) +
  goal('h', `${send('make <get>goal.n</get>')}${undo('remove <get quote="shell">goal.make.stdout</get>')}`, '<variable name="n"/>')

describe('a goal that is given up', () => {
  it('is undone by its methods, the last that ended first, with the values that they had', async () => {
    const s = failing({ xml: product })
    assert.equal(await s.go(), 'suspended')
    s.ran.length = 0
    s.undo()
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(s.ran, ['back', "remove 'make b!'", "remove 'make a!'"])
    assert.equal(s.bodies('cancelled')[0]?.why, 'not wanted')
  })

  it('is undone although its post holds and its requirements do not', async () => {
    const holds = '<post><fileTest type="exists">/there</fileTest></post>'
    const needs = '<pre><op name="eq"><get>goal.x</get><string>1</string></op></pre>'
    const s = failing({
      xml:
        goal(
          'g',
          `<update><set>goal.x</set><string>2</string></update>${send('one')}${send('bad')}${undo('back')}`,
          `<variable name="x">1</variable>${needs}`
        ) + goal('unused', send('x'), holds)
    })
    await s.go()
    s.undo()
    assert.equal(await s.go('repair'), 'cancelled')
    assert.equal(s.ran.at(-1), 'back')
  })

  it('is not undone where nothing was begun', async () => {
    const s = failing({ xml: goal('g', `${send('bad')}<h/>`) + goal('h', `${send('make')}${undo('remove')}`) })
    await s.go()
    s.undo()
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(s.ran, ['bad'])
  })

  it('has the methods undone that failed and those that were tried after them', async () => {
    const s = failing({
      xml: `<goalProto name="g"><method name="second">${send('good')}${send('bad')}${undo('ungood')}</method>
        <method name="first">${send('other')}${send('bad')}${undo('unother')}</method></goalProto>`
    })
    await s.go()
    s.undo()
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(s.ran.slice(4).sort(), ['ungood', 'unother'])
  })

  it('waits when its undoing fails, and goes on with that after a repair', async () => {
    const s = failing({ xml: product.replaceAll('remove', 'bad-remove') })
    await s.go()
    s.undo()
    assert.equal(await s.go('repair'), 'suspended')
    s.mend()
    s.repair()
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(s.ran.filter(text => text === 'back').length, 1)
    assert.deepEqual(s.ran.slice(-2), ["bad-remove 'make b!'", "bad-remove 'make a!'"])
  })

  it('is undone once, wherever that is interrupted', async () => {
    const whole = failing({ xml: product })
    await whole.go()
    whole.undo()
    const from = whole.events.length
    await whole.go('repair')
    for (let at = from + 1; at < whole.events.length; at++) {
      const s = failing({ xml: product })
      await s.go()
      s.undo()
      await s.go('repair')
      s.cut(at)
      const done = s.bodies('step-ended').length
      s.ran.length = 0
      const outcome = await s.go('restart')
      assert.ok(s.ran.length <= 8 - done, `cut at ${at}: ${s.ran.join()}`)
      if (outcome === 'suspended') assert.equal(s.bodies('suspended').at(-1)?.code, 'in-doubt')
    }
  })

  it('is not called undone when the program does not lead to what was done', async () => {
    const s = failing({ xml: product })
    await s.go()
    const without = product.replace('<h><variable name="n">b</variable></h>', '')
    s.repair({}, s.edit(without))
    await s.go('repair')
    s.undo()
    assert.equal(await s.go('repair'), 'suspended')
    assert.match(s.bodies('suspended').at(-1)!.reason, /g\/m>h\.2\/m was begun, and the program does not lead there any more/)
  })
})

describe('the preview of giving a goal up', () => {
  it('says what stays because it was done on another node', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="part"><method name="m"><shell><send>part</send></shell></method></goalProto>
        <goalProto name="g"><method name="m"><part peer="n3"/><shell><send name="bad">bad</send></shell>
          <undo><shell><send name="back">back</send></shell></undo></method></goalProto>`,
      play: text => ({ code: text === 'bad' ? 1 : 0 }),
      dispatch: () => Promise.resolve({ kind: 'completed', results: {} })
    })
    assert.equal(await s.go(), 'suspended')
    s.undo()
    assert.deepEqual(await s.preview(), ['- back', '= part on n3'])
    assert.match(undoConsequences(await s.plan(), { colour: false }).join('\n'), /^undo {2}back .*\nstays part on n3 .*nothing that its program says takes it back$/)
  })
})
