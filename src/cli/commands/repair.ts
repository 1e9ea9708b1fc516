import { consequences } from '../../goals/render/consequences.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { exitOfRest, followGoals } from '../follow.ts'
import { isForPrograms, showOne } from '../output.ts'
import { colours } from '../io.ts'
import { repairRequest } from '../repair-request.ts'
import { findRun } from '../run-ids.ts'
import { runTable } from '../run-table.ts'
import { tableLines } from '../output.ts'
import { openSession } from '../session.ts'
import { promptFor, stepThrough } from '../stepping.ts'

/** Lets a suspended goal go on, with corrected values; what was done stays done. */
export async function run(invocation: Invocation): Promise<number> {
  const prefix = onlyWord(invocation, 'the id of a goal')
  const { detach, plan: onlyPlan } = invocation.options
  const prompt = promptFor(invocation)
  const session = await openSession(invocation)
  try {
    const before = await findRun(session.agency, session.by, prefix)
    const asked = await repairRequest(invocation, before, session.agency, session.by)
    const preview = await session.agency.call('preview', asked, session.by)
    if (onlyPlan) {
      await showOne(invocation, preview, before.id, () =>
        consequences(preview, { colour: colours(invocation.io.stdout, invocation.io.env) })
      )
      return 0
    }
    if (!isForPrograms(invocation))
      for (const line of consequences(preview, { colour: colours(invocation.io.stdout, invocation.io.env) }))
        invocation.io.stdout.write(`${line}\n`)
    const request = prompt === undefined ? asked : { ...asked, stepwise: 'look' as const }
    const repaired = await session.agency.call('repair', request, session.by)
    const shown = (run: typeof repaired): Promise<void> =>
      showOne(invocation, run, run.id, () =>
        tableLines(
          [run],
          runTable.columns.filter(column => !column.wide)
        )
      )
    if (detach) {
      await shown(repaired)
      return 0
    }
    const goal = { id: before.id, agency: session.agency, by: session.by, from: before.seq + 1, suffix: session.suffix, here: session.solo }
    const [rest = 'unknown'] = prompt === undefined ? await followGoals(invocation, [goal]) : [await stepThrough(invocation, goal, prompt)]
    if (prompt !== undefined && rest === 'unknown') return 0
    if (isForPrograms(invocation)) await shown(await session.agency.call('goal', { id: before.id }, session.by))
    return exitOfRest[rest]
  } finally {
    prompt?.close()
    await session.close()
  }
}
