import assert from 'node:assert/strict'
import type { Command } from '../../../src/goals/ports.ts'
import { type Played, type Stage, stage } from './stage.ts'

const goal = (body: string, variables = ''): string => `<goalProto name="g">${variables}<method name="m">${body}</method></goalProto>`

describe('a block of code', () => {
  let s: Stage
  const give =
    (result: unknown, more: Played = {}) =>
    (_: string, { env }: Command): Played => {
      s.files.set(env['CB_OUTPUT']!, JSON.stringify(result))
      return more
    }

  it('gets its values as JSON in a private file, and gives results back typed with its outcome', async () => {
    s = stage({
      goal: 'g',
      xml: goal(
        '<code language="javascript"><set>goal.total</set> = <get>goal.list</get>.length</code>',
        '<list name="list"><variable>a b</variable></list><variable name="total" type="int"/>'
      ),
      play: give({ 'goal.total': '7' })
    })
    assert.equal(await s.go(), 'completed')
    const input = [...s.files].find(([name]) => name.endsWith('.in'))
    assert.equal(input?.[1], '{"goal.list":["a b"]}')
    const script = [...s.files].find(([name]) => name.endsWith('.mjs'))
    assert.match(script?.[1] ?? '', /cb\.out\["goal\.total"\] = cb\.in\["goal\.list"\]\.length$/)
    assert.deepEqual(s.bodies('step-ended')[0]?.writes, [{ path: 'goal.total', value: { type: 'int', value: 7 } }])
  })

  it('fails when a result does not fit its type', async () => {
    s = stage({
      goal: 'g',
      xml: goal('<code language="python"><set>goal.n</set> = 1</code>', '<variable name="n" type="int"/>'),
      play: give({ 'goal.n': 'many' })
    })
    assert.equal(await s.go(), 'suspended')
    assert.match(s.bodies('suspended')[0]?.reason ?? '', /goal\.n is of type int: 'many' is not an int/)
  })

  it('of an older program is pasted as literals and dedented', async () => {
    s = stage({
      goal: 'g',
      xml: goal(
        '<python><code>\n    x = <get>goal.name</get>\n    if <get>goal.on</get>:\n        <set>goal.y</set> = x\n</code></python>',
        '<variable name="name">it\'s "1"</variable><variable name="on" type="bool">true</variable><variable name="y"/>'
      ),
      play: give({})
    })
    assert.equal(await s.go(), 'completed')
    const script = [...s.files].find(([name]) => name.endsWith('.py'))?.[1] ?? ''
    assert.equal(script.trim(), 'x = "it\'s \\"1\\""\nif True:\n    cb_out["goal.y"] = x')
  })

  it('says what to install when python3 is missing', async () => {
    s = stage({
      goal: 'g',
      xml: goal('<code language="python">pass</code>'),
      play: () => ({ exit: { kind: 'not-started', message: 'no such program: python3' } })
    })
    assert.equal(await s.go(), 'suspended')
    assert.match(s.bodies('suspended')[0]?.reason ?? '', /python3 could not be started: .*apt install python3/)
  })

  it('does not begin when a value is undefined', async () => {
    s = stage({ goal: 'g', xml: goal('<code language="javascript"><get>goal.x</get></code>', '<variable name="x"/>') })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, [])
    assert.match(s.bodies('suspended')[0]?.reason ?? '', /goal\.x is undefined/)
  })

  it('keeps its results when the goal goes on', async () => {
    s = stage({
      goal: 'g',
      xml: goal(
        '<code language="javascript"><set>goal.x</set> = 1</code><shell><send>echo <get>goal.x</get></send></shell>',
        '<variable name="x"/>'
      ),
      play: (text, command) => (text.startsWith('echo') ? { code: s.ran.length > 2 ? 0 : 1 } : give({ 'goal.x': 5 })(text, command))
    })
    assert.equal(await s.go(), 'suspended')
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(
      s.ran.filter(text => text.startsWith('echo')),
      ['echo 5', 'echo 5']
    )
  })
})
