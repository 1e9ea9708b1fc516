/** Random programs. `npm run fuzz:language` runs many; a failure prints its seed, to be given as CLOUDBURST_FUZZ_SEED. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CloudburstError } from '../../src/errors.ts'
import { agentVariables } from '../../src/goals/config/agent-variables.ts'
import { instancesOf } from '../../src/goals/config/instances.ts'
import { makePlan } from '../../src/goals/plan/make-plan.ts'
import { moved } from '../../src/goals/plan/basis.ts'
import { announcedBy, unplanned } from '../../src/goals/plan/conformance.ts'
import type { Plan } from '../../src/goals/plan/plan.ts'
import type { Fact, FactQuery, FoundText } from '../../src/goals/ports.ts'
import type { Program } from '../../src/goals/program/model.ts'
import type { Assignment, GoalEvent } from '../../src/goals/pursuit/events.ts'
import { readProgram } from '../../src/goals/program/read.ts'
import { editedText } from '../../src/goals/pursuit/edited-text.ts'
import { planLines, planText } from '../../src/goals/render/plan.ts'
import { type Stage, stage } from '../goals/pursuit/stage.ts'
import { randomProgram } from './random-program.ts'

/** In the suite; the target `fuzz:language` asks for 10,000. */
const RUNS = Number(process.env['CLOUDBURST_FUZZ_RUNS'] ?? 300)
/** The same cases each time in the suite; new ones by `npm run fuzz:language`. */
const seed = Number(process.env['CLOUDBURST_FUZZ_SEED'] ?? (process.env['CLOUDBURST_FUZZ_RUNS'] === undefined ? 7 : Date.now() % 2 ** 31))

/** A program of loops in sub-goals in loops is stopped here: it has nothing new to show. */
const COMMANDS_MAX = 100
/** What `<editFile>` finds. */
const CONF = 'a\nb\n'
/** Time that one random program may take on a loaded machine. */
const MS_PER_PROGRAM = 200

describe(`random programs, seed ${seed}`, function () {
  this.timeout(10_000 + RUNS * MS_PER_PROGRAM)
  const each = (check: (xml: string) => Promise<void>): Promise<void> =>
    fc.assert(fc.asyncProperty(randomProgram, check), {
      numRuns: RUNS,
      seed,
      endOnFailure: process.env['CLOUDBURST_FUZZ_SHRINK'] === undefined
    })

  it('are read, or refused at a place', async () => {
    let read = 0
    await each(async xml => {
      if (programOf(xml) !== undefined) read += 1
    })
    assert.ok(read > RUNS / 2, `only ${read} of ${RUNS} could be read: the generator tests too little`)
  })

  it('are planned the same twice, with nothing but facts asked for', async () => {
    let steps = 0
    await each(async xml => {
      const program = programOf(xml)
      if (program === undefined) return
      const plan = await planOf(program)
      assert.deepEqual(await planOf(program), plan)
      planText(plan, { colour: true })
      planLines(plan)
      steps += plan.nodes.filter(node => node.kind === 'step').length
    })
    assert.ok(steps > RUNS, `only ${steps} steps were planned: the generator tests too little`)
  })

  it('have no effect that their plan does not know', async () => {
    let steps = 0
    await each(async xml => {
      const program = programOf(xml)
      if (program === undefined) return
      const plan = await planOf(program)
      const { events } = await pursued(xml)
      assert.deepEqual(unknown(events), [], xml)
      if (plan.problems.length === 0) assert.deepEqual(unknown(executed(events, plan)), [], xml)
      steps += events.filter(({ body }) => body.type === 'step-began').length
    })
    console.log(`        ${steps} steps of ${RUNS} programs, none unplanned`)
    assert.ok(steps > RUNS, `only ${steps} steps were done: the generator tests too little`)
  })

  it('have plans that are stale once anything they looked at has changed', async () => {
    let changed = 0
    await each(async xml => {
      const program = programOf(xml)
      if (program === undefined) return
      const { basis } = await planOf(program)
      assert.deepEqual(moved(basis, (await planOf(program)).basis), [])
      const named = await planOf(program, fact, [{ path: 'goal.name', value: 'somebody else' }])
      assert.ok(moved(basis, named.basis).includes('goal.name'), xml)
      const edited = programOf(`${xml}\n<variable name="more">1</variable>`)
      assert.ok(edited === undefined || moved(basis, (await planOf(edited)).basis).includes('program test'), xml)
      changed += edited === undefined ? 1 : 2
      for (const [name, other] of Object.entries(otherFacts)) {
        if (!Object.keys(basis).some(each => each.startsWith(name))) continue
        const after = await planOf(program, query => other(query) ?? fact(query))
        assert.ok(
          moved(basis, after.basis).some(each => each.startsWith(name)),
          `${name} has changed: ${xml}`
        )
        changed += 1
      }
    })
    console.log(`        ${changed} changes of what ${RUNS} plans had looked at, all refused`)
    assert.ok(changed > RUNS / 4, `only ${changed} changes: the generator tests too little`)
  })

  it('are pursued in the order of the plan as far as that is known, and journaled the same twice', async () => {
    let compared = 0
    await each(async xml => {
      const program = programOf(xml)
      if (program === undefined) return
      const plan = await planOf(program)
      const first = await pursued(xml)
      const second = await pursued(xml)
      assert.deepEqual(second.events, first.events)
      if (!/parallel=/.test(xml)) compared += agreed(plan, first)
    })
    assert.ok(compared > RUNS / 4, `only ${compared} steps were compared: the generator tests too little`)
  })
})

function programOf(xml: string): Program | undefined {
  try {
    return readProgram([{ name: 'test.xml', text: `<cloudburst name="test">${xml}</cloudburst>` }])
  } catch (error) {
    assert.ok(error instanceof CloudburstError && error.code === 'CB_PROGRAM_INVALID', String(error))
    for (const complaint of error.details['complaints'] as string[]) assert.match(complaint, /^test\.xml:\d+:\d+: ./)
    return undefined
  }
}

/** The same for planning and pursuing; a shell that is not pure may not be asked for. */
function fact(query: FactQuery): Fact {
  if (query.kind === 'shell') return { kind: 'shell', code: 0, stdout: 'ok' }
  if (query.kind === 'edited') {
    const found: FoundText = query.edits.path === '/etc/conf' ? { kind: 'text', text: CONF } : { kind: 'absent' }
    return { kind: 'edited', edited: editedText(query.edits, found) }
  }
  if (query.kind === 'file') return { kind: 'bool', value: query.path.length % 2 === 0 }
  if (query.kind === 'env') return { kind: 'text', value: `/home/${query.name}` }
  if (query.kind === 'state') return { kind: 'tree', value: undefined }
  return { kind: 'text', value: 'at' in query ? `fixed ${query.at}` : JSON.stringify(query) }
}

/** What is otherwise than it was when the plan was made, by the beginning of what people call it. */
const otherFacts: Readonly<Record<string, (query: FactQuery) => Fact | undefined>> = {
  'exists ': query => (query.kind === 'file' ? { kind: 'bool', value: query.path.length % 2 === 1 } : undefined),
  'directory ': query => (query.kind === 'file' ? { kind: 'bool', value: query.path.length % 2 === 1 } : undefined),
  'environment ': query => (query.kind === 'env' ? { kind: 'text', value: '/elsewhere' } : undefined),
  'output of ': query => (query.kind === 'shell' ? { kind: 'shell', code: 1, stdout: 'otherwise' } : undefined),
  'contents of /etc/conf': query =>
    query.kind === 'contents'
      ? { kind: 'text', value: 'another digest' }
      : query.kind === 'edited' && query.edits.path === '/etc/conf'
        ? { kind: 'edited', edited: editedText(query.edits, { kind: 'text', text: `${CONF}more\n` }) }
        : undefined,
  'nodes.': query => (query.kind === 'state' ? { kind: 'tree', value: { value: 'there now' } } : undefined)
}

async function planOf(program: Program, known = fact, assignments: readonly Assignment[] = []): Promise<Plan> {
  const agent = program.agents.get('keeper')!
  const variables = agentVariables(program, agent)
  const before = JSON.stringify(variables)
  const plan = await makePlan({
    program,
    agent,
    goal: 'site',
    assignments,
    instances: instancesOf(program),
    surroundings: { agent: () => variables, host: {}, peer: {} },
    probe: { gather: async queries => queries.map(known) }
  })
  assert.equal(JSON.stringify(variables), before, 'planning changed the agent')
  return plan
}

async function pursued(xml: string): Promise<Stage> {
  let commands = 0
  const it = stage({
    xml,
    goal: 'site',
    agent: 'keeper',
    facts: fact,
    texts: { '/etc/conf': CONF },
    play: () => {
      if (++commands === COMMANDS_MAX) it.stop.abort()
      return {}
    }
  })
  const rest = await it.go()
  assert.ok(rest === 'completed' || rest === 'suspended')
  return it
}

function unknown(events: readonly GoalEvent[]): readonly string[] | undefined {
  return unplanned(events)?.map(({ step }) => step)
}

/** The same as if a saved plan were executed. */
function executed([first, ...rest]: readonly GoalEvent[], plan: Plan): readonly GoalEvent[] {
  const proposed = first!.body
  assert(proposed.type === 'proposed')
  return [{ ...first!, body: { ...proposed, planned: announcedBy(plan.nodes) } }, ...rest.map(silent)]
}

function silent(event: GoalEvent): GoalEvent {
  if (event.body.type !== 'started') return event
  const { planned: _, ...body } = event.body
  return { ...event, body }
}

/** How many steps were begun as planned, one after the other, before the first that the plan could not be sure of. */
function agreed(plan: Plan, { events }: Stage): number {
  const began: string[] = []
  for (const { body } of events) {
    // corrections are no part of a plan: it is made as if all went well
    if (body.type === 'step-began' && body.step.includes('/correct[')) break
    if (body.type === 'step-began' && body.attempt === 1) began.push(body.step)
    if (body.type === 'step-ended' && body.status === 'failed') {
      // a plan leaves out what cannot even begin
      began.pop()
      break
    }
    if (body.type === 'method-failed' || (body.type === 'goal-ended' && body.outcome === 'failed')) break
  }
  const planned: string[] = []
  for (const node of plan.nodes) {
    if (node.kind !== 'step') continue
    if (node.mark === '?') break
    planned.push(node.id)
  }
  const length = Math.min(began.length, planned.length)
  assert.deepEqual(began.slice(0, length), planned.slice(0, length))
  return length
}
