/**
 * Origins in 64 buckets: two nodes compare a sum of the heads in each before any head is told, so that where one of a
 * thousand is another, sixteen are told. Spec: ./README.md
 */

export const BUCKETS = 64
/** Of one bucket: nobody finds two histories with one sum. */
export const SUM_BYTES = 16
export const SUMS_BYTES = BUCKETS * SUM_BYTES
/** With fewer origins their heads are hardly longer than the sums. */
export const BUCKETED_FROM = 64

/** The bucket of an origin, by its id, everywhere the same: FNV-1a of 32 bits. Source: Fowler, Noll and Vo, draft-eastlake-fnv */
export function bucketOf(origin: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < origin.length; at++) hash = Math.imul(hash ^ origin.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % BUCKETS
}
