import assert from 'node:assert/strict'
import { Circuits, OPEN_FOR_MS, UNHELPED_MAX } from '../../../src/goals/pursuit/circuits.ts'
import { stage } from './stage.ts'

const XML = `<goalProto name="g"><method name="m"><correct limit="2"><shell><send name="fix">fix</send></shell></correct>
  <shell><send name="risky">risky</send></shell></method></goalProto>`

describe('the breaker of an automatic correction', () => {
  it('opens after so many goals in a row that it did not help, and says so', async () => {
    const circuits = new Circuits()
    for (let goals = 0; goals < UNHELPED_MAX; goals++) {
      const s = stage({ goal: 'g', xml: XML, circuits, play: text => ({ code: text === 'risky' ? 1 : 0 }) })
      assert.equal(await s.go(), 'suspended')
      assert.equal(s.ran.filter(text => text === 'fix').length, 2)
    }
    const next = stage({ goal: 'g', xml: XML, circuits, play: text => ({ code: text === 'risky' ? 1 : 0 }) })
    assert.equal(await next.go(), 'suspended')
    assert.deepEqual(next.ran, ['risky'])
    assert.match(next.bodies('suspended')[0]?.reason ?? '', /its correction is not tried: it has not helped the last 5 goals/)
  })

  it('stays closed while it helps', async () => {
    const circuits = new Circuits()
    for (let goals = 0; goals < 2 * UNHELPED_MAX; goals++) {
      let isFixed = goals % 3 === 0
      const s = stage({
        goal: 'g',
        xml: XML,
        circuits,
        play: text => {
          if (text === 'fix') isFixed ||= goals % 3 === 1
          return { code: text === 'risky' && !isFixed ? 1 : 0 }
        }
      })
      await s.go()
      assert.equal(s.ran.includes('fix'), goals % 3 !== 0, `goal ${goals}`)
    }
  })

  it('lets one try after some time, and closes when that helps', () => {
    const circuits = new Circuits()
    for (let goals = 0; goals < UNHELPED_MAX; goals++) circuits.ended('m', false, 0)
    assert.equal(circuits.isOpen('m', OPEN_FOR_MS - 1), true)
    assert.equal(circuits.isOpen('m', OPEN_FOR_MS), false)
    assert.equal(circuits.isOpen('m', OPEN_FOR_MS), true, 'one tries for all')
    circuits.ended('m', true, OPEN_FOR_MS + 1)
    assert.equal(circuits.isOpen('m', OPEN_FOR_MS + 2), false)
  })
})
