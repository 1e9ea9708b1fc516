/** How far all origins are known, and what two nodes compare before any of it is told: one print of all heads, then the sums of their buckets. */
import { createHash } from 'node:crypto'
import { BUCKETS, SUM_BYTES } from './buckets.ts'
import type { Head } from './messages.ts'
import { headOf, type Origin } from './origin.ts'

/** The heads of a replica's origins. What is worked out is kept until {@link Heads.changed}. */
export class Heads {
  readonly #origins: ReadonlyMap<string, Origin>
  #listed: readonly Head[] | undefined
  #print: string | undefined
  /** Ids in their order. */
  #order: readonly string[] = []
  /** By bucket: the heads of which the sum is. */
  readonly #summed: (readonly Head[])[] = Array.from({ length: BUCKETS }, () => [])
  readonly #sums = Buffer.concat(Array.from({ length: BUCKETS }, () => sumOf([])))
  #isSummed = false

  constructor(origins: ReadonlyMap<string, Origin>) {
    this.#origins = origins
  }

  /** To be called after any origin has changed. */
  changed(): void {
    this.#listed = undefined
    this.#print = undefined
    this.#isSummed = false
  }

  list(): readonly Head[] {
    this.#listed ??= [...this.#origins.values()].map(headOf)
    return this.#listed
  }

  /** Equal where nobody has anything to give to the other: the heads, in one order, in one hash. */
  print(): string {
    this.#print ??= hashOf(this.#sorted().map(headOf)).toString('hex', 0, 16)
    return this.#print
  }

  /** SUMS_BYTES: only buckets of which a head is another one are summed again. */
  sums(): Uint8Array {
    if (!this.#isSummed) this.#sum()
    this.#isSummed = true
    return Uint8Array.from(this.#sums)
  }

  /** Buckets of which somebody else has another sum. */
  unlike(sums: Uint8Array): readonly number[] {
    const own = this.sums()
    const bytes = (of: Uint8Array, bucket: number): Uint8Array => of.subarray(bucket * SUM_BYTES, (bucket + 1) * SUM_BYTES)
    return [...this.#summed.keys()].filter(bucket => Buffer.compare(bytes(own, bucket), bytes(sums, bucket)) !== 0)
  }

  originsIn(buckets: readonly number[]): readonly string[] {
    const wanted = new Set(buckets)
    return [...this.#origins.values()].flatMap(({ origin, bucket }) => (wanted.has(bucket) ? [origin] : []))
  }

  #sum(): void {
    const inside = this.#summed.map((): Head[] => [])
    for (const state of this.#sorted()) inside[state.bucket]!.push(headOf(state))
    for (const [bucket, heads] of inside.entries()) {
      const before = this.#summed[bucket]!
      if (heads.length === before.length && heads.every((head, at) => head === before[at])) continue
      this.#summed[bucket] = heads
      this.#sums.set(sumOf(heads), bucket * SUM_BYTES)
    }
  }

  #sorted(): readonly Origin[] {
    const known = this.#order.flatMap(origin => this.#origins.get(origin) ?? [])
    if (known.length === this.#origins.size && known.length === this.#order.length) return known
    this.#order = [...this.#origins.keys()].sort()
    return this.#order.map(origin => this.#origins.get(origin)!)
  }
}

function sumOf(heads: readonly Head[]): Buffer {
  return hashOf(heads).subarray(0, SUM_BYTES)
}

function hashOf(heads: readonly Head[]): Buffer {
  const lines = heads.map(({ origin, boot, nonce, seq, print = '', fork = false }) => `${origin} ${boot} ${nonce} ${seq} ${print} ${fork}`)
  return createHash('sha256').update(lines.join('\n')).digest()
}
