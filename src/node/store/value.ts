/**
 * How values lie in the store: JSON text, which is three times as quick to write as CBOR here and can be read by a
 * person in an emergency; byte arrays (signed envelopes, which must stay as they were sent) as they are behind a zero byte.
 */
import { CloudburstError } from '../../errors.ts'

/** First byte of a byte array; no JSON text starts with it. */
const BYTES_MARK = 0

/** One change of one key. `json` is a value that the caller has already written as JSON. */
export type Op =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'put'; readonly key: string; readonly json: string }
  | { readonly type: 'del'; readonly key: string }

/** The bytes that are stored for a put: a Uint8Array as it is, anything else as JSON. Byte arrays inside of objects are not kept. */
export function encodePut(op: Extract<Op, { type: 'put' }>): Buffer {
  if ('json' in op) return Buffer.from(op.json)
  if (op.value instanceof Uint8Array) return Buffer.concat([Buffer.of(BYTES_MARK), op.value])
  return Buffer.from(JSON.stringify(op.value))
}

/**
 * The value that {@link encodePut} stored under `key`.
 * @throws CloudburstError CB_STORE_DAMAGED when it is not JSON
 */
export function decodeValue(key: string, bytes: Buffer): unknown {
  if (bytes[0] === BYTES_MARK) return new Uint8Array(bytes.subarray(1))
  try {
    return JSON.parse(bytes.toString())
  } catch (cause) {
    throw new CloudburstError('CB_STORE_DAMAGED', `the value of ${key} in the store cannot be read`, { key }, cause)
  }
}
