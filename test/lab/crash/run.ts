/**
 * The crash lab's long form: `npm run crash -- [--points 500] [--seed 1f3a] [--only N[,N…]] [--jobs 2] [--out FILE]`.
 * `--jobs` labs share the points, since each mostly waits.
 * Prints a line for each fault that went wrong and one for all of them. `--only` makes single points of a seed again.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machine } from '../../../bench/result.ts'
import { openLab, type Lab, type Outcome } from './lab.ts'
import { type FaultKind, points, type Scope } from './points.ts'

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '500' },
    seed: { type: 'string', default: randomBytes(2).toString('hex') },
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    out: { type: 'string' }
  }
})
const only = values.only?.split(',').map(Number)

const labs = [await openLab()]
const closeAll = async (): Promise<void> => void (await Promise.all(labs.map(lab => lab.close())))
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    console.error(`ended by ${signal}`)
    void closeAll().finally(() => process.exit(130))
  })
try {
  while (labs.length < Number(values.jobs)) labs.push(await openLab())
  process.exitCode = await run(labs[0]!.scope)
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await closeAll()
}

async function run(scope: Scope): Promise<number> {
  const all = points(Number(values.points), Number.parseInt(values.seed, 16), scope).filter(({ number }) => only?.includes(number) ?? true)
  const outcomes: Outcome[] = []
  console.log(`seed ${values.seed}, ${all.length} points, fdatasyncs of one goal: ${scope.syncs.join(', ')}`)
  const queue = [...all]
  const work = async (lab: Lab): Promise<readonly string[]> => {
    for (let point = queue.shift(); point !== undefined; point = queue.shift()) {
      const outcome = await lab.strike(point)
      outcomes.push(outcome)
      if (outcome.wrong.length > 0) console.log(JSON.stringify(outcome))
      if (outcomes.length % 25 === 0) console.log(`${outcomes.length}: ${told(outcomes)}`)
    }
    return await lab.settle()
  }
  const unsettled = (await Promise.all(labs.map(work))).flat()
  for (const what of unsettled) console.log(what)
  const summary = summaryOf(outcomes, unsettled)
  console.log(JSON.stringify(summary))
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(summary, undefined, 2)}\n`)
  return summary.wrong + unsettled.length === 0 ? 0 : 1
}

function told(outcomes: readonly Outcome[]): string {
  const wrong = outcomes.filter(outcome => outcome.wrong.length > 0).length
  return `${outcomes.filter(outcome => outcome.struck).length} struck, ${wrong} wrong`
}

function summaryOf(outcomes: readonly Outcome[], unsettled: readonly string[]) {
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
    goalsAcknowledged: labs.reduce((total, lab) => total + lab.acknowledged, 0),
    stepsInDoubtSurfaced: sum(outcome => outcome.surfaced.length),
    wrong: outcomes.filter(outcome => outcome.wrong.length > 0).length,
    unsettled,
    secondsPerPoint: Math.round(sum(outcome => outcome.ms) / Math.max(1, outcomes.length) / 100) / 10
  }
}
