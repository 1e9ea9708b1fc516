import type { Invocation } from '../arguments.ts'
import { pursueAs } from '../pursuing.ts'

/** Makes a goal true; when one method fails, the next is tried. */
export async function run(invocation: Invocation): Promise<number> {
  return await pursueAs(invocation, 'pursue')
}
