import { control } from '../agent-table.ts'
import type { Invocation } from '../arguments.ts'

/** Lets an agent pause: its goals suspend, its state stays. */
export async function run(invocation: Invocation): Promise<number> {
  return await control(invocation, 'suspend')
}
