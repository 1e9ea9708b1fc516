import { agentTable } from '../agent-table.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { showRows } from '../output.ts'
import { openSession } from '../session.ts'

/** Agents of a node. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const { agency, by } = await openSession(invocation)
  await showRows(invocation, await agency.call('agents', {}, by), agentTable)
  return 0
}
