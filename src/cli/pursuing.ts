/** The commands pursue and execute. */
import type { Invocation } from './arguments.ts'
import { exitOfRest, followGoals } from './follow.ts'
import { goalRequest } from './goal-request.ts'
import { isForPrograms, showOne } from './output.ts'
import { openSession, type Session } from './session.ts'

/** Begins a goal and, unless detached, follows it until it rests. */
export async function pursueAs(invocation: Invocation, mode: 'pursue' | 'execute'): Promise<number> {
  const session = await openSession(invocation)
  try {
    const request = await goalRequest(invocation, session.agency, session.by)
    const { ulid } = await import('ulid')
    // The id is ours, so that asking again after a lost answer is not a second goal.
    const { id } = await session.agency.call('pursue', { ...request, id: ulid(), mode }, session.by)
    return await (invocation.options.detach ? detached(invocation, id) : followed(invocation, session, id))
  } finally {
    await session.close()
  }
}

async function detached(invocation: Invocation, id: string): Promise<number> {
  await showOne(invocation, { id }, id, () => [id])
  return 0
}

async function followed(invocation: Invocation, session: Session, id: string): Promise<number> {
  const [rest = 'unknown'] = await followGoals(invocation, [{ id, agency: session.agency, by: session.by, suffix: session.suffix }])
  if (isForPrograms(invocation)) {
    const run = await session.agency.call('goal', { id }, session.by)
    await showOne(invocation, run, run.id, () => [])
  }
  return exitOfRest[rest]
}
