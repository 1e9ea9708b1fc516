import { setTimeout as pause } from 'node:timers/promises'
import { CloudburstError } from '../../errors.ts'
import { graphOfPlan } from '../../goals/graph/plan-graph.ts'
import { RunGraph } from '../../goals/graph/run-graph.ts'
import type { EventItem, Plan } from '../../node/control/contract.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { draw, type Drawing, drawingOf } from '../drawing.ts'
import { goalRequest } from '../goal-request.ts'
import { findRun } from '../run-ids.ts'
import { readPlan } from '../saved-plan.ts'
import { openSession, type Session } from '../session.ts'

/** Ids are ULIDs: 26 characters, or enough of them from the beginning to be no name that people give. */
const idWord = /^0[0-9A-HJKMNP-TV-Z]{7,25}$/i
/** Between two drawings of a goal that is followed, in milliseconds: as often as people can look. */
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
  const redraw = (): Promise<void> => draw(invocation, drawing, graph.graph())
  const items = agency.stream('events', { id, from: 1, ...(live && { follow: true }) }, by, invocation.io.interrupted)
  if (live) await follow(items, graph, redraw)
  else for await (const item of items) if (item.type === 'event') graph.next(item.event)
  await redraw()
}

/** Draws what has changed, also when nothing more happens for a while; not more often than every {@link LIVE_INTERVAL_MS}. */
async function follow(items: AsyncIterable<EventItem>, graph: RunGraph, redraw: () => Promise<void>): Promise<void> {
  const iterator = items[Symbol.asyncIterator]()
  let next = iterator.next()
  for (let changed = false, drawnAt = 0; ; ) {
    const found: IteratorResult<EventItem> | undefined = await (changed
      ? Promise.race([next, pause(Math.max(0, drawnAt + LIVE_INTERVAL_MS - Date.now()), undefined)])
      : next)
    if (found === undefined) {
      await redraw()
      changed = false
      drawnAt = Date.now()
      continue
    }
    if (found.done === true) return
    next = iterator.next()
    changed = (found.value.type === 'event' && graph.next(found.value.event)) || changed
  }
}
