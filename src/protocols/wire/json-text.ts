/** Plain data as JSON text within a message, for what both ends keep as JSON anyway: reading and writing it costs a fifth of CBOR's. */
import { NESTING_MAX, VALUES_MAX } from './codec.ts'

/** The text of `value`, in UTF-8. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/**
 * The plain data in `text`, bounded as a message is ({@link NESTING_MAX}, {@link VALUES_MAX}), not yet checked against any shape.
 * @throws Error for anything else, and for `__proto__` keys
 */
export function decodeJson(text: Uint8Array): unknown {
  const value: unknown = JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString())
  let values = 0
  const check = (inner: unknown, depth: number): void => {
    if (++values > VALUES_MAX) throw new Error(`more than ${VALUES_MAX} values`)
    if (typeof inner !== 'object' || inner === null) return
    if (depth > NESTING_MAX) throw new Error(`nested deeper than ${NESTING_MAX}`)
    if (Object.hasOwn(inner, '__proto__')) throw new Error('a key is __proto__')
    if (Array.isArray(inner)) for (const each of inner) check(each, depth + 1)
    else for (const key in inner) check((inner as Record<string, unknown>)[key], depth + 1)
  }
  check(value, 1)
  return value
}
