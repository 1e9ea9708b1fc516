import { CloudburstError } from '../../errors.ts'
import { agentTable } from '../agent-table.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { loadedProgram } from '../goal-request.ts'
import { showRows } from '../output.ts'
import { daemonOf, homeWords, onePeer, sessionWith } from '../session.ts'

/** Starts an agent of a program: of the one named after the slash, or of the only one it has. */
export async function run(invocation: Invocation): Promise<number> {
  const [file, another] = invocation.files
  if (another !== undefined) throw new CloudburstError('CB_USAGE', 'start takes one program', { command: 'start' })
  const word = file ?? onlyWord(invocation, 'PROGRAM or PROGRAM/AGENT')
  const { agency, by } = sessionWith(daemonOf(invocation), onePeer(invocation), homeWords(invocation))
  const at = file === undefined ? word.indexOf('/') : -1
  const program = await loadedProgram(at < 0 ? word : word.slice(0, at), agency, by, invocation.io)
  const info = await agency.call(
    'start',
    {
      program,
      assignments: invocation.assignments,
      ...(at < 0 ? {} : { agent: word.slice(at + 1) }),
      ...(invocation.options.name === undefined ? {} : { name: invocation.options.name })
    },
    by
  )
  await showRows(invocation, [info], agentTable)
  return 0
}
