import { control } from '../agent-table.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { openSession } from '../session.ts'

/** Ends an agent. */
export async function run(invocation: Invocation): Promise<number> {
  return await control(invocation, await openSession(invocation), onlyWord(invocation, 'the name of an agent'), 'stop')
}
