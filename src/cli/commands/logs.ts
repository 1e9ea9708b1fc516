import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import { eventRenderer } from '../../goals/render/events.ts'
import { withOvertaken } from '../../goals/render/overtaken.ts'
import { unplannedSteps } from '../../goals/render/unplanned.ts'
import type { GoalEvent } from '../../node/control/contract.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { renderOptions } from '../follow.ts'
import { colours, print } from '../io.ts'
import { formatOf, showOne } from '../output.ts'
import { findRun } from '../run-ids.ts'
import { openSession, type Session } from '../session.ts'

/**
 * What happened to a goal, and what its steps printed: as with `-e`, unless `--replay` or verbosity options say otherwise.
 * `-o json` gives the stream itself, one item a line, after a line with its version.
 */
export async function run(invocation: Invocation): Promise<number> {
  const prefix = onlyWord(invocation, 'the id of a goal')
  const { replay, follow, narrate, goals, echo, lines } = invocation.options
  const raw = formatOf(invocation) === 'json'
  const chosen = replay || narrate || goals || echo || lines
  const session = await openSession(invocation)
  let found: string | undefined
  try {
    const { id } = await findRun(session.agency, session.by, prefix)
    found = id
    if (invocation.options.unplanned) return await sayUnplanned(invocation, session, id)
    const options = renderOptions(invocation, colours(invocation.io.stdout, invocation.io.env), session.suffix)
    const renderer = eventRenderer(chosen ? options : { ...options, echo: true })
    if (raw) print(invocation.io.stdout, [JSON.stringify({ type: 'version', version: 1 })])
    const items = session.agency.stream(
      'events',
      { id, from: 1, output: true, ...(follow ? { follow } : {}) },
      session.by,
      invocation.io.interrupted
    )
    for await (const { item, overtaken } of withOvertaken(items))
      print(invocation.io.stdout, raw ? [JSON.stringify(item)] : renderer.next(item, overtaken))
    return 0
  } catch (error) {
    if (!invocation.io.interrupted.aborted || found === undefined) throw error
    throw new CloudburstError('CB_INTERRUPTED', `interrupted; goal ${found} is not touched by that`, { id: found })
  } finally {
    await session.close()
  }
}

/** The steps of a goal that no plan of it knew; none, if all is well. */
async function sayUnplanned(invocation: Invocation, { agency, by }: Session, id: string): Promise<number> {
  const events: GoalEvent[] = []
  for await (const item of agency.stream('events', { id, from: 1 }, by)) if (item.type === 'event') events.push(item.event)
  const found = unplannedSteps(events)
  if (found === undefined)
    throw new CloudburstError('CB_USAGE', `what goal ${id} was to do is not known: it has too many steps, or an older version began it`, {
      command: 'execute'
    })
  await showOne(invocation, { unplanned: found }, id, () => found.map(({ step, show }) => `${oneLine(step)}  ${oneLine(show)}`))
  return found.length === 0 ? 0 : 1
}
