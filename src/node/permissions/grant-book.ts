/** Grants whose signatures held: those of this node, to be shown, and those that others have shown. Bounded, and kept over restarts. */
import { createHash } from 'node:crypto'
import { type Grant, openGrant } from '../../crypto/grant.ts'
import type { StorePart } from '../store/part.ts'

const PREFIX = 't!grant!'
/**
 * Most grants that are remembered of one key, and of all together. Of one key, only older ones of the same issuer give way to a new
 * one: whoever signs many for somebody else's key takes nothing away. Of all, the ones that were shown first.
 */
export const GRANTS_PER_KEY_MAX = 16
export const GRANTS_MAX = 10_000

export class GrantBook {
  readonly #store: StorePart
  readonly #own: readonly string[]
  readonly #bySubject = new Map<string, readonly Grant[]>()
  /** Hashes of the envelopes that are known: what is shown with each hello is verified once. */
  readonly #seen = new Set<string>()
  #count = 0

  private constructor(store: StorePart, own: readonly string[]) {
    this.#store = store
    this.#own = own
  }

  /** Reads what was remembered; what has expired is dropped. */
  static async open(store: StorePart, own: readonly string[], now: number): Promise<GrantBook> {
    const book = new GrantBook(store, own)
    const expired: string[] = []
    for await (const [key, value] of store.range({ prefix: PREFIX })) {
      const grant = openGrant(Buffer.from(value as string, 'base64'))
      if (grant.expiry > now) book.#put(grant)
      else expired.push(key)
    }
    if (expired.length > 0)
      await store.batch(
        expired.map(key => ({ type: 'del', key })),
        { sync: false }
      )
    return book
  }

  /** Whether exactly these bytes were verified before. */
  has(envelope: Uint8Array): boolean {
    return this.#seen.has(hash(envelope))
  }

  /** @returns whether it was not known */
  add(grant: Grant): boolean {
    if (this.of(grant.subject).some(known => known.id === grant.id && known.issuer === grant.issuer)) return false
    const dropped = this.#put(grant)
    if (dropped === undefined) return false
    const value = Buffer.from(grant.envelope).toString('base64')
    const operations = [
      { type: 'put' as const, key: keyOf(grant), value },
      ...dropped.map(each => ({ type: 'del' as const, key: keyOf(each) }))
    ]
    // Not waited for: it is shown again with the next hello.
    this.#store.batch(operations, { sync: false }).catch(() => undefined)
    return true
  }

  of(subject: string): readonly Grant[] {
    return this.#bySubject.get(subject) ?? []
  }

  /** Those of this node that have not expired, the latest first. */
  own(now: number): readonly Grant[] {
    return this.#own
      .flatMap(peer => this.of(peer))
      .filter(({ expiry }) => expiry > now)
      .toSorted((a, b) => b.at - a.at)
  }

  all(): readonly Grant[] {
    return [...this.#bySubject.values()].flat()
  }

  /** @returns what had to go for it; undefined when there is no room, and it was not taken */
  #put(grant: Grant): readonly Grant[] | undefined {
    const held = [...this.of(grant.subject)]
    const older = held.findIndex(({ issuer }) => issuer === grant.issuer)
    const full = held.length >= GRANTS_PER_KEY_MAX
    if (full && older === -1) return undefined
    const dropped = full ? held.splice(older, 1) : []
    held.push(grant)
    this.#seen.add(hash(grant.envelope))
    // Put at the end: the key that was shown longest ago stands first.
    this.#bySubject.delete(grant.subject)
    this.#bySubject.set(grant.subject, held)
    this.#count += 1 - dropped.length
    for (const each of dropped) this.#seen.delete(hash(each.envelope))
    if (this.#count <= GRANTS_MAX) return dropped
    const oldest = [...this.#bySubject.keys()].find(subject => !this.#own.includes(subject) && subject !== grant.subject)
    if (oldest === undefined) return dropped
    const gone = this.of(oldest)
    this.#bySubject.delete(oldest)
    this.#count -= gone.length
    for (const each of gone) this.#seen.delete(hash(each.envelope))
    return [...dropped, ...gone]
  }
}

function hash(envelope: Uint8Array): string {
  return createHash('sha256').update(envelope).digest('base64')
}

function keyOf({ subject, issuer, id }: Grant): string {
  return `${PREFIX}${subject}!${issuer}!${id}`
}
