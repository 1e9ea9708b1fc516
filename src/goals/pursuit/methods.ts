/** Which methods a goal has, in which order, and what can be said of each before it is tried. */
import type { GoalProto, Method } from '../program/model.ts'
import type { Candidate, Grounds } from './events.ts'
import { groundsOf } from './grounds.ts'
import { because, type Frame, holds, type Run } from './walk.ts'

/** A method and what its guards say. `selected` in a plan may rest on something not known yet. */
export interface Classified {
  readonly method: Method
  readonly verdict: Candidate['verdict']
  readonly reason?: string
  readonly grounds?: Grounds
}

/** Candidates in order: the goal's own, the agent's, global; within one scope a later definition first; `priority` above all. */
export function methodsFor(run: Pick<Run, 'program' | 'agent'>, proto: GoalProto): readonly Method[] {
  const targets = (method: Method): boolean => method.target === proto.name
  const scopes = [proto.methods, run.agent?.methods.filter(targets) ?? [], run.program.methods.filter(targets)]
  return scopes.flatMap(methods => methods.toReversed()).sort((a, b) => b.priority - a.priority)
}

/** Evaluates the guards of one method; its prerequisites are only looked at, not pursued. */
export async function classify(frame: Frame, method: Method): Promise<Classified> {
  if (frame.run.hand.wasChosen(frame.instance, method.name)) return { method, verdict: 'selected', reason: 'chosen before' }
  const result = await holds(frame, method.pre)
  const grounds = groundsOf(result)
  const told = { method, ...(grounds !== undefined && { grounds }) }
  if (result.errors.length > 0 || result.outcome === 'false')
    return { ...told, verdict: 'rejected', reason: because(result, 'a guard is false') }
  const waiting = result.calls.filter(call => frame.scope.completed(call) === undefined)
  if (waiting.length > 0) return { ...told, verdict: 'queued', reason: `needs ${waiting.map(call => call.goal).join(', ')}` }
  if (result.outcome === 'true') return { ...told, verdict: 'selected' }
  if (frame.run.mode !== 'plan') return { ...told, verdict: 'rejected', reason: because(result, 'a guard cannot be decided') }
  frame.possible = true
  return { ...told, verdict: 'selected', reason: because(result, 'depends on what is not known yet') }
}
