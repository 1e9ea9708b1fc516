/**
 * A goal of four levels fails, is corrected once or more, and goes on: what runs again is what the oracle says, in order.
 * `npm run fuzz:repair` makes more of them; CLOUDBURST_SEED and CLOUDBURST_PATH repeat one.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { unplanned } from '../../src/goals/plan/conformance.ts'
import type { RemoteGoal } from '../../src/goals/ports.ts'
import { type Stage, stage } from '../goals/pursuit/stage.ts'
import { correct, correctionGenes, type CorrectionGenes, levelOf } from './repair/correction.ts'
import { Machine } from './repair/machine.ts'
import { Oracle } from './repair/oracle.ts'
import { build, type Goal, pick, programGenes, render } from './repair/program.ts'

const RUNS = Number(process.env.CLOUDBURST_FUZZ_RUNS ?? 150)
/** The suite plays the same cases each time, so that a red run is about the change; `npm run fuzz:repair` looks for new ones. */
const SEED =
  process.env.CLOUDBURST_SEED !== undefined
    ? { seed: Number(process.env.CLOUDBURST_SEED), path: process.env.CLOUDBURST_PATH ?? '' }
    : process.env.CLOUDBURST_FUZZ_RUNS === undefined
      ? { seed: 7 }
      : {}

/** The id of a send that is reached, if nothing fails before it. */
function someSend(program: readonly Goal[], at: number): string {
  const dry = new Oracle(program, new Machine())
  dry.round()
  const sends = dry.ran.map(step => step.slice(step.lastIndexOf('/') + 1)).filter(id => id.startsWith('s'))
  return pick(sends, at)
}

/** A sub-goal that several need is done by the first of them, and a post that a step before has made true may change which that is. */
function isForeseenElsewhere(id: string, foreseen: ReadonlySet<string>): boolean {
  const unnumbered = (text: string): string => text.replaceAll(/(>g\d)\.\d+/g, '$1')
  const steps = [...foreseen].map(unnumbered)
  const callers = [...id.matchAll(/>/g)].map(({ index }) => index)
  return callers.some(at => steps.some(step => step.endsWith(unnumbered(id.slice(at)))))
}

/** What the goal has done that neither its first plan nor that of a later stretch knew. */
function notSaid({ events }: Stage, hasPosts: boolean): readonly string[] {
  const said = new Set(events.flatMap(({ body }) => (body.type === 'started' ? (body.planned?.steps ?? []) : [])))
  const found = unplanned(events)
  assert(found !== undefined, 'every stretch says what it may do')
  return found.map(({ step }) => step).filter(step => !(hasPosts && isForeseenElsewhere(step, said)))
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
  const hasPosts = program.some(goal => goal.hasPost)
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
      id =>
        !foreseen.has(id) &&
        !plan.nodes.some(node => node.mark === '?' && id.startsWith(node.parent ?? '?')) &&
        !(hasPosts && isForeseenElsewhere(id, foreseen))
    )
    assert.deepEqual(unforeseen, [], why)
    const isPlain =
      oracle.failed === undefined && !hasPosts && !oracle.ran.some(step => read.includes(step.slice(step.lastIndexOf('/') + 1)))
    if (isPlain) assert.deepEqual([...foreseen].sort(), [...new Set(oracle.ran)].sort(), why)
    assert.deepEqual(notSaid(s, hasPosts), [], why)
    told.corrections++
    told.ranAgain += oracle.ran.filter(id => before.has(id)).length
    told.kept += oracle.steps.size - oracle.ran.length
    if (isPlain) told.exact++
  }
}

/** Goal 1 on another node, where it fails and is corrected while this one waits; then this one fails too. */
async function playTwo(program: readonly Goal[], bad: number, corrections: readonly CorrectionGenes[]): Promise<number> {
  const [ours, theirs] = [new Machine(), new Machine()]
  const oracle = new Oracle(program, theirs)
  const below = program.map((goal, level) => (level === 0 ? { hasPost: false, methods: { m: [] } } : goal))
  const xml = render(program, oracle.edits, level => (level === 1 ? 'web' : undefined))
  const runs = new Map<string, Stage>()
  let again = 0

  const there = async ({ goal, arguments: args }: RemoteGoal): Promise<Stage> => {
    const given = new Map(Object.entries(args).map(([name, { value }]) => [name, { value: String(value), when: 0 }]))
    const dry = new Oracle(below, new Machine())
    dry.round(1, given)
    const sends = dry.ran.map(step => step.slice(step.lastIndexOf('/') + 1)).filter(id => id.startsWith('s'))
    ours.bad = theirs.bad = pick(sends, bad)
    const s = stage({
      xml,
      goal,
      agent: 'keeper',
      assignments: Object.entries(args).map(([name, value]) => ({ path: `goal.${name}`, value })),
      play: (command, { key }) => ours.run(command, levelOf(key.step)),
      facts: query => ({ kind: 'bool', value: query.kind === 'file' && ours.there.has(query.path) })
    })
    let seen = 0
    let outcome = await s.go()
    let expected = oracle.round(1, given)
    const history: string[] = []
    for (const genes of [...corrections, { kind: 11, a: 0, b: 0, mends: true }]) {
      const began = s.bodies('step-began').map(({ step }) => step)
      assert.deepEqual([outcome, began.slice(seen)], [expected, oracle.ran], [...history, xml].join('\n'))
      if (expected === 'completed') break
      seen = began.length
      const { told, assignments, edits, ...how } = correct(genes.kind % 12 === 8 ? { ...genes, kind: 0 } : genes, program, oracle, [
        ours,
        theirs
      ])
      history.push(told)
      s.repair(assignments, how)
      expected = oracle.round(1, given)
      outcome = await s.go('repair')
      again += oracle.ran.length
    }
    return s
  }

  const here = new Machine()
  here.bad = program[0]?.methods.m.findLast(each => each.kind === 'send')?.id
  const s = stage({
    xml,
    goal: 'g0',
    agent: 'keeper',
    play: (command, { key }) => here.run(command, levelOf(key.step)),
    dispatch: async request => {
      const run = runs.get(request.id) ?? (await there(request))
      runs.set(request.id, run)
      const [completed] = run.bodies('completed')
      return completed === undefined ? { kind: 'failed', message: 'is suspended' } : { kind: 'completed', results: completed.results }
    }
  })
  const first = await s.go()
  const asked = s.bodies('step-began').filter(({ kind }) => kind === 'remote').length
  here.bad = undefined
  s.repair()
  const second = await s.go('repair')
  if (first === 'suspended' && second === 'completed')
    assert.equal(
      s.bodies('step-began').filter(({ kind }) => kind === 'remote').length,
      asked,
      'what was done elsewhere was asked for again'
    )
  return again
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

  it('runs again what an oracle says where a part of it is pursued, when that is another node', async () => {
    let again = 0
    const property = fc.asyncProperty(
      programGenes,
      fc.nat({ max: 999 }),
      fc.array(correctionGenes, { minLength: 1, maxLength: 2 }),
      async (genes, bad, corrections) => {
        // Only one goal of each run fails there: what is asked for by two calls is two runs.
        const program = build(genes)
        const calls = program[0]!.methods.m.filter(each => each.kind === 'call' && each.goal === 1)
        fc.pre(
          calls.length === 1 && program[0]!.methods.m.every(each => each.kind === 'send' || each.kind === 'update' || each === calls[0])
        )
        again += await playTwo(program, bad, corrections)
      }
    )
    const numRuns = process.env.CLOUDBURST_FUZZ_RUNS === undefined ? Math.ceil(RUNS / 5) : RUNS
    await fc.assert(property, { numRuns, ...SEED })
    if (process.env.CLOUDBURST_FUZZ_RUNS !== undefined) console.log({ goals: numRuns, ranAgainThere: again })
    assert.ok(again > 0)
  }).timeout(RUNS * 400)
})
