/** Plans of goals of this node, and looks at what earlier runs of them had reached. Changes nothing. */
import { instancesOf } from '../../goals/config/instances.ts'
import { withoutShells } from '../../goals/plan/without-shells.ts'
import { checkAgain, makePlan, type Planning } from '../../goals/plan/make-plan.ts'
import { estimated, measured } from '../../goals/plan/estimate.ts'
import type { Plan } from '../../goals/plan/plan.ts'
import { upTo } from '../../goals/plan/target.ts'
import { type Checked, type Elsewhere, reachedElsewhere } from '../../goals/pursuit/drift.ts'
import type { GoalRequest } from '../../protocols/agency/calls.ts'
import type { Found, GoalFinder } from './goal-finder.ts'
import { latestRuns, type Past, recentRuns, runsToUndo } from './past-runs.ts'
import type { RunsParts } from './runs.ts'

/** A run that was completed, looked at again. */
export interface LookedAgain {
  readonly past: Past
  readonly checked: readonly Checked[]
  /** What it had reached on other nodes, to be looked at there. */
  readonly elsewhere: readonly Elsewhere[]
}

export interface PlanningRuns {
  plan(request: GoalRequest): Promise<Plan>
  /** What the `target` of a request means in the plan; undefined when it names none. */
  targetOf(request: GoalRequest): Promise<string | undefined>
  /** The newest runs of the goal that were completed, and how it stands now with what they had reached; only what is pure is asked. */
  lookAgain(request: GoalRequest): Promise<readonly LookedAgain[]>
}

export function openPlanning(parts: Pick<RunsParts, 'journal' | 'probe'>, finder: GoalFinder): PlanningRuns {
  const { journal } = parts
  const planningOf = (found: Found, request: GoalRequest): Planning => ({
    program: found.program,
    ...(found.agentProto !== undefined && { agent: found.agentProto }),
    goal: request.goal,
    assignments: [],
    instances: instancesOf(found.program),
    surroundings: finder.preview(found),
    probe: request.probe === false ? withoutShells(parts.probe) : parts.probe,
    ...(request.locale !== undefined && { locale: request.locale })
  })
  const planned = async (request: GoalRequest): Promise<{ readonly plan: Plan; readonly target?: string }> => {
    const found = await finder.find(request)
    const undoes = request.destroy === true ? (await runsToUndo(journal, found, request)).map(({ events }) => events) : undefined
    const assignments = undoes === undefined ? await finder.configure(found, request, 'plan') : []
    const made = await makePlan({ ...planningOf(found, request), assignments, ...(undoes !== undefined && { undoes }) })
    const plan = estimated(made, measured(await recentRuns(journal, found, request.goal)), request.abreast)
    return request.target === undefined ? { plan } : upTo(plan, request.target)
  }
  return {
    plan: async request => (await planned(request)).plan,
    targetOf: async request => (request.target === undefined ? undefined : (await planned(request)).target),
    lookAgain: async request => {
      const found = await finder.find(request)
      const looked: LookedAgain[] = []
      for (const past of await latestRuns(journal, found, request)) {
        const checked = await checkAgain(planningOf(found, request), past.events)
        looked.push({ past, checked, elsewhere: reachedElsewhere(past.deeds) })
      }
      return looked
    }
  }
}
