import assert from 'node:assert/strict'
import { stage } from './stage.ts'

const XML = `<goalProto name="g"><variable name="x">1</variable><method name="m"><shell>
  <send name="one">one</send><send name="two" retries="1">two <get>goal.x</get></send>
</shell></method></goalProto>`

describe('the request that a step makes', () => {
  it('is the same at each try, and another one when the step is done again', async () => {
    const groups: string[] = []
    let bad = true
    const s = stage({
      goal: 'g',
      xml: XML,
      play: (text, { group = 0 }) => {
        groups.push(`${text} ${group}`)
        return { code: bad && text.startsWith('two') ? 1 : 0 }
      }
    })
    await s.go()
    s.repair()
    await s.go('repair')
    bad = false
    s.repair({ 'goal.x': { value: '2' } }, { decisions: [{ step: 'g/m/one', verdict: 'again' }] })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(groups, ['one 0', 'two 1 0', 'two 1 0', 'two 1 0', 'two 1 0', 'one 1', 'two 2 1'])
  })
})
