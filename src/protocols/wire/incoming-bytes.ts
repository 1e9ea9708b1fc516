import type { Uint8ArrayList } from 'uint8arraylist'

/** Bytes as they came, in pieces, to be taken in other pieces. */
export class IncomingBytes {
  readonly #pieces: Uint8Array[] = []
  /** Bytes of the first piece that are taken. */
  #at = 0
  #byteLength = 0

  get byteLength(): number {
    return this.#byteLength
  }

  add(bytes: Uint8Array | Uint8ArrayList): void {
    if (bytes instanceof Uint8Array) this.#add(bytes)
    else for (const piece of bytes) this.#add(piece)
  }

  /** The first four bytes as a number, which stay. There have to be so many. */
  peekUint32(): number {
    let value = 0
    let piece = 0
    let at = this.#at
    for (let count = 0; count < 4; count++) {
      while (at >= this.#pieces[piece]!.byteLength) {
        piece++
        at = 0
      }
      value = value * 256 + this.#pieces[piece]![at++]!
    }
    return value
  }

  /** Takes the next so many bytes, which have to be there: as they came when they came in one piece, else together. */
  take(bytes: number): Uint8Array {
    const piece = this.#pieces[0]
    if (piece !== undefined && piece.byteLength - this.#at >= bytes) {
      const start = this.#at
      this.#advance(bytes)
      return piece.subarray(start, start + bytes)
    }
    const taken = Buffer.allocUnsafe(bytes)
    for (let filled = 0; filled < bytes; ) {
      const next = this.#pieces[0]!
      const some = next.subarray(this.#at, Math.min(next.byteLength, this.#at + bytes - filled))
      taken.set(some, filled)
      filled += some.byteLength
      this.#advance(some.byteLength)
    }
    return taken
  }

  /** Passes over the next so many bytes. */
  skip(bytes: number): void {
    for (let left = bytes; left > 0; ) {
      const some = Math.min(left, this.#pieces[0]!.byteLength - this.#at)
      this.#advance(some)
      left -= some
    }
  }

  #add(piece: Uint8Array): void {
    if (piece.byteLength === 0) return
    this.#pieces.push(piece)
    this.#byteLength += piece.byteLength
  }

  /** Within one piece. */
  #advance(bytes: number): void {
    this.#at += bytes
    this.#byteLength -= bytes
    if (this.#at < (this.#pieces[0]?.byteLength ?? 0)) return
    this.#at = 0
    this.#pieces.shift()
  }
}
