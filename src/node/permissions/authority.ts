/**
 * Authorities whose keys are kept in a home: what `cloudburst authority` does, with or without a daemon.
 * Each is a key (0600) and a book of what it has granted and taken back. Only the command writes the book; the daemon, which
 * issues grants anew, keeps its own notes beside it, so that the two never write over each other.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bounds } from '../../crypto/bounds.ts'
import { EMAIL, GRANT_LIFETIME_MAX_MS, type GrantWords, openGrant, sealGrant } from '../../crypto/grant.ts'
import { generateIdentity, type Identity, identityFromPem, identityToPem, isPeerId } from '../../crypto/identity.ts'
import { REVOCATIONS_MAX, type Revoked, sealRevocations } from '../../crypto/revocation.ts'
import { CloudburstError } from '../../errors.ts'
import { capabilities } from '../../crypto/capability.ts'
import { NODE_NAME } from '../../protocols/node-name.ts'
import { guess } from '../files/xml-shape.ts'
import { alone } from '../files/alone.ts'
import { createFile, replaceFile } from '../files/atomic-file.ts'
import { checkOnlyOursToRead } from '../files/file-safety.ts'

/** A grant as the book remembers it. */
export interface Issued extends GrantWords {
  /** Issued anew before it ends, for as long as nobody takes it back. */
  readonly renew?: true
}

/** What an authority has said. */
export interface Book {
  /** Number of its list of revocations. */
  readonly number: number
  readonly revoked: readonly Revoked[]
  readonly issued: readonly Issued[]
}

/** An authority whose key is here. */
export interface HeldAuthority {
  readonly name: string
  readonly identity: Identity
  readonly book: Book
}

/** Names of the authorities of a home. */
export function authorityNames(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  const names = readdirSync(directory).filter(file => file.endsWith('.key'))
  return names.map(file => file.slice(0, -'.key'.length)).toSorted()
}

/**
 * Makes an authority: a key, and an empty book. Durable on return.
 * @throws CloudburstError CB_USAGE for a wrong name, or one that is taken
 */
export function initAuthority(directory: string, name: string): HeldAuthority {
  if (!NODE_NAME.test(name)) throw new CloudburstError('CB_USAGE', `${name} is no name for an authority: letters, digits, . _ -`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const identity = generateIdentity()
  if (!createFile(keyPath(directory, name), identityToPem(identity), 0o600))
    throw new CloudburstError('CB_USAGE', `the authority ${name} is there already: ${keyPath(directory, name)}`)
  const book: Book = { number: 0, revoked: [], issued: [] }
  writeBook(directory, name, book)
  return { name, identity, book }
}

/** @throws CloudburstError CB_USAGE when there is no such authority, CB_FILE_UNSAFE when others may read its key */
export function openAuthority(directory: string, name: string): HeldAuthority {
  const path = keyPath(directory, name)
  if (!NODE_NAME.test(name) || !existsSync(path)) {
    const names = authorityNames(directory)
    const known = names.length === 0 ? 'there is none in this home' : `there is ${names.join(', ')}`
    throw new CloudburstError('CB_USAGE', `no authority ${name} has its key here; ${known}`, { command: 'authority' })
  }
  checkOnlyOursToRead(path)
  return { name, identity: identityFromPem(readFileSync(path, 'utf8')), book: readBook(directory, name) }
}

export interface NewGrant {
  /** Peer id of whoever gets it. */
  readonly subject: string
  readonly email: string
  readonly bounds: Bounds
  readonly lifetimeMs: number
  readonly fresh?: number
  readonly renew?: boolean
}

/**
 * Signs a grant and notes it in the book. Durable on return.
 * @param id fresh
 * @returns its envelope
 * @throws CloudburstError CB_USAGE for a lifetime out of range
 */
export function certify(directory: string, name: string, what: NewGrant, id: string, now: number): Uint8Array {
  return withBook(directory, name, () => certified(directory, name, what, id, now))
}

function certified(directory: string, name: string, what: NewGrant, id: string, now: number): Uint8Array {
  const { identity, book } = openAuthority(directory, name)
  const { subject, email, bounds, fresh, renew } = what
  const words = wordsOf({ id, subject, email, allows: [bounds], ...(fresh !== undefined && { fresh }) }, what.lifetimeMs, now)
  const envelope = sealGrant(identity, words)
  const issued = book.issued.filter(({ expiry, renew: goesOn }) => goesOn === true || expiry > now - GRANT_LIFETIME_MAX_MS)
  writeBook(directory, name, { ...book, issued: [...issued, { ...words, ...(renew === true && { renew }) }] })
  return envelope
}

/** What a grant says that begins now. @throws CloudburstError CB_USAGE for a lifetime out of range, and for words that mean nothing */
export function wordsOf(
  words: Omit<GrantWords, 'at' | 'notBefore' | 'expiry'>,
  lifetimeMs: number,
  now: number
): GrantWords & { readonly expiry: number } {
  if (!(lifetimeMs > 0 && lifetimeMs <= GRANT_LIFETIME_MAX_MS))
    throw new CloudburstError('CB_USAGE', `a grant lives for at most ${GRANT_LIFETIME_MAX_MS / 86_400_000} days`)
  if (!isPeerId(words.subject)) throw new CloudburstError('CB_USAGE', `${words.subject} is not the peer id of a usable Ed25519 key`)
  if (!EMAIL.test(words.email)) throw new CloudburstError('CB_USAGE', `${words.email} is not an e-mail address`)
  for (const { capabilities: asked } of words.allows) {
    const unknown = asked.find(word => !capabilities.includes(word))
    if (unknown !== undefined)
      throw new CloudburstError('CB_USAGE', `${unknown} is not a capability${guess(unknown, capabilities)}`, { command: 'grant' })
  }
  return { ...words, at: now, notBefore: now, expiry: now + lifetimeMs }
}

/**
 * Takes grants back: by the id of one, or all of an e-mail address or peer id. Durable on return, and for good.
 * @returns what was taken back, and the list to be told to everybody
 * @throws CloudburstError CB_USAGE when nothing of that name was granted, or the list is full
 */
export function revoke(
  directory: string,
  name: string,
  who: string,
  now: number
): { readonly revoked: readonly Revoked[]; readonly envelope: Uint8Array } {
  return withBook(directory, name, () => takenFrom(directory, name, who, now))
}

function takenFrom(directory: string, name: string, who: string, now: number): ReturnType<typeof revoke> {
  const { identity, book } = openAuthority(directory, name)
  const { taken, kept } = takenBack(directory, name, book, who, now)
  if (taken.length === 0)
    throw new CloudburstError('CB_USAGE', `the authority ${name} has granted nothing to ${who}`, { command: 'authority' })
  const revoked = [...book.revoked.filter(({ until }) => until > now), ...taken]
  if (revoked.length > REVOCATIONS_MAX)
    throw new CloudburstError(
      'CB_USAGE',
      `the list of ${name} is full (${REVOCATIONS_MAX}): make a new authority and take this key out of permissions.xml`
    )
  const next: Book = { number: book.number + 1, revoked, issued: kept }
  writeBook(directory, name, next)
  return { revoked: taken, envelope: sealRevocations(identity, { number: next.number, at: now, revoked }) }
}

function takenBack(
  directory: string,
  name: string,
  book: Book,
  who: string,
  now: number
): { readonly taken: readonly Revoked[]; readonly kept: readonly Issued[] } {
  const until = now + GRANT_LIFETIME_MAX_MS
  const byId = book.issued.find(({ id }) => id === who)
  if (byId !== undefined) {
    const ids = [who, ...(readReissued(directory, name)[who]?.ids ?? [])]
    return { taken: ids.map(grant => ({ grant, until })), kept: book.issued.filter(({ id }) => id !== who) }
  }
  // A key may also hold what somebody else has handed on to it, of which this book knows nothing.
  const found = book.issued.filter(({ email, subject }) => email === who || subject === who).map(({ subject }) => subject)
  const subjects = new Set(isPeerId(who) ? [who, ...found] : found)
  const taken = [...subjects].map(subject => ({ subject, before: now + 1, until }))
  return { taken, kept: book.issued.filter(({ subject }) => !subjects.has(subject)) }
}

/** The list as it is, signed at `now`: tells everybody that the authority is still there. */
export function heartbeat({ identity, book }: HeldAuthority, now: number): Uint8Array {
  return sealRevocations(identity, { number: book.number, at: now, revoked: book.revoked.filter(({ until }) => until > now) })
}

/** Grants that were issued anew, by the id of the first. */
type Reissued = Readonly<
  Record<string, { readonly ids: readonly string[]; readonly at: number; readonly expiry: number; readonly grant: string }>
>

/** Ids of a grant's successors that are remembered: enough for 90 days, whatever its life. */
const REISSUED_IDS_MAX = 200

/**
 * Issues anew what is through two thirds of its life. Durable on return. Only the daemon calls this.
 * @returns the current grant of each that goes on, issued anew or not, to be handed to its subject
 */
export function reissue(
  directory: string,
  { name, identity, book }: HeldAuthority,
  newId: () => string,
  now: number
): readonly { readonly subject: string; readonly envelope: Uint8Array; readonly fresh: boolean }[] {
  const before = readReissued(directory, name)
  const next: Record<string, Reissued[string]> = {}
  let changed = false
  const current = book.issued
    .filter(({ renew }) => renew === true)
    .map(issued => {
      const last = before[issued.id]
      const { at, expiry } = last ?? issued
      const due = now >= at + ((expiry - at) * 2) / 3
      if (!due) {
        if (last !== undefined) next[issued.id] = last
        return { subject: issued.subject, envelope: last === undefined ? undefined : Buffer.from(last.grant, 'base64'), fresh: false }
      }
      const { subject, email, allows, fresh } = issued
      const id = newId()
      const words = wordsOf({ id, subject, email, allows, ...(fresh !== undefined && { fresh }) }, issued.expiry - issued.notBefore, now)
      const envelope = sealGrant(identity, words)
      const ids = [...(last?.ids ?? []), id].slice(-REISSUED_IDS_MAX)
      next[issued.id] = { ids, at: now, expiry: words.expiry, grant: Buffer.from(envelope).toString('base64') }
      changed = true
      return { subject, envelope, fresh: true }
    })
  if (changed) replaceFile(reissuedPath(directory, name), `${JSON.stringify(next)}\n`, 0o600)
  return current.flatMap(({ subject, envelope, fresh }) => (envelope === undefined ? [] : [{ subject, envelope, fresh }]))
}

/** Checks an envelope as it would be checked elsewhere, for people who have one in a file. */
export function readGrantFile(text: string): Uint8Array {
  const envelope = Buffer.from(text.trim())
  openGrant(envelope)
  return envelope
}

/** One process at a time: what another one has noted meanwhile would be lost. */
function withBook<T>(directory: string, name: string, change: () => T): T {
  openAuthority(directory, name)
  return alone(bookPath(directory, name), change)
}

function readBook(directory: string, name: string): Book {
  return JSON.parse(readFileSync(bookPath(directory, name), 'utf8')) as Book
}

function writeBook(directory: string, name: string, book: Book): void {
  replaceFile(bookPath(directory, name), `${JSON.stringify(book)}\n`, 0o600)
}

function readReissued(directory: string, name: string): Reissued {
  const path = reissuedPath(directory, name)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Reissued) : {}
}

const keyPath = (directory: string, name: string): string => join(directory, `${name}.key`)
const bookPath = (directory: string, name: string): string => join(directory, `${name}.book.json`)
const reissuedPath = (directory: string, name: string): string => join(directory, `${name}.reissued.json`)
