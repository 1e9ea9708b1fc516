import type { RunInfo } from '../../node/control/contract.ts'
import { CloudburstError } from '../../errors.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { cancelGoal } from '../cancelling.ts'
import { shownConsequences } from '../consequences.ts'
import { exitOfRest, followGoals } from '../follow.ts'
import { isForPrograms, showOne, tableLines } from '../output.ts'
import { canAsk, openPrompt } from '../prompt.ts'
import { repairByHand } from '../repair-prompt.ts'
import { repairRequest, saysWhat } from '../repair-request.ts'
import { repairMany } from '../repairing-many.ts'
import { findRun } from '../run-ids.ts'
import { runTable } from '../run-table.ts'
import { openSession, type Session } from '../session.ts'
import { promptFor } from '../step-option.ts'
import { stepThrough } from '../stepping.ts'

/** Lets suspended goals go on, with corrections; what was done stays done. At a terminal, without any, it asks. */
export async function run(invocation: Invocation): Promise<number> {
  if (invocation.options.where !== undefined) return await repairMany(invocation)
  const prefix = onlyWord(invocation, 'the id of a goal')
  if (invocation.options.cancel === true) return await cancelInstead(invocation, prefix)
  if (invocation.options['no-undo'] === true)
    throw new CloudburstError('CB_USAGE', '--no-undo is about --cancel: what was done stays done', { command: 'repair' })
  const byHand = !saysWhat(invocation) && canAsk(invocation.io)
  const prompt = byHand ? openPrompt(invocation.io, 'repair', '') : await promptFor(invocation)
  const session = await openSession(invocation)
  try {
    const before = await findRun(session.agency, session.by, prefix)
    if (byHand && prompt !== undefined && before.suspended?.code !== 'stepping')
      return await repairByHand(invocation, session, before, prompt)
    return await repairOnce(invocation, session, before, byHand ? undefined : prompt)
  } finally {
    prompt?.close()
    await session.close()
  }
}

/** `repair ID --cancel` is `cancel ID`: with it, nothing is corrected. */
async function cancelInstead(invocation: Invocation, prefix: string): Promise<number> {
  const { options, assignments, command } = invocation
  const { retry, method, program, skip, done, failed, again, from } = options
  if (assignments.length > 0 || [retry, method, program, skip, done, failed, again, from].some(each => each !== undefined))
    throw new CloudburstError('CB_USAGE', '--cancel gives the goal up: it goes with --why, --no-undo and --plan only', { command })
  const session = await openSession(invocation)
  try {
    return await cancelGoal(invocation, session, prefix)
  } finally {
    await session.close()
  }
}

async function repairOnce(
  invocation: Invocation,
  session: Session,
  before: RunInfo,
  prompt: Awaited<ReturnType<typeof promptFor>>
): Promise<number> {
  const { agency, by, suffix } = session
  const { detach, plan: onlyPlan } = invocation.options
  const asked = await repairRequest(invocation, before, agency, by)
  const preview = await agency.call('preview', asked, by)
  if (onlyPlan || !isForPrograms(invocation)) await showOne(invocation, preview, before.id, () => shownConsequences(invocation, preview))
  if (onlyPlan) return 0
  const repaired = await agency.call('repair', prompt === undefined ? asked : { ...asked, stepwise: 'look' }, by)
  if (detach) {
    await shown(invocation, repaired)
    return 0
  }
  const goal = { id: before.id, agency, by, from: before.seq + 1, suffix, here: session.solo }
  const [rest = 'unknown'] = prompt === undefined ? await followGoals(invocation, [goal]) : [await stepThrough(invocation, goal, prompt)]
  if (prompt !== undefined && rest === 'unknown') return 0
  if (isForPrograms(invocation)) await shown(invocation, await agency.call('goal', { id: before.id }, by))
  return exitOfRest[rest]
}

async function shown(invocation: Invocation, run: RunInfo): Promise<void> {
  const columns = runTable.columns.filter(column => !column.wide)
  await showOne(invocation, run, run.id, () => tableLines([run], columns))
}
