import assert from 'node:assert/strict'
import { instancesOf, nowhere } from '../../../src/goals/config/instances.ts'
import { makePlan } from '../../../src/goals/plan/make-plan.ts'
import type { Plan } from '../../../src/goals/plan/plan.ts'
import { readProgram } from '../../../src/goals/program/read.ts'
import { GOALS_DEEP_MAX } from '../../../src/goals/pursuit/call.ts'
import { stage } from './stage.ts'

const planOf = (xml: string): Promise<Plan> => {
  const program = readProgram([{ name: 'test.xml', text: `<cloudburst name="test">${xml}</cloudburst>` }])
  const probe = { gather: async () => [] }
  return makePlan({ program, goal: 'g', assignments: [], instances: instancesOf(program), surroundings: nowhere, probe })
}

describe('a goal that would never end', () => {
  const deeper = `<goalProto name="g"><variable name="n">a</variable><method>
    <goalCompleted name="g"><variable name="n"><get>goal.n</get>a</variable></goalCompleted></method></goalProto>`

  it('is given up where goals need one another too deep, with the last of them named', async () => {
    const it = stage({ xml: deeper, goal: 'g' })
    assert.equal(await it.go(), 'suspended')
    assert.match(it.bodies('suspended')[0]!.reason, new RegExp(`more than ${GOALS_DEEP_MAX} deep: … → g\\(n=a+(…|\\.\\.\\.)?\\) → `))
  })

  it('is a problem of its plan', async () => {
    const [problem] = (await planOf(deeper)).problems
    assert.match(problem!.message, /^goals need one another more than/)
    assert.deepEqual(problem!.place, { file: 'test.xml', line: 2, col: 5 })
  })

  it('is not one whose prerequisite changes its own argument', async () => {
    const xml = `<goalProto name="next"><variable name="n" type="int"/><method>
        <update><set>goal.n</set><op name="add"><get>goal.n</get><int>1</int></op></update></method></goalProto>
      <goalProto name="g"><variable name="n" type="int">1</variable><method>
        <pre><goalCompleted name="next"><variable name="n"><get>goal.n</get></variable></goalCompleted></pre>
        <shell><send>echo <get>goal.n</get></send></shell></method></goalProto>`
    const it = stage({ xml, goal: 'g' })
    assert.equal(await it.go(), 'completed')
    assert.deepEqual(it.ran, ['echo 2'])
    assert.deepEqual((await planOf(xml)).problems, [])
  })

  it('is not one whose prerequisite is pursued on another node', async () => {
    const xml = `<goalProto name="there"/><goalProto name="g"><method>
      <pre><goalCompleted name="there" peer="web"/></pre><shell><send>true</send></shell></method></goalProto>`
    assert.equal((await planOf(xml)).nodes.filter(node => node.kind === 'step').length, 2)
  })

  it('is not one whose repeat has a count that is not known in the plan: that is shown once, as possible', async () => {
    const { nodes, problems } = await planOf(`<goalProto name="g"><method><shell><send name="n">echo 3</send></shell>
      <repeat><count><get>goal.n.stdout</get></count><shell><send>echo <get>goal.repeat</get></send></shell></repeat></method></goalProto>`)
    assert.deepEqual(problems, [])
    assert.deepEqual(
      nodes.slice(1).map(({ mark, text }) => [mark, text]),
      [
        ['+', 'echo 3'],
        ['?', 'echo ${goal.repeat}']
      ]
    )
  })
})

describe('a plan of a loop', () => {
  it('shows an item as possible when something in it is not known yet, although the list is', async () => {
    const { nodes } = await planOf(`<goalProto name="g"><variable name="a">1</variable><method><shell><send name="n">echo 3</send></shell>
      <find symbol="x" parallel="2"><in><get>goal</get></in><do><shell><send>echo <get as="env">x</get></send></shell></do></find>
      <shell><send>echo end</send></shell></method></goalProto>`)
    assert.deepEqual(
      nodes.slice(1).map(({ mark, id }) => [mark, id.replace(/#[0-9a-f]+/g, '#')]),
      [
        ['+', 'g/method@1/n'],
        ['+', 'g/method@1/#[1]/#'],
        ['?', 'g/method@1/#[*]/#'],
        ['+', 'g/method@1/#']
      ]
    )
  })
})
