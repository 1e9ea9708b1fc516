/** Who may do what: deny by default, and the answer never depends on the order of permits. Pure; the time is given. */
import type { Capability } from '../../crypto/capability.ts'
import type { Place } from '../../goals/program/model.ts'
import { endOf, holds, type Lifetime } from './lifetime.ts'

/** One `<permit>` of permissions.xml. */
export interface Permit {
  readonly authority: string
  readonly email: string
  readonly capabilities: readonly Capability[]
  /** Peer id that the e-mail is bound to here and now. Without it the permit waits for a grant of its authority. */
  readonly peer?: string
  /** Names or hashes; absent: all. */
  readonly programs?: readonly string[]
  readonly goals?: readonly string[]
  readonly vars?: readonly string[]
  readonly lifetime: Lifetime
  readonly place: Place
}

/** Somebody whose word counts here. Its key, once it has one, signs grants. */
export interface Authority {
  readonly name: string
  /** Peer id form of an Ed25519 key. */
  readonly key?: string
  readonly place: Place
}

/** All of permissions.xml. */
export interface PermissionList {
  readonly authorities: readonly Authority[]
  readonly permits: readonly Permit[]
}

/** What permissions.xml says when there is none. */
export const NOBODY: PermissionList = { authorities: [], permits: [] }

/** Who asks: a key that Noise has proved, since when its session holds (epoch milliseconds), and perhaps one of its e-mails. */
export interface Asker {
  readonly peer: string
  readonly since: number
  readonly email?: string
}

/** What it is about, as far as the request names it. */
export interface Subject {
  readonly program?: string
  readonly goal?: string
  readonly vars?: readonly string[]
}

export interface Decision {
  readonly allowed: boolean
  /** The permit that allows. */
  readonly permit?: Permit
  /** For a person and the audit log, e.g. `no permit for 12D3Koo… has goal:dispatch`. */
  readonly reason: string
}

/** Capabilities that act on a program: a permit for some programs does not allow them while the program is not named. */
const ON_PROGRAMS: ReadonlySet<Capability> = new Set(['program:load', 'agent:start', 'goal:plan', 'goal:dispatch', 'goal:repair'])
const ON_GOALS: ReadonlySet<Capability> = new Set(['goal:plan', 'goal:dispatch', 'goal:repair'])
const ON_VARIABLES: ReadonlySet<Capability> = new Set([...ON_GOALS, 'agent:start'])

/** Whether `who` may do `capability` to `what` at `now`. */
export function decide(list: PermissionList, who: Asker, capability: Capability, what: Subject, now: number): Decision {
  const bound = boundTo(list, who)
  if (bound.length === 0) return { allowed: false, reason: `no permit is bound to ${who.peer}` }
  const alive = bound.filter(permit => holds(permit.lifetime, who.since, now))
  if (alive.length === 0) return { allowed: false, reason: `every permit of ${bound[0]!.email} is expired or not yet valid` }
  const able = alive.filter(permit => permit.capabilities.includes(capability))
  if (able.length === 0) return { allowed: false, reason: `no permit of ${alive[0]!.email} has ${capability}` }
  const permit = able.find(permit => covers(permit, capability, what))
  if (permit !== undefined) return { allowed: true, permit, reason: `${permit.email} by ${permit.authority}` }
  return { allowed: false, reason: `no permit of ${able[0]!.email} with ${capability} covers ${show(what)}` }
}

/** Permits of `who` that hold at `now`, for whatever they allow. */
export function permitsOf(list: PermissionList, who: Asker, now: number): readonly Permit[] {
  return boundTo(list, who).filter(permit => holds(permit.lifetime, who.since, now))
}

/** When the first of these permits ends for a session that began at `since`; Infinity for none. */
export function firstEnd(permits: readonly Permit[], since: number): number {
  return Math.min(...permits.map(permit => endOf(permit.lifetime, since)))
}

/** Every capability that at least one of these permits has. */
export function capabilitiesOf(permits: readonly Permit[]): readonly Capability[] {
  return [...new Set(permits.flatMap(permit => permit.capabilities))]
}

function boundTo(list: PermissionList, who: Asker): Permit[] {
  return list.permits.filter(permit => permit.peer === who.peer && (who.email === undefined || permit.email === who.email))
}

function covers(permit: Permit, capability: Capability, what: Subject): boolean {
  return (
    within(permit.programs, what.program, ON_PROGRAMS.has(capability)) &&
    within(permit.goals, what.goal, ON_GOALS.has(capability)) &&
    withinAll(permit.vars, what.vars, ON_VARIABLES.has(capability))
  )
}

function within(allowed: readonly string[] | undefined, asked: string | undefined, needed: boolean): boolean {
  if (allowed === undefined) return true
  return asked === undefined ? !needed : allowed.includes(asked)
}

/** A permit for some variables does not allow what sets variables while it is not said which. */
function withinAll(allowed: readonly string[] | undefined, asked: readonly string[] | undefined, needed: boolean): boolean {
  if (allowed === undefined) return true
  return asked === undefined ? !needed : asked.every(name => allowed.includes(name))
}

function show(what: Subject): string {
  const named = [
    what.program === undefined ? undefined : `program ${what.program}`,
    what.goal === undefined ? undefined : `goal ${what.goal}`,
    what.vars === undefined ? undefined : `variables ${what.vars.join(', ')}`
  ].filter(part => part !== undefined)
  return named.length === 0 ? 'a request that names no program' : named.join(', ')
}
