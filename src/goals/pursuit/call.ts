/** A goal that needs another: arguments, sharing, cycles, results. Source: docs/language.md, "Sub-goals". */
import { createHash } from 'node:crypto'
import type { Scope } from '../expression/result.ts'
import { type Declared, declared } from '../expression/declared.ts'
import { bind, type BindInput } from '../config/bind.ts'
import { showPath } from '../expression/path.ts'
import { showTree } from '../expression/plain.ts'
import { makeScope } from '../expression/scope.ts'
import { sealSecrets, sealVariables } from '../expression/secrets.ts'
import type { Declaration, GoalCall, GoalProto, Path, Place } from '../program/model.ts'
import { showPlace } from '../program/xml.ts'
import type { Tree, Variables } from '../tree.ts'
import { type Achieved, type Ended, failed, type Walked, went } from './failure.ts'
import { Names } from './instance.ts'
import type { How } from './recall.ts'
import { remoteStep } from './remote.ts'
import { type Step, updateStep } from './step.ts'
import { type Frame, type Run, settle, walkGoal } from './walk.ts'

/** Most goals on the way from the one that was asked for: a goal that needs itself with ever new arguments is no circle, but has no end. */
export const GOALS_DEEP_MAX = 200

/** One goal on the way from the goal that was asked for to here. */
export interface Link {
  readonly key: string
  readonly text: string
  /** Where it is needed; absent for the goal that was asked for. */
  readonly place?: Place
  /** Hash of its arguments as they are written there. */
  readonly call?: string
}

/** What a sub-goal is asked for with. */
export interface Asked extends Pick<Declared, 'variables' | 'reads'> {
  /** Hash of the arguments as they are written. */
  readonly call: string
  /** Paths of the caller to which it gives something back. */
  readonly gives: readonly string[]
}

/** Where statements are walked: whose they are, what they see, and how they are called. */
export interface Here {
  readonly frame: Frame
  readonly scope: Scope
  readonly path: string
  readonly names: Names
  /** What the blocks around here want. */
  readonly how?: How
}

/** Hands a step to the hand, with what the blocks around it want. */
export function takeStep(here: Here, step: Step): Promise<Walked> {
  const how = here.how ?? here.frame.how
  return here.frame.run.hand.step(here.frame, how === undefined ? step : { ...step, how })
}

/** Pursues (or plans) the goal that `call` names and copies its in/out arguments back. */
export async function callGoal(here: Here, call: GoalCall, resultName?: string): Promise<Walked> {
  const { frame, scope } = here
  const { run } = frame
  const elsewhere = call.peer !== undefined || call.where !== undefined
  const proto = findGoal(run, call.goal) ?? (elsewhere ? goalOfAnyAgent(run, call.goal) : undefined)
  if (proto === undefined) return failed(frame.instance, 'step-failed', `${at(call)}: no goal is called ${call.goal}`)
  const instance = here.names.next(`${here.path}>${call.goal}`)
  const now = await settle(run, () => argumentsOf(run, scope, call))
  const problem = now.errors[0]
  if (problem !== undefined)
    return failed(frame.instance, 'step-failed', `${problem.place.file}:${problem.place.line}:${problem.place.col}: ${problem.message}`)
  const args = run.hand.given(frame, instance, { ...now, call: written(call), gives: outputsOf(call, resultName).map(showPath) })
  const key = callKey(call.goal, args)
  const text = showCall(call.goal, args)
  const endless = endlessness(frame, call, key, text)
  if (endless !== undefined) return failed(frame.instance, 'step-failed', `${at(call)}: ${endless}`, { final: true })
  if (elsewhere)
    return await takeStep(here, { ...remoteStep(here, call, instance, args, resultName), argumentReads: Object.values(now.reads).flat() })

  const again = call.again || here.how?.again === true
  const link: Link = { key, text, place: call.place, call: written(call) }
  const unsure = isUnknown(args)
  const possible = frame.possible || (unsure && run.shared.has(key))
  const ended = await once(here, key, again || unsure, () => walkChild(here, proto, instance, args, link, possible))
  if (ended.outcome === 'failed') {
    run.outcomes.set(key, false)
    return { ok: false, failure: ended.failure }
  }
  run.outcomes.set(key, true)
  if (ended.instance !== instance && readsLive(now)) await run.hand.shared(instance, proto, args, link)
  return await giveBack(here, call, ended, resultName)
}

/** Why a goal would need others without an end: it needs itself, or ever new ones. */
function endlessness(frame: Frame, call: GoalCall, key: string, text: string): string | undefined {
  const from = frame.callers.findIndex(link => link.key === key)
  if (from !== -1) return `${call.goal} needs itself: ${cycle([...frame.callers.slice(from), { text, place: call.place }])}`
  if (frame.callers.length < GOALS_DEEP_MAX) return undefined
  const ways = frame.callers.slice(-3).map(link => link.text)
  return `goals need one another more than ${GOALS_DEEP_MAX} deep: … → ${[...ways, text].join(' → ')}`
}

/** In a plan: whether two calls that look the same may turn out to be two. */
function isUnknown(args: Variables): boolean {
  return Object.values(args).some(holdsUnknown)
}

function holdsUnknown({ unknown, fields = {}, items = [] }: Tree): boolean {
  return unknown === true || items.some(holdsUnknown) || Object.values(fields).some(holdsUnknown)
}

/** Whether arguments are made of what later steps may write: the agent's variables. */
function readsLive({ reads }: Declared): boolean {
  return Object.values(reads).some(paths => paths.some(path => path.startsWith('agent.')))
}

/** Whether the call was completed in this run; what `goalCompleted` says in an expression. */
export function isCompleted(run: Run, scope: Scope, call: GoalCall): boolean | undefined {
  const args = argumentsOf(run, scope, call)
  return args.wanted.length > 0 ? undefined : run.outcomes.get(callKey(call.goal, args.variables))
}

/** The arguments of a call, their secrets sealed. */
function argumentsOf(run: Run, scope: Scope, call: GoalCall): Declared {
  const args = declared(call.arguments, scope)
  return { ...args, variables: sealVariables(args.variables, run.seal) }
}

const hashes = new WeakMap<GoalCall, string>()

/** Hash of the arguments as they are written, places left out. */
export function written(call: GoalCall): string {
  const known = hashes.get(call)
  if (known !== undefined) return known
  const text = JSON.stringify(call.arguments, (key, value: unknown) => (key === 'place' ? undefined : value))
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  hashes.set(call, hash)
  return hash
}

/** A goal of the agent before one of the program. */
export function findGoal(run: Pick<Run, 'program' | 'agent'>, name: string): GoalProto | undefined {
  return run.agent?.goals.get(name) ?? run.program.goals.get(name)
}

/** On another node a goal has the agent in which it stands, whichever this one runs in. */
function goalOfAnyAgent({ program }: Pick<Run, 'program'>, name: string): GoalProto | undefined {
  for (const agent of program.agents.values()) {
    const goal = agent.goals.get(name)
    if (goal !== undefined) return goal
  }
  return undefined
}

/** Walks a sub-goal in a frame of its own, its variables bound to the arguments. */
async function walkChild(
  { frame: parent, how = {} }: Here,
  proto: GoalProto,
  instance: string,
  args: Variables,
  link: Link,
  possible: boolean
): Promise<Ended> {
  const { run } = parent
  const frame = openFrame(run, proto, instance, [...parent.callers, link])
  frame.possible = possible
  if (link.call !== undefined) frame.call = link.call
  const { again: _, ...inherited } = { ...parent.how, ...how }
  frame.how = inherited
  const bound = await settle(run, () => bind(run.program, proto, { ...bindingOf(run), assignments: [], arguments: args }))
  const wrong = bound.errors[0]
  if (wrong !== undefined)
    return { outcome: 'failed', failure: failed(instance, 'config-incomplete', `${showPlace(wrong.place)}: ${wrong.message}`).failure }
  configure(frame, bound)
  return await walkGoal(frame, args)
}

/** What every goal of a run is bound against. */
export function bindingOf({ surroundings, facts, instances, agent, mode }: Run): Omit<BindInput, 'assignments' | 'arguments'> {
  return { surroundings, facts, instances, reveals: mode !== 'plan', ...(agent !== undefined && { agent }) }
}

/** Puts bound values, their secrets sealed, and where each came from, into a frame. */
export function configure(
  frame: Frame,
  bound: { readonly variables: Variables; readonly sources: Readonly<Record<string, string>> }
): void {
  Object.assign(frame.variables, sealVariables(bound.variables, frame.run.seal))
  Object.assign(frame.sources, bound.sources)
}

/** A frame without values yet. */
export function openFrame(run: Run, proto: GoalProto, instance: string, callers: readonly Link[]): Frame {
  const variables: Record<string, Tree> = {}
  const sources: Record<string, string> = {}
  const ready = new Set<GoalCall>()
  const scope: Scope = makeScope({
    variables,
    sources,
    surroundings: run.surroundings,
    instances: run.instances,
    facts: run.facts,
    completed: call => ready.has(call) || isCompleted(run, scope, call),
    writeAgent: run.writeAgent,
    inPlan: run.mode === 'plan',
    locale: run.locale
  })
  return { run, instance, proto, variables, sources, scope, callers, possible: false, names: new Names(), ready }
}

/**
 * Runs `walk` unless the same goal with the same arguments has been pursued in this run.
 * Two branches that would wait for each other are a cycle too.
 */
async function once({ frame }: Here, key: string, again: boolean, walk: () => Promise<Ended>): Promise<Ended> {
  const { run } = frame
  const known = run.shared.get(key)
  const above = frame.callers.map(link => link.key)
  if (known !== undefined && !again) {
    if (above.some(link => waits(run, key, link))) {
      const { failure } = failed(
        frame.instance,
        'step-failed',
        `${frame.callers.map(link => link.text).join(' → ')} and ${key} wait for each other`,
        { final: true }
      )
      return { outcome: 'failed', failure }
    }
    for (const link of above) run.shared.get(link)?.waitsFor.add(key)
    return await known.ended
  }
  const ended = walk()
  run.shared.set(key, { ended, waitsFor: new Set() })
  for (const link of above) run.shared.get(link)?.waitsFor.add(key)
  return await ended
}

/** `a → b (f.xml:3:5) → a (f.xml:9:5)`: each goal with the place that needs it. */
function cycle(links: readonly Pick<Link, 'text' | 'place'>[]): string {
  return links.map(({ text, place }, at) => (at === 0 || place === undefined ? text : `${text} (${showPlace(place)})`)).join(' → ')
}

function waits(run: Run, from: string, on: string, seen = new Set<string>()): boolean {
  if (from === on) return true
  if (seen.has(from)) return false
  seen.add(from)
  return [...(run.shared.get(from)?.waitsFor ?? [])].some(next => waits(run, next, on, seen))
}

/** In/out arguments are copied back to where they came from; a named call stores all results. */
async function giveBack(here: Here, call: GoalCall, ended: Achieved, resultName?: string): Promise<Walked> {
  const { frame, scope } = here
  const back: { to: Path; value: Tree; from: string }[] = []
  for (const argument of call.arguments) {
    const source = inOut(argument)
    const value = ended.results[argument.name]
    if (source !== undefined && value !== undefined)
      back.push({ to: source, value: sealSecrets(value, frame.run.seal), from: `${ended.instance}:goal.${argument.name}` })
  }
  if (resultName !== undefined)
    back.push({ to: ['goal', resultName], value: sealSecrets({ fields: ended.results }, frame.run.seal), from: `${ended.instance}:goal` })
  for (const { to, value, from } of back) {
    const misfit = scope.misfit(to, value)
    if (misfit !== undefined) return failed(frame.instance, 'step-failed', `${at(call)}: ${misfit}`)
    if (scope.place(to)[0] === 'agent') {
      const walked = await takeStep(here, updateStep(here, `${ended.instance}/return.${String(to.at(-1))}`, to, value, call.place))
      if (!walked.ok) return walked
    } else {
      scope.write(to, value)
      frame.run.hand.gaveBack(frame, to, from)
    }
  }
  return went
}

/** Paths of the caller that a goal gives something back to. */
export function outputsOf(call: GoalCall, resultName?: string): Path[] {
  return [...call.arguments.map(inOut).filter(path => path !== undefined), ...(resultName === undefined ? [] : [['goal', resultName]])]
}

/** The path of an argument that is a single `<get>`: what it is after success goes back there. */
export function inOut(argument: Declaration): Path | undefined {
  const only = argument.value.length === 1 ? argument.value[0] : undefined
  const source = only?.kind === 'get' ? only.path : argument.copyOf
  return source?.[0] === 'goal' || source?.[0] === 'agent' ? source : undefined
}

function callKey(goal: string, args: Variables): string {
  return `${goal}(${Object.keys(args)
    .sort()
    .map(name => `${name}=${JSON.stringify(args[name])}`)
    .join(',')})`
}

function showCall(goal: string, args: Variables): string {
  const shown = Object.entries(args).map(([name, tree]) => `${name}=${tree.value === undefined ? '…' : showTree(tree)}`)
  return shown.length === 0 ? goal : `${goal}(${shown.join(', ')})`
}

function at(call: GoalCall): string {
  return `${call.place.file}:${call.place.line}:${call.place.col}`
}
