/** Who may do what: deny by default, and the answer never depends on the order of permits or grants. Pure; the time is given. */
import type { Bounds } from '../../crypto/bounds.ts'
import type { Capability } from '../../crypto/capability.ts'
import type { Place } from '../../goals/program/model.ts'
import { covers, type Subject, show } from './covers.ts'
import type { Lifetime } from './lifetime.ts'
import { endOf, type Holding, holding, type Right, rightsOf, type Trusted } from './rights.ts'

export type { Here, Subject } from './covers.ts'
export type { Right, Trusted } from './rights.ts'

/** One `<permit>` of permissions.xml. */
export interface Permit extends Bounds {
  readonly authority: string
  readonly email: string
  /** Peer id that the e-mail is bound to here and now. Without it the permit waits for a grant of its authority. */
  readonly peer?: string
  readonly lifetime: Lifetime
  /** The authority must have been heard of within this many milliseconds. */
  readonly fresh?: number
  readonly place: Place
}

/** Somebody whose word counts here. Its key signs grants. */
export interface Authority {
  readonly name: string
  /** Peer id form of an Ed25519 key. */
  readonly key?: string
  /** The most that its grants may allow here. Without it they hold only where a permit names their e-mail. */
  readonly ceiling?: Bounds
  /** Longest life of a grant, and of each session under it, in milliseconds. */
  readonly lifetimeMs?: number
  readonly fresh?: number
  readonly place: Place
}

/** One `<test>` of permissions.xml: what has to be so, whatever is changed. */
export interface PermissionTest {
  /** E-mail address or peer id. */
  readonly who: string
  readonly capability: Capability
  readonly what: Subject
  readonly allowed: boolean
  readonly place: Place
}

/** All of permissions.xml. */
export interface PermissionList {
  readonly authorities: readonly Authority[]
  readonly permits: readonly Permit[]
  readonly tests?: readonly PermissionTest[]
}

/** What permissions.xml says when there is none. */
export const NOBODY: PermissionList = { authorities: [], permits: [] }

/** Who asks: a key that Noise or a signature has proved, since when its session holds (epoch milliseconds), and perhaps one of its e-mails. */
export interface Asker {
  readonly peer: string
  readonly since: number
  readonly email?: string
}

export interface Decision {
  readonly allowed: boolean
  /** What allows. */
  readonly right?: Right
  /** The permit of permissions.xml behind it, if it is not the authority's ceiling. */
  readonly permit?: Permit
  /** For a person and the audit log, e.g. `no permit for 12D3Koo… has goal:dispatch`. */
  readonly reason: string
}

/** Whether `who` may do `capability` to `what` at `now`. */
export function decide(trusted: Trusted, who: Asker, capability: Capability, what: Subject, now: number): Decision {
  const bound = boundTo(trusted, who)
  const [first] = bound
  if (first === undefined) return { allowed: false, reason: `no permit is bound to ${who.peer}` }
  const states = bound.map(right => holding(trusted, right, who.since, now))
  const alive = bound.filter((_, at) => states[at] === 'holds')
  if (alive.length === 0) return { allowed: false, reason: `every permit of ${first.email} is ${why(states)}` }
  const able = alive.filter(right => right.bounds.every(({ capabilities }) => capabilities.includes(capability)))
  if (able.length === 0) return { allowed: false, reason: `no permit of ${alive[0]!.email} has ${capability}` }
  const right = able.find(({ bounds }) => bounds.every(each => covers(each, capability, what, trusted.here)))
  if (right === undefined)
    return { allowed: false, reason: `no permit of ${able[0]!.email} with ${capability} covers ${show(what, trusted.here)}` }
  return { allowed: true, right, ...(right.permit !== undefined && { permit: right.permit }), reason: nameOf(right) }
}

/** Rights of `who` that hold at `now`, for whatever they allow. */
export function permitsOf(trusted: Trusted, who: Asker, now: number): readonly Right[] {
  return boundTo(trusted, who).filter(right => holding(trusted, right, who.since, now) === 'holds')
}

/** When the first of these rights ends for a session that began at `since`; Infinity for none. */
export function firstEnd(rights: readonly Right[], since: number): number {
  return Math.min(...rights.map(right => endOf(right, since)))
}

/** Every capability that at least one of these rights has. */
export function capabilitiesOf(rights: readonly Right[]): readonly Capability[] {
  return [...new Set(rights.flatMap(({ bounds }) => shared(bounds)))]
}

/** `alice@example.org by ops`, and through whom. */
export function nameOf({ email, authority, grant }: Right): string {
  if (grant?.parent === undefined) return `${email} by ${authority}`
  return `${email} by ${grant.parent.email} by ${authority}`
}

function boundTo(trusted: Trusted, who: Asker): readonly Right[] {
  const rights = rightsOf(trusted, who.peer)
  return who.email === undefined ? rights : rights.filter(({ email }) => email === who.email)
}

function shared([first, ...more]: readonly Bounds[]): readonly Capability[] {
  return first?.capabilities.filter(word => more.every(({ capabilities }) => capabilities.includes(word))) ?? []
}

const REASONS: Readonly<Record<Exclude<Holding, 'holds'>, string>> = {
  time: 'expired or not yet valid',
  revoked: 'revoked',
  stale: 'out of date: its authority has not been heard of for too long'
}

function why(states: readonly Holding[]): string {
  return [...new Set(states)].map(state => (state === 'holds' ? '' : REASONS[state])).join(', or ')
}
