/** Takes back what goals have done: the `<undo>` of their methods, the last that ended first. See docs/decisions/0010-undo.md. */
import type { Method } from '../program/model.ts'
import { configure, findGoal, openFrame } from './call.ts'
import type { GoalEvent, GoalEventBody } from './events.ts'
import { failed, type Walked, went } from './failure.ts'
import { foldHistory, type History } from './history.ts'
import { Names, rootInstance } from './instance.ts'
import { LookingHand } from './looking-hand.ts'
import { methodsFor } from './methods.ts'
import { canBeUndone, type SentGoal, sentGoals, takeBackStep } from './sent-goals.ts'
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
  /** What was asked of other nodes. */
  readonly sent: readonly SentGoal[]
  /** Absent: it was never configured, and has done nothing. */
  readonly configured?: Extract<GoalEventBody, { type: 'configured' }>
}

/** Linear in the number of events. */
export function deedsOf(events: readonly GoalEvent[]): Deeds {
  const configured = events.findLast(({ body }) => body.type === 'configured')?.body
  return { history: foldHistory(events), sent: sentGoals(events), ...(configured?.type === 'configured' && { configured }) }
}

/** Is told what comes of each deed. */
export interface Told {
  /** Before the `<undo>` of a method is walked. */
  readonly begun?: (begun: Begun) => void
  /** What was done on another node stays: nothing takes it back. */
  readonly stays?: (sent: SentGoal) => void
}

/** Something that was done, as it is met: a method, or what was asked of another node. */
type Deed = { readonly kind: 'method'; readonly begun: Begun } | { readonly kind: 'sent'; readonly frame: Frame; readonly sent: SentGoal }

/**
 * Takes back what was begun below the goal that was asked for, with `hand`: walks the `<undo>` of methods, and asks other nodes.
 * @param done of runs with the same values, the newest first: what several of them did is undone once
 */
export async function undo(run: Run, hand: Hand, done: readonly Deeds[], told: Told = {}, why?: string): Promise<Walked> {
  const undone = new Set<string>()
  for (const deeds of done) {
    const found = await deedsIn(run, hand, deeds)
    const paths = new Set(found.flatMap(each => (each.kind === 'method' ? [each.begun.path] : [])))
    const missing = undoable(run, deeds.history).find(path => !paths.has(`${path}/undo`) && !undone.has(`${path}/undo`))
    if (missing !== undefined)
      return failed(
        missing,
        'step-failed',
        `${missing} was begun, and the program does not lead there any more: undo it by hand, then cancel again`
      )
    for (const each of found.reverse()) {
      const key = each.kind === 'method' ? each.begun.path : each.sent.run
      if (undone.has(key)) continue
      undone.add(key)
      const walked = each.kind === 'method' ? await undoMethod(run, hand, each.begun, told) : await undoSent(run, hand, each, told, why)
      if (!walked.ok) return walked
    }
  }
  return went
}

async function undoMethod(run: Run, hand: Hand, begun: Begun, { begun: tell }: Told): Promise<Walked> {
  const { frame, method, path } = begun
  if (method.undo === undefined) return went
  tell?.(begun)
  const acting: Frame = { ...frame, run: { ...run, hand } }
  return await walkStatements({ frame: acting, scope: acting.scope, path, names: new Names() }, method.undo)
}

/** What nothing takes back is only ended, if it is under way. */
async function undoSent(
  run: Run,
  hand: Hand,
  { frame, sent }: Extract<Deed, { kind: 'sent' }>,
  { stays }: Told,
  why: string | undefined
): Promise<Walked> {
  const isUndone = canBeUndone(run, sent.goal)
  if (isUndone || !sent.isDone) {
    const acting: Frame = { ...frame, run: { ...run, hand } }
    return await hand.step(acting, takeBackStep(acting, sent, isUndone, why))
  }
  stays?.(sent)
  return went
}

/** Methods that were begun and what was asked of other nodes, in the order in which they ended. */
async function deedsIn(run: Run, hand: Hand, { history, sent, configured }: Deeds): Promise<Deed[]> {
  const found: Deed[] = []
  const proto = findGoal(run, run.goal)
  if (proto === undefined || configured === undefined) return found
  const met = new Set<string>()
  const meet = (frame: Frame, step: string): void => {
    met.add(step)
    for (const each of sent) if (each.step === step) found.push({ kind: 'sent', frame, sent: each })
  }
  const looking: Run = {
    ...run,
    hand: new LookingHand(history, queries => hand.gather(queries), meet),
    shared: new Map(),
    outcomes: new Map(),
    left: (frame, method) => {
      if (method !== undefined) found.push({ kind: 'method', begun: { frame, method, path: `${frame.instance}/${method.name}/undo` } })
    }
  }
  const frame = openFrame(looking, proto, rootInstance(run.goal), [{ key: `${run.goal}()`, text: run.goal }])
  configure(frame, configured)
  await walkGoal(frame, {})
  // An edited program may not lead there any more; what was asked for is known all the same.
  for (const each of sent) if (!met.has(each.step)) found.push({ kind: 'sent', frame, sent: each })
  return found
}

/** Whether there is anything that is taken back when the goal is given up. */
export function canTakeBack(source: Pick<Run, 'program' | 'agent'>, { history, sent }: Pick<Deeds, 'history' | 'sent'>): boolean {
  return undoable(source, history).length > 0 || sent.some(({ goal }) => canBeUndone(source, goal))
}

/** Methods that were begun and have an `<undo>`, as `INSTANCE/METHOD`. */
export function undoable(source: Pick<Run, 'program' | 'agent'>, { instances }: Pick<History, 'instances'>): readonly string[] {
  return [...instances].flatMap(([instance, { goal, chosen }]) => {
    const proto = findGoal(source, goal)
    const methods = proto === undefined ? [] : methodsFor(source, proto)
    return methods.flatMap(({ name, undo: statements }) => (statements !== undefined && chosen.has(name) ? [`${instance}/${name}`] : []))
  })
}
