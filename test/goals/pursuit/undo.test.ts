import assert from 'node:assert/strict'
import type { RemoteGoal, RemoteOutcome, TakingBack } from '../../../src/goals/ports.ts'
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

describe('a goal that is given up, with parts on other nodes', () => {
  const part = goal('part', send('part'))
  const place = goal('place', `${send('put <get>goal.n</get>')}${undo('take')}`, '<variable name="n"/>')
  const whole = (body: string): string => `${part}${place}${goal('g', `${send('one')}${body}${send('bad')}${undo('back')}`)}`
  const given = '<variable name="n">a</variable>'

  /** Other nodes complete what they are asked for, `answers` says what becomes of taking it back. */
  function among(xml: string, answers: RemoteOutcome[] = []) {
    const asked: RemoteGoal[] = []
    const back: TakingBack[] = []
    const s = failing({
      xml,
      dispatch: request => {
        asked.push(request)
        return Promise.resolve({ kind: request.goal === 'open' ? 'left' : 'completed', results: {} })
      },
      takeBack: request => {
        back.push(request)
        return Promise.resolve(answers.shift() ?? { kind: 'completed', results: {} })
      }
    })
    return { s, asked, back }
  }

  it('has those asked that have done what their program takes back, in their place, and no others', async () => {
    const { s, asked, back } = among(
      whole(`<place peer="n2">${given}</place><part peer="n3"/><h/><place peer="n3">${given}</place>`) +
        goal('h', `${send('two')}${undo('back two')}`)
    )
    await s.go()
    s.undo()
    assert.deepEqual(await s.preview(), ['- back', '- undo place on n3', '- back two', '= part on n3', '- undo place on n2'])
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(s.ran.slice(-2), ['back', 'back two'])
    assert.deepEqual(
      back.map(({ id, goal, peer, undo: as, why, chain }) => ({ id, goal, peer, as, why, chain })),
      [asked[2]!, asked[0]!].map(({ id, peer, chain }) => ({ id, goal: 'place', peer, as: undefined, why: 'not wanted', chain }))
    )
    assert.notEqual(back[0]!.as, back[1]!.as)
  })

  it('waits when another node cannot take it back, and asks it once more after a repair', async () => {
    const { s, back } = among(whole(`<place peer="n2">${given}</place>`), [{ kind: 'failed', message: 'n2 is away' }])
    await s.go()
    s.undo()
    assert.equal(await s.go('repair'), 'suspended')
    assert.match(s.bodies('suspended').at(-1)!.reason, /^undo place on n2: n2 is away$/)
    s.repair()
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(s.ran.filter(text => text === 'back').length, 1)
    assert.equal(back[0]!.as, back[1]!.as)
  })

  it('has ended, as it is, what is under way and nothing takes back', async () => {
    const { s, asked, back } = among(whole(`<open peer="n3"/>`) + goal('open', send('part')))
    await s.go()
    s.undo()
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(
      back.map(({ id, undo: done }) => [id, done]),
      [[asked[0]!.id, false]]
    )
  })

  it('asks for all that a step has asked for, with other values too', async () => {
    const variable = '<variable name="v">a</variable>'
    const xml = `${place}${goal('g', `<place peer="n2"><variable name="n"><get>goal.v</get></variable></place>${send('bad')}${undo('back')}`, variable)}`
    const { s, asked, back } = among(xml)
    await s.go()
    s.repair({ 'goal.v': { value: 'b' } })
    await s.go('repair')
    assert.equal(asked.length, 2)
    s.undo()
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(
      back.map(({ id }) => id),
      [asked[1]!.id, asked[0]!.id]
    )
  })

  it('asks also for what an edited program does not lead to any more, with the program that it was asked with', async () => {
    const { s, asked, back } = among(whole(`<place peer="n2">${given}</place>`))
    await s.go()
    s.repair({}, s.edit(whole('')))
    await s.go('repair')
    s.undo()
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(
      back.map(({ id, program }) => [id, program]),
      [[asked[0]!.id, asked[0]!.program]]
    )
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
    assert.match(
      undoConsequences(await s.plan(), { colour: false }).join('\n'),
      /^undo {2}back .*\nstays part on n3 .*nothing that its program says takes it back$/
    )
  })
})
