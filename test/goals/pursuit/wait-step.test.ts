import assert from 'node:assert/strict'
import { stage } from './stage.ts'

const goal = (body: string, variables = ''): string => `<goalProto name="g">${variables}<method name="m">${body}</method></goalProto>`

describe('a wait', () => {
  it('looks again until it holds', async () => {
    let looks = 0
    const s = stage({
      goal: 'g',
      xml: goal('<wait every="5"><fileTest type="file">/there</fileTest></wait>'),
      facts: () => ({ kind: 'bool', value: ++looks > 3 })
    })
    assert.equal(await s.go(), 'completed')
    assert.equal(looks, 4)
  })

  it('looks again although a guard has asked the same before', async () => {
    let looks = 0
    const s = stage({
      goal: 'g',
      xml: goal('<pre><op name="not"><pathExists>/there</pathExists></op></pre><wait><pathExists>/there</pathExists></wait>'),
      facts: () => ({ kind: 'bool', value: ++looks > 2 })
    })
    assert.equal(await s.go(), 'completed')
  })

  it('fails when its time is over, and says why it did not hold', async () => {
    const s = stage({ goal: 'g', xml: goal('<wait timeout="0.01"><pathExists>/there</pathExists></wait>') })
    assert.equal(await s.go(), 'suspended')
    assert.match(s.bodies('suspended')[0]?.reason ?? '', /still not so after 0.01 s: \/there does not exist/)
  })

  it('of some seconds takes a value', async () => {
    // the stage's clock moves by a millisecond at each look
    const s = stage({ goal: 'g', xml: goal('<wait name="w" seconds="${goal.s}"/>', '<variable name="s">0.02</variable>') })
    assert.equal(await s.go(), 'completed')
    assert.equal(s.bodies('step-began')[0]?.show, 'wait 0.02 s')
  })

  it('that is not a number of seconds is an error', async () => {
    const s = stage({ goal: 'g', xml: goal('<wait seconds="${goal.s}"/>', '<variable name="s">long</variable>') })
    assert.equal(await s.go(), 'suspended')
    assert.match(s.bodies('suspended')[0]?.reason ?? '', /'long' is not a number of seconds/)
  })

  it('ends when a person asks to suspend, and waits only for what is left afterwards', async () => {
    const s = stage({ goal: 'g', xml: goal('<wait seconds="0.06"/>') })
    const looking = s.go()
    s.stop.abort()
    assert.equal(await looking, 'suspended')
    assert.equal(s.bodies('suspended')[0]?.code, 'requested')
  })

  it('that a crash interrupted waits for what is left', async () => {
    const s = stage({ goal: 'g', xml: goal('<wait seconds="0.05"/>') })
    assert.equal(await s.go(), 'completed')
    const began = s.events.find(event => event.body.type === 'step-began')!
    s.cut(began.seq)
    assert.equal(await s.go('restart'), 'completed')
    const again = s.events.filter(event => event.body.type === 'step-began')[1]!
    const ended = s.events.find(event => event.body.type === 'step-ended')!
    assert.ok(ended.at - again.at < 20, `waited ${ended.at - again.at} ms more`)
  })
})
