/** Lists of `find` and counts of `repeat`: those that the goal itself, or others, may change while it is pursued stay what they were. */
import { createHash } from 'node:crypto'
import { parsePath, showPath } from '../expression/path.ts'
import type { ExprResult, Scope } from '../expression/result.ts'
import type { Expression } from '../program/model.ts'
import type { Tree } from '../tree.ts'
import type { Here } from './call.ts'

/** Expressions whose value the machine says. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['shell', 'fileTest', 'env', 'now', 'uuid'])

/**
 * The value of the statement at `path`: as it is `now`, or as it was when the goal came to it before.
 * @param results of `expressions`
 */
export async function settled(
  here: Here,
  path: string,
  expressions: readonly Expression[],
  results: readonly ExprResult[],
  now: Tree
): Promise<Tree> {
  const reads = results.flatMap(result => Object.keys(result.reads)).map(each => placeOf(here.scope, each))
  const isLive = reads.some(each => /^agent[.[]/.test(each)) || expressions.some(asksTheMachine)
  if (!isLive) return now
  const { frame } = here
  return await frame.run.hand.evaluated(frame, path, { value: now, key: written(expressions), reads, how: here.how ?? frame.how })
}

/** Where a path leads to: a variable may be a reference to the agent's. */
function placeOf(scope: Scope, path: string): string {
  try {
    return showPath(scope.place(parsePath(path)))
  } catch {
    return path
  }
}

function asksTheMachine(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false
  if ('kind' in part && OF_THE_MACHINE.has(String(part.kind))) return true
  return Object.values(part).some(asksTheMachine)
}

/** Hash of the expressions as they are written, places left out. */
function written(expressions: readonly Expression[]): string {
  const text = JSON.stringify(expressions, (key, value: unknown) => (key === 'place' ? undefined : value))
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
