/**
 * `language-worker.ts WORK SIZE`: does one thing once in this process, and prints what it took of the processor and what
 * it held. The work waits for nothing, so this is what it takes by the clock when nobody else wants the processor.
 */
import { instancesOf, nowhere } from '../src/goals/config/instances.ts'
import { evaluate } from '../src/goals/expression/evaluate.ts'
import { makeScope } from '../src/goals/expression/scope.ts'
import { makePlan } from '../src/goals/plan/make-plan.ts'
import type { Program } from '../src/goals/program/model.ts'
import { readProgram } from '../src/goals/program/read.ts'
import type { Tree } from '../src/goals/tree.ts'
import { largeProgram } from './language.ts'

/** Definitions of one file: files have a limit of nodes. */
const FILE_DEFINITIONS = 1000

const [work = '', sizeText = ''] = process.argv.slice(2)
const size = Number(sizeText)
const ms = await measure()
process.stdout.write(`${JSON.stringify({ ms, peakMB: process.resourceUsage().maxRSS / 1024 })}\n`)

async function measure(): Promise<number> {
  switch (work) {
    case 'read':
      return readLarge()
    case 'expressions':
      return evaluateMany()
    default:
      return await plan()
  }
}

/** Milliseconds of processor time since the process began. */
function spent(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function readLarge(): number {
  const files = Array.from({ length: Math.ceil(size / FILE_DEFINITIONS) }, (_, i) => ({
    name: `bench-${i}.xml`,
    text: largeProgram(i * FILE_DEFINITIONS, Math.min(size, FILE_DEFINITIONS))
  }))
  const start = spent()
  readProgram(files)
  return spent() - start
}

async function plan(): Promise<number> {
  const send = '<shell><send>echo <get>goal.x</get></send></shell>'
  const bodies: Readonly<Record<string, string>> = {
    flat: Array.from({ length: size }, (_, i) => `<shell><send>echo ${i}</send></shell>`).join('\n'),
    repeat: `<repeat><count>${size}</count>${send}</repeat>`,
    find: `<find symbol="item"><in><get>items</get></in><do><shell><send>echo <get>item</get></send></shell></do></find>`,
    'sub-goals': `<repeat><count>${size}</count><sub><variable name="i"><get>goal.repeat</get> of many</variable></sub></repeat>`
  }
  const body = bodies[work]
  if (body === undefined) throw new Error(`there is no work ${work}`)
  const program = readProgram([
    {
      name: 'bench.xml',
      text: `<cloudburst name="bench"><goalProto name="sub"><variable name="i"/><method><shell><send>echo <get quote="shell">goal.i</get></send></shell></method></goalProto>
<goalProto name="g"><variable name="x">1</variable><method>${body}</method></goalProto></cloudburst>`
    }
  ])
  const instances = new Map<string, Tree>(instancesOf(program))
  instances.set('items', { items: Array.from({ length: size }, (_, i) => ({ value: `item${i}` })) })
  const start = spent()
  const made = await makePlan({
    program,
    goal: 'g',
    assignments: [],
    instances,
    surroundings: nowhere,
    probe: { gather: async queries => queries.map(() => ({ kind: 'bool', value: false })) }
  })
  if (made.summary.do !== size) throw new Error(`${made.summary.do} steps were planned, not ${size}: ${made.problems[0]?.message}`)
  return spent() - start
}

function evaluateMany(): number {
  const program: Program = readProgram([{ name: 'bench.xml', text: largeProgram(0, 1) }])
  const [pre] = program.goals.get('g0')!.pre
  const scope = makeScope({
    variables: { a: { type: 'int', value: 7 } },
    surroundings: nowhere,
    instances: new Map(),
    facts: new Map(),
    completed: () => undefined,
    inPlan: false
  })
  const start = spent()
  for (let i = 0; i < size; i += 1) evaluate(pre!, scope)
  return spent() - start
}
