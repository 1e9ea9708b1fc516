/** What the CLI does about trust in a home by itself, with a daemon or without: authorities, delegation, keys, a look at permissions.xml. */
import { existsSync, readFileSync } from 'node:fs'
import { ulid } from 'ulid'
import { type Grant, openGrant, sealGrant } from '../../crypto/grant.ts'
import { sealSuccession } from '../../crypto/succession.ts'
import { CloudburstError } from '../../errors.ts'
import { attributesText } from '../../goals/program/write-xml.ts'
import { type Home, loadIdentity, loadPerson, makeNextIdentity, openHome } from '../home.ts'
import { authorityNames, certify, initAuthority, type NewGrant, openAuthority, revoke, wordsOf } from './authority.ts'
import { NOBODY, type PermissionList } from './decide.ts'
import { lint } from './explain.ts'
import { type HandedOn, handedOn, noteHandedOn, takeBack } from './handed-on.ts'
import { readPermissions } from './read.ts'

export type { NewGrant } from './authority.ts'
export type { HandedOn } from './handed-on.ts'

/** An authority as others have to know it. */
export interface AuthorityInfo {
  readonly name: string
  readonly key: string
  /** The line for their permissions.xml, which lets it grant nothing yet. */
  readonly element: string
  readonly grants: number
  readonly revoked: number
}

/** A signed statement, as it goes into a file. */
export interface Signed {
  readonly id: string
  readonly statement: string
  /** Epoch milliseconds. */
  readonly expiry: number
}

export interface TrustAtHome {
  authorities(): readonly AuthorityInfo[]
  init(name: string): AuthorityInfo
  export(name: string): AuthorityInfo
  certify(name: string, what: NewGrant): Signed
  /** @returns ids and peer ids that were taken back, and the list */
  revoke(name: string, who: string): { readonly taken: readonly string[]; readonly statement: string }
  /** Hands on part of a grant of this node or its person. @throws CloudburstError CB_USAGE when none of them is fit */
  delegate(held: readonly string[], what: NewGrant): Signed
  /** What this home has handed on and remembers. */
  handed(): readonly HandedOn[]
  /**
   * Takes back what this home has handed on.
   * @param who id of a grant, e-mail address or peer id
   * @returns ids and peer ids that were taken back, and the lists, one for each key that had handed anything on
   */
  takeBack(who: string): { readonly taken: readonly string[]; readonly statements: readonly string[] }
  /** Makes the key of the next start, and what tells others that it is this node's. */
  rotate(): { readonly from: string; readonly to: string; readonly statement: string }
  identity(makePerson: boolean): { readonly peer: string; readonly person?: string }
  /** @throws CloudburstError CB_PERMISSIONS_INVALID also when one of its tests fails */
  check(): { readonly permits: number; readonly authorities: number; readonly tests: number; readonly lint: readonly string[] }
}

/** @throws CloudburstError CB_HOME_MISSING; each method CB_USAGE, CB_FILE_UNSAFE */
export function trustAtHome(home: Home, now: () => number = Date.now): TrustAtHome {
  openHome(home)
  const directory = home.authorities
  const told = (name: string): AuthorityInfo => {
    const { identity, book } = openAuthority(directory, name)
    const element = `<authority${attributesText({ name, key: identity.peer })}/>`
    return { name, key: identity.peer, element, grants: book.issued.length, revoked: book.revoked.length }
  }
  return {
    authorities: () => authorityNames(directory).map(told),
    init: name => told(initAuthority(directory, name).name),
    export: told,
    certify: (name, what) => {
      const envelope = certify(directory, name, what, ulid(now()), now())
      return signed(openGrant(envelope))
    },
    revoke: (name, who) => {
      const { revoked, envelope } = revoke(directory, name, who, now())
      return { taken: revoked.map(({ grant, subject }) => grant ?? subject ?? ''), statement: textOf(envelope) }
    },
    delegate: (held, what) => {
      const parent = handable(
        held.map(text => openGrant(Buffer.from(text))),
        what,
        now()
      )
      const person = loadPerson(home)
      const holder = person?.peer === parent.subject ? person : loadIdentity(home)
      const { subject, email, bounds, fresh } = what
      const lifetimeMs = Math.min(what.lifetimeMs, parent.expiry - now())
      const words = wordsOf({ id: ulid(now()), subject, email, allows: [bounds], ...(fresh !== undefined && { fresh }) }, lifetimeMs, now())
      const grant = openGrant(sealGrant(holder, words, parent.envelope))
      noteHandedOn(home.handedOn, holder === person ? 'person' : 'node', grant.envelope, now())
      return signed(grant)
    },
    handed: () => handedOn(home.handedOn, now()),
    takeBack: who => {
      const { taken, envelopes } = takeBack(home.handedOn, who, { node: loadIdentity(home), person: loadPerson(home) }, now())
      return { taken, statements: envelopes.map(textOf) }
    },
    rotate: () => {
      const identity = loadIdentity(home)
      const next = makeNextIdentity(home)
      return { from: identity.peer, to: next.peer, statement: textOf(sealSuccession(identity, next, now())) }
    },
    identity: makePerson => {
      const person = loadPerson(home, makePerson)
      return { peer: loadIdentity(home).peer, ...(person !== undefined && { person: person.peer }) }
    },
    check: () => {
      const list = permissionsOf(home)
      return { permits: list.permits.length, authorities: list.authorities.length, tests: list.tests?.length ?? 0, lint: lint(list, now()) }
    }
  }
}

/** The grant that lives longest of those that may be handed on and have all that is asked for. */
function handable(held: readonly Grant[], { bounds }: NewGrant, now: number): Grant {
  const own = held.filter(({ parent, expiry }) => parent === undefined && expiry > now)
  const fit = own.filter(({ allows }) => bounds.capabilities.every(word => allows.some(({ capabilities }) => capabilities.includes(word))))
  const [best] = fit.toSorted((a, b) => b.expiry - a.expiry)
  if (best !== undefined) return best
  const why =
    held.length === 0
      ? 'this node holds no grant: a permit of permissions.xml cannot be handed on'
      : own.length === 0
        ? 'what was handed on to this node cannot be handed on again'
        : `no grant of this node has ${bounds.capabilities.join(' ')}`
  throw new CloudburstError('CB_USAGE', why, { command: 'grant' })
}

function permissionsOf({ permissions }: Home): PermissionList {
  return existsSync(permissions) ? readPermissions(readFileSync(permissions, 'utf8'), permissions) : NOBODY
}

function signed({ id, expiry, envelope }: Grant): Signed {
  return { id, expiry, statement: textOf(envelope) }
}

function textOf(envelope: Uint8Array): string {
  return Buffer.from(envelope).toString('utf8')
}
