/** What the journal says was done: the fold that lets a walk keep its place. Pure, and linear in the number of events. */
import { isDeepStrictEqual } from 'node:util'
import type { Tree, Variables } from '../tree.ts'
import type { GoalEvent, GoalEventBody, Write } from './events.ts'
import { qualify } from './freshness.ts'
import { rootInstance } from './instance.ts'

type StepBegan = Extract<GoalEventBody, { type: 'step-began' }>
type StepEnded = Extract<GoalEventBody, { type: 'step-ended' }>

/** A write and the event since which its step has written just this value. */
export interface DatedWrite extends Write {
  readonly since: number
}

export interface StepRecord {
  began: StepBegan
  beganSeq: number
  /** Epoch milliseconds. */
  beganAt: number
  /** Epoch milliseconds: when the first of the tries began that were interrupted one after the other and led to this one. */
  since?: number | undefined
  /** Absent: intent without outcome, which only a crash leaves behind. */
  ended?: StepEnded | undefined
  /** Of the last outcome; kept while the step runs again, to see whether it changes anything. */
  writes: readonly DatedWrite[]
}

export interface InstanceRecord {
  arguments: Variables
  /** By argument: the event since which it has had this value. */
  argumentsSince: ReadonlyMap<string, number>
  /** Methods whose guards held once. */
  readonly chosen: Set<string>
  /** Methods that failed since the last repair, with the reason. */
  readonly failed: Map<string, string>
  ended?: Extract<GoalEventBody, { type: 'goal-ended' }>['outcome']
}

export interface History {
  readonly steps: ReadonlyMap<string, StepRecord>
  readonly instances: ReadonlyMap<string, InstanceRecord>
  /** Values set by people in repairs, by qualified path; the newest wins. */
  readonly set: ReadonlyMap<string, { readonly value: Tree; readonly seq: number }>
  /** Whether a person decides before each step, and what was decided: by step, with the event that says so. */
  readonly stepwise: boolean
  /** The last rest was for such a decision: nothing has failed, and what was under way still is. */
  readonly paused: boolean
  readonly decided: ReadonlyMap<string, { readonly verb: 'step' | 'skip'; readonly seq: number }>
  /** How many stretches of work there were. */
  readonly stretch: number
  /** Number of the last event. */
  readonly seq: number
}

/** Folds the events of one run, oldest first. */
export function foldHistory(events: readonly GoalEvent[]): History {
  const steps = new Map<string, StepRecord>()
  const instances = new Map<string, InstanceRecord>()
  const set = new Map<string, { value: Tree; seq: number }>()
  let stretch = 0
  let root = ''
  let stepwise = false
  let paused = false
  const decided = new Map<string, { verb: 'step' | 'skip'; seq: number }>()
  for (const { seq, at, body } of events) {
    if (body.type === 'proposed') {
      root = rootInstance(body.goal)
      stepwise = body.stepwise ?? false
    } else if (body.type === 'started') stretch = body.stretch
    else if (body.type === 'step-began') steps.set(body.step, again(steps.get(body.step), body, seq, at))
    else if (body.type === 'step-ended') end(steps.get(body.step), body, seq)
    else if (body.type === 'goal-began') instances.set(body.instance, begin(instances.get(body.instance), body.arguments ?? {}, seq))
    else if (body.type === 'goal-ended' || body.type === 'method-chosen' || body.type === 'method-failed')
      note(instances.get(body.instance), body)
    else if (body.type === 'suspended') paused = body.code === 'stepping'
    else if (body.type === 'repaired') {
      for (const instance of instances.values()) instance.failed.clear()
      stepwise = body.verb === 'step' || body.verb === 'skip' || body.verb === 'look'
      if (body.step !== undefined && (body.verb === 'step' || body.verb === 'skip')) decided.set(body.step, { verb: body.verb, seq })
      for (const { path, value } of body.assignments) if (typeof value !== 'string') set.set(absolute(root, path), { value, seq })
    }
  }
  return { steps, instances, set, stepwise, paused, decided, stretch, seq: events.at(-1)?.seq ?? 0 }
}

/** `goal.port` means the goal that was asked for; `site>user:goal.name` a sub-goal's. */
function absolute(root: string, path: string): string {
  return path.includes(':') ? path : qualify(root, path)
}

function again(before: StepRecord | undefined, began: StepBegan, beganSeq: number, beganAt: number): StepRecord {
  return { began, beganSeq, beganAt, since: before === undefined ? undefined : pausedSince(before), writes: before?.writes ?? [] }
}

/** Epoch milliseconds: since when a step has been under way that was interrupted; undefined when it came to its end. */
export function pausedSince(record: StepRecord): number | undefined {
  const paused = record.ended === undefined || record.ended.status === 'stopped'
  return paused ? (record.since ?? record.beganAt) : undefined
}

function end(record: StepRecord | undefined, body: StepEnded, seq: number): void {
  if (record === undefined) return
  record.ended = body
  if (body.status !== 'completed' && body.status !== 'ignored') return
  const before = new Map(record.writes.map(write => [write.path, write]))
  record.writes = body.writes.map(write => {
    const same = before.get(write.path)
    return { ...write, since: same !== undefined && isDeepStrictEqual(same.value, write.value) ? same.since : seq }
  })
}

function begin(before: InstanceRecord | undefined, args: Variables, seq: number): InstanceRecord {
  const argumentsSince = new Map<string, number>()
  for (const [name, value] of Object.entries(args)) {
    const same = before !== undefined && isDeepStrictEqual(before.arguments[name], value)
    argumentsSince.set(name, same ? (before.argumentsSince.get(name) ?? seq) : seq)
  }
  return { arguments: args, argumentsSince, chosen: before?.chosen ?? new Set(), failed: before?.failed ?? new Map() }
}

function note(
  record: InstanceRecord | undefined,
  body: Extract<GoalEventBody, { type: 'goal-ended' | 'method-chosen' | 'method-failed' }>
): void {
  if (record === undefined) return
  if (body.type === 'goal-ended') record.ended = body.outcome
  else if (body.type === 'method-chosen') record.chosen.add(body.method)
  else record.failed.set(body.method, body.reason)
}
