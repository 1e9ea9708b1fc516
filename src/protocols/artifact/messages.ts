/** `/cloudburst/artifact/1`: files by what is in them. Spec: ./README.md */
import * as v from 'valibot'
import type { ErrorData } from '../../errors.ts'
import { bytesShape, countShape, errorShape, hashShape } from '../shapes.ts'

export const ARTIFACT = '/cloudburst/artifact/1'

/** Bytes of a file in one message: large enough that a message costs little, small enough that a slow link is not blocked by one. */
export const PART_BYTES_MAX = 256 * 1024
/** Longest file, in bytes. */
export const ARTIFACT_BYTES_MAX = 64 * 1024 ** 3

/** Fetcher → holder: the only message. */
export interface Fetch {
  readonly type: 'fetch'
  /** SHA-256 of the whole file, hex. */
  readonly hash: string
  /** Bytes that the fetcher has already, from the beginning. */
  readonly offset: number
}

/** Holder → fetcher: `found`, parts in order, then the end of the stream; or `error`. */
export type FromHolder =
  | { readonly type: 'found'; readonly size: number }
  | { readonly type: 'part'; readonly bytes: Uint8Array }
  | { readonly type: 'error'; readonly error: ErrorData }

const sizeShape = v.pipe(countShape, v.maxValue(ARTIFACT_BYTES_MAX))
export const fetchShape: v.GenericSchema<unknown, Fetch> = v.strictObject({ type: v.literal('fetch'), hash: hashShape, offset: sizeShape })
export const fromHolderShape: v.GenericSchema<unknown, FromHolder> = v.variant('type', [
  v.object({ type: v.literal('found'), size: sizeShape }),
  v.object({ type: v.literal('part'), bytes: bytesShape }),
  v.object({ type: v.literal('error'), error: errorShape })
])
