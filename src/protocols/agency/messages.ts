/** `/cloudburst/agency/1`: one call or stream of the agency's table per libp2p stream. Spec: ./README.md */
import * as v from 'valibot'
import type { ErrorData } from '../../errors.ts'
import { behalfShape } from '../behalf.ts'
import { errorShape, nameShape } from '../shapes.ts'

/** Caller → agency: the only message, `request` still unchecked. */
export type FromCaller =
  /** `behalf`: the signed asks that it rests on, the last one by the caller. */
  | { readonly type: 'call'; readonly name: string; readonly request: unknown; readonly behalf?: readonly string[] }
  | { readonly type: 'stream'; readonly name: string; readonly request: unknown }

/** Agency → caller: `reply` or `error` for a call; `item`s, then `end` or `error`, for a stream. */
export type FromAgency =
  | { readonly type: 'reply'; readonly reply: unknown }
  | { readonly type: 'item'; readonly item: unknown }
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly error: ErrorData }

export const fromCallerShape = v.strictObject({
  type: v.picklist(['call', 'stream']),
  name: nameShape,
  request: v.unknown(),
  behalf: v.exactOptional(behalfShape)
})

export const fromAgencyShape = v.variant('type', [
  v.object({ type: v.literal('reply'), reply: v.unknown() }),
  v.object({ type: v.literal('item'), item: v.unknown() }),
  v.object({ type: v.literal('end') }),
  v.object({ type: v.literal('error'), error: errorShape })
])
