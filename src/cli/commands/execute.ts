import type { Invocation } from '../arguments.ts'
import { pursueAs } from '../pursuing.ts'

/** Makes a goal true as planned: no alternatives, no questions. */
export async function run(invocation: Invocation): Promise<number> {
  return await pursueAs(invocation, 'execute')
}
