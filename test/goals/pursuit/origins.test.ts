import assert from 'node:assert/strict'
import { type Stage, stage } from './stage.ts'

const nested = (argument: string): Stage =>
  stage({
    goal: 'site',
    agent: 'keeper',
    xml: `<agent name="keeper"><variable name="domain">example.org</variable></agent>
      <goalProto name="site"><variable name="owner">ada</variable>
        <method name="m"><team><variable name="lead">${argument}</variable></team></method></goalProto>
      <goalProto name="team"><variable name="lead"/>
        <method name="m"><user><variable name="name"><get>goal.lead</get></variable></user></method></goalProto>
      <goalProto name="user"><variable name="name"/><variable name="shell">/bin/sh</variable>
        <method name="m"><shell><send name="add">bad <get>goal.name</get> <get>goal.shell</get></send></shell></method></goalProto>`,
    play: text => ({ code: text.startsWith('bad') ? 1 : 0 })
  })

describe('the values of a failed sub-goal', () => {
  it('are told with those of its callers that they were made of', async () => {
    const s = nested('<get>goal.owner</get>')
    await s.go()
    assert.deepEqual(Object.entries(s.bodies('suspended')[0]!.values ?? {}), [
      ['site/m>team/m>user:goal.name', { value: 'ada' }],
      ['site/m>team/m>user:goal.shell', { value: '/bin/sh' }],
      ['site/m>team:goal.lead', { value: 'ada' }],
      ['goal.owner', { value: 'ada' }]
    ])
  })

  it('are followed into every part of a text', async () => {
    const s = nested('<get>goal.owner</get>@<get>agent.domain</get>')
    await s.go()
    const values = Object.keys(s.bodies('suspended')[0]!.values ?? {})
    assert.deepEqual(values.slice(3), ['goal.owner', 'agent.domain'])
  })

  it('can be set where they came from', async () => {
    const s = stage({
      goal: 'site',
      xml: `<goalProto name="site"><variable name="owner">bad</variable>
          <method name="m"><shell><send>greet <get>goal.owner</get></send></shell><user><variable name="name"><get>goal.owner</get></variable></user></method></goalProto>
        <goalProto name="user"><variable name="name"/><method name="m"><shell><send><get>goal.name</get></send></shell></method></goalProto>`,
      play: text => ({ code: text === 'bad' ? 1 : 0 })
    })
    assert.equal(await s.go(), 'suspended')
    assert.ok('goal.owner' in s.bodies('suspended')[0]!.values!)
    s.repair({ 'goal.owner': { value: 'ada' } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['greet bad', 'bad', 'greet ada', 'ada'])
  })
})
