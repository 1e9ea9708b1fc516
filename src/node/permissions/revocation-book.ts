/** What authorities and holders have taken back, as far as this node has heard, and when it has heard of each. Pure; times are given. */
import { type Grant, GRANT_LIFETIME_MAX_MS } from '../../crypto/grant.ts'
import { HANDED_ON_REVOCATIONS_MAX, type Revocations, type Revoked } from '../../crypto/revocation.ts'

/** Most that is remembered of one holder: what it has taken back by several lists. An authority's own lists bound themselves. */
const HOLDER_ENTRIES_MAX = 4 * HANDED_ON_REVOCATIONS_MAX

interface Entry {
  latest: Revocations
  /** Epoch milliseconds: never later than the authority said, nor than we got it. */
  heardAt: number
  readonly grants: Map<string, Revoked>
  readonly subjects: Map<string, Revoked>
}

export class RevocationBook {
  readonly #authorities = new Map<string, Entry>()
  readonly #holders = new Map<string, Entry>()

  /**
   * Takes in a list. What was taken back stays so, even if a later list has it no more.
   * @param receivedAt epoch milliseconds by this node's clock
   * @returns whether it says anything new: a thing taken back, or that the authority is still heard of
   */
  learn(list: Revocations, receivedAt: number): boolean {
    const entries = this.#of(list)
    const known = entries.get(list.issuer)
    const entry = known ?? { latest: list, heardAt: 0, grants: new Map(), subjects: new Map() }
    entries.set(list.issuer, entry)
    let news = known === undefined
    for (const revoked of list.revoked) {
      if (list.holds !== undefined && entry.grants.size + entry.subjects.size >= HOLDER_ENTRIES_MAX) break
      // Nothing that was granted by now lives longer.
      news = add(entry, { ...revoked, until: Math.min(revoked.until, receivedAt + GRANT_LIFETIME_MAX_MS) }) || news
    }
    const heardAt = Math.min(list.at, receivedAt)
    if (heardAt > entry.heardAt) {
      entry.heardAt = heardAt
      // Nobody waits for a holder to be heard of: saying the same again is no news.
      news ||= list.holds === undefined
    }
    if (isLater(list, entry.latest)) entry.latest = list
    return news
  }

  /** When this authority was last heard of, by what it signed and when that came; 0 for never. Epoch milliseconds. */
  heardAt(key: string): number {
    return this.#authorities.get(key)?.heardAt ?? 0
  }

  /** Whether anything of whoever signed a list is remembered. */
  knows(list: Pick<Revocations, 'issuer' | 'holds'>): boolean {
    return this.#of(list).has(list.issuer)
  }

  /** The latest list of each, those of authorities first, to be passed on. */
  latest(): readonly Revocations[] {
    return [...this.#authorities.values(), ...this.#holders.values()].map(({ latest }) => latest)
  }

  /** How many holders have taken back anything. */
  get holders(): number {
    return this.#holders.size
  }

  /**
   * Whether the authority has taken back this grant, the one it comes from, or all of one of their holders; or whoever has handed
   * it on has taken it back.
   * @param holder the key that uses it now, if it has taken the place of the one it was given to
   * @param by the key that speaks now for the one that has handed it on
   */
  revokes(key: string, grant: Grant, holder = grant.subject, by = grant.issuer): boolean {
    return this.#byAuthority(key, grant, holder) || (grant.parent !== undefined && this.#byHolder(by, grant, holder))
  }

  /**
   * Forgets what could not hold any more by itself, and holders of whom nothing is left.
   * @param now epoch milliseconds
   * @returns the keys of those holders
   */
  prune(now: number): readonly string[] {
    for (const { grants, subjects } of [...this.#authorities.values(), ...this.#holders.values()]) {
      for (const entries of [grants, subjects]) for (const [key, { until }] of entries) if (until < now) entries.delete(key)
    }
    const gone = [...this.#holders].flatMap(([key, { grants, subjects }]) => (grants.size + subjects.size === 0 ? [key] : []))
    for (const key of gone) this.#holders.delete(key)
    return gone
  }

  #of({ holds }: Pick<Revocations, 'holds'>): Map<string, Entry> {
    return holds === undefined ? this.#authorities : this.#holders
  }

  #byAuthority(key: string, grant: Grant, holder: string): boolean {
    const entry = this.#authorities.get(key)
    if (entry === undefined) return false
    if (grant.at < (entry.subjects.get(holder)?.before ?? 0)) return true
    for (let each: Grant | undefined = grant; each !== undefined; each = each.parent) {
      if (entry.grants.has(each.id)) return true
      const subject = entry.subjects.get(each.subject)
      if (subject !== undefined && each.at < (subject.before ?? 0)) return true
    }
    return false
  }

  /** Of what it was given itself, and of what others have handed on, a holder takes nothing back. */
  #byHolder(by: string, { id, at, subject }: Grant, holder: string): boolean {
    const entry = this.#holders.get(by)
    if (entry === undefined) return false
    return entry.grants.has(id) || [subject, holder].some(each => at < (entry.subjects.get(each)?.before ?? 0))
  }
}

function add({ grants, subjects }: Entry, revoked: Revoked): boolean {
  const { grant, subject, before = 0, until } = revoked
  if (grant !== undefined) {
    const known = grants.get(grant)
    if (known === undefined || known.until < until) grants.set(grant, revoked)
    return known === undefined
  }
  if (subject === undefined) return false
  const known = subjects.get(subject)
  if (known !== undefined && (known.before ?? 0) >= before) return false
  subjects.set(subject, { subject, before, until: Math.max(until, known?.until ?? 0) })
  return true
}

function isLater(list: Revocations, than: Revocations): boolean {
  return list.number > than.number || (list.number === than.number && list.at > than.at)
}
