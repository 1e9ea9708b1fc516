import { type Invocation, onlyWord } from '../arguments.ts'
import { showRows } from '../output.ts'
import { findRun } from '../run-ids.ts'
import { runTable } from '../run-table.ts'
import { openSession } from '../session.ts'

/** Gives up a goal; what was done stays done. */
export async function run(invocation: Invocation): Promise<number> {
  const prefix = onlyWord(invocation, 'the id of a goal')
  const { why } = invocation.options
  const session = await openSession(invocation)
  try {
    const { id } = await findRun(session.agency, session.by, prefix)
    await showRows(invocation, [await session.agency.call('cancel', { id, ...(why === undefined ? {} : { why }) }, session.by)], runTable)
    return 0
  } finally {
    await session.close()
  }
}
