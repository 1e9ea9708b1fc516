/** How far all origins are known, and what two nodes compare before any of it is told: one print of all heads, then the sums of their buckets. */
import { hash } from 'node:crypto'
import { BUCKETED_FROM, BUCKETS, SUM_BYTES, SUMS_BYTES } from './buckets.ts'
import type { Head } from './messages.ts'
import { headOf, type Origin } from './origin.ts'

/** What a bucket comes to. */
interface Bucket {
  readonly heads: readonly Head[]
  /** Hex. */
  readonly sum: string
}

/** The heads of a replica's origins. What is worked out is kept until {@link Heads.changed}. */
export class Heads {
  readonly #origins: ReadonlyMap<string, Origin>
  #listed: readonly Head[] | undefined
  #print: string | undefined
  /** Ids in their order. */
  #order: readonly string[] = []
  #buckets: readonly Bucket[] = Array.from({ length: BUCKETS }, () => ({ heads: [], sum: sumOf([]) }))
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

  /** Equal where nobody has anything to give to the other; of the sums, where there are many: of all heads it would be most of what a comparison costs. */
  print(): string {
    const ofAll = (): string => sumOf(this.#sorted().map(headOf))
    this.#print ??= this.#origins.size < BUCKETED_FROM ? ofAll() : short(hash('sha256', this.#sums()))
    return this.#print
  }

  /** SUMS_BYTES. */
  sums(): Uint8Array {
    return Buffer.from(this.#sums(), 'hex')
  }

  /** Buckets of which somebody else has another sum. */
  unlike(sums: Uint8Array): readonly number[] {
    const [own, others] = [this.#sums(), Buffer.from(sums.buffer, sums.byteOffset, SUMS_BYTES).toString('hex')]
    const at = (of: string, bucket: number): string => of.slice(bucket * 2 * SUM_BYTES, (bucket + 1) * 2 * SUM_BYTES)
    return [...this.#buckets.keys()].filter(bucket => at(own, bucket) !== at(others, bucket))
  }

  originsIn(buckets: readonly number[]): readonly string[] {
    const wanted = new Set(buckets)
    return [...this.#origins.values()].flatMap(({ origin, bucket }) => (wanted.has(bucket) ? [origin] : []))
  }

  /** Only buckets of which a head is another one are summed again. */
  #sums(): string {
    if (!this.#isSummed) {
      const inside = this.#buckets.map((): Head[] => [])
      for (const state of this.#sorted()) inside[state.bucket]!.push(headOf(state))
      this.#buckets = this.#buckets.map((before, at) => {
        const heads = inside[at]!
        return heads.length === before.heads.length && heads.every((head, n) => head === before.heads[n])
          ? before
          : { heads, sum: sumOf(heads) }
      })
      this.#isSummed = true
    }
    return this.#buckets.map(({ sum }) => sum).join('')
  }

  #sorted(): readonly Origin[] {
    const known = this.#order.flatMap(origin => this.#origins.get(origin) ?? [])
    if (known.length === this.#origins.size && known.length === this.#order.length) return known
    this.#order = [...this.#origins.keys()].sort()
    return this.#order.map(origin => this.#origins.get(origin)!)
  }
}

/** Of heads in the order of their origins. */
function sumOf(heads: readonly Head[]): string {
  const lines = heads.map(({ origin, boot, nonce, seq, print = '', fork = false }) => `${origin} ${boot} ${nonce} ${seq} ${print} ${fork}`)
  return short(hash('sha256', lines.join('\n')))
}

function short(hex: string): string {
  return hex.slice(0, 2 * SUM_BYTES)
}
