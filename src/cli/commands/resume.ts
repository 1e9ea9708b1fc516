import { control } from '../agent-table.ts'
import type { Invocation } from '../arguments.ts'

/** Lets a paused agent go on. */
export async function run(invocation: Invocation): Promise<number> {
  return await control(invocation, 'resume')
}
