/** Messages as bytes: deterministic CBOR of plain data. Spec: ./README.md */
import { CloudburstError } from '../../errors.ts'
import { readCbor } from './cbor-reader.ts'
import { CborWriter } from './cbor-writer.ts'

export { NESTING_MAX, VALUES_MAX } from './cbor.ts'

const writer = new CborWriter()

/**
 * Deterministic CBOR (RFC 8949, 4.2) of plain data: the same value gives the same bytes.
 * Properties that are undefined are left out.
 * @param most bytes beyond which writing is given up, not later than at twice as many
 * @throws CloudburstError CB_FRAME_TOO_LONG; Error for what is no plain data
 */
export function encodeMessage(message: unknown, most?: number): Uint8Array {
  return writer.write(message, most)
}

/** The same bytes in pieces, one behind the other: long byte strings as they are, which must not change any more. @throws as {@link encodeMessage} */
export function encodePieces(message: unknown, most?: number): readonly Uint8Array[] {
  return writer.writePieces(message, most)
}

/**
 * The plain data in one frame, not yet checked against any shape. Long byte strings are parts of the frame: whoever reads frames
 * writes into none.
 * Refuses what we never send: tags, indefinite lengths, repeated or `__proto__` keys, long integers, anything after the value.
 * @throws CloudburstError CB_FRAME_INVALID
 */
export function decodeMessage(frame: Uint8Array): unknown {
  try {
    return readCbor(frame)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CloudburstError('CB_FRAME_INVALID', `peer sent a frame that is not a message: ${reason}`, { bytes: frame.byteLength }, error)
  }
}
