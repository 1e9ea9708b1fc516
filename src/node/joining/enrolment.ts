/**
 * New nodes by the word of an authority: where this home has the key of one that its own permissions.xml lets grant, a node that is
 * delivered gets a grant with its ticket, and believes in the same authority; neither side needs a permit for the other.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ulid } from 'ulid'
import type { Capability } from '../../crypto/capability.ts'
import { openGrant, sealGrant } from '../../crypto/grant.ts'
import { CloudburstError } from '../../errors.ts'
import { alone } from '../files/alone.ts'
import type { Home } from '../home.ts'
import { authorityNames, certify, openAuthority, revoke } from '../permissions/authority.ts'
import { readPermissions } from '../permissions/read.ts'
import { TICKET_CAPABILITIES } from './tickets.ts'

/** A day; issued anew by the daemon of this home for as long as nobody takes it back. */
const LIFETIME_MS = 24 * 60 * 60_000

/** An authority as new nodes come to believe in it. */
export interface Enroller {
  readonly name: string
  /** Its line of this home's permissions.xml, for theirs. */
  readonly element: string
  /**
   * The grant of a node, issued once however often it is asked for. Durable on return.
   * @returns its envelope, as text
   */
  grantFor(peer: string, node: string, more?: readonly Capability[]): string
}

/**
 * The authority that enrols.
 * @param wanted its name; absent: the only one that is fit
 * @throws CloudburstError CB_USAGE when that one has no key here, may grant nothing here, or several are fit
 */
export function enrollerOf(home: Home, wanted: string | undefined, now: () => number = Date.now): Enroller | undefined {
  const text = existsSync(home.permissions) ? readFileSync(home.permissions, 'utf8') : ''
  const { authorities } = text === '' ? { authorities: [] } : readPermissions(text, home.permissions)
  const fit = authorityNames(home.authorities).flatMap(name => {
    const { peer: key } = openAuthority(home.authorities, name).identity
    const element = new RegExp(`<authority\\b[^>]*\\bkey="${key}"[^>]*/>`).exec(text)?.[0]
    const ceiling = authorities.find(each => each.key === key)?.ceiling
    return element === undefined || ceiling === undefined ? [] : [{ name, element, ceiling }]
  })
  const usage = (message: string): CloudburstError => new CloudburstError('CB_USAGE', message, { command: 'deliver' })
  if (wanted !== undefined && !fit.some(({ name }) => name === wanted))
    throw usage(
      `${wanted} is no authority with its key here that ${home.permissions} lets grant anything: it needs key and capability there`
    )
  const [chosen, second] = wanted === undefined ? fit : fit.filter(({ name }) => name === wanted)
  if (second !== undefined) throw usage(`several authorities may enrol: --authority ${fit.map(({ name }) => name).join(' or ')}`)
  if (chosen === undefined) return undefined
  const { name, element, ceiling } = chosen
  return {
    name,
    element,
    grantFor: (peer, node, more = []) => {
      const wishes = [...TICKET_CAPABILITIES, ...more].filter(word => ceiling.capabilities.includes(word))
      const what = { peer, email: `node@${node}`, capabilities: wishes }
      // Several deliveries at once ask for the grant of this node.
      return alone(join(home.authorities, `${name}.enrolling`), () => grantOnce(home.authorities, name, what, now()))
    }
  }
}

function grantOnce(
  directory: string,
  name: string,
  { peer, email, capabilities }: { readonly peer: string; readonly email: string; readonly capabilities: readonly Capability[] },
  now: number
): string {
  const { identity, book } = openAuthority(directory, name)
  const known = book.issued.find(
    ({ subject, email: to, expiry, renew, allows }) =>
      subject === peer && to === email && renew === true && expiry > now && allows[0]?.capabilities.join() === capabilities.join()
  )
  if (known !== undefined) {
    // What is signed follows from what the book says: it is the same grant.
    const { renew: _, ...words } = known
    return textOf(sealGrant(identity, words))
  }
  const what = { subject: peer, email, bounds: { capabilities }, lifetimeMs: LIFETIME_MS, renew: true }
  return textOf(openGrant(certify(directory, name, what, ulid(now), now)).envelope)
}

/**
 * Takes back whatever authorities of this home have granted to a node. Durable on return, and for good.
 * @returns the lists to be told to everybody
 */
export function takeBack(home: Pick<Home, 'authorities'>, peer: string, now: () => number = Date.now): readonly string[] {
  return authorityNames(home.authorities)
    .filter(name => openAuthority(home.authorities, name).book.issued.some(({ subject }) => subject === peer))
    .map(name => textOf(revoke(home.authorities, name, peer, now()).envelope))
}

function textOf(envelope: Uint8Array): string {
  return Buffer.from(envelope).toString('utf8')
}
