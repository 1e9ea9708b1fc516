/** `/cloudburst/trust/1`: signed statements between neighbours. Spec: ./README.md */
import * as v from 'valibot'
import { bytesShape, errorShape } from '../shapes.ts'
import type { ErrorData } from '../../errors.ts'

export const TRUST = '/cloudburst/trust/1'
/** gossipsub topic of lists of revocations: the envelope as it was signed. */
export const REVOCATIONS_TOPIC = '/cloudburst/revocations/1'

/** Most statements of one message: the lists of a handful of authorities, and the grants of one node. */
export const STATEMENTS_MAX = 32

/** Most bytes of statements in one message, unless a single one has more: a frame holds several times as much. */
const STATEMENTS_BYTES_MAX = 1024 * 1024

/** What there is to tell, in as many messages as it takes; always one. */
export function pagesOf(statements: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const pages: Uint8Array[][] = [[]]
  let bytes = 0
  for (const statement of statements) {
    const page = pages.at(-1)!
    if (page.length > 0 && (page.length >= STATEMENTS_MAX || bytes + statement.byteLength > STATEMENTS_BYTES_MAX)) {
      pages.push([statement])
      bytes = statement.byteLength
    } else {
      page.push(statement)
      bytes += statement.byteLength
    }
  }
  return pages
}

/** Each side says one. */
export interface TrustNews {
  readonly type: 'news'
  /** Envelopes as they were signed: lists of revocations, and grants for whoever hears this. */
  readonly statements: readonly Uint8Array[]
}

export type TrustMessage = TrustNews | { readonly type: 'error'; readonly error: ErrorData }

export const newsShape: v.GenericSchema<unknown, TrustNews> = v.strictObject({
  type: v.literal('news'),
  statements: v.pipe(v.array(bytesShape), v.maxLength(STATEMENTS_MAX))
})
export const trustShape: v.GenericSchema<unknown, TrustMessage> = v.variant('type', [
  v.strictObject({ type: v.literal('news'), statements: v.pipe(v.array(bytesShape), v.maxLength(STATEMENTS_MAX)) }),
  v.object({ type: v.literal('error'), error: errorShape })
])
