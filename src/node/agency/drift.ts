/** What earlier runs of a goal had reached, looked at again, here and on the nodes to which they had sent sub-goals. */
import { toErrorData } from '../../errors.ts'
import type { Drifted, Plan } from '../../goals/plan/plan.ts'
import type { Elsewhere } from '../../goals/pursuit/drift.ts'
import type { GoalRequest } from '../../protocols/agency/calls.ts'
import type { Past } from '../goals/past-runs.ts'
import type { LookedAgain } from '../goals/planning.ts'

type Drift = NonNullable<Plan['drift']>

/** @param ask plans a goal on the node to which the run `id` was sent, with what has drifted there */
export async function driftOf(looked: readonly LookedAgain[], ask: (id: string, request: GoalRequest) => Promise<Plan>): Promise<Drift> {
  const there = await Promise.all(
    looked.flatMap(({ past, elsewhere }) => elsewhere.map(async each => withPeer(each, await driftThere(past, each, ask))))
  )
  const here = looked.flatMap(({ past: { id, run }, checked }) =>
    checked.flatMap(({ now, goal, instance, because, place }): Drifted[] =>
      now === 'true' ? [] : [{ goal, instance, run: id, at: run.updatedAt, now, because, place }]
    )
  )
  const checked = looked.reduce((sum, each) => sum + each.checked.length, 0) + there.reduce((sum, each) => sum + each.checked, 0)
  return { checked, drifted: [...here, ...there.flatMap(({ drifted }) => drifted)] }
}

async function driftThere(
  { run }: Past,
  { run: id, goal, arguments: args }: Elsewhere,
  ask: (id: string, request: GoalRequest) => Promise<Plan>
): Promise<Drift> {
  const assignments = Object.entries(args).map(([name, value]) => ({ path: `goal.${name}`, value }))
  try {
    const { drift } = await ask(id, { goal, program: run.program.hash, assignments, refresh: true })
    return drift ?? { checked: 0, drifted: [] }
  } catch (error) {
    const place = { file: run.program.name, line: 1, col: 1 }
    const because = `that cannot be told now: ${toErrorData(error).message}`
    return { checked: 1, drifted: [{ goal, instance: goal, run: id, at: run.updatedAt, now: 'unknown', because, place }] }
  }
}

function withPeer({ peer }: Elsewhere, { checked, drifted }: Drift): Drift {
  return { checked, drifted: drifted.map(each => ({ ...each, peer: each.peer ?? peer })) }
}
