/** From permits, grants and ceilings to rights: each is one way in which a key may do something here. Pure. */
import type { Bounds } from '../../crypto/bounds.ts'
import { type Grant, rootOf } from '../../crypto/grant.ts'
import type { Here } from './covers.ts'
import type { Authority, Permit, PermissionList } from './decide.ts'
import { endOf as lifetimeEnd, holds as lifetimeHolds, type Lifetime } from './lifetime.ts'
import type { RevocationBook } from './revocation-book.ts'

/** How far clocks of good nodes may be apart, in milliseconds: without time service a machine drifts this much in months. */
export const CLOCK_LEEWAY_MS = 120_000

/** Everything that a decision rests on. What is absent is not known: no grants, nothing revoked, no place. */
export interface Trusted extends PermissionList {
  /** Grants that were shown here, signatures checked, by the key that holds them. */
  readonly grantsOf?: (peer: string) => readonly Grant[]
  readonly revocations?: Pick<RevocationBook, 'heardAt' | 'revokes'>
  /** The keys that a key has taken the place of, its own first; none for one that has been replaced itself. */
  readonly lineOf?: (peer: string) => readonly string[]
  readonly here?: Here
}

/** One way in which a key may do something here. All bounds have to cover it, and all lifetimes have to hold. */
export interface Right {
  /** Who holds it. */
  readonly peer: string
  readonly email: string
  /** Name of the authority. */
  readonly authority: string
  readonly bounds: readonly Bounds[]
  readonly lifetimes: readonly Lifetime[]
  /** Epoch milliseconds; Infinity while nothing but lifetimes ends it. */
  readonly from: number
  readonly until: number
  /** The authority's key must have been heard of within this many milliseconds. */
  readonly fresh?: number
  readonly key?: string
  readonly grant?: Grant
  readonly permit?: Permit
}

/** `time`: expired or not yet valid. `stale`: its authority has not been heard of for longer than it demands. */
export type Holding = 'holds' | 'time' | 'revoked' | 'stale'

/** All rights of a key, whether they hold now or not. */
export function rightsOf(trusted: Trusted, peer: string): readonly Right[] {
  const line = trusted.lineOf?.(peer) ?? [peer]
  if (line.length === 1 && line[0] === peer) return rightsOfKey(trusted, peer)
  return line.flatMap(key => rightsOfKey(trusted, key).map(right => (key === peer ? right : { ...right, peer })))
}

function rightsOfKey(trusted: Trusted, peer: string): readonly Right[] {
  const index = indexOf(trusted)
  const direct = index.byPeer.get(peer) ?? []
  const grants = trusted.grantsOf?.(peer) ?? []
  return grants.length === 0 ? direct : [...direct, ...grants.flatMap(grant => rightsOfGrant(index, grant))]
}

/** What becomes of a grant here: one right for each thing it allows, within each permit for its e-mail and within the ceiling. */
export function rightsFrom(list: PermissionList, grant: Grant): readonly Right[] {
  return rightsOfGrant(indexOf(list), grant)
}

/** Whether a right holds at `now`, for a session that began at `since`. */
export function holding(trusted: Trusted, right: Right, since: number, now: number): Holding {
  const { lifetimes, from, until, fresh, key, grant } = right
  const early = now + CLOCK_LEEWAY_MS < from || (grant !== undefined && now + CLOCK_LEEWAY_MS < grant.at)
  if (early || now >= until || !lifetimes.every(lifetime => lifetimeHolds(lifetime, since, now))) return 'time'
  if (grant !== undefined && key !== undefined && trusted.revocations?.revokes(key, grant, right.peer) === true) return 'revoked'
  // Clocks may be apart by the leeway in the wrong direction; what is promised is the whole of `fresh`.
  if (fresh !== undefined && now - heardAt(trusted, key) + CLOCK_LEEWAY_MS > fresh) return 'stale'
  return 'holds'
}

/** When a right ends for a session that began at `since`, if nothing happens before: epoch milliseconds. */
export function endOf({ lifetimes, until }: Right, since: number): number {
  return Math.min(until, ...lifetimes.map(lifetime => lifetimeEnd(lifetime, since)))
}

function heardAt({ revocations }: Trusted, key: string | undefined): number {
  return key === undefined ? 0 : (revocations?.heardAt(key) ?? 0)
}

interface Index {
  readonly byPeer: ReadonlyMap<string, readonly Right[]>
  /** Permits that wait for a grant, by authority and e-mail. */
  readonly waiting: ReadonlyMap<string, readonly Permit[]>
  readonly byKey: ReadonlyMap<string, readonly Authority[]>
}

/** One index for each list: they are made once, when the file is read. */
const indices = new WeakMap<readonly Permit[], Index>()

function indexOf({ permits, authorities }: PermissionList): Index {
  const known = indices.get(permits)
  if (known !== undefined) return known
  const keys = new Map(authorities.map(({ name, key }) => [name, key]))
  const index: Index = {
    byPeer: grouped(permits.flatMap(permit => (permit.peer === undefined ? [] : [[permit.peer, ofPermit(permit, keys)] as const]))),
    waiting: grouped(permits.flatMap(permit => (permit.peer === undefined ? [[waitingKey(permit), permit] as const] : []))),
    byKey: grouped(authorities.flatMap(authority => (authority.key === undefined ? [] : [[authority.key, authority] as const])))
  }
  indices.set(permits, index)
  return index
}

function ofPermit(permit: Permit, keys: ReadonlyMap<string, string | undefined>): Right {
  const { email, authority, lifetime, fresh, peer = '' } = permit
  const key = keys.get(authority)
  return {
    peer,
    email,
    authority,
    bounds: [permit],
    lifetimes: [lifetime],
    from: 0,
    until: Number.POSITIVE_INFINITY,
    ...(fresh !== undefined && { fresh }),
    ...(key !== undefined && { key }),
    permit
  }
}

function rightsOfGrant(index: Index, grant: Grant): readonly Right[] {
  const root = rootOf(grant)
  return (index.byKey.get(root.issuer) ?? []).flatMap(authority => {
    const permits = index.waiting.get(waitingKey({ authority: authority.name, email: root.email })) ?? []
    const ceiling = authority.ceiling === undefined ? [] : [{ bounds: authority.ceiling }]
    const bases = [...permits.map(permit => ({ bounds: permit, permit })), ...ceiling]
    return bases.flatMap(basis => allowed(grant).map(bounds => ofGrant(grant, authority, basis, bounds)))
  })
}

function ofGrant(
  grant: Grant,
  { name, key, lifetimeMs, fresh }: Authority,
  { bounds, permit }: { readonly bounds: Bounds; readonly permit?: Permit },
  chain: readonly Bounds[]
): Right {
  const links = grant.parent === undefined ? [grant] : [grant, grant.parent]
  const limits = [fresh, permit?.fresh, ...links.map(link => link.fresh)].filter(each => each !== undefined)
  const lifetimes: Lifetime[] = permit === undefined ? [] : [permit.lifetime]
  if (lifetimeMs !== undefined) lifetimes.push({ kind: 'duration', ms: lifetimeMs })
  return {
    peer: grant.subject,
    email: grant.email,
    authority: name,
    bounds: [bounds, ...chain],
    lifetimes,
    from: Math.max(...links.map(link => link.notBefore)),
    until: Math.min(...links.map(link => Math.min(link.expiry, longest(link, lifetimeMs, permit)))),
    ...(limits.length > 0 && { fresh: Math.min(...limits) }),
    ...(key !== undefined && { key }),
    grant,
    ...(permit !== undefined && { permit })
  }
}

/** However long its authority has made it: no longer than the owner of this node lets a grant live. */
function longest({ notBefore }: Grant, lifetimeMs: number | undefined, permit: Permit | undefined): number {
  const duration = permit?.lifetime.kind === 'duration' ? permit.lifetime.ms : Number.POSITIVE_INFINITY
  return notBefore + Math.min(lifetimeMs ?? Number.POSITIVE_INFINITY, duration)
}

/** Each way through the chain: one of what the parent allows, and one of what its holder has handed on. */
function allowed({ allows, parent }: Grant): readonly (readonly Bounds[])[] {
  if (parent === undefined) return allows.map(bounds => [bounds])
  return parent.allows.flatMap(above => allows.map(below => [above, below]))
}

function waitingKey({ authority, email }: Pick<Permit, 'authority' | 'email'>): string {
  return `${authority}\n${email}`
}

function grouped<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const [key, value] of entries) {
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
