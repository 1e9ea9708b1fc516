import { CloudburstError } from '../../errors.ts'
import { byCause } from '../../goals/render/cause.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { showRows } from '../output.ts'
import { causeTable, runTable, suspendedTable } from '../run-table.ts'
import { openSession } from '../session.ts'

/** Goals pursued here or sent from here, newest first; those that wait for repair the other way round. */
export async function run(invocation: Invocation): Promise<number> {
  noWords({ ...invocation, files: [] })
  const { limit: asked, suspended, 'by-cause': grouped } = invocation.options
  const limit = asked === undefined ? undefined : Number(asked)
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new CloudburstError('CB_USAGE', '--limit takes a number from 1', { command: 'goals' })
  const { agency, by, close } = await openSession(invocation)
  try {
    if (grouped) await showRows(invocation, byCause(await agency.call('goals', { suspended: true, explained: true }, by)), causeTable)
    else if (suspended) {
      const waiting = await agency.call('goals', { suspended: true }, by)
      await showRows(invocation, waiting.toSorted((a, b) => a.updatedAt - b.updatedAt).slice(0, limit), suspendedTable)
    } else await showRows(invocation, await agency.call('goals', limit === undefined ? {} : { limit }, by), runTable)
    return 0
  } finally {
    await close()
  }
}
