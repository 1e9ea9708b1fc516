/** What an executor signs when it accepts a goal: its word that the goal is its duty from then on. Spec: ./README.md, "Receipt" */
import * as v from 'valibot'
import { accepted, hashShape, idShape, nameShape, peerShape, timeShape } from '../shapes.ts'

/** DSSE payload type of a receipt; the payload is JSON with the keys in this order. */
export const RECEIPT_TYPE = 'application/vnd.cloudburst.receipt+json'

export interface Receipt {
  readonly id: string
  /** Peer ids. */
  readonly executor: string
  readonly dispatcher: string
  readonly goal: string
  /** Hash of the program. */
  readonly program: string
  /** Epoch milliseconds, by the executor's clock. */
  readonly acceptedAt: number
}

const receiptShape = v.strictObject({
  id: idShape,
  executor: peerShape,
  dispatcher: peerShape,
  goal: nameShape,
  program: hashShape,
  acceptedAt: timeShape
})

/** The bytes to sign. The same receipt gives the same bytes, and Ed25519 the same signature. */
export function receiptPayload({ id, executor, dispatcher, goal, program, acceptedAt }: Receipt): Uint8Array {
  return Buffer.from(JSON.stringify({ id, executor, dispatcher, goal, program, acceptedAt }))
}

/**
 * The receipt in a payload whose signature holds.
 * @throws CloudburstError CB_SIGNATURE_INVALID when it says something else
 */
export function readReceipt(payload: Uint8Array): Receipt {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    value = undefined
  }
  return accepted(receiptShape, value, 'receipt', 'CB_SIGNATURE_INVALID')
}
