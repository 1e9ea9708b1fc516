import { CloudburstError } from '../../errors.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { exitOfRest, followGoals } from '../follow.ts'
import { isForPrograms, showOne } from '../output.ts'
import { findRun } from '../run-ids.ts'
import { runTable } from '../run-table.ts'
import { tableLines } from '../output.ts'
import { openSession } from '../session.ts'
import { promptFor, stepThrough } from '../stepping.ts'

/** Lets a suspended goal go on, with corrected values; what was done stays done. */
export async function run(invocation: Invocation): Promise<number> {
  const prefix = onlyWord(invocation, 'the id of a goal')
  const { why, seq, detach } = invocation.options
  const seen = seq === undefined ? undefined : Number(seq)
  if (seen !== undefined && !(Number.isInteger(seen) && seen > 0))
    throw new CloudburstError('CB_USAGE', '--seq takes the number of an event', { command: 'repair' })
  const prompt = promptFor(invocation)
  const session = await openSession(invocation)
  try {
    const before = await findRun(session.agency, session.by, prefix)
    const request = {
      id: before.id,
      assignments: invocation.assignments,
      ...(why === undefined ? {} : { why }),
      ...(seen === undefined ? {} : { seq: seen }),
      ...(prompt === undefined ? {} : { stepwise: 'look' as const })
    }
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
