import assert from 'node:assert/strict'
import { Freshness, qualify } from '../../../src/goals/pursuit/freshness.ts'
import { stage } from './stage.ts'

describe('freshness', () => {
  const cases: { it: string; marks: [string, number][]; read: string; at: number }[] = [
    { it: 'is 0 for what nobody changed', marks: [], read: 'a:goal.x', at: 0 },
    { it: 'is the number of the change of the very path', marks: [['a:goal.x', 7]], read: 'a:goal.x', at: 7 },
    { it: 'sees a change of the struct above', marks: [['a:goal.node', 7]], read: 'a:goal.node.ip', at: 7 },
    { it: 'sees a change of an element below', marks: [['a:goal.nodes[0].ip', 7]], read: 'a:goal.nodes', at: 7 },
    { it: 'does not mix up names that begin alike', marks: [['a:goal.node', 7]], read: 'a:goal.nodes', at: 0 },
    { it: 'does not mix up instances', marks: [['a:goal.x', 7]], read: 'a>b:goal.x', at: 0 },
    { it: 'does not see a sibling', marks: [['a:goal.node.ip', 7]], read: 'a:goal.node.name', at: 0 },
    {
      it: 'takes the newest of above and below',
      marks: [
        ['a:goal.n', 3],
        ['a:goal.n.ip', 9]
      ],
      read: 'a:goal.n',
      at: 9
    },
    {
      it: 'lets a later mark of the same path replace an earlier one',
      marks: [
        ['a:goal.x', 9],
        ['a:goal.x', 3]
      ],
      read: 'a:goal.x',
      at: 3
    }
  ]
  for (const { it: name, marks, read, at } of cases) {
    it(name, () => {
      const fresh = new Freshness()
      for (const [path, seq] of marks) fresh.mark(path, seq)
      assert.equal(fresh.changedAt(read), at)
    })
  }

  it('names the first path that changed after an event', () => {
    const fresh = new Freshness()
    fresh.mark('a:goal.port', 12)
    assert.equal(fresh.changedSince(['a:goal.site', 'a:goal.port'], 11), 'a:goal.port')
    assert.equal(fresh.changedSince(['a:goal.site', 'a:goal.port'], 12), undefined)
  })

  it('shares agent paths between instances', () => {
    assert.equal(qualify('a>b', 'agent.count'), 'agent.count')
    assert.equal(qualify('a>b', 'goal.count'), 'a>b:goal.count')
  })
})

const program = `
  <goalProto name="site">
    <variable name="port" type="int">80</variable>
    <variable name="word">a</variable>
    <method name="m">
      <tempFile name="config">port=<get>goal.port</get></tempFile>
      <shell>
        <send>install <get>goal.config</get></send>
        <send>start <get>goal.word</get></send>
      </shell>
    </method>
  </goalProto>`

describe('a temporary file', () => {
  it('with another text after a repair makes what read it run again', async () => {
    let broken = true
    const s = stage({ xml: program, goal: 'site', play: command => ({ code: broken && command.startsWith('start') ? 1 : 0 }) })
    assert.equal(await s.go(), 'suspended')
    broken = false
    s.repair({ 'goal.port': { type: 'int', value: 81 } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(
      s.ran.map(command => command.split(' ')[0]),
      ['install', 'start', 'install', 'start']
    )
  })

  it('with the same text does not', async () => {
    let broken = true
    const s = stage({ xml: program, goal: 'site', play: command => ({ code: broken && command.startsWith('start') ? 1 : 0 }) })
    assert.equal(await s.go(), 'suspended')
    broken = false
    s.repair({ 'goal.word': { value: 'b' } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(
      s.ran.map(command => command.split(' ')[0]),
      ['install', 'start', 'start']
    )
  })
})
