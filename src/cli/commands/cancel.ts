import { type Invocation, onlyWord } from '../arguments.ts'
import { print } from '../io.ts'
import { showRows } from '../output.ts'
import { findRun } from '../run-ids.ts'
import { runTable } from '../run-table.ts'
import { openSession } from '../session.ts'

/** Gives up a goal; what its methods can undo is undone first. */
export async function run(invocation: Invocation): Promise<number> {
  const prefix = onlyWord(invocation, 'the id of a goal')
  const { why, 'no-undo': keep } = invocation.options
  const session = await openSession(invocation)
  try {
    const { id } = await findRun(session.agency, session.by, prefix)
    const request = { id, ...(why !== undefined && { why }), ...(keep === true && { undo: false as const }) }
    const left = await session.agency.call('cancel', request, session.by)
    await showRows(invocation, [left], runTable)
    if (left.status === 'pursuing') print(invocation.io.stderr, [`what it has done is undone first: cloudburst logs ${id} --follow`])
    return 0
  } finally {
    await session.close()
  }
}
