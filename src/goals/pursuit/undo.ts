/** Takes back what a goal has done: the `<undo>` of its methods, the last that ended first. See docs/decisions/0010-undo.md. */
import type { Method } from '../program/model.ts'
import { findGoal } from './call.ts'
import { failed, type Walked, went } from './failure.ts'
import type { History } from './history.ts'
import { Names } from './instance.ts'
import { LookingHand } from './looking-hand.ts'
import { methodsFor } from './methods.ts'
import { walkStatements } from './statements.ts'
import { type Frame, type Hand, type Run, walkGoal } from './walk.ts'

/** A method that was begun, with the values of its goal as they were. */
interface Begun {
  readonly frame: Frame
  readonly method: Method
}

/**
 * Walks the `<undo>` of what was begun below the goal that was asked for, with `hand`.
 * @param open makes the frame of that goal, its variables bound
 */
export async function undo(run: Run, history: History, hand: Hand, open: (run: Run) => Frame): Promise<Walked> {
  const begun: Begun[] = []
  const looking: Run = {
    ...run,
    hand: new LookingHand(history, queries => hand.gather(queries)),
    shared: new Map(),
    outcomes: new Map(),
    left: (frame, method) => void begun.push({ frame, method })
  }
  await walkGoal(open(looking), {})
  const found = new Set(begun.map(({ frame, method }) => `${frame.instance}/${method.name}`))
  const missing = undoable(run, history).find(path => !found.has(path))
  if (missing !== undefined)
    return failed(
      missing,
      'step-failed',
      `${missing} was begun, and the program does not lead there any more: undo it by hand, then cancel again`
    )
  for (const { frame, method } of begun.reverse()) {
    if (method.undo === undefined) continue
    const acting: Frame = { ...frame, run: { ...run, hand } }
    const at = { frame: acting, scope: acting.scope, path: `${frame.instance}/${method.name}/undo`, names: new Names() }
    const walked = await walkStatements(at, method.undo)
    if (!walked.ok) return walked
  }
  return went
}

/** Methods that were begun and have an `<undo>`, as `INSTANCE/METHOD`. */
export function undoable(source: Pick<Run, 'program' | 'agent'>, { instances }: Pick<History, 'instances'>): readonly string[] {
  return [...instances].flatMap(([instance, { goal, chosen }]) => {
    const proto = findGoal(source, goal)
    const methods = proto === undefined ? [] : methodsFor(source, proto)
    return methods.flatMap(({ name, undo: statements }) => (statements !== undefined && chosen.has(name) ? [`${instance}/${name}`] : []))
  })
}
