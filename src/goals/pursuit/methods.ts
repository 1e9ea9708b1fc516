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

/** Candidates in order: the goal's own, the agent's, global; within one scope a later definition first; `priority` above all. Nearer ones hide those of the same name. */
export function methodsFor(run: Pick<Run, 'program' | 'agent'>, proto: GoalProto): readonly Method[] {
  const scopes = [proto.methods, methodsOf(run.agent?.methods ?? [], proto.name), methodsOf(run.program.methods, proto.name)]
  const seen = new Map<string, Method>()
  // a journal knows methods by name: one that is nearer hides those of the same name behind it
  for (const method of scopes.flatMap(methods => methods.toReversed())) if (!seen.has(method.name)) seen.set(method.name, method)
  return [...seen.values()].sort((a, b) => b.priority - a.priority)
}

/** By list and goal: a program of many methods is not gone through for each of its sub-goals. */
const byGoal = new WeakMap<readonly Method[], Map<string, Method[]>>()

function methodsOf(methods: readonly Method[], goal: string): readonly Method[] {
  let sorted = byGoal.get(methods)
  if (sorted === undefined) {
    sorted = new Map<string, Method[]>()
    for (const method of methods) sorted.set(method.target, [...(sorted.get(method.target) ?? []), method])
    byGoal.set(methods, sorted)
  }
  return sorted.get(goal) ?? []
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
  if (result.outcome === 'true') {
    const isLate = frame.run.hand.wasPassedOver(frame, method.name, Object.keys(result.reads))
    return isLate
      ? { ...told, verdict: 'queued', reason: 'its guards hold only since another method was chosen' }
      : { ...told, verdict: 'selected' }
  }
  if (frame.run.mode !== 'plan') return { ...told, verdict: 'rejected', reason: because(result, 'a guard cannot be decided') }
  frame.possible = true
  return { ...told, verdict: 'selected', reason: because(result, 'depends on what is not known yet') }
}
