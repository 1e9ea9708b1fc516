import type { Invocation } from '../arguments.ts'
import { controlEither } from '../suspending.ts'

/** Lets an agent or a goal rest: steps that run end, no other begins; what was done stays. */
export async function run(invocation: Invocation): Promise<number> {
  return await controlEither(invocation, 'suspend')
}
