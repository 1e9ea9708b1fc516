import { control } from '../agent-table.ts'
import type { Invocation } from '../arguments.ts'

/** Ends an agent. */
export async function run(invocation: Invocation): Promise<number> {
  return await control(invocation, 'stop')
}
