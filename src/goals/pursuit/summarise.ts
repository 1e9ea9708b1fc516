/** What is known about a run at a glance, folded from its events one by one. Pure. */
import type { GoalEvent, GoalEventBody } from './events.ts'
import type { RunStatus, RunSummary, StepReport, Suspension } from './summary.ts'

type Body<T extends GoalEventBody['type']> = Extract<GoalEventBody, { type: T }>

/** The summary of a whole stream; undefined when it is empty or does not begin with `proposed`. */
export function summarise(events: readonly GoalEvent[]): RunSummary | undefined {
  let summary: RunSummary | undefined
  for (const event of events) summary = advance(summary, event)
  return summary
}

/** The summary after one more event. */
export function advance(before: RunSummary | undefined, { goalId, seq, at, body }: GoalEvent): RunSummary | undefined {
  if (body.type === 'proposed') return proposed(goalId, seq, at, body)
  if (before === undefined) return undefined
  const now = { ...before, seq, updatedAt: at }
  switch (body.type) {
    case 'started':
      return { ...without(now), status: 'pursuing', steps: { ...before.steps, running: 0 } }
    case 'undoing':
      return { ...without(now), status: 'pursuing' }
    case 'repaired':
      // From here on it is this node's duty again, also when the daemon dies before the walk has begun.
      return { ...without(now), status: 'pursuing', ...(body.program !== undefined && { program: body.program }) }
    case 'step-began':
      return { ...now, steps: { ...before.steps, running: before.steps.running + 1 } }
    case 'step-ended':
      return { ...now, steps: count(before.steps, body) }
    case 'suspended':
      return {
        ...now,
        status: 'suspended',
        suspended: { code: body.code, reason: body.reason, candidates: [], kept: [], ...toDo(body), values: body.values ?? {} }
      }
    case 'completed':
      return { ...without(now), status: 'completed', results: body.results }
    case 'cancelled':
      return { ...without(now), status: 'cancelled' }
    default:
      return now
  }
}

function proposed(id: string, seq: number, at: number, body: Body<'proposed'>): RunSummary {
  const { goal, program, agent, by, assignments, chain, undoes } = body
  const status: RunStatus = 'proposed'
  return {
    id,
    goal,
    program,
    ...(agent !== undefined && { agent }),
    status,
    seq,
    createdAt: at,
    updatedAt: at,
    by,
    assignments,
    ...(chain.length > 0 && { chain }),
    ...(undoes !== undefined && { undoes }),
    steps: { done: 0, failed: 0, running: 0 }
  }
}

function count(steps: RunSummary['steps'], { status }: Body<'step-ended'>): RunSummary['steps'] {
  const done = status === 'completed' || status === 'ignored'
  return { done: steps.done + (done ? 1 : 0), failed: steps.failed + (done ? 0 : 1), running: Math.max(0, steps.running - 1) }
}

function without(summary: RunSummary): RunSummary {
  const { suspended, ...rest } = summary
  return rest
}

/** The candidates of each goal and sub-goal, as last classified or failed; the goal that was asked for first. */
export function choicesOf(events: readonly GoalEvent[]): { readonly instance: string; readonly candidates: Suspension['candidates'] }[] {
  const choices = new Map<string, Suspension['candidates']>()
  for (const { body } of events) {
    if (body.type === 'goal-began' && !choices.has(body.instance)) choices.set(body.instance, [])
    if (body.type === 'method-chosen' || (body.type === 'goal-ended' && body.candidates !== undefined))
      choices.set(body.instance, body.candidates ?? [])
    if (body.type === 'method-failed') choices.set(body.instance, withFailure(choices.get(body.instance) ?? [], body))
  }
  return [...choices].flatMap(([instance, candidates]) => (candidates.length === 0 ? [] : [{ instance, candidates }]))
}

function withFailure(candidates: Suspension['candidates'], { method, reason }: Body<'method-failed'>): Suspension['candidates'] {
  return candidates.map(each => (each.method === method ? { ...each, verdict: 'failed', reason } : each))
}

function toDo({ instructions }: Body<'suspended'>): { readonly instructions?: string } {
  return instructions === undefined ? {} : { instructions }
}

/** Why a suspended run waits, read off its events: shown by `goal ID`, too long for every summary. */
export function explainSuspension(events: readonly GoalEvent[]): Suspension | undefined {
  const last = events.findLast(event => event.body.type === 'suspended' || event.body.type === 'started')?.body
  if (last?.type !== 'suspended') return undefined
  const began = new Map<string, Body<'step-began'>>()
  const ended = new Map<string, Body<'step-ended'>>()
  let candidates: Suspension['candidates'] = []
  for (const { body } of events) {
    if (body.type === 'step-began') began.set(body.step, body)
    if (body.type === 'step-ended') ended.set(body.step, body)
    if (body.type === 'method-chosen' && body.instance === last.instance) candidates = body.candidates
    if (body.type === 'method-failed') candidates = withFailure(candidates, body)
  }
  const kept = [...ended.values()].filter(each => each.status === 'completed' || each.status === 'ignored').map(each => each.step)
  const step = last.step === undefined ? undefined : report(began.get(last.step), ended.get(last.step))
  return {
    code: last.code,
    reason: last.reason,
    ...(step !== undefined && { step }),
    candidates,
    kept,
    ...toDo(last),
    values: last.values ?? {}
  }
}

function report(began: Body<'step-began'> | undefined, ended: Body<'step-ended'> | undefined): StepReport | undefined {
  if (began === undefined) return undefined
  const { step, show, place, attempt, env } = began
  return {
    step,
    show,
    place,
    attempt,
    durationMs: ended?.durationMs ?? 0,
    ...(ended?.exit !== undefined && { exit: ended.exit }),
    ...(ended?.tail !== undefined && { tail: ended.tail }),
    ...(env !== undefined && { env })
  }
}
