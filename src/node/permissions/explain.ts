/** What somebody may do here and why, for people: `cloudburst permissions show|why|lint`. Pure; the time is given. */
import type { Bounds } from '../../crypto/bounds.ts'
import type { Capability } from '../../crypto/capability.ts'
import type { Grant } from '../../crypto/grant.ts'
import { showPlace } from '../../goals/program/xml.ts'
import type { GrantInfo, RightInfo } from '../control/contract.ts'
import { capabilitiesOf, decide, type Permit, type Subject, type Trusted } from './decide.ts'
import { endOf, holding, type Right, rightsFrom, rightsOf } from './rights.ts'

/** The keys that `who` means: a peer id, or an e-mail address that a permit or a grant binds to some. */
export function keysOf(trusted: Trusted, who: string, shown: readonly Grant[]): readonly string[] {
  if (!who.includes('@')) return [who]
  const bound = trusted.permits.flatMap(({ email, peer }) => (email === who && peer !== undefined ? [peer] : []))
  return [...new Set([...bound, ...shown.filter(({ email }) => email === who).map(({ subject }) => subject)])]
}

/** Every right of these keys, those that do not hold included. */
export function rightsTold(trusted: Trusted, peers: readonly string[], now: number): readonly RightInfo[] {
  return peers.flatMap(peer =>
    rightsOf(trusted, peer).map(right => {
      const until = endOf(right, now)
      return {
        peer,
        email: right.email,
        by: right.authority,
        ...(right.grant?.parent !== undefined && { handedOnBy: right.grant.parent.email }),
        state: holding(trusted, right, now, now),
        capabilities: capabilitiesOf([right]),
        limits: limitsOf(right),
        ...(Number.isFinite(until) && { until }),
        from: whence(right)
      }
    })
  )
}

/** One decision for each key. */
export function decisionsTold(
  trusted: Trusted,
  peers: readonly string[],
  capability: Capability,
  what: Subject,
  now: number
): readonly { readonly peer: string; readonly allowed: boolean; readonly reason: string }[] {
  return peers.map(peer => {
    const { allowed, reason, right } = decide(trusted, { peer, since: now }, capability, what, now)
    return { peer, allowed, reason: right === undefined ? reason : `${reason} (${whence(right)})` }
  })
}

/** A grant in words. */
export function grantTold(trusted: Trusted, grant: Grant): GrantInfo {
  const { id, subject, email, allows, at, notBefore, expiry, fresh, issuer, parent } = grant
  const root = parent ?? grant
  const authority = trusted.authorities.find(({ key }) => key === root.issuer)?.name
  return {
    id,
    subject,
    email,
    issuer,
    ...(authority !== undefined && { authority }),
    ...(parent !== undefined && { handedOnBy: parent.email }),
    allows: allows.map(({ capabilities, ...limits }) => ({ capabilities, limits: shortLimits(limits) })),
    at,
    notBefore,
    expiry,
    ...(fresh !== undefined && { freshMs: fresh }),
    rights: rightsFrom(trusted, grant).length,
    statement: Buffer.from(grant.envelope).toString('utf8')
  }
}

/** What is likely a mistake in permissions.xml, with its place. */
export function lint(trusted: Trusted, now: number): readonly string[] {
  return [
    ...trusted.permits.flatMap(permit => lintPermit(trusted, permit, now)),
    ...trusted.authorities.flatMap(({ name, key, ceiling, place }) => {
      const used = trusted.permits.some(({ authority }) => authority === name)
      if (key === undefined && !used && name !== 'local') return [`${showPlace(place)}: the authority ${name} has no key and no permit`]
      if (key !== undefined && ceiling === undefined && !used)
        return [`${showPlace(place)}: no permit waits for grants of ${name}, and it has no capability of its own: its grants do nothing`]
      return ceiling === undefined ? [] : asShell(ceiling).map(text => `${showPlace(place)}: grants of ${name} ${text}`)
    })
  ]
}

function lintPermit({ permits, authorities }: Trusted, permit: Permit, now: number): readonly string[] {
  const { email, authority, peer, lifetime, place } = permit
  const said: string[] = []
  if (lifetime.kind === 'interval' && lifetime.until <= now)
    said.push(`the permit of ${email} ended at ${new Date(lifetime.until).toISOString()}`)
  if (peer === undefined && authorities.find(({ name }) => name === authority)?.key === undefined)
    said.push(`the permit of ${email} waits for a grant, and ${authority} has no key to sign one: give it a peer`)
  const same = permits.find(other => other !== permit && JSON.stringify(bare(other)) === JSON.stringify(bare(permit)))
  if (same !== undefined && same.place.line < place.line)
    said.push(`the permit of ${email} says the same as the one in line ${same.place.line}`)
  said.push(...asShell(permit).map(text => `the permit of ${email} ${text}`))
  return said.map(text => `${showPlace(place)}: ${text}`)
}

function asShell({ capabilities, programs }: Bounds): readonly string[] {
  if (capabilities.includes('node:shell') || programs !== undefined) return []
  return capabilities.includes('program:load') && capabilities.includes('goal:dispatch')
    ? ['may load programs and dispatch their goals, which is as good as a shell']
    : []
}

function bare({ place: _, ...permit }: Permit): object {
  return permit
}

function limitsOf({ bounds }: Right): readonly string[] {
  return [...new Set(bounds.flatMap(shortLimits))]
}

/** `goal deploy`, `on role=web` … */
function shortLimits({ programs, goals, vars, on, concurrent }: Omit<Bounds, 'capabilities'>): readonly string[] {
  const words = (name: string, list: readonly string[] | undefined): string[] =>
    list === undefined ? [] : [`${name} ${list.map(word => (/^[0-9a-f]{64}$/.test(word) ? word.slice(0, 12) : word)).join(' ')}`]
  return [
    ...words('program', programs),
    ...words('goal', goals),
    ...words('var', vars),
    ...words('on', on),
    ...(concurrent === undefined ? [] : [`${concurrent} at a time`])
  ]
}

function whence({ permit, grant, authority }: Right): string {
  const file = permit === undefined ? `ceiling of ${authority}` : `permit in line ${permit.place.line}`
  return grant === undefined ? file : `grant ${grant.id}, ${file}`
}
