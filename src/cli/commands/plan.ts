import { hasChanges, planLines, type PlanOptions, planText } from '../../goals/render/plan.ts'
import type { GoalRequest, Plan } from '../../node/control/contract.ts'
import { shellWord } from '../../goals/render/words.ts'
import type { Invocation } from '../arguments.ts'
import { goalRequest } from '../goal-request.ts'
import { colours, print } from '../io.ts'
import { formatOf, showOne } from '../output.ts'
import { savePlan } from '../saved-plan.ts'
import { diffPlans } from './plan-diff.ts'
import { openSession, type Session } from '../session.ts'

/** Exit status when something is missing or wrong in the configuration, so that the plan ends early. */
const NOT_CONFIGURED = 5
/** Exit status of `--detailed-exitcode` when there is something to do. */
const HAS_CHANGES = 2

function planOptions({ options, io }: Invocation): PlanOptions {
  const { goals, echo, lines, verbose = [] } = options
  const all = lines ?? false
  return { colour: colours(io.stdout, io.env), goals: goals ?? all, echo: echo ?? all, lines: all, verbose: verbose.length }
}

/** The place to look at, in the file as it was named. */
function sayWhere({ io, files }: Invocation, problems: Plan['problems']): void {
  for (const { place } of problems) {
    const file = files.find(each => each === place.file || each.endsWith(`/${place.file}`))
    if (file === undefined) continue
    io.stderr.write(`next: vi +${place.line} ${shellWord(file)}\n`)
    return
  }
}

/** As text, data or a drawing; with `--out` the plan itself goes to the file, unless a drawing was asked for. */
async function show(invocation: Invocation, session: Session, request: GoalRequest, plan: Plan): Promise<void> {
  const { output, out } = invocation.options
  if (output === 'dot' || output === 'mermaid' || output === 'svg') {
    const [{ draw, drawingOf }, { graphOfPlan }] = await Promise.all([import('../drawing.ts'), import('../../goals/graph/plan-graph.ts')])
    return await draw(invocation, drawingOf(invocation), graphOfPlan(plan))
  }
  if (formatOf(invocation) === 'plain') print(invocation.io.stdout, planLines(plan))
  else await showOne(invocation, plan, plan.goal, () => planText(plan, planOptions(invocation)))
  if (out !== undefined && plan.problems.length === 0) await savePlan(out, invocation, session, request, plan)
}

/** What pursuing a goal would do. Has no effect. */
export async function run(invocation: Invocation): Promise<number> {
  if (invocation.words[0] === 'diff') return await diffPlans(invocation)
  const session = await openSession(invocation)
  try {
    const request = await goalRequest(invocation, session.agency, session.by)
    const plan = await session.agency.call('plan', request, session.by)
    await show(invocation, session, request, plan)
    if (plan.problems.length > 0) {
      if (session.solo) sayWhere(invocation, plan.problems)
      return NOT_CONFIGURED
    }
    return invocation.options['detailed-exitcode'] && (hasChanges(plan) || (plan.drift?.drifted.length ?? 0) > 0) ? HAS_CHANGES : 0
  } finally {
    await session.close()
  }
}
