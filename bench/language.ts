/** What the language costs: reading against the size of a program, and evaluating. Prints JSON lines. */
import { bind } from '../src/goals/config/bind.ts'
import { instancesOf, nowhere } from '../src/goals/config/instances.ts'
import { tabulate } from '../src/goals/config/tabulator.ts'
import { evaluate } from '../src/goals/expression/evaluate.ts'
import { interpolate } from '../src/goals/expression/interpolate.ts'
import { makeScope } from '../src/goals/expression/scope.ts'
import type { Program } from '../src/goals/program/model.ts'
import { readProgram } from '../src/goals/program/read.ts'

const EVALUATIONS = 1_000_000
const TEXTS = 100_000
const FILE_DEFINITIONS = 1000

/** One file of a program: files have a limit of nodes. */
function fileOf(from: number, definitions: number): string {
  const goals = Array.from(
    { length: definitions },
    (_, i) => `<goalProto name="g${from + i}"><describe>Goal ${i}</describe><variable name="a" type="int">${i}</variable>
<pre><op name="ge"><get>goal.a</get>0</op></pre>
<method><shell><send>echo <get>goal.a</get></send></shell></method></goalProto>`
  )
  return `<cloudburst name="bench">${goals.join('\n')}</cloudburst>`
}

function time<T>(work: () => T): [ms: number, result: T] {
  const start = performance.now()
  const result = work()
  return [Math.round(performance.now() - start), result]
}

function print(line: Record<string, string | number>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

let last: Program | undefined
for (const definitions of [10, 100, 1000, 10_000]) {
  const files = Array.from({ length: Math.ceil(definitions / FILE_DEFINITIONS) }, (_, i) => ({
    name: `bench-${i}.xml`,
    text: fileOf(i * FILE_DEFINITIONS, Math.min(definitions, FILE_DEFINITIONS))
  }))
  const bytes = files.reduce((sum, file) => sum + file.text.length, 0)
  const [readMs, program] = time(() => readProgram(files))
  const [tabulateMs] = time(() => tabulate(program))
  print({ bench: 'read', definitions, bytes, readMs, tabulateMs })
  last = program
}

const program = last!
const proto = program.goals.get('g7')!
const { variables } = bind(program, proto, { assignments: [], surroundings: nowhere, facts: new Map(), instances: instancesOf(program) })
const scope = makeScope({
  variables,
  surroundings: nowhere,
  instances: new Map(),
  facts: new Map(),
  completed: () => undefined,
  inPlan: false
})
const [evaluateMs] = time(() => {
  for (let i = 0; i < EVALUATIONS; i += 1) evaluate(proto.pre[0]!, scope)
})
print({ bench: 'evaluate', evaluations: EVALUATIONS, ms: evaluateMs })

const [shell] = proto.methods[0]!.body
if (shell?.kind !== 'shell') throw new Error('the bench program has lost its shell')
const [textMs] = time(() => {
  for (let i = 0; i < TEXTS; i += 1) interpolate(shell.sends[0]!.text, scope, 'shell')
})
print({ bench: 'interpolate', texts: TEXTS, ms: textMs })
