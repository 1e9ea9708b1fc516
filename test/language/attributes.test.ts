/** Attributes that few programs have: each does what the reference says. */
import assert from 'node:assert/strict'
import type { RemoteGoal } from '../../src/goals/ports.ts'
import type { Program, Statement } from '../../src/goals/program/model.ts'
import { readProgram } from '../../src/goals/program/read.ts'
import { stage } from '../goals/pursuit/stage.ts'

const goal = (body: string, more = ''): string => `<goalProto name="g">${more}<method name="m">${body}</method></goalProto>`
const send = (text: string, attributes = ''): string => `<shell><send ${attributes}>${text}</send></shell>`
const strictly = (xml: string): Program =>
  readProgram([{ name: 'p.xml', text: `<cloudburst name="p">${xml}</cloudburst>` }], { strict: true })
const bodyOf = (xml: string): readonly Statement[] => strictly(xml).goals.get('g')!.methods[0]!.body

describe('the attribute', () => {
  it('again of a sub-goal pursues it anew; without it once a run', async () => {
    const child = `<goalProto name="h"><method name="n">${send('once')}</method></goalProto>`
    for (const [call, times] of [
      ['<goalCompleted name="h"/>', 1],
      ['<goalCompleted name="h" again="true"/>', 2],
      ['<h again="true"/>', 2]
    ] as const) {
      const s = stage({ goal: 'g', xml: goal(`${call}${call}`) + child })
      assert.equal(await s.go(), 'completed')
      assert.equal(s.ran.length, times, call)
    }
  })

  it('where of a sub-goal goes to a node with these labels', async () => {
    const asked: RemoteGoal[] = []
    const s = stage({
      goal: 'g',
      xml: `${goal('<goalCompleted name="h" where="os=linux arch=arm64"/>')}<goalProto name="h"/>`,
      dispatch: request => {
        asked.push(request)
        return Promise.resolve({ kind: 'completed', results: {} })
      }
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(
      asked.map(({ peer }) => peer),
      ['os=linux arch=arm64']
    )
  })

  it('first of a replace takes the first match only, all is the default', async () => {
    for (const [replace, after] of [
      ['<replace pattern="^a$" first="true">b</replace>', 'b\na\n'],
      ['<replace pattern="^a$" all="false">b</replace>', 'b\na\n'],
      ['<replace pattern="^a$" all="true">b</replace>', 'b\nb\n'],
      ['<replace pattern="^a$">b</replace>', 'b\nb\n']
    ] as const) {
      const s = stage({ goal: 'g', xml: goal(`<editFile path="/f">${replace}</editFile>`), texts: { '/f': 'a\na\n' } })
      assert.equal(await s.go(), 'completed')
      assert.equal(s.files.get('/f'), after, replace)
    }
  })

  it('label of a shell or send names the log of the steps from there on', () => {
    const labels = bodyOf(
      goal(`${send('one')}<shell label="setup"><send>two</send></shell>${send('three')}${send('four', 'label="end"')}`)
    ).flatMap(each => (each.kind === 'shell' ? each.sends.map(({ label }) => label) : []))
    assert.deepEqual(labels, [undefined, 'setup', 'setup', 'end'])
  })

  it('parallel of a task and a taskSequence is that of a do', () => {
    const blocks = bodyOf(goal('<task name="a" parallel="2"/><taskSequence name="b" parallel="3"/><do name="c" parallel="4"/>'))
    assert.deepEqual(
      blocks.map(block => (block.kind === 'do' ? block.parallel : 0)),
      [2, 3, 4]
    )
  })

  it('quote and as of an rvalue are those of a get', async () => {
    const s = stage({
      goal: 'g',
      xml: goal(
        `<shell><send>echo <rvalue quote="shell">goal.x</rvalue></send><send>echo "<rvalue as="env">goal.x</rvalue>"</send></shell>`,
        `<variable name="x">it's</variable>`
      )
    })
    assert.equal(await s.go(), 'completed')
    assert.match(s.ran[0]!, /^echo 'it'\\''s'$/)
    assert.match(s.ran[1]!, /^echo "\$\{?\w+\}?"$/)
  })

  it('symbol and goalSymbol are accepted, and the variables are goal.x all the same', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g" symbol="it" goalSymbol="it"><variable name="x">1</variable></goalProto>
        <method name="m" targetGoalType="g" symbol="it" goalSymbol="it">${send('echo <get>goal.x</get>')}</method>`
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['echo 1'])
  })
})
