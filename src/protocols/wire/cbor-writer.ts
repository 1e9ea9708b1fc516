/**
 * Writes plain data as deterministic CBOR (RFC 8949, 4.2), the same bytes as the library `cborg` does, which tests hold it to,
 * and many times as fast: every event and every piece of output passes here. docs/decisions/0014-own-cbor.md
 */
import { CloudburstError } from '../../errors.ts'
import { MAJOR } from './cbor.ts'
import { halfOf } from './half-float.ts'

/** Nested deeper than this is without end: whoever reads it refuses it long before. */
const DEPTH_MAX = 1_000
/** Room for most messages, in bytes; kept from one to the next. */
const ROOM_BYTES = 64 * 1024
/** A room that has grown beyond this for one long message is given back, in bytes. */
const ROOM_KEPT_BYTES_MAX = 1024 * 1024
/** Byte strings longer than this are pieces of their own where that is asked for, in bytes: copying them costs more than carrying them apart. */
const APART_BYTES_MIN = 16 * 1024
/** Text up to this many characters is written one by one: a call out of JavaScript takes longer. */
const SHORT_CHARS_MAX = 32
/** Keys whose bytes are remembered: what our messages consist of is far less. */
const KEYS_MAX = 2_048
/** Longest of them, in characters. */
const KEY_CHARS_MAX = 40
/** Maps up to this many keys are sorted by insertion: most are small, or in order already. */
const SORTED_BY_INSERTION_MAX = 32

/** A key with its bytes, those of its length included. */
interface Key {
  readonly text: string
  readonly bytes: Uint8Array
  readonly ascii: boolean
}

const keys = new Map<string, Key>()

/** One message at a time. */
export class CborWriter {
  #room = Buffer.allocUnsafeSlow(ROOM_BYTES)
  #at = 0
  #most = Infinity
  /** Long byte strings, and where they belong. */
  #apart: { readonly at: number; readonly bytes: Uint8Array }[] | undefined

  /**
   * @param most bytes beyond which it is not gone on with; one that is a little longer may be written all the same
   * @throws Error for what is no plain data, or has no end; CloudburstError CB_FRAME_TOO_LONG
   */
  write(message: unknown, most = Infinity): Uint8Array {
    this.#apart = undefined
    return new Uint8Array(this.#written(message, most)[0]!)
  }

  /** The same in pieces, one behind the other: long byte strings are not copied, and must not change any more. @throws as {@link write} */
  writePieces(message: unknown, most = Infinity): readonly Uint8Array[] {
    this.#apart = []
    return this.#written(message, most)
  }

  #written(message: unknown, most: number): Uint8Array[] {
    this.#at = 0
    this.#most = most
    try {
      this.#value(message, 0)
      const whole = Buffer.from(this.#room.subarray(0, this.#at))
      const pieces: Uint8Array[] = []
      let from = 0
      for (const { at, bytes } of this.#apart ?? []) {
        pieces.push(whole.subarray(from, at), bytes)
        from = at
      }
      if (from < whole.length || pieces.length === 0) pieces.push(whole.subarray(from))
      return pieces
    } finally {
      this.#apart = undefined
      if (this.#room.length > ROOM_KEPT_BYTES_MAX) this.#room = Buffer.allocUnsafeSlow(ROOM_BYTES)
    }
  }

  #value(value: unknown, depth: number): void {
    if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'boolean') this.#byte(value ? 0xf5 : 0xf4)
    else if (value === undefined) this.#byte(0xf7)
    else if (value === null) this.#byte(0xf6)
    else if (value instanceof Uint8Array) this.#bytes(value)
    else if (typeof value !== 'object') throw new Error(`a message holds a ${typeof value}`)
    else if (depth > DEPTH_MAX) throw new Error('a message is nested without end')
    else if (Array.isArray(value)) this.#list(value, depth)
    else this.#map(value as Readonly<Record<string, unknown>>, depth)
  }

  #list(list: readonly unknown[], depth: number): void {
    this.#head(MAJOR.list, list.length)
    for (const value of list) this.#value(value, depth + 1)
  }

  #map(map: Readonly<Record<string, unknown>>, depth: number): void {
    refuseExotic(map)
    const sorted = sortedKeys(map)
    this.#head(MAJOR.map, sorted.length)
    for (const { text, bytes } of sorted) {
      const end = this.#reserve(bytes.length)
      this.#room.set(bytes, end - bytes.length)
      this.#value(map[text], depth + 1)
    }
  }

  #text(text: string): void {
    if (text.length <= SHORT_CHARS_MAX && this.#short(text)) return
    const length = Buffer.byteLength(text)
    this.#head(MAJOR.text, length)
    const end = this.#reserve(length)
    this.#room.write(text, end - length, length)
  }

  /** @returns false when it is not ASCII: nothing is written then */
  #short(text: string): boolean {
    const before = this.#at
    this.#head(MAJOR.text, text.length)
    const end = this.#reserve(text.length)
    const room = this.#room
    for (let at = end - text.length, from = 0; at < end; at++, from++) {
      const code = text.charCodeAt(from)
      if (code > 0x7f) {
        this.#at = before
        return false
      }
      room[at] = code
    }
    return true
  }

  #bytes(bytes: Uint8Array): void {
    this.#head(MAJOR.bytes, bytes.byteLength)
    if (this.#apart !== undefined && bytes.byteLength >= APART_BYTES_MIN) {
      this.#apart.push({ at: this.#at, bytes })
      return
    }
    const end = this.#reserve(bytes.byteLength)
    this.#room.set(bytes, end - bytes.byteLength)
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) this.#float(value)
    else if (value >= 0) this.#head(MAJOR.count, value)
    else this.#head(MAJOR.negative, -1 - value)
  }

  /** In as few bytes as hold it. */
  #float(value: number): void {
    const half = halfOf(value)
    if (half !== undefined) {
      this.#byte(0xf9)
      this.#at = this.#room.writeUInt16BE(half, this.#reserve(2) - 2)
    } else if (Object.is(Math.fround(value), value)) {
      this.#byte(0xfa)
      this.#at = this.#room.writeFloatBE(value, this.#reserve(4) - 4)
    } else {
      this.#byte(0xfb)
      this.#at = this.#room.writeDoubleBE(value, this.#reserve(8) - 8)
    }
  }

  #head(major: number, count: number): void {
    const first = major << 5
    const at = this.#reserve(9) - 9
    const room = this.#room
    if (count < 24) {
      room[at] = first | count
      this.#at = at + 1
    } else if (count < 0x100) {
      room[at] = first | 24
      room[at + 1] = count
      this.#at = at + 2
    } else if (count < 0x10000) {
      room[at] = first | 25
      this.#at = room.writeUInt16BE(count, at + 1)
    } else if (count < 0x100000000) {
      room[at] = first | 26
      this.#at = room.writeUInt32BE(count, at + 1)
    } else {
      room[at] = first | 27
      room.writeUInt32BE(Math.floor(count / 0x100000000), at + 1)
      this.#at = room.writeUInt32BE(count % 0x100000000, at + 5)
    }
  }

  #byte(byte: number): void {
    const end = this.#reserve(1)
    this.#room[end - 1] = byte
  }

  /** @returns the end of the place for so many bytes */
  #reserve(bytes: number): number {
    const end = this.#at + bytes
    if (end > this.#room.length) {
      if (end > this.#most) throw new CloudburstError('CB_FRAME_TOO_LONG', `a message is longer than ${this.#most} bytes`)
      const room = Buffer.allocUnsafeSlow(Math.max(end, this.#room.length * 2))
      room.set(this.#room.subarray(0, this.#at))
      this.#room = room
    }
    this.#at = end
    return end
  }
}

/** What would be written as a map without what it holds. @throws Error */
function refuseExotic(map: object): void {
  const prototype: unknown = Object.getPrototypeOf(map)
  if (prototype === Object.prototype || prototype === null) return
  const kind = Object.prototype.toString.call(map)
  if (kind !== '[object Object]') throw new Error(`a message holds an ${kind}`)
}

function sortedKeys(map: Readonly<Record<string, unknown>>): Key[] {
  const sorted: Key[] = []
  for (const text of Object.keys(map)) if (map[text] !== undefined) sorted.push(keyOf(text))
  if (sorted.length > SORTED_BY_INSERTION_MAX) return sorted.sort(order)
  for (let from = 1; from < sorted.length; from++) {
    const key = sorted[from]!
    let to = from
    for (; to > 0 && order(sorted[to - 1]!, key) > 0; to--) sorted[to] = sorted[to - 1]!
    sorted[to] = key
  }
  return sorted
}

/** By their bytes; the length comes first in them. */
function order(a: Key, b: Key): number {
  if (a.bytes.length !== b.bytes.length) return a.bytes.length - b.bytes.length
  if (a.ascii && b.ascii) return a.text < b.text ? -1 : 1
  return Buffer.compare(a.bytes, b.bytes)
}

function keyOf(text: string): Key {
  const known = keys.get(text)
  if (known !== undefined) return known
  const bytes = keyWriter.write(text)
  const key: Key = { text, bytes, ascii: Buffer.byteLength(text) === text.length }
  if (text.length <= KEY_CHARS_MAX) {
    if (keys.size >= KEYS_MAX) keys.clear()
    keys.set(text, key)
  }
  return key
}

const keyWriter = new CborWriter()
