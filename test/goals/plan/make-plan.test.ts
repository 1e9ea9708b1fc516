import assert from 'node:assert/strict'
import { instancesOf } from '../../../src/goals/config/instances.ts'
import { makePlan } from '../../../src/goals/plan/make-plan.ts'
import type { FactQuery } from '../../../src/goals/ports.ts'
import { readProgram } from '../../../src/goals/program/read.ts'

const PROGRAM = `<cloudburst name="parts">
  <goalProto name="both">
    <method name="m">
      <update><set>goal.before</set><string><get>nodes.n2.agents.data.variables.url</get></string></update>
      <part peer="n2"/>
      <op name="eq"><get>nodes.n2.agents.data.variables.url</get>new</op>
    </method>
  </goalProto>
  <agent name="data">
    <goalProto name="part"><method><shell><send>serve</send></shell></method></goalProto>
  </agent>
</cloudburst>`

describe('a plan', () => {
  it('knows what other nodes publish, but for what a goal planned on one of them may change; that goal may stand in any agent', async () => {
    const program = readProgram([{ name: 'parts.xml', text: PROGRAM }])
    const asked: FactQuery[] = []
    const plan = await makePlan({
      program,
      goal: 'both',
      assignments: [],
      instances: instancesOf(program),
      surroundings: { agent: () => ({}), host: {}, peer: {} },
      probe: {
        gather: async queries => {
          asked.push(...queries)
          return queries.map(() => ({ kind: 'tree', value: { value: 'old' } }) as const)
        }
      }
    })
    assert.deepEqual(plan.problems, [])
    assert.deepEqual(
      plan.nodes.filter(node => node.kind === 'step').map(node => `${node.mark} ${node.text}`),
      ['+ goal.before = old', '+ part on n2', '? check nodes.n2.agents.data.variables.url is not known yet']
    )
    assert.equal(asked.length, 1)
  })
})
