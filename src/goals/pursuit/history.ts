/** What the journal says was done: the fold that lets a walk keep its place. Pure, and linear in the number of events. */
import { isDeepStrictEqual } from 'node:util'
import type { Tree, Variables } from '../tree.ts'
import type { Candidate, GoalEvent, GoalEventBody, StepDecision, Write } from './events.ts'
import { changedNames, qualify } from './freshness.ts'
import { rootInstance } from './instance.ts'

type StepBegan = Extract<GoalEventBody, { type: 'step-began' }>
type StepEnded = Extract<GoalEventBody, { type: 'step-ended' }>
type Undoing = Extract<GoalEventBody, { type: 'undoing' }>
type GoalBegan = Extract<GoalEventBody, { type: 'goal-began' }>
type Repaired = Extract<GoalEventBody, { type: 'repaired' }>

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
  /** Of a sub-goal elsewhere: its runs that were completed, before it was begun once more. */
  spent?: readonly string[]
  /** Of the last outcome; kept while the step runs again, to see whether it changes anything. */
  writes: readonly DatedWrite[]
}

/** Why steps of a goal that were begun before event `since` are done again. */
export interface Again {
  readonly reason: string
  readonly since: number
}

/** What a sub-goal was given, by the event that says so. */
export interface Given {
  readonly arguments: Variables
  /** Hash of the arguments as they were written. */
  readonly call?: string | undefined
  readonly seq: number
}

/** What an expression was when the goal came to it, by the event that says so. */
export interface Evaluated {
  readonly value: Tree
  /** Hash of the expressions as written. */
  readonly key: string
  readonly seq: number
}

/** What was said of the methods when one of them was chosen last, and the event that says so. */
export interface Choice {
  readonly candidates: readonly Candidate[]
  readonly seq: number
}

export interface InstanceRecord extends Given {
  readonly goal: string
  /** By argument: the event since which it has had this value. */
  argumentsSince: ReadonlyMap<string, number>
  /** Methods whose guards held once. */
  readonly chosen: Set<string>
  choice?: Choice | undefined
  /** Methods that failed since the last repair, with the reason. */
  readonly failed: Map<string, string>
  ended?: Extract<GoalEventBody, { type: 'goal-ended' }>['outcome'] | undefined
  /** All was done, and yet its post did not hold. */
  lost?: boolean
  again?: Again | undefined
  /** Of a goal with a post, once it was completed: its variables, and since which event each has had its value. */
  results?: Variables | undefined
  resultsSince: ReadonlyMap<string, number>
}

/** A block with a time limit. */
export interface TimedBlock {
  /** Epoch milliseconds: when its time began; undefined when it is not under way. */
  readonly beganAt?: number
  /** How often its time has run out. */
  readonly timesOver: number
  /** Its time was over when it ended, and nobody has said since that it is to be tried again. */
  readonly over?: boolean
}

/** What a person has decided about a step, and the event that says so. */
export interface Decided {
  readonly verdict: 'step' | StepDecision['verdict']
  readonly seq: number
  readonly writes: readonly Write[]
  /** Of failed: who said so, and why. */
  readonly said?: string
}

export interface History {
  readonly steps: ReadonlyMap<string, StepRecord>
  readonly instances: ReadonlyMap<string, InstanceRecord>
  /** Blocks with a time limit, by path. */
  readonly blocks: ReadonlyMap<string, TimedBlock>
  /** Lists and counts that are made of what may change, by path of their statement. */
  readonly evaluated: ReadonlyMap<string, Evaluated>
  /** Number of the event with which the program was edited last; 0: it never was. */
  readonly edited: number
  /** Values set by people in repairs, by qualified path; the newest wins. */
  readonly set: ReadonlyMap<string, { readonly value: Tree; readonly seq: number }>
  /** Number of the newest event with which people have set anything. */
  readonly lastSet: number
  /** Whether a person decides before each step, and what was decided: by step, with the event that says so. */
  readonly stepwise: boolean
  /** The last rest was for such a decision: nothing has failed, and what was under way still is. */
  readonly paused: boolean
  readonly decided: ReadonlyMap<string, Decided>
  /** All that was begun with event `beganSeq` or later is to be done again, said event `seq`. */
  readonly from?: { readonly step: string; readonly beganSeq: number; readonly seq: number } | undefined
  /** Variables that an edited program starts otherwise than the one before, by qualified path, with the event since which they do. */
  readonly rebound: ReadonlyMap<string, number>
  /** Methods that people want to be tried first, by instance. */
  readonly preferred: ReadonlyMap<string, string>
  /** Who wants what was done to be taken back, if somebody does. */
  readonly undoing?: Undoing | undefined
  /** How many stretches of work there were. */
  readonly stretch: number
  /** Number of the last event. */
  readonly seq: number
}

/** Folds the events of one run, oldest first. */
export function foldHistory(events: readonly GoalEvent[]): History {
  const folding: Folding = {
    steps: new Map(),
    instances: new Map(),
    blocks: new Map(),
    evaluated: new Map(),
    edited: 0,
    set: new Map(),
    decided: new Map(),
    preferred: new Map(),
    rebound: new Map(),
    lastSet: 0,
    stepwise: false,
    paused: false,
    stretch: 0,
    seq: events.at(-1)?.seq ?? 0,
    root: ''
  }
  for (const event of events) fold(folding, event)
  return folding
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends ReadonlyMap<infer Key, infer Value> ? Map<Key, Value> : T[K] }

/** A history while it is put together. */
interface Folding extends Mutable<History> {
  /** Instance of the goal that was asked for. */
  root: string
  /** What its variables were bound to last. */
  bound?: Variables
}

function fold(folding: Folding, { seq, at, body }: GoalEvent): void {
  const { steps, instances, blocks, root } = folding
  switch (body.type) {
    case 'proposed':
      folding.root = rootInstance(body.goal)
      folding.stepwise = body.stepwise ?? false
      return
    case 'started':
      folding.stretch = body.stretch
      return
    case 'configured':
      for (const name of folding.bound === undefined ? [] : changedNames(folding.bound, body.variables))
        folding.rebound.set(qualify(root, `goal.${name}`), seq)
      folding.bound = body.variables
      return
    case 'goal-began':
      instances.set(body.instance, begin(instances.get(body.instance), body, seq))
      return
    case 'goal-ended':
    case 'method-chosen':
    case 'method-failed':
      note(instances.get(body.instance), body, seq)
      return
    case 'step-began':
      steps.set(body.step, again(steps.get(body.step), body, seq, at))
      return
    case 'step-ended':
      end(steps.get(body.step), body, seq, folding.lastSet)
      return
    case 'block-began':
      blocks.set(body.block, { beganAt: at, timesOver: blocks.get(body.block)?.timesOver ?? 0 })
      return
    case 'block-ended': {
      const over = body.outcome === 'timed-out'
      blocks.set(body.block, { timesOver: (blocks.get(body.block)?.timesOver ?? 0) + Number(over), over })
      return
    }
    case 'evaluated':
      folding.evaluated.set(body.path, { value: body.value, key: body.key, seq })
      return
    case 'suspended':
      folding.paused = body.code === 'stepping'
      return
    case 'repaired':
      repair(folding, body, seq)
      return
    case 'undoing':
      folding.undoing = body
      folding.stepwise = false
      return
    case 'completed':
    case 'cancelled':
      return
  }
}

/** What a person has said, from event `seq` on. */
function repair(folding: Folding, body: Repaired, seq: number): void {
  const { steps, instances, blocks, set, decided, preferred, root } = folding
  for (const instance of instances.values()) instance.failed.clear()
  if (saysNoMore(body)) for (const instance of instances.values()) redo(instance, seq)
  for (const [path, { timesOver }] of blocks) blocks.set(path, { timesOver })
  folding.stepwise = body.verb === 'step' || body.verb === 'skip' || body.verb === 'look'
  if (body.step !== undefined && (body.verb === 'step' || body.verb === 'skip'))
    decided.set(body.step, { verdict: body.verb, seq, writes: [] })
  for (const { step, verdict, writes = [] } of body.decisions ?? []) {
    if (verdict === 'from') folding.from = { step, beganSeq: steps.get(step)?.beganSeq ?? seq, seq }
    else decided.set(step, { verdict, seq, writes, ...(verdict === 'failed' && { said: saidBy(body) }) })
  }
  if (body.program !== undefined) folding.edited = seq
  if (body.method !== undefined) preferred.set(body.method.instance, body.method.method)
  for (const { path, value } of body.assignments) if (typeof value !== 'string') set.set(absolute(root, path), { value, seq })
  if (body.assignments.length > 0) folding.lastSet = seq
}

function saidBy({ by, why }: Repaired): string {
  return `it failed, says ${by.email ?? by.node}${why === undefined ? '' : `: ${why}`}`
}

/** `goal.port` means the goal that was asked for; `site>user:goal.name` a sub-goal's. */
function absolute(root: string, path: string): string {
  return path.includes(':') ? path : qualify(root, path)
}

function again(before: StepRecord | undefined, began: StepBegan, beganSeq: number, beganAt: number): StepRecord {
  const since = before === undefined ? undefined : pausedSince(before)
  return { began, beganSeq, beganAt, since, ...spentBy(before), writes: before?.writes ?? [] }
}

/** What of a step is spent once it is begun again. */
export function spentBy(before: StepRecord | undefined): Pick<StepRecord, 'spent'> {
  const { spent = [], began, ended } = before ?? {}
  const all = began?.run !== undefined && ended?.status === 'completed' ? [...new Set([...spent, began.run])] : spent
  return all.length === 0 ? {} : { spent: all }
}

/** Epoch milliseconds: since when a step has been under way that was interrupted; undefined when it came to its end. */
export function pausedSince(record: StepRecord): number | undefined {
  const paused = record.ended === undefined || record.ended.status === 'stopped'
  return paused ? (record.since ?? record.beganAt) : undefined
}

function end(record: StepRecord | undefined, body: StepEnded, seq: number, lastSet: number): void {
  if (record === undefined) return
  record.ended = body
  if (body.status !== 'completed' && body.status !== 'ignored') return
  record.writes = dated(record.writes, body.writes, seq, lastSet)
}

/**
 * What a step that ran again with event `seq` has written: just what it wrote before is as old as it was,
 * but newer than what people have set since.
 */
export function dated(before: readonly DatedWrite[], writes: readonly Write[], seq: number, lastSet: number): readonly DatedWrite[] {
  return writes.map(write => {
    const same = before.find(({ path, value, since }) => path === write.path && since >= lastSet && isDeepStrictEqual(value, write.value))
    return { ...write, since: same?.since ?? seq }
  })
}

/** Go on as it is: nothing is another way than it was. */
function saysNoMore({ verb, assignments, decisions = [], method, program }: Repaired): boolean {
  return verb === 'retry' && assignments.length === 0 && decisions.length === 0 && method === undefined && program === undefined
}

/** The post of a goal that does not hold is the proof that what was kept of it cannot be kept. */
function redo(instance: InstanceRecord, seq: number): void {
  if (instance.lost !== true) return
  instance.lost = false
  instance.again = { reason: `${instance.goal} is not true although all was done`, since: seq }
}

function begin(before: InstanceRecord | undefined, body: GoalBegan, seq: number): InstanceRecord {
  const { goal, arguments: args = {}, call } = body
  const again = body.again === undefined ? before?.again : { reason: body.again, since: seq }
  const argumentsSince = new Map<string, number>()
  for (const [name, value] of Object.entries(args)) {
    const same = before !== undefined && isDeepStrictEqual(before.arguments[name], value)
    argumentsSince.set(name, same ? (before.argumentsSince.get(name) ?? seq) : seq)
  }
  const { chosen = new Set<string>(), failed = new Map<string, string>(), resultsSince = new Map<string, number>() } = before ?? {}
  const renewed = new Set(changedNames(before?.arguments ?? {}, args))
  // An argument that is another one is not a result any more.
  const results = before?.results && Object.fromEntries(Object.entries(before.results).filter(([name]) => !renewed.has(name)))
  // Told once more what it was told before, it is as far as it was.
  const ended = body.again === undefined && renewed.size === 0 ? before?.ended : undefined
  const { choice } = before ?? {}
  return { goal, arguments: args, call, seq, argumentsSince, chosen, choice, failed, ended, again, results, resultsSince }
}

function note(
  record: InstanceRecord | undefined,
  body: Extract<GoalEventBody, { type: 'goal-ended' | 'method-chosen' | 'method-failed' }>,
  seq: number
): void {
  if (record === undefined) return
  if (body.type === 'goal-ended') {
    record.ended = body.outcome
    record.lost = body.lost ?? false
    if (body.results === undefined) return
    const { results: before = {}, resultsSince: since } = record
    const sinceOf = ([name, value]: [string, Tree]): [string, number] => [
      name,
      isDeepStrictEqual(before[name], value) ? (since.get(name) ?? seq) : seq
    ]
    record.resultsSince = new Map(Object.entries(body.results).map(sinceOf))
    record.results = body.results
  } else if (body.type === 'method-chosen') {
    record.chosen.add(body.method)
    record.choice = { candidates: body.candidates, seq }
    // chosen again after it failed: a retry within one stretch
    record.failed.delete(body.method)
  } else record.failed.set(body.method, body.reason)
}
