/**
 * The crash lab's long form: `npm run crash -- [--points 500] [--seed 1f3a] [--only N[,N…]] [--out FILE]`.
 * Prints a line for each fault that went wrong and one for all of them. `--only` makes single points of a seed again.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machine } from '../../../bench/result.ts'
import { openLab, type Lab, type Outcome } from './lab.ts'
import { type FaultKind, points } from './points.ts'

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '500' },
    seed: { type: 'string', default: randomBytes(2).toString('hex') },
    only: { type: 'string' },
    out: { type: 'string' }
  }
})
const only = values.only?.split(',').map(Number)

const lab = await openLab()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void lab.close().finally(() => process.exit(130)))
try {
  process.exitCode = await run(lab)
} finally {
  await lab.close()
}

async function run(lab: Lab): Promise<number> {
  const all = points(Number(values.points), Number.parseInt(values.seed, 16), lab.scope)
  const outcomes: Outcome[] = []
  console.log(`seed ${values.seed}, ${only?.length ?? all.length} points, fdatasyncs of one goal: ${lab.scope.syncs.join(', ')}`)
  for (const point of all.filter(({ number }) => only?.includes(number) ?? true)) {
    const outcome = await lab.strike(point)
    outcomes.push(outcome)
    if (outcome.wrong.length > 0) console.log(JSON.stringify(outcome))
    if (outcomes.length % 25 === 0) console.log(`${outcomes.length}: ${told(outcomes)}`)
  }
  const unsettled = await lab.settle()
  for (const what of unsettled) console.log(what)
  const summary = summaryOf(lab, outcomes, unsettled)
  console.log(JSON.stringify(summary))
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(summary, undefined, 2)}\n`)
  return summary.wrong === 0 ? 0 : 1
}

function told(outcomes: readonly Outcome[]): string {
  const wrong = outcomes.filter(outcome => outcome.wrong.length > 0).length
  return `${outcomes.filter(outcome => outcome.struck).length} struck, ${wrong} wrong`
}

function summaryOf(lab: Lab, outcomes: readonly Outcome[], unsettled: readonly string[]) {
  const kinds: Partial<Record<FaultKind, number>> = {}
  for (const { point, struck } of outcomes) if (struck) kinds[point.kind] = (kinds[point.kind] ?? 0) + 1
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0)
  return {
    at: new Date().toISOString(),
    machine: machine(),
    command: `npm run crash -- --points ${values.points} --seed ${values.seed}`,
    seed: values.seed,
    points: outcomes.length,
    struck: outcomes.filter(outcome => outcome.struck).length,
    kinds,
    restarts: sum(outcome => outcome.restarts),
    goalsAcknowledged: lab.acknowledged,
    stepsInDoubtSurfaced: sum(outcome => outcome.surfaced.length),
    wrong: outcomes.filter(outcome => outcome.wrong.length > 0).length + unsettled.length,
    secondsPerPoint: Math.round(sum(outcome => outcome.ms) / Math.max(1, outcomes.length) / 100) / 10
  }
}
