import { CloudburstError } from '../../errors.ts'
import { graphOfPlan } from '../../goals/graph/plan-graph.ts'
import { RunGraph } from '../../goals/graph/run-graph.ts'
import type { Plan } from '../../node/control/contract.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { draw, type Drawing, drawingOf } from '../drawing.ts'
import { goalRequest } from '../goal-request.ts'
import { findRun } from '../run-ids.ts'
import { readPlan } from '../saved-plan.ts'
import { openSession, type Session } from '../session.ts'

/** Ids are ULIDs: 26 characters, or enough of them from the beginning to be no name that people give. */
const idWord = /^0[0-9A-HJKMNP-TV-Z]{7,25}$/i
/** Drawings a second of a goal that is followed. */
const LIVE_INTERVAL_MS = 200

/** Draws what pursuing a goal would do, or what happened to one: the same graph, the same words and colours. */
export async function run(invocation: Invocation): Promise<number> {
  const drawing = drawingOf(invocation)
  const word = onlyWord(invocation, 'the name of a goal, the id of one, or a saved plan')
  if (invocation.options.live && !idWord.test(word))
    throw new CloudburstError('CB_USAGE', '--live follows a goal that is pursued: name its id', { command: 'graph' })
  if (word.endsWith('.json')) {
    await draw(invocation, drawing, graphOfPlan(readPlan(word).plan))
    return 0
  }
  const session = await openSession(invocation)
  try {
    if (idWord.test(word)) await drawRun(invocation, session, drawing, word)
    else await draw(invocation, drawing, graphOfPlan(complete(await planOf(invocation, session))))
    return 0
  } finally {
    await session.close()
  }
}

async function planOf(invocation: Invocation, { agency, by }: Session): Promise<Plan> {
  return await agency.call('plan', await goalRequest(invocation, agency, by), by)
}

/** Half a plan is no drawing of what would happen. */
function complete(plan: Plan): Plan {
  const [problem] = plan.problems
  if (problem === undefined) return plan
  const { file, line, col } = problem.place
  throw new CloudburstError('CB_CONFIG_INCOMPLETE', `${file}:${line}:${col}: ${problem.message}`, { goal: plan.goal })
}

async function drawRun(invocation: Invocation, { agency, by }: Session, drawing: Drawing, prefix: string): Promise<void> {
  const { live = false } = invocation.options
  const { id } = await findRun(agency, by, prefix)
  const graph = new RunGraph()
  let drawnAt = 0
  for await (const item of agency.stream('events', { id, from: 1, ...(live && { follow: true }) }, by, invocation.io.interrupted)) {
    const changed = item.type === 'event' && graph.next(item.event)
    if (!live || !changed || Date.now() - drawnAt < LIVE_INTERVAL_MS) continue
    await draw(invocation, drawing, graph.graph())
    drawnAt = Date.now()
  }
  await draw(invocation, drawing, graph.graph())
}
