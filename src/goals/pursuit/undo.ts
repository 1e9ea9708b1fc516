/** Takes back what goals have done: the `<undo>` of their methods, the last that ended first. See docs/decisions/0010-undo.md. */
import type { Method } from '../program/model.ts'
import { configure, findGoal, openFrame } from './call.ts'
import type { GoalEvent, GoalEventBody } from './events.ts'
import { failed, type Walked, went } from './failure.ts'
import { foldHistory, type History } from './history.ts'
import { Names, rootInstance } from './instance.ts'
import { LookingHand } from './looking-hand.ts'
import { methodsFor } from './methods.ts'
import { walkStatements } from './statements.ts'
import { type Frame, type Hand, type Run, walkGoal } from './walk.ts'

/** A method that was begun, with the values of its goal as they were. */
export interface Begun {
  readonly frame: Frame
  readonly method: Method
  /** `INSTANCE/METHOD/undo` */
  readonly path: string
}

/** What one journal says was done. */
export interface Deeds {
  readonly history: History
  /** Absent: it was never configured, and has done nothing. */
  readonly configured?: Extract<GoalEventBody, { type: 'configured' }>
}

/** Linear in the number of events. */
export function deedsOf(events: readonly GoalEvent[]): Deeds {
  const configured = events.findLast(({ body }) => body.type === 'configured')?.body
  return { history: foldHistory(events), ...(configured?.type === 'configured' && { configured }) }
}

/**
 * Walks the `<undo>` of what was begun below the goal that was asked for, with `hand`.
 * @param done of runs with the same values, the newest first: what several of them did is undone once
 * @param told of each method before its `<undo>` is walked
 */
export async function undo(run: Run, hand: Hand, done: readonly Deeds[], told?: (begun: Begun) => void): Promise<Walked> {
  const undone = new Set<string>()
  for (const deeds of done) {
    const begun = await begunBy(run, hand, deeds)
    const found = new Set(begun.map(({ path }) => path))
    const missing = undoable(run, deeds.history).find(path => !found.has(`${path}/undo`) && !undone.has(`${path}/undo`))
    if (missing !== undefined)
      return failed(
        missing,
        'step-failed',
        `${missing} was begun, and the program does not lead there any more: undo it by hand, then cancel again`
      )
    for (const each of begun.reverse()) {
      if (each.method.undo === undefined || undone.has(each.path)) continue
      undone.add(each.path)
      told?.(each)
      const acting: Frame = { ...each.frame, run: { ...run, hand } }
      const at = { frame: acting, scope: acting.scope, path: each.path, names: new Names() }
      const walked = await walkStatements(at, each.method.undo)
      if (!walked.ok) return walked
    }
  }
  return went
}

/** Methods that were begun, in the order in which they ended. */
async function begunBy(run: Run, hand: Hand, { history, configured }: Deeds): Promise<Begun[]> {
  const begun: Begun[] = []
  const proto = findGoal(run, run.goal)
  if (proto === undefined || configured === undefined) return begun
  const looking: Run = {
    ...run,
    hand: new LookingHand(history, queries => hand.gather(queries)),
    shared: new Map(),
    outcomes: new Map(),
    left: (frame, method) => {
      if (method !== undefined) begun.push({ frame, method, path: `${frame.instance}/${method.name}/undo` })
    }
  }
  const frame = openFrame(looking, proto, rootInstance(run.goal), [{ key: `${run.goal}()`, text: run.goal }])
  configure(frame, configured)
  await walkGoal(frame, {})
  return begun
}

/** Methods that were begun and have an `<undo>`, as `INSTANCE/METHOD`. */
export function undoable(source: Pick<Run, 'program' | 'agent'>, { instances }: Pick<History, 'instances'>): readonly string[] {
  return [...instances].flatMap(([instance, { goal, chosen }]) => {
    const proto = findGoal(source, goal)
    const methods = proto === undefined ? [] : methodsFor(source, proto)
    return methods.flatMap(({ name, undo: statements }) => (statements !== undefined && chosen.has(name) ? [`${instance}/${name}`] : []))
  })
}
