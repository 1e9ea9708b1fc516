import { CloudburstError } from '../../errors.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { showRows } from '../output.ts'
import { findRun } from '../run-ids.ts'
import { runTable } from '../run-table.ts'
import { daemonOf, homeWords, sessionWith } from '../session.ts'

/** Ends the waiting for a goal whose node is gone for good. What it did there is not known, so it is not begun again by itself. */
export async function run(invocation: Invocation): Promise<number> {
  const prefix = onlyWord(invocation, 'the id of a goal that was sent to another node')
  const { why } = invocation.options
  const client = daemonOf(invocation)
  const { agency, by } = sessionWith(client, undefined, homeWords(invocation))
  const { id, on, status } = await findRun(agency, by, prefix)
  if (on === undefined) throw new CloudburstError('CB_USAGE', `goal ${id} is pursued here: cancel it instead`, { id, command: 'abandon' })
  if (status === 'completed' || status === 'cancelled')
    throw new CloudburstError('CB_USAGE', `goal ${id} is ${status}: there is nothing to abandon`, { id, command: 'abandon' })
  await client.local('abandon', { id, ...(why === undefined ? {} : { why }) })
  await showRows(invocation, [await agency.call('goal', { id }, by)], runTable)
  return 0
}
