/** The commands pursue and execute. */
import type { Agency, Calls, GoalRequest, Principal } from '../node/control/contract.ts'
import type { Invocation } from './arguments.ts'
import { exitOfRest, followGoals } from './follow.ts'
import { goalRequest } from './goal-request.ts'
import { findRun } from './run-ids.ts'
import { isForPrograms, showOne } from './output.ts'
import type { Prompt } from './prompt.ts'
import { openSession, type Session } from './session.ts'
import { promptFor, stepThrough } from './step-option.ts'

/** Begins a goal and, unless detached, follows it until it rests. */
export async function pursueAs(invocation: Invocation, mode: 'pursue' | 'execute'): Promise<number> {
  return await pursueRequest(invocation, mode, async ({ agency, by }) => {
    const request = await goalRequest(invocation, agency, by)
    const { 'from-snapshot': from } = invocation.options
    return from === undefined ? request : { ...request, from: await beginning(agency, by, from) }
  })
}

/** `ID:NAME` or `ID`, a beginning of an id being enough. */
async function beginning(agency: Agency, by: Principal, word: string): Promise<NonNullable<GoalRequest['from']>> {
  const [prefix = '', snapshot] = word.split(':', 2)
  const { id } = await findRun(agency, by, prefix)
  return { id, ...(snapshot !== undefined && { snapshot }) }
}

/** The same for a request that is made once there is a session. */
export async function pursueRequest(
  invocation: Invocation,
  mode: 'pursue' | 'execute',
  requestOf: (session: Session) => Promise<GoalRequest & Pick<Calls['pursue']['request'], 'planned'>>
): Promise<number> {
  const prompt = await promptFor(invocation)
  const session = await openSession(invocation)
  try {
    const request = await requestOf(session)
    const { ulid } = await import('ulid')
    // The id is ours, so that asking again after a lost answer is not a second goal.
    const { id } = await session.agency.call('pursue', { ...request, id: ulid(), mode }, session.by)
    return await (invocation.options.detach
      ? detached(invocation, id)
      : followed(invocation, session, { id, target: request.target }, prompt))
  } finally {
    prompt?.close()
    await session.close()
  }
}

async function detached(invocation: Invocation, id: string): Promise<number> {
  await showOne(invocation, { id }, id, () => [id])
  return 0
}

async function followed(
  invocation: Invocation,
  session: Session,
  { id, target }: { readonly id: string; readonly target: string | undefined },
  prompt: Prompt | undefined
): Promise<number> {
  const run = { id, agency: session.agency, by: session.by, suffix: session.suffix, here: session.solo }
  const [rest = 'unknown'] = prompt === undefined ? await followGoals(invocation, [run]) : [await stepThrough(invocation, run, prompt)]
  if (prompt !== undefined && rest === 'unknown') return 0
  const info = isForPrograms(invocation) || target !== undefined ? await session.agency.call('goal', { id }, session.by) : undefined
  if (info !== undefined && isForPrograms(invocation)) await showOne(invocation, info, info.id, () => [])
  // It rests where it was asked to.
  return target !== undefined && info?.suspended?.code === 'requested' ? 0 : exitOfRest[rest]
}
