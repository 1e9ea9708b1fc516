/** What was true once and is no longer: posts of goals that were reached, looked at again. Only what is pure is asked. */
import type { Place } from '../program/model.ts'
import type { Variables } from '../tree.ts'
import { configure, findGoal, openFrame } from './call.ts'
import type { Grounds } from './events.ts'
import { groundsOf } from './grounds.ts'
import { goalOfInstance, rootInstance } from './instance.ts'
import { LookingHand } from './looking-hand.ts'
import type { Deeds } from './undo.ts'
import { because, type Frame, type Hand, holds, type Run, walkGoal } from './walk.ts'

/** A goal with a post that was reached, as it is now. */
export interface Checked {
  readonly instance: string
  readonly goal: string
  readonly arguments: Variables
  /** unknown: a look at it would not be pure, or is not possible now. */
  readonly now: 'true' | 'false' | 'unknown'
  readonly because: string
  readonly grounds?: Grounds
  readonly place: Place
}

/** A sub-goal that was reached on another node, which can look at it again. */
export interface Elsewhere {
  /** Id of its run there. */
  readonly run: string
  readonly peer: string
  readonly goal: string
  readonly arguments: Variables
}

/** Looks at each goal with a post that the run has reached, the one that was asked for first. */
export async function lookAgain(around: Run, hand: Pick<Hand, 'gather'>, { history, configured }: Deeds): Promise<readonly Checked[]> {
  const proto = findGoal(around, around.goal)
  if (proto === undefined || configured === undefined) return []
  const frames = new Map<string, Frame>()
  const { world: _, ...pure } = around
  const run: Run = {
    ...pure,
    mode: 'plan',
    hand: new LookingHand(history, queries => hand.gather(queries)),
    shared: new Map(),
    outcomes: new Map(),
    left: (frame, method) => {
      if (method === undefined) frames.set(frame.instance, frame)
    }
  }
  const root = openFrame(run, proto, rootInstance(run.goal), [{ key: `${run.goal}()`, text: run.goal }])
  configure(root, configured)
  await walkGoal(root, {})
  const checked: Checked[] = []
  for (const [instance, { ended, arguments: args }] of history.instances) {
    const frame = frames.get(instance)
    if (frame === undefined || frame.proto.post.length === 0 || ended === undefined || ended === 'failed') continue
    const post = await holds(frame, frame.proto.post)
    const grounds = groundsOf(post)
    checked.push({
      instance,
      goal: frame.proto.name,
      arguments: args,
      now: post.outcome === 'possible' ? 'unknown' : post.outcome,
      because: because(post, 'it does not hold any more'),
      ...(grounds !== undefined && { grounds }),
      place: frame.proto.post[0]?.place ?? frame.proto.place
    })
  }
  return checked
}

/** Sub-goals of the run that were reached on other nodes. */
export function reachedElsewhere({ history }: Deeds): readonly Elsewhere[] {
  return [...history.steps.values()].flatMap(({ began, ended }) =>
    began.kind === 'remote' && began.run !== undefined && began.peer !== undefined && ended?.status === 'completed'
      ? [{ run: began.run, peer: began.peer, goal: goalOfInstance(began.step), arguments: began.arguments ?? {} }]
      : []
  )
}
