/**
 * The walk of a goal: requirements, post, choice of method, prerequisites, statements, post again.
 * Planning and pursuing are this one walk; what differs is the {@link Hand} that does or only writes down.
 * Source: docs/language.md, "Life cycle of a goal" and "Methods".
 */
import assert from 'node:assert/strict'
import type { ExprResult, Scope } from '../expression/result.ts'
import { conjunction } from '../expression/evaluate.ts'
import type { Fact, FactQuery, Surroundings, World } from '../ports.ts'
import type { AgentProto, Description, Expression, GoalCall, GoalProto, Method, Path, Program, StatementBase } from '../program/model.ts'
import { describe as describeFor } from '../render/describe.ts'
import type { Tree, Variables } from '../tree.ts'
import { type Asked, callGoal, type Here, type Link } from './call.ts'
import type { Candidate, Grounds } from './events.ts'
import { type Ended, type Failure, failed, type Walked, went } from './failure.ts'
import { groundsOf, joinGrounds } from './grounds.ts'
import type { Again } from './history.ts'
import { Names } from './instance.ts'
import { type Classified, classify, methodsFor } from './methods.ts'
import { walkStatements } from './statements.ts'
import { correcting, correctionsOf } from './correct.ts'
import { persist } from './persist.ts'
import type { How } from './recall.ts'
import type { Step } from './step.ts'
import type { TimeLimit } from './time-limits.ts'

/** Rounds of "evaluate, gather what was asked for" before it is called endless: each round needs a new fact, nested facts are rare. */
const FACT_ROUNDS_MAX = 64

/** What a walk does about what it meets. */
export interface Hand {
  /** Answers queries into `run.facts`. */
  gather(queries: readonly FactQuery[]): Promise<void>
  goalBegan(frame: Frame, args: Variables): Promise<void>
  goalEnded(frame: Frame, ended: Ended): Promise<void>
  methodChosen(frame: Frame, method: Method, candidates: readonly Candidate[]): Promise<void>
  methodFailed(frame: Frame, method: Method, failure: Failure): Promise<void>
  /** Does the step, keeps what it did before, or writes down that it would be done. */
  step(frame: Frame, step: Step): Promise<Walked>
  /** The value at `to` of `frame` has come back from `from` of a sub-goal (qualified path): it is as new as it was there. */
  gaveBack(frame: Frame, to: Path, from: string): void
  /** A goal that was completed before still holds: puts its results back in place. */
  recall(frame: Frame): void
  /** The post of the goal does not hold. When it was reached before, what was kept of its own steps cannot be kept. */
  notTrue(frame: Frame): Promise<void>
  /**
   * The arguments of sub-goal `instance`, as they are `now` or as they were when it began: an argument stays what it was
   * while nothing that it read has changed since, in walk order, and it is written as it was.
   */
  given(frame: Frame, instance: string, now: Asked): Variables
  /**
   * What the list or count at `path` is: as it is now, or as it was when the goal came to it before, while nothing that it reads
   * has changed since, in walk order.
   */
  evaluated(frame: Frame, path: string, now: Listed): Promise<Tree>
  /** The requirements of the goal held when its method was chosen, and nothing at `paths` has changed since: its own steps may have. */
  wasMet(frame: Frame, paths: readonly string[]): boolean
  /** The guards of the method did not hold when another one was chosen, and nothing at `paths` has changed since, in walk order. */
  wasPassedOver(frame: Frame, method: string, paths: readonly string[]): boolean
  /** Sub-goal `instance` is one that was pursued in this run already: what it was given is kept for the next walk. */
  shared(instance: string, proto: GoalProto, args: Variables, link: Link): Promise<void>
  /** The method that a person wants to be tried first. */
  preferred(instance: string): string | undefined
  /** The goal was only paused within its method: its post is not looked at before that has gone through. */
  isUnderWay(instance: string): boolean
  /** The guards of this method held earlier in the run; its own steps may have changed them since. */
  wasChosen(instance: string, method: string): boolean
  /** Why the method failed since the last repair, if it did. */
  whyFailed(instance: string, method: string): string | undefined
  /**
   * Waits as `policy` says after the failure number `tries`, from 0, of what is walked at `path`, and makes it possible
   * to walk it again. False when there is no try left, in a plan, and when a person asked to suspend.
   */
  mayRetry(path: string, policy: StatementBase, tries: number, how?: How): Promise<boolean>
  /** A block with a `timeout` has ended, by whatever way. */
  blockEnded(limit: TimeLimit, outcome: 'completed' | 'failed' | 'timed-out'): void
  /** Everything below `path` may be walked again. */
  reopen(path: string): void
  /** Of a plan, which walks one after the other: told what may be done side by side within a goal, `most` at a time. */
  sideBySide?(instance: string, most: number): { begins(): void; ended(): void; over(): void }
}

/** A list or count that may be another one at the next look. */
export interface Listed {
  readonly value: Tree
  /** Hash of the expressions as they are written. */
  readonly key: string
  /** Paths that were read. */
  readonly reads: readonly string[]
  readonly how?: How | undefined
}

/** What all goals of one run share. */
export interface Run {
  readonly id: string
  /** Name of the goal that was asked for. */
  readonly goal: string
  readonly program: Program
  readonly agent?: AgentProto
  readonly hand: Hand
  /** Absent in a plan, which touches nothing. */
  readonly world?: World
  readonly mode: 'plan' | 'pursue' | 'execute'
  readonly surroundings: Surroundings
  readonly instances: ReadonlyMap<string, Tree>
  readonly writeAgent: (path: readonly (string | number)[], value: Tree) => void
  readonly facts: Map<string, Fact>
  /** A secret → the reference that stands for it in everything that is kept. */
  readonly seal: (secret: string) => string
  /** Sub-goals of this run by goal and arguments: each is pursued once. */
  readonly shared: Map<string, { readonly ended: Promise<Ended>; readonly waitsFor: Set<string> }>
  readonly outcomes: Map<string, boolean>
  readonly chain: readonly string[]
  /** Only what was begun is looked into: is told of each method of that, when it has been walked, and then of its goal. */
  readonly left?: (frame: Frame, method?: Method) => void
  /** Of the person who asked, as in LANG. */
  readonly locale?: string
  /** Share the connections of plain ssh and scp prefixes. */
  readonly sshReuse?: boolean
}

/** One goal of the run while it is walked. */
export interface Frame {
  readonly run: Run
  readonly instance: string
  readonly proto: GoalProto
  readonly variables: Record<string, Tree>
  /** Where each value came from, by path. */
  readonly sources: Record<string, string>
  readonly scope: Scope
  /** The goals that led here, the one that was asked for first. */
  readonly callers: readonly Link[]
  /** What requirements and post rested on when they were last looked at. */
  grounds?: Grounds | undefined
  /** Why its own steps have to run again, and before which event they were begun then. */
  again?: Again | undefined
  /** The journal says that it was completed with the same arguments. */
  wasReached?: boolean
  /** Hash of its arguments as they are written where it was called. */
  call?: string
  /** The journal has in this stretch that it began. */
  begunAnew?: boolean
  /** In a plan: whether this may not happen at all. */
  possible: boolean
  /** In a plan: it failed in a part that may not happen at all. */
  mayGoOn?: true
  /** What the blocks around its call want. */
  how?: How
  names: Names
  /** Prerequisites that went through, also when they have changed their own arguments since. */
  readonly ready: Set<GoalCall>
}

/** Walks one goal to its end. Never throws for anything the program or the machine did. */
export async function walkGoal(frame: Frame, args: Variables): Promise<Ended> {
  await frame.run.hand.goalBegan(frame, args)
  const ended = await achieve(frame)
  await frame.run.hand.goalEnded(frame, ended)
  return ended
}

async function achieve(frame: Frame): Promise<Ended> {
  const { proto, run } = frame
  if (run.left !== undefined) return await lookInto(frame, run.left)
  const required = await holds(frame, proto.pre)
  frame.grounds = groundsOf(required)
  if (required.outcome === 'false' && !run.hand.wasMet(frame, Object.keys(required.reads)))
    return lost(failed(frame.instance, 'config-incomplete', because(required, `a requirement of ${proto.name} does not hold`)))

  if (proto.post.length > 0 && !run.hand.isUnderWay(frame.instance)) {
    const post = await holds(frame, proto.post)
    frame.grounds = joinGrounds(frame.grounds, groundsOf(post))
    if (post.outcome === 'true') {
      run.hand.recall(frame)
      return { outcome: 'already-true', instance: frame.instance, results: frame.variables }
    }
    if (post.outcome === 'possible') frame.possible = true
    await run.hand.notTrue(frame)
  }

  const classified: Classified[] = []
  for (const method of methodsFor(run, proto)) classified.push(await classify(frame, method))
  const wanted = run.hand.preferred(frame.instance)
  const inTurn = (verdict: Classified['verdict']): Classified[] =>
    classified.filter(each => each.verdict === verdict && each.method.name !== wanted)
  const order = [...classified.filter(each => each.method.name === wanted), ...inTurn('selected'), ...inTurn('queued')]
  if (order.length === 0)
    return lost(failed(frame.instance, 'no-method', noMethod(proto, classified), { candidates: classified.map(candidate) }))
  return await tryInOrder(frame, order, classified)
}

/** Every method that was chosen once, whatever became of it; guards, requirements and post may be otherwise by now. */
async function lookInto(frame: Frame, left: NonNullable<Run['left']>): Promise<Ended> {
  for (const method of methodsFor(frame.run, frame.proto)) {
    if (!frame.run.hand.wasChosen(frame.instance, method.name)) continue
    await walkMethod(frame, method, [])
    left(frame, method)
  }
  left(frame)
  return { outcome: 'completed', instance: frame.instance, results: frame.variables }
}

/** The first method that works wins; in `execute` there is only the first. */
async function tryInOrder(frame: Frame, order: readonly Classified[], all: readonly Classified[]): Promise<Ended> {
  const { run } = frame
  const verdicts = new Map<string, Candidate>(all.map(each => [each.method.name, candidate(each)]))
  let last: Failure | undefined
  for (const { method } of order) {
    const before = run.hand.whyFailed(frame.instance, method.name)
    const walked =
      before === undefined
        ? await tryMethod(frame, method, [...verdicts.values()])
        : failed(frame.instance, 'step-failed', before, { known: true })
    if (walked.ok)
      return {
        outcome: frame.possible && run.mode === 'plan' ? 'possible' : 'completed',
        instance: frame.instance,
        results: frame.variables
      }
    verdicts.set(method.name, { ...verdicts.get(method.name), method: method.name, verdict: 'failed', reason: walked.failure.reason })
    last = last === undefined || walked.failure.step !== undefined ? walked.failure : last
    if (walked.failure.final) break
    if (before === undefined) await run.hand.methodFailed(frame, method, walked.failure)
    if (run.mode === 'execute') break
  }
  assert(last !== undefined, 'a goal failed without a reason')
  return lost({ ok: false, failure: { ...last, candidates: last.candidates.length > 1 ? last.candidates : [...verdicts.values()] } })
}

async function tryMethod(frame: Frame, method: Method, candidates: readonly Candidate[]): Promise<Walked> {
  if (correctionsOf(frame, method).length === 0) return await walkMethod(frame, method, candidates)
  frame.how = { ...frame.how, recall: true }
  return await correcting(frame, method, () => walkMethod(frame, method, candidates))
}

async function walkMethod(frame: Frame, method: Method, candidates: readonly Candidate[]): Promise<Walked> {
  frame.names = new Names()
  const { hand } = frame.run
  const guardsHeld = hand.wasChosen(frame.instance, method.name) || hand.preferred(frame.instance) === method.name
  const ready = await prerequisites(frame, [...frame.proto.pre, ...method.pre], guardsHeld)
  if (!ready.ok) return ready
  await frame.run.hand.methodChosen(frame, method, candidates)
  const body = await walkStatements(hereOf(frame, `${frame.instance}/${method.name}`, new Names()), method.body)
  if (!body.ok || frame.proto.post.length === 0) return body
  const post = await holds(frame, frame.proto.post)
  if (post.outcome === 'false' && frame.run.mode !== 'plan') {
    return failed(frame.instance, 'post-not-true', because(post, `${frame.proto.name} is not true although ${method.name} went through`))
  }
  return went
}

function hereOf(frame: Frame, path: string, names: Names): Here {
  return { frame, scope: frame.scope, path, names, ...(frame.how !== undefined && { how: frame.how }) }
}

/** Pursues, one after the other, the sub-goals that `expressions` need before they can hold. */
async function prerequisites(frame: Frame, expressions: readonly Expression[], guardsHeld: boolean): Promise<Walked> {
  for (;;) {
    const result = await holds(frame, expressions)
    if (result.outcome === 'true') return went
    const call = result.calls.find(each => frame.scope.completed(each) === undefined)
    if (call === undefined) {
      if (guardsHeld && (result.calls.length === 0 || frame.run.left !== undefined)) return went
      if (result.outcome === 'possible' && frame.run.mode === 'plan') {
        frame.possible = true
        return went
      }
      return failed(frame.instance, 'no-method', because(result, 'a prerequisite does not hold'))
    }
    const { policy } = call
    const at = hereOf(frame, frame.instance, frame.names)
    const here: Here = policy?.debug === true ? { ...at, how: { ...at.how, debug: true } } : at
    const ended =
      policy === undefined
        ? await callGoal(here, call)
        : await persist(here, policy, frame.names.next(`${frame.instance}/pre.${call.goal}`), again => callGoal(again, call))
    if (!ended.ok) return ended
    frame.ready.add(call)
  }
}

/** Whether all of `expressions` hold, with the facts they ask for gathered. */
export async function holds(frame: Frame, expressions: readonly Expression[]): Promise<ExprResult> {
  return await settle(frame.run, () => conjunction(expressions, frame.scope))
}

/** Evaluates, gathers the facts that were asked for, and evaluates again until nothing more is asked. */
export async function settle<T extends { readonly wanted: readonly FactQuery[] }>(run: Run, look: () => T): Promise<T> {
  for (let round = 0; round < FACT_ROUNDS_MAX; round++) {
    const result = look()
    if (result.wanted.length === 0) return result
    await run.hand.gather(result.wanted)
  }
  throw new assert.AssertionError({ message: `facts were asked for ${FACT_ROUNDS_MAX} times over` })
}

/** The description for the person who asked, with what is known filled in. */
export function describe(descriptions: readonly Description[], scope: Scope): string | undefined {
  return descriptions.length === 0 ? undefined : describeFor(descriptions, scope, scope.locale)
}

/** The reasons of a result as one sentence. */
export function because(result: ExprResult, otherwise: string): string {
  const texts = [...result.errors.map(error => error.message), ...result.reasons.map(reason => reason.text)]
  return texts.length === 0 ? otherwise : texts.join('; ')
}

function lost(walked: { readonly ok: false; readonly failure: Failure }): Ended {
  return { outcome: 'failed', failure: walked.failure }
}

function candidate({ method, verdict, reason, grounds }: Classified): Candidate {
  return { method: method.name, verdict, ...(reason !== undefined && { reason }), ...(grounds !== undefined && { grounds }) }
}

function noMethod(proto: GoalProto, classified: readonly Classified[]): string {
  if (classified.length === 0) return `no method is known for ${proto.name}`
  return `no method of ${proto.name} can be used: ${classified.map(each => `${each.method.name}: ${each.reason ?? each.verdict}`).join('; ')}`
}
