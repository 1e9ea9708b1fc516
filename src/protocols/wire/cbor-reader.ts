/**
 * Reads one message of deterministic CBOR: only what we send, and no more of it than is bounded. What it takes and refuses is
 * what the library `cborg` does in its strictest form; tests hold it to that. docs/decisions/0014-own-cbor.md
 */
import { MAJOR, NESTING_MAX, VALUES_MAX } from './cbor.ts'
import { fromHalf } from './half-float.ts'

/** A name that turns plain data into something else when it is copied carelessly. */
const POISON = '__proto__'
/** Text up to this many bytes is read one by one: a call out of JavaScript takes longer. */
const SHORT_BYTES_MAX = 16
/** Longest key that is looked up among those seen lately, in bytes, and places for them: a power of two. */
const KEY_BYTES_MAX = 40
const KEYS = 2_048
/** Bytes are given as a part of the frame when they are at least half of what it holds in memory; else they are copied. */
const SHARE = 2

/** Keys that came lately, each at the place that its bytes say: a property that is known need not be made anew. */
const keys = new Array<string | undefined>(KEYS).fill(undefined)

/**
 * The plain data in one frame.
 * @throws Error for anything else: tags, indefinite lengths, repeated or `__proto__` keys, long integers, bytes behind the value
 */
export function readCbor(frame: Uint8Array): unknown {
  const reader = new CborReader(frame)
  const value = reader.value()
  if (reader.left > 0) throw new Error(`${reader.left} bytes are left behind the message`)
  return value
}

class CborReader {
  readonly #frame: Buffer
  #at = 0
  #values = 0
  #depth = 0

  constructor(frame: Uint8Array) {
    this.#frame = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  }

  get left(): number {
    return this.#frame.length - this.#at
  }

  value(): unknown {
    if (++this.#values > VALUES_MAX) throw new Error(`more than ${VALUES_MAX} values`)
    const head = this.#byte()
    switch (head >> 5) {
      case MAJOR.count:
        return this.#count(head)
      case MAJOR.negative:
        return this.#negative(head)
      case MAJOR.bytes:
        return this.#bytes(this.#count(head))
      case MAJOR.text:
        return this.#text(this.#count(head))
      case MAJOR.list:
        return this.#list(this.#count(head))
      case MAJOR.map:
        return this.#map(this.#count(head))
      case MAJOR.simple:
        return this.#simple(head)
      default:
        throw new Error('a tag is no plain data')
    }
  }

  #list(length: number): unknown[] {
    const list: unknown[] = []
    if (length === 0) return list
    this.#enter(length)
    for (let left = length; left > 0; left--) list.push(this.value())
    this.#depth--
    return list
  }

  #map(length: number): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    if (length === 0) return map
    this.#enter(length * 2)
    for (let left = length; left > 0; left--) {
      const key = this.#key()
      if (Object.hasOwn(map, key)) throw new Error(`the key ${JSON.stringify(key.slice(0, 100))} comes twice`)
      map[key] = this.value()
    }
    this.#depth--
    return map
  }

  /** @param values that are to come in it, of one byte at least */
  #enter(values: number): void {
    if (++this.#depth > NESTING_MAX) throw new Error(`nested deeper than ${NESTING_MAX}`)
    if (values > this.left) throw new Error('it ends too early')
  }

  #key(): string {
    if (++this.#values > VALUES_MAX) throw new Error(`more than ${VALUES_MAX} values`)
    const head = this.#byte()
    if (head >> 5 !== MAJOR.text) throw new Error('a key is no text')
    const length = this.#count(head)
    const key = length === 0 || length > KEY_BYTES_MAX ? this.#text(length) : this.#shortKey(length)
    if (key === POISON) throw new Error(`a key is ${POISON}`)
    return key
  }

  #shortKey(length: number): string {
    const start = this.#at
    const frame = this.#frame
    if (start + length > frame.length) throw new Error('it ends too early')
    const place = (length * 131 + frame[start]! * 31 + frame[start + (length >> 1)]! * 7 + frame[start + length - 1]!) & (KEYS - 1)
    const known = keys[place]
    if (known?.length === length && this.#says(known)) {
      this.#at = start + length
      return known
    }
    const key = this.#text(length)
    // Of one byte a character, or it would never be found again.
    if (key.length === length) keys[place] = key
    return key
  }

  #says(text: string): boolean {
    const frame = this.#frame
    for (let at = 0, from = this.#at; at < text.length; at++, from++) if (text.charCodeAt(at) !== frame[from]) return false
    return true
  }

  #text(length: number): string {
    const start = this.#skip(length)
    const frame = this.#frame
    if (length > SHORT_BYTES_MAX) return frame.toString('utf8', start, start + length)
    let text = ''
    for (let at = start; at < start + length; at++) {
      const byte = frame[at]!
      if (byte > 0x7f) return frame.toString('utf8', start, start + length)
      text += String.fromCharCode(byte)
    }
    return text
  }

  #bytes(length: number): Uint8Array {
    const start = this.#skip(length)
    const { buffer, byteOffset } = this.#frame
    // What is small must not keep all that came with it in memory.
    if (length * SHARE < buffer.byteLength) return new Uint8Array(this.#frame.subarray(start, start + length))
    return new Uint8Array(buffer, byteOffset + start, length)
  }

  #negative(head: number): number {
    const value = -1 - this.#count(head)
    if (!Number.isSafeInteger(value)) throw new Error('an integer is longer than 2^53')
    return value
  }

  #simple(head: number): unknown {
    switch (head) {
      case 0xf4:
        return false
      case 0xf5:
        return true
      case 0xf6:
        return null
      case 0xf9:
        return finite(fromHalf(this.#frame.readUInt16BE(this.#skip(2))))
      case 0xfa:
        return finite(this.#frame.readFloatBE(this.#skip(4)))
      case 0xfb:
        return finite(this.#frame.readDoubleBE(this.#skip(8)))
      default:
        throw new Error('a value is of no kind that is sent')
    }
  }

  /** A number, or the length of what follows, in as few bytes as hold it. */
  #count(head: number): number {
    const minor = head & 31
    if (minor < 24) return minor
    const frame = this.#frame
    switch (minor) {
      case 24:
        return atLeast(24, this.#byte())
      case 25:
        return atLeast(0x100, frame.readUInt16BE(this.#skip(2)))
      case 26:
        return atLeast(0x10000, frame.readUInt32BE(this.#skip(4)))
      case 27: {
        const start = this.#skip(8)
        const count = frame.readUInt32BE(start) * 0x100000000 + frame.readUInt32BE(start + 4)
        if (!Number.isSafeInteger(count)) throw new Error('an integer is longer than 2^53')
        return atLeast(0x100000000, count)
      }
      default:
        throw new Error('a length is indefinite')
    }
  }

  #byte(): number {
    const byte = this.#frame[this.#at]
    if (byte === undefined) throw new Error('it ends too early')
    this.#at++
    return byte
  }

  /** @returns where the next so many bytes begin */
  #skip(bytes: number): number {
    const start = this.#at
    if (start + bytes > this.#frame.length) throw new Error('it ends too early')
    this.#at = start + bytes
    return start
  }
}

function atLeast(least: number, count: number): number {
  if (count < least) throw new Error('a number is longer than it need be')
  return count
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new Error('a number is none, or has no end')
  return value
}
