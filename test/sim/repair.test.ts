/**
 * A goal of four levels fails, is corrected once or more, and goes on: what runs again is what the oracle says, in order.
 * `npm run fuzz:repair` makes more of them; CLOUDBURST_SEED and CLOUDBURST_PATH repeat one.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { stage } from '../goals/pursuit/stage.ts'
import { correct, correctionGenes, type CorrectionGenes, levelOf } from './repair/correction.ts'
import { Machine } from './repair/machine.ts'
import { Oracle } from './repair/oracle.ts'
import { build, type Goal, pick, programGenes, render } from './repair/program.ts'

const RUNS = Number(process.env.CLOUDBURST_FUZZ_RUNS ?? 150)
const SEED =
  process.env.CLOUDBURST_SEED === undefined ? {} : { seed: Number(process.env.CLOUDBURST_SEED), path: process.env.CLOUDBURST_PATH ?? '' }

/** The id of a send that is reached, if nothing fails before it. */
function someSend(program: readonly Goal[], at: number): string {
  const dry = new Oracle(program, new Machine())
  dry.round()
  const sends = dry.ran.map(step => step.slice(step.lastIndexOf('/') + 1)).filter(id => id.startsWith('s'))
  return pick(sends, at)
}

interface Told {
  corrections: number
  ranAgain: number
  kept: number
  /** Rounds whose preview was just what ran. */
  exact: number
}

async function play(program: readonly Goal[], bad: number, corrections: readonly CorrectionGenes[], told: Told): Promise<void> {
  const [ours, theirs] = [new Machine(), new Machine()]
  ours.bad = theirs.bad = someSend(program, bad)
  const oracle = new Oracle(program, theirs)
  const s = stage({
    xml: render(program, oracle.edits),
    goal: 'g0',
    agent: 'keeper',
    play: (command, { key }) => ours.run(command, levelOf(key.step)),
    facts: query => ({ kind: 'bool', value: query.kind === 'file' && ours.there.has(query.path) })
  })
  const history: string[] = []
  /** Commands whose answers are used: what a step that runs again will answer, no preview knows. */
  const read = [...render(program, oracle.edits).matchAll(/<get>goal\.(\w+)\.stdout/g)].map(([, id]) => id)
  let seen = 0
  const ran = (): string[] => {
    const bodies = s.bodies('step-began').map(body => body.step)
    const fresh = bodies.slice(seen)
    seen = bodies.length
    return fresh
  }
  const same = (outcome: string, expected: string): void => {
    const why = [...history, outcome, render(program, oracle.edits)].join('\n')
    assert.deepEqual(ran(), oracle.ran, why)
    assert.equal(outcome, expected, why)
  }
  const first = oracle.round()
  same(await s.go(), first)
  for (const genes of [...corrections, { kind: 11, a: 0, b: 0, mends: true }]) {
    if (oracle.failed === undefined) break
    history.push(`${oracle.failed} failed`)
    const before = new Set(oracle.steps.keys())
    const { told: what, assignments, edits, ...how } = correct(genes, program, oracle, [ours, theirs])
    history.push(what)
    const edited = edits === undefined ? {} : s.edit(render(program, oracle.edits))
    const plan = await s.plan(assignments, { ...how, ...edited })
    s.repair(assignments, { ...how, ...edited })
    const expected = oracle.round()
    same(await s.go('repair'), expected)
    const foreseen = new Set(plan.nodes.flatMap(({ kind, mark, id }) => (kind === 'step' && mark !== '=' ? [id] : [])))
    const why = [...history, ...[...foreseen].map(id => `foreseen ${id}`), render(program, oracle.edits)].join('\n')
    // A step that cannot be done at all is a problem of the plan, not a part of it.
    if (plan.problems.length > 0 && oracle.failed !== undefined) foreseen.add(oracle.failed)
    const unforeseen = oracle.ran.filter(
      id => !foreseen.has(id) && !plan.nodes.some(node => node.mark === '?' && id.startsWith(node.parent ?? '?'))
    )
    assert.deepEqual(unforeseen, [], why)
    const isPlain =
      oracle.failed === undefined &&
      program.every(goal => !goal.hasPost) &&
      !oracle.ran.some(step => read.includes(step.slice(step.lastIndexOf('/') + 1)))
    if (isPlain) assert.deepEqual([...foreseen].sort(), [...new Set(oracle.ran)].sort(), why)
    told.corrections++
    told.ranAgain += oracle.ran.filter(id => before.has(id)).length
    told.kept += oracle.steps.size - oracle.ran.length
    if (isPlain) told.exact++
  }
}

describe('a repair of nested goals', () => {
  it(`runs again what an oracle says, in ${RUNS} goals that failed, and its preview leaves nothing out`, async () => {
    const told: Told = { corrections: 0, ranAgain: 0, kept: 0, exact: 0 }
    const property = fc.asyncProperty(
      programGenes,
      fc.nat({ max: 999 }),
      fc.array(correctionGenes, { minLength: 1, maxLength: 3 }),
      async (genes, bad, corrections) => await play(build(genes), bad, corrections, told)
    )
    await fc.assert(property, { numRuns: RUNS, ...SEED })
    if (process.env.CLOUDBURST_FUZZ_RUNS !== undefined) console.log(told)
    assert.ok(told.ranAgain > 0 && told.kept > told.ranAgain && told.exact > 0)
  }).timeout(RUNS * 400)
})
