/** Giving a goal up, by `cancel ID`, `repair ID --cancel` and the repair prompt: first what that undoes is shown. */
import { CloudburstError } from '../errors.ts'
import type { Plan, RunInfo } from '../node/control/contract.ts'
import type { Invocation } from './arguments.ts'
import { shownUndoing } from './consequences.ts'
import { exitOfRest, followGoals } from './follow.ts'
import { print } from './io.ts'
import { isForPrograms, showOne, showRows } from './output.ts'
import { findRun } from './run-ids.ts'
import { runTable } from './run-table.ts'
import type { Session } from './session.ts'

/** @returns the exit status */
export async function cancelGoal(invocation: Invocation, session: Session, prefix: string): Promise<number> {
  const { 'no-undo': keep, plan: onlyPlan, why } = invocation.options
  const { id } = await findRun(session.agency, session.by, prefix)
  const preview = keep === true && onlyPlan !== true ? undefined : await whatIsUndone(session, id, onlyPlan === true)
  if (onlyPlan === true && preview !== undefined) {
    await showOne(invocation, preview, id, () => (keep === true ? ['what it has done stays done'] : shownUndoing(invocation, preview)))
    return 0
  }
  if (preview !== undefined && !isForPrograms(invocation)) print(invocation.io.stdout, shownUndoing(invocation, preview))
  const left = await giveUp(session, id, why, keep === true)
  if (left.status === 'pursuing' && session.solo) return await followUndoing(invocation, session, left)
  await showRows(invocation, [left], runTable)
  if (left.status === 'pursuing') print(invocation.io.stderr, [`what it has done is undone first: cloudburst logs ${id} --follow`])
  return 0
}

/** Without a daemon nobody else sees to it: it is followed until all is undone, or waits. */
async function followUndoing(invocation: Invocation, { agency, by, suffix, solo }: Session, { id, seq }: RunInfo): Promise<number> {
  const [rest = 'unknown'] = await followGoals(invocation, [{ id, agency, by, from: seq, suffix, here: solo }])
  if (isForPrograms(invocation)) await showRows(invocation, [await agency.call('goal', { id }, by)], runTable)
  return rest === 'cancelled' ? 0 : exitOfRest[rest]
}

/** What giving it up would undo; undefined when nobody can look now: it is given up all the same. @throws CloudburstError when that is all that is asked */
export async function whatIsUndone({ agency, by }: Session, id: string, must = false): Promise<Plan | undefined> {
  try {
    return await agency.call('preview', { id, assignments: [], cancel: true }, by)
  } catch (error) {
    if (!must && error instanceof CloudburstError && error.code !== 'CB_INTERRUPTED') return undefined
    throw error
  }
}

export async function giveUp({ agency, by }: Session, id: string, why: string | undefined, keep: boolean): Promise<RunInfo> {
  return await agency.call('cancel', { id, ...(why !== undefined && { why }), ...(keep && { undo: false as const }) }, by)
}
