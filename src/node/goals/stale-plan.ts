/** A plan that somebody saved is executed only while all it rests on is as it was. */
import { CloudburstError } from '../../errors.ts'
import { moved, type PlanBasis } from '../../goals/plan/basis.ts'
import type { Plan } from '../../goals/plan/plan.ts'
import type { GoalRequest } from '../../protocols/agency/calls.ts'
import type { Runs } from './runs.ts'

/** Most things that a refusal names: those that follow from the first are of no use. */
const MOVED_NAMED_MAX = 5

/**
 * @returns the plan, made again
 * @throws CloudburstError CB_PLAN_STALE naming what is not as it was when the plan was made
 */
export async function refuseStale(runs: Pick<Runs, 'plan'>, request: GoalRequest, planned: PlanBasis): Promise<Plan> {
  const plan = await runs.plan(request)
  const changes = moved(planned, plan.basis)
  if (changes.length === 0) return plan
  const more = changes.length > MOVED_NAMED_MAX ? ` and ${changes.length - MOVED_NAMED_MAX} more` : ''
  throw new CloudburstError(
    'CB_PLAN_STALE',
    `the plan of ${request.goal} is not true any more: changed since are ${changes.slice(0, MOVED_NAMED_MAX).join(', ')}${more}`,
    { goal: request.goal }
  )
}
