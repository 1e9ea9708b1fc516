/** A node that is gone for good leaves by a statement of somebody who may say so. Spec: ./README.md */
import * as v from 'valibot'
import { CloudburstError } from '../../errors.ts'
import { countShape, peerShape, textShape, timeShape } from '../shapes.ts'
import { decodeMessage, encodeMessage } from '../wire/codec.ts'

/** DSSE payload type of a forget. */
export const FORGET_TYPE = 'application/vnd.cloudburst.forget+cbor'
/** Longest envelope of one, in bytes. */
export const FORGET_BYTES_MAX = 4 * 1024

export interface Forget {
  /** Peer id of the node that is gone. */
  readonly origin: string
  /** The last boot of it that is forgotten: one that comes back later is a new node. */
  readonly boot: number
  /** Epoch milliseconds, by the clock of who says so. */
  readonly at: number
  readonly why?: string
}

const forgetShape: v.GenericSchema<unknown, Forget> = v.strictObject({
  origin: peerShape,
  boot: countShape,
  at: timeShape,
  why: v.exactOptional(v.pipe(textShape, v.maxLength(1_000)))
})

/** The bytes to sign. */
export function encodeForget(forget: Forget): Uint8Array {
  return encodeMessage(forget)
}

/** The forget in a payload whose signature holds. @throws CloudburstError CB_FRAME_INVALID */
export function decodeForget(payload: Uint8Array, signer: string): Forget {
  const result = v.safeParse(forgetShape, decodeMessage(payload), { abortEarly: true })
  if (result.success) return result.output
  throw new CloudburstError('CB_FRAME_INVALID', `a forget of ${signer} is refused: ${result.issues[0].message.slice(0, 200)}`, {
    peer: signer
  })
}
