import assert from 'node:assert/strict'
import { whyStep } from '../../../src/goals/render/why.ts'
import { type Stage, stage } from '../pursuit/stage.ts'

const xml = `<goalProto name="g"><variable name="port" type="int">80</variable><method name="m"><shell>
  <send name="one">one</send><send name="two">two <get>goal.port</get> <get>goal.one.stdout</get></send><send name="bad">bad <get>goal.port</get></send>
</shell></method></goalProto>`

/** Of each line what it says, without the time. */
function why(s: Stage, step: string): string[] {
  return whyStep(s.events, step, { colour: false }).map(line => line.replace(/^\S+Z +\d+ +/, '').replace(/(event|with event) \d+/, '$1 N'))
}

describe('why a step', () => {
  let mended: boolean
  let s: Stage

  beforeEach(async () => {
    mended = false
    s = stage({ goal: 'g', xml, play: text => ({ code: text.startsWith('bad') && !mended ? 1 : 0, stdout: text === 'one' ? 'x' : '' }) })
    await s.go()
    mended = true
  })

  it('ran is told with what it read, and who made that so', () => {
    assert.deepEqual(why(s, 'g/m/two'), [
      'ran: it was not done before',
      '    read goal.port = 80   configured, event N',
      '    read goal.one.stdout = x   written by g/m/one, event N',
      'completed after 2 ms'
    ])
  })

  it('ran again is told by what has changed, and by whom', async () => {
    s.repair({ 'goal.port': { value: 81 } }, { why: 'taken' })
    await s.go('repair')
    assert.deepEqual(why(s, 'g/m/two').slice(4), [
      'repaired by here (taken): set goal.port = 81',
      'ran, try 2: goal.port has changed',
      '    read goal.port = 81   set by here, event N',
      '    read goal.one.stdout = x   written by g/m/one, event N',
      'completed after 2 ms'
    ])
  })

  it('ran again after a failure is told so', async () => {
    s.repair()
    await s.go('repair')
    const said = why(s, 'g/m/bad')
    assert.equal(said[2], 'failed after 2 ms: exit 1')
    assert.equal(said[3], 'repaired by here: go on')
    assert.equal(said[4], 'ran, try 2: it had not completed')
  })

  it('was kept is told, once each time', async () => {
    s.repair()
    await s.go('repair')
    assert.deepEqual(why(s, 'g/m/one').slice(2), ['repaired by here: go on', 'kept: nothing that it read has changed since'])
  })

  it('was passed over is told with the decision', async () => {
    s.repair({}, { decisions: [{ step: 'g/m/bad', verdict: 'skip' }], why: 'not here' })
    await s.go('repair')
    assert.deepEqual(why(s, 'g/m/bad').slice(3), ['repaired by here (not here): it need not be done', 'passed over: it need not be done'])
  })

  it('is not made up for a step that was not begun', () => assert.deepEqual(why(s, 'g/m/nothing'), []))
})
