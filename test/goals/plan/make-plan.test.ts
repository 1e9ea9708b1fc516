import assert from 'node:assert/strict'
import { instancesOf } from '../../../src/goals/config/instances.ts'
import { moved } from '../../../src/goals/plan/basis.ts'
import { makePlan } from '../../../src/goals/plan/make-plan.ts'
import type { FactQuery } from '../../../src/goals/ports.ts'
import { editedText } from '../../../src/goals/pursuit/edited-text.ts'
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

describe('a plan of statements that look at files, run code or wait', () => {
  const plan = async (method: string, texts: Readonly<Record<string, string>> = {}) => {
    const xml = `<cloudburst name="t"><goalProto name="g"><variable name="x"/><method name="m">${method}</method></goalProto></cloudburst>`
    const program = readProgram([{ name: 't.xml', text: xml }])
    return await makePlan({
      program,
      goal: 'g',
      assignments: [],
      instances: instancesOf(program),
      surroundings: { agent: () => ({}), host: {}, peer: {} },
      probe: {
        gather: async queries =>
          queries.map(query => {
            if (query.kind === 'contents') return { kind: 'text', value: texts[query.path] } as const
            if (query.kind !== 'edited') return { kind: 'bool', value: false } as const
            const text = texts[query.edits.path]
            const edited = editedText(query.edits, text === undefined ? { kind: 'absent' } : { kind: 'text', text })
            return { kind: 'edited', edited } as const
          })
      }
    })
  }
  const rows = ({ nodes }: Awaited<ReturnType<typeof plan>>): string[] =>
    nodes
      .filter(node => node.kind === 'step')
      .map(node => `${node.mark} ${node.text}${node.detail === undefined ? '' : `\n${node.detail}`}`)

  it('shows what an edit would change, that it would change nothing, and that it cannot be told', async () => {
    const edit = '<editFile path="/f"><replace pattern="^a$" with="b"/></editFile>'
    assert.deepEqual(rows(await plan(edit, { '/f': 'a\n' })), ['+ edit /f (+1 -1)\n--- /f\n+++ /f\n@@ -1,1 +1,1 @@\n-a\n+b'])
    assert.deepEqual(rows(await plan(edit, { '/f': 'b\n' })), ['= edit /f (nothing to change)'])
    assert.match(rows(await plan(edit))[0] ?? '', /^\? edit \/f\nthere is no file \/f/)
  })

  it('rests on a file also where it cannot be told yet what an edit would make of it', async () => {
    const later = '<shell><send name="s">date</send></shell><editFile path="/f"><append>at <get>goal.s.stdout</get></append></editFile>'
    const [before, after] = [await plan(later, { '/f': 'a\n' }), await plan(later, { '/f': 'b\n' })]
    assert.deepEqual(rows(before), ['+ date', '? edit /f'])
    assert.deepEqual(moved(before.basis, after.basis), ['contents of /f'])
  })

  it('does not know what code will assign', async () => {
    const found = rows(
      await plan('<code language="javascript"><set>goal.x</set> = 1</code><shell><send>echo <get>goal.x</get></send></shell>')
    )
    assert.deepEqual(found, ['+ javascript: cb.out["goal.x"] = 1', '+ echo ${goal.x}'])
  })

  it('does not wait', async () => {
    const found = rows(await plan('<wait timeout="5"><pathExists>/f</pathExists></wait><wait seconds="100"/>'))
    assert.deepEqual(found, ['+ wait at most 5 s for: /f does not exist', '+ wait 100 s'])
  })
})
