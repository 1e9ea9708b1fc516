/** What of a plan is not written to a file for people. */
import { getIn, parsePath } from '../expression/path.ts'
import type { Plan } from '../plan/plan.ts'
import type { Tree } from '../tree.ts'

/** Whether the plan's variable at `path` is, or holds, a secret itself and not only where one is to be found; of others than the goal's nobody knows. */
export function isTypedSecret(path: string, { variables }: Pick<Plan, 'variables'>): boolean {
  const [top, ...rest] = parsePath(path)
  if (top !== 'goal') return true
  const tree = getIn({ fields: variables }, rest)
  return tree !== undefined && isHere(tree)
}

function isHere({ sealed, fields = {}, items = [] }: Tree): boolean {
  if (sealed !== undefined) return !/^(env|file|command):/.test(sealed)
  return [...Object.values(fields), ...items].some(isHere)
}
