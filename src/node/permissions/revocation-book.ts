/** What the authorities have taken back, as far as this node has heard, and when it has heard of each. Pure; times are given. */
import type { Grant } from '../../crypto/grant.ts'
import type { Revocations, Revoked } from '../../crypto/revocation.ts'

interface Entry {
  latest: Revocations
  /** Epoch milliseconds: never later than the authority said, nor than we got it. */
  heardAt: number
  readonly grants: Map<string, Revoked>
  readonly subjects: Map<string, Revoked>
}

export class RevocationBook {
  readonly #entries = new Map<string, Entry>()

  /**
   * Takes in a list. What was taken back stays so, even if a later list has it no more.
   * @param receivedAt epoch milliseconds by this node's clock
   * @returns whether it says anything new: a thing taken back, or that the authority is still heard of
   */
  learn(list: Revocations, receivedAt: number): boolean {
    const known = this.#entries.get(list.issuer)
    const entry = known ?? { latest: list, heardAt: 0, grants: new Map(), subjects: new Map() }
    this.#entries.set(list.issuer, entry)
    let news = known === undefined
    for (const revoked of list.revoked) news = add(entry, revoked) || news
    const heardAt = Math.min(list.at, receivedAt)
    if (heardAt > entry.heardAt) {
      entry.heardAt = heardAt
      news = true
    }
    if (isLater(list, entry.latest)) entry.latest = list
    return news
  }

  /** When this key was last heard of, by what it signed and when that came; 0 for never. Epoch milliseconds. */
  heardAt(key: string): number {
    return this.#entries.get(key)?.heardAt ?? 0
  }

  /** The latest list of each authority, to be passed on. */
  latest(): readonly Revocations[] {
    return [...this.#entries.values()].map(({ latest }) => latest)
  }

  /**
   * Whether the authority has taken back this grant, the one it comes from, or all of one of their holders.
   * @param holder the key that uses it now, if it has taken the place of the one it was given to
   */
  revokes(key: string, grant: Grant, holder = grant.subject): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    if (grant.at < (entry.subjects.get(holder)?.before ?? 0)) return true
    for (let each: Grant | undefined = grant; each !== undefined; each = each.parent) {
      if (entry.grants.has(each.id)) return true
      const subject = entry.subjects.get(each.subject)
      if (subject !== undefined && each.at < (subject.before ?? 0)) return true
    }
    return false
  }

  /** Forgets what could not hold any more by itself. @param now epoch milliseconds */
  prune(now: number): void {
    for (const { grants, subjects } of this.#entries.values()) {
      for (const entries of [grants, subjects]) for (const [key, { until }] of entries) if (until < now) entries.delete(key)
    }
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
