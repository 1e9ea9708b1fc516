/** `/cloudburst/trust/1`: signed statements between neighbours. Spec: ./README.md */
import * as v from 'valibot'
import { bytesShape, errorShape } from '../shapes.ts'
import type { ErrorData } from '../../errors.ts'

export const TRUST = '/cloudburst/trust/1'
/** gossipsub topic of lists of revocations: the envelope as it was signed. */
export const REVOCATIONS_TOPIC = '/cloudburst/revocations/1'

/** Most statements of one message: the lists of a handful of authorities, and the grants of one node. */
export const STATEMENTS_MAX = 32

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
