import { CloudburstError } from '../../errors.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { showRows } from '../output.ts'
import { runTable } from '../run-table.ts'
import { openSession } from '../session.ts'

/** Goals pursued here or sent from here, newest first. */
export async function run(invocation: Invocation): Promise<number> {
  noWords({ ...invocation, files: [] })
  const limit = invocation.options.limit === undefined ? undefined : Number(invocation.options.limit)
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new CloudburstError('CB_USAGE', '--limit takes a number from 1', { command: 'goals' })
  const session = await openSession(invocation)
  try {
    const request = { ...(invocation.options.suspended ? { suspended: true } : {}), ...(limit === undefined ? {} : { limit }) }
    await showRows(invocation, await session.agency.call('goals', request, session.by), runTable)
    return 0
  } finally {
    await session.close()
  }
}
