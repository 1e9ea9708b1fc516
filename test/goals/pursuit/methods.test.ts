import assert from 'node:assert/strict'
import fc from 'fast-check'
import { instancesOf, nowhere } from '../../../src/goals/config/instances.ts'
import { makePlan } from '../../../src/goals/plan/make-plan.ts'
import type { Candidate } from '../../../src/goals/pursuit/events.ts'
import { readProgram } from '../../../src/goals/program/read.ts'
import { stage } from './stage.ts'

/** A method as it is written, and what is to be said of it. */
interface Case {
  readonly scope: 'goal' | 'agent' | 'global'
  readonly priority: number
  readonly guard: 'none' | 'true' | 'false' | 'unknown'
  readonly needs: boolean
}

const guards: Readonly<Record<Case['guard'], string>> = {
  none: '',
  true: '<pre><bool>yes</bool></pre>',
  false: '<pre><bool>no</bool></pre>',
  // not pure: possible in a plan, an error in a run
  unknown: '<pre><shell><send>true</send></shell></pre>'
}
const cases: fc.Arbitrary<readonly Case[]> = fc.array(
  fc.record({
    scope: fc.constantFrom('goal', 'agent', 'global'),
    priority: fc.constantFrom(0, 0, 0, 1, -1),
    guard: fc.constantFrom('none', 'true', 'false', 'unknown'),
    needs: fc.boolean()
  }),
  { minLength: 1, maxLength: 6 }
)

const xmlOf = (methods: readonly Case[]): string => {
  const within = (scope: Case['scope']): string =>
    methods
      .map((method, at) => ({ ...method, at }))
      .filter(method => method.scope === scope)
      .map(({ at, priority, guard, needs }) => {
        const target = scope === 'goal' ? '' : ' targetGoalType="g"'
        const prerequisite = needs ? '<pre><goalCompleted name="sub"/></pre>' : ''
        return `<method name="m${at}" priority="${priority}"${target}>${guards[guard]}${prerequisite}</method>`
      })
      .join('\n')
  return `<goalProto name="sub"><method/></goalProto><goalProto name="g">${within('goal')}</goalProto>
    <agent name="a">${within('agent')}</agent>${within('global')}`
}

/** As docs/language.md says: the goal's own, the agent's, global; a later definition first; priority above all. */
function expected(methods: readonly Case[], mode: 'plan' | 'pursue'): readonly Candidate[] {
  const near = ['goal', 'agent', 'global']
  const ordered = methods
    .map((method, at) => ({ ...method, at }))
    .sort((x, y) => y.priority - x.priority || near.indexOf(x.scope) - near.indexOf(y.scope) || y.at - x.at)
  return ordered.map(({ at, guard, needs }): Candidate => {
    const isRejected = guard === 'false' || (guard === 'unknown' && mode === 'pursue')
    return { method: `m${at}`, verdict: isRejected ? 'rejected' : needs ? 'queued' : 'selected' }
  })
}

const chosenOf = (candidates: readonly Candidate[]): string | undefined =>
  (candidates.find(each => each.verdict === 'selected') ?? candidates.find(each => each.verdict === 'queued'))?.method
const verdicts = (candidates: readonly Candidate[]): readonly Candidate[] => candidates.map(({ method, verdict }) => ({ method, verdict }))

describe('the methods of a goal', () => {
  it('are classified and chosen in order by a run, each that is rejected with its reason', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async methods => {
        const wanted = expected(methods, 'pursue')
        const it = stage({ xml: xmlOf(methods), goal: 'g', agent: 'a' })
        const rest = await it.go()
        const chosen = it.bodies('method-chosen').find(({ instance }) => instance === 'g')
        assert.equal(chosen?.method, chosenOf(wanted))
        assert.equal(rest, chosen === undefined ? 'suspended' : 'completed')
        const candidates = chosen?.candidates ?? it.bodies('goal-ended')[0]!.candidates ?? []
        assert.deepEqual(verdicts(candidates), wanted)
        for (const each of candidates) if (each.verdict !== 'selected') assert.ok(each.reason, `${each.method} has no reason`)
      }),
      { numRuns: 150 }
    )
  })

  it('are classified and chosen in order by a plan, where what is not known yet rejects none', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async methods => {
        const wanted = expected(methods, 'plan')
        const program = readProgram([{ name: 'test.xml', text: `<cloudburst name="test">${xmlOf(methods)}</cloudburst>` }])
        const probe = { gather: async () => [] }
        const agent = program.agents.get('a')!
        const plan = await makePlan({
          program,
          agent,
          goal: 'g',
          assignments: [],
          instances: instancesOf(program),
          surroundings: nowhere,
          probe
        })
        const [node] = plan.nodes
        assert.equal(node?.method, chosenOf(wanted))
        if (node?.candidates !== undefined) assert.deepEqual(verdicts(node.candidates), wanted)
        assert.equal(plan.problems.length, node?.method === undefined ? 1 : 0)
      }),
      { numRuns: 150 }
    )
  })
})
