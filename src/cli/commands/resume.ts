import type { Invocation } from '../arguments.ts'
import { controlEither } from '../suspending.ts'

/** Lets an agent or a goal go on that a person has suspended. */
export async function run(invocation: Invocation): Promise<number> {
  return await controlEither(invocation, 'resume')
}
