/**
 * What this home has handed on of its own grants, so that it can be taken back: `cloudburst grant delegate|handed|revoke`.
 * A book beside the keys, 0600; only the command writes it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { type Grant, openGrant } from '../../crypto/grant.ts'
import type { Identity } from '../../crypto/identity.ts'
import { HANDED_ON_REVOCATIONS_MAX, HOLDS_MAX, type Revoked, sealRevocations } from '../../crypto/revocation.ts'
import { CloudburstError } from '../../errors.ts'
import { replaceFile } from '../files/atomic-file.ts'
import { checkOnlyOursToRead } from '../files/file-safety.ts'

/** Whose key signs: `person` when the grant that was handed on from was theirs. */
type Signer = 'node' | 'person'

interface Noted {
  readonly signer: Signer
  /** The grant as it was signed, base64. */
  readonly grant: string
}

type TakenBack = Revoked & { readonly signer: Signer }

interface Book {
  /** Of the last list, of each key. */
  readonly number: number
  readonly handed: readonly Noted[]
  readonly revoked: readonly TakenBack[]
}

/** One grant that was handed on from here. */
export interface HandedOn {
  readonly grant: Grant
  readonly state: 'given' | 'taken back' | 'over'
}

/** Keys of this home. */
export interface Keys {
  readonly node: Identity
  readonly person: Identity | undefined
}

/** Notes what was handed on. Durable on return. */
export function noteHandedOn(path: string, signer: Signer, envelope: Uint8Array, now: number): void {
  const book = read(path)
  const live = book.handed.filter(({ grant }) => opened(grant).expiry > now)
  write(path, { ...book, handed: [...live, { signer, grant: Buffer.from(envelope).toString('base64') }] })
}

/** All that is remembered, the latest last. */
export function handedOn(path: string, now: number): readonly HandedOn[] {
  const { handed, revoked } = read(path)
  return handed.map(({ grant: envelope, signer }) => {
    const grant = opened(envelope)
    const isRevoked = revoked.some(each => each.signer === signer && means(each, grant))
    return { grant, state: isRevoked ? 'taken back' : grant.expiry <= now ? 'over' : 'given' }
  })
}

/**
 * Takes back what was handed on. Durable on return.
 * @param who id of a grant, e-mail address or peer id
 * @param keys of this home: the one that has taken the place of the one that signed speaks for it
 * @returns what was taken back, and the lists to be told
 * @throws CloudburstError CB_USAGE when nothing of the kind was handed on, or too much was taken back
 */
export function takeBack(
  path: string,
  who: string,
  keys: Keys,
  now: number
): { readonly taken: readonly string[]; readonly envelopes: readonly Uint8Array[] } {
  const book = read(path)
  const live = book.handed.map(({ grant, signer }) => ({ signer, grant: opened(grant) })).filter(({ grant }) => grant.expiry > now)
  const meant = live.filter(({ grant: { id, email, subject } }) => [id, email, subject].includes(who))
  if (meant.length === 0)
    throw new CloudburstError('CB_USAGE', `nothing that still holds was handed on from here to ${who}: cloudburst grant handed`, {
      command: 'grant'
    })
  const taken: readonly TakenBack[] = meant.some(({ grant }) => grant.id === who)
    ? meant.map(({ signer, grant: { id, expiry } }) => ({ signer, grant: id, until: expiry }))
    : bySubject(meant, now)
  const isAgain = (old: Revoked): boolean => taken.some(({ grant, subject }) => grant === old.grant && subject === old.subject)
  const revoked = [...book.revoked.filter(old => old.until > now && !isAgain(old)), ...taken]
  const number = book.number + 1
  const envelopes = [...new Set(taken.map(({ signer }) => signer))].map(signer => {
    const own = revoked.filter(each => each.signer === signer)
    if (own.length > HANDED_ON_REVOCATIONS_MAX)
      throw new CloudburstError('CB_USAGE', `more than ${HANDED_ON_REVOCATIONS_MAX} things are taken back already: ask the authority to`, {
        command: 'grant'
      })
    const list = { number, at: now, revoked: own.map(({ signer: _, ...each }) => each) }
    const roots = rootsOf(live.filter(each => each.signer === signer).map(({ grant }) => grant))
    return sealRevocations(keyOf(signer, keys), list, roots)
  })
  write(path, { number, handed: book.handed, revoked })
  return { taken: taken.map(({ grant, subject }) => grant ?? subject ?? ''), envelopes }
}

function keyOf(signer: Signer, { node, person }: Keys): Identity {
  if (signer === 'node') return node
  if (person !== undefined) return person
  throw new CloudburstError('CB_USAGE', 'the key of the person who has handed it on is not in this home any more', { command: 'grant' })
}

/** The grant of each authority that holds longest: it shows that there is something to hand on. */
function rootsOf(handed: readonly Grant[]): readonly Uint8Array[] {
  const roots = new Map<string, Grant>()
  for (const root of handed.flatMap(({ parent }) => (parent === undefined ? [] : [parent])).toSorted((a, b) => a.expiry - b.expiry))
    roots.set(root.issuer, root)
  return [...roots.values()].slice(-HOLDS_MAX).map(({ envelope }) => envelope)
}

/** One entry for each key that holds anything, until all of that is over. */
function bySubject(meant: readonly { readonly signer: Signer; readonly grant: Grant }[], now: number): readonly TakenBack[] {
  const taken = new Map<string, TakenBack>()
  for (const { signer, grant } of meant) {
    const key = `${signer} ${grant.subject}`
    const until = Math.max(grant.expiry, taken.get(key)?.until ?? 0)
    taken.set(key, { signer, subject: grant.subject, before: now + 1, until })
  }
  return [...taken.values()]
}

function means({ grant, subject, before = 0 }: Revoked, handed: Grant): boolean {
  return grant === undefined ? handed.subject === subject && handed.at < before : grant === handed.id
}

function opened(grant: string): Grant {
  return openGrant(Buffer.from(grant, 'base64'))
}

function read(path: string): Book {
  if (!existsSync(path)) return { number: 0, handed: [], revoked: [] }
  checkOnlyOursToRead(path)
  return JSON.parse(readFileSync(path, 'utf8')) as Book
}

function write(path: string, book: Book): void {
  replaceFile(path, `${JSON.stringify(book)}\n`, 0o600)
}
