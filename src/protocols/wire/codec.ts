import { decode, encode, Tokenizer, type Token, Type } from 'cborg'
import { CloudburstError } from '../../errors.ts'

/** Deepest nesting of lists and maps in a message: state trees of programs stay far below it, and no decoder stack ends. */
export const NESTING_MAX = 64
/** Most values in one message: a frame of one-byte values would otherwise cost forty times its size in memory. */
export const VALUES_MAX = 500_000

const ENCODE = { ignoreUndefinedProperties: true } as const
const DECODE = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
  tags: {}
} as const

/** A name that turns plain data into something else when it is copied carelessly. */
const POISON = '__proto__'

/**
 * Deterministic CBOR (RFC 8949, 4.2) of plain data: the same value gives the same bytes.
 * Properties that are undefined are left out.
 */
export function encodeMessage(message: unknown): Uint8Array {
  return encode(message, ENCODE)
}

/** Byte strings from this many bytes on are sent as they are, not as a copy: shorter ones take longer to be looked after than to be copied. */
export const APART_BYTES_MIN = 16 * 1024
/** A map of fewer entries says their number in its first byte. */
const SHORT_MAP = 24

/**
 * The bytes of {@link encodeMessage} in pieces: a long byte string that the message itself holds is one of them, as it was given,
 * and must not change any more.
 */
export function encodePieces(message: unknown): readonly Uint8Array[] {
  const names = isPlain(message) ? Object.keys(message) : []
  const name = names.find(each => isLong((message as Plain)[each]))
  if (name === undefined || names.length >= SHORT_MAP) return [encodeMessage(message)]
  return around(message as Plain, names, name)
}

type Plain = Readonly<Record<string, unknown>>

function around(message: Plain, names: readonly string[], name: string): readonly Uint8Array[] {
  const bytes = message[name] as Uint8Array
  // Its length as a number is written like the head of the string, but for the type of value in the first three bits.
  const rest = encodeMessage({ ...message, [name]: bytes.byteLength })
  const before = Object.fromEntries(names.filter(each => isBefore(each, name)).map(each => [each, message[each]]))
  const at = encodeMessage(before).byteLength + encodeMessage(name).byteLength
  const end = at + encodeMessage(bytes.byteLength).byteLength
  rest[at]! |= Type.bytes.majorEncoded
  return [rest.subarray(0, end), bytes, rest.subarray(end)]
}

function isPlain(message: unknown): message is Plain {
  return typeof message === 'object' && message !== null && Object.getPrototypeOf(message) === Object.prototype
}

function isLong(value: unknown): boolean {
  return value instanceof Uint8Array && value.byteLength >= APART_BYTES_MIN
}

/** The order of a map's names: the shorter one first, else by their bytes. */
function isBefore(one: string, other: string): boolean {
  const longer = Buffer.byteLength(one) - Buffer.byteLength(other)
  return longer < 0 || (longer === 0 && Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0)
}

/**
 * The plain data in one frame, not yet checked against any shape. Bytes that are most of the frame are a part of it, not a copy:
 * whoever reads frames writes into none.
 * Refuses what we never send: tags, indefinite lengths, repeated or `__proto__` keys, long integers, anything after the value.
 * @throws CloudburstError CB_FRAME_INVALID
 */
export function decodeMessage(frame: Uint8Array): unknown {
  try {
    const message: unknown = decode(frame, { ...DECODE, tokenizer: new BoundedTokenizer(sharing(frame), DECODE) })
    if (mentions(frame, POISON)) refusePoison(message)
    return message
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CBOR decode error: /, '') : String(error)
    throw new CloudburstError('CB_FRAME_INVALID', `peer sent a frame that is not a message: ${reason}`, { bytes: frame.byteLength }, error)
  }
}

/** Gives long byte strings as parts of itself: cborg takes them by `slice`, and copying them takes as long as encrypting them. */
class SharingFrame extends Uint8Array {
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array
  }

  override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    const part = this.subarray(start, end)
    // A short part would keep the whole frame in memory.
    return part.byteLength * 2 >= this.byteLength ? part : part.slice()
  }
}

function sharing({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new SharingFrame(buffer as ArrayBuffer, byteOffset, byteLength)
}

/** Counts values and nesting while cborg reads, because cborg itself would read on until the stack or the memory ends. */
class BoundedTokenizer extends Tokenizer {
  /** Values still to come at each open level. */
  readonly #open: number[] = []
  #values = 0

  override next(): Token {
    const token = super.next()
    if (++this.#values > VALUES_MAX) throw new Error(`more than ${VALUES_MAX} values`)
    const inside = Type.equals(token.type, Type.array) ? token.value : Type.equals(token.type, Type.map) ? token.value * 2 : 0
    if (inside === 0) this.#complete()
    else if (this.#open.push(inside) > NESTING_MAX) throw new Error(`nested deeper than ${NESTING_MAX}`)
    return token
  }

  /** One value less to come; a level whose last value this was is itself a value of the level above. */
  #complete(): void {
    for (let left = this.#open.pop(); left !== undefined; left = this.#open.pop()) {
      if (left > 1) {
        this.#open.push(left - 1)
        return
      }
    }
  }
}

function mentions(frame: Uint8Array, text: string): boolean {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).includes(text)
}

function refusePoison(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  if (Array.isArray(value)) {
    for (const inner of value) refusePoison(inner)
    return
  }
  for (const [key, inner] of Object.entries(value)) {
    if (key === POISON) throw new Error(`a key is ${POISON}`)
    refusePoison(inner)
  }
}
