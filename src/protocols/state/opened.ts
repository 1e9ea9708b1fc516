/**
 * Records whose signatures held. Several neighbours give the same record, often at the same time: it is verified and read
 * once, and kept once. What is not signed as it says is never here.
 */
import { hash } from 'node:crypto'
import type { StateRecord } from './messages.ts'
import { decodeRecord } from './record.ts'

/** Envelopes that are remembered, in bytes: a record of each of a thousand nodes, and no more than a few of the largest. */
const OPENED_BYTES_MAX = 8 * 1024 * 1024

export interface OpenedRecord {
  /** As it came first: equal bytes, one copy. */
  readonly envelope: Uint8Array
  readonly payload: Uint8Array
  readonly record: StateRecord
}

type Open = (envelope: Uint8Array) => { readonly signer: string; readonly payload: Uint8Array }

const remembered = new Map<string, OpenedRecord>()
let bytes = 0

/** The record in an envelope. @throws CloudburstError CB_SIGNATURE_INVALID, CB_FRAME_INVALID, CB_FRAME_TOO_LONG */
export function openRecord(envelope: Uint8Array, open: Open): OpenedRecord {
  const name = hash('sha256', envelope)
  const known = remembered.get(name)
  if (known !== undefined) return known
  const { signer, payload } = open(envelope)
  // A copy: what came in a frame would keep all of the frame.
  const opened = { envelope: new Uint8Array(envelope), payload, record: decodeRecord(payload, signer) }
  remembered.set(name, opened)
  bytes += envelope.byteLength
  for (const [oldest, each] of remembered) {
    if (bytes <= OPENED_BYTES_MAX) break
    remembered.delete(oldest)
    bytes -= each.envelope.byteLength
  }
  return opened
}
