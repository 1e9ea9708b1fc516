import assert from 'node:assert/strict'
import { stage, type StageOptions } from './stage.ts'

const KEEPER = `<agent name="keeper">
  <list name="hosts"><variable name="a">w1</variable><variable name="b">w2</variable></list><variable name="turns" type="int">2</variable>
</agent>`

/** What is done, then the list and the count are changed by the goal itself, then it fails once. */
const goal = (statement: string): string => `${KEEPER}<goalProto name="g"><method name="m">
  ${statement}
  <update><set>agent.hosts[2]</set><string>w3</string></update><update><set>agent.turns</set><int>3</int></update>
  <shell><send name="bad">bad</send></shell></method></goalProto>`

const FIND = '<find symbol="h"><in><get>agent.hosts</get></in><do><shell><send name="copy">copy <get>h</get></send></shell></do></find>'
const REPEAT =
  '<repeat><count><get>agent.turns</get></count><do><shell><send name="turn">turn <get>goal.repeat</get></send></shell></do></repeat>'

function once(xml: string, more: Partial<StageOptions> = {}) {
  let isBad = true
  const s = stage({ goal: 'g', agent: 'keeper', xml, play: text => ({ code: text === 'bad' && isBad ? 1 : 0 }), ...more })
  return {
    s,
    mend: () => {
      isBad = false
      s.ran.length = 0
    }
  }
}

describe('a list or count that the goal changes later', () => {
  for (const [what, statement, done] of [
    ['the list of a find', FIND, ['copy w1', 'copy w2']],
    ['the count of a repeat', REPEAT, ['turn 0', 'turn 1']]
  ] as const) {
    it(`is what it was when the goal goes on: ${what}`, async () => {
      const { s, mend } = once(goal(statement))
      assert.equal(await s.go(), 'suspended')
      assert.deepEqual(s.ran, [...done, 'bad'])
      mend()
      assert.ok(
        (await s.preview()).every(line => line.startsWith('=') || line === '~ bad'),
        (await s.preview()).join()
      )
      s.repair()
      assert.equal(await s.go('repair'), 'completed')
      assert.deepEqual(s.ran, ['bad'])
      assert.equal(s.bodies('evaluated').length, 1)
    })
  }

  it('is another one when a person has set what it is made of, or the program was edited', async () => {
    const { s, mend } = once(goal(REPEAT))
    await s.go()
    mend()
    assert.ok((await s.preview({ 'agent.turns': { value: 4 } })).includes('+ turn 3'))
    s.repair({ 'agent.turns': { value: 4 } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran.slice(0, 2), ['turn 2', 'turn 3'])
    const edited = once(goal(REPEAT))
    await edited.s.go()
    edited.mend()
    edited.s.repair({}, edited.s.edit(goal(REPEAT.replace('<get>agent.turns</get>', '<int>3</int>'))))
    assert.equal(await edited.s.go('repair'), 'completed')
    assert.deepEqual(edited.s.ran, ['turn 0', 'turn 1', 'turn 2', 'bad'], 'a repeat is known by its text')
  })

  it('is what it was in a try within the same stretch too', async () => {
    const { s, mend } = once(
      goal(REPEAT).replace('<method name="m">', '<method name="m"><do retries="1">').replace('</method>', '</do></method>')
    )
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['turn 0', 'turn 1', 'bad', 'bad'])
    mend()
  })

  it('is not written down when it is the program’s own', async () => {
    const { s } = once(goal(REPEAT.replace('<get>agent.turns</get>', '<int>2</int>')))
    await s.go()
    assert.equal(s.bodies('evaluated').length, 0)
  })
})

describe('guards that the goal itself changes', () => {
  const methods = `<method name="second"><shell><send name="one">one</send></shell>
      <update><set>agent.turns</set><int>9</int></update><shell><send name="bad">bad</send></shell></method>
    <method name="first"><pre><op name="gt"><get>agent.turns</get><int>5</int></op></pre><shell><send>first</send></shell></method>`
  const xml = `${KEEPER}<goalProto name="g">${methods}</goalProto>`

  it('do not lead another way when the goal goes on', async () => {
    const { s, mend } = once(xml)
    assert.equal(await s.go(), 'suspended')
    mend()
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['bad'])
  })

  it('lead another way when a person has changed what they read', async () => {
    const { s, mend } = once(xml)
    await s.go()
    mend()
    s.repair({ 'agent.turns': { value: 7 } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['first'])
  })

  it('are a last resort when the method that was chosen fails for good', async () => {
    const { s } = once(xml)
    await s.go()
    s.ran.length = 0
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['bad', 'first'])
  })

  it('hold for requirements too, until a person changes what they read', async () => {
    const required = `${KEEPER}<goalProto name="g"><pre><op name="lt"><get>agent.turns</get><int>5</int></op></pre>
      ${methods.slice(0, methods.indexOf('</method>'))}</method></goalProto>`
    const { s, mend } = once(required)
    assert.equal(await s.go(), 'suspended')
    mend()
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['bad'])
    const other = once(required)
    await other.s.go()
    other.mend()
    other.s.repair({ 'agent.turns': { value: 8 } })
    assert.equal(await other.s.go('repair'), 'suspended')
    assert.equal(other.s.bodies('suspended').at(-1)?.code, 'config-incomplete')
  })
})
