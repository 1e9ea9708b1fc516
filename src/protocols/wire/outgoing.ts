import { Uint8ArrayList } from 'uint8arraylist'

const HEADER_BYTES = 4
/** Pieces up to this many bytes are copied together: each is encrypted by itself, at the cost of a kilobyte. */
const COPIED_BYTES_MAX = 16 * 1024
/** Room for the first frames of a stream, in bytes: most streams carry few and short ones. */
const ROOM_FIRST_BYTES = 512
/** Most room, in bytes. */
const ROOM_BYTES_MAX = 64 * 1024

/** Frames on their way out, as the bytes of the stream: short ones one behind the other, long ones as they are. */
export class Outgoing {
  readonly #pieces = new Uint8ArrayList()
  #room: Buffer | undefined
  /** Bytes of the room that are taken, and of these, that are among the pieces already. */
  #taken = 0
  #cut = 0
  #roomBytes = ROOM_FIRST_BYTES

  get byteLength(): number {
    return this.#pieces.byteLength + this.#taken - this.#cut
  }

  /** Adds a frame of so many bytes behind its header. Its long pieces must not change any more. */
  add(bytes: number, frame: readonly Uint8Array[]): void {
    const room = this.#reserve(HEADER_BYTES)
    this.#taken = room.writeUInt32BE(bytes, this.#taken)
    for (const piece of frame) {
      if (piece.byteLength > COPIED_BYTES_MAX) {
        this.#cutPiece()
        this.#pieces.append(piece)
      } else {
        this.#reserve(piece.byteLength).set(piece, this.#taken)
        this.#taken += piece.byteLength
      }
    }
  }

  /** The first of it, at most `bytes`. */
  take(bytes: number): Uint8ArrayList {
    this.#cutPiece()
    const first = this.#pieces.sublist(0, Math.min(bytes, this.#pieces.byteLength))
    this.#pieces.consume(first.byteLength)
    if (this.#pieces.byteLength === 0) this.#leaveRoom()
    return first
  }

  /** A room with so many bytes left. */
  #reserve(bytes: number): Buffer {
    if (this.#room !== undefined && this.#taken + bytes <= this.#room.length) return this.#room
    if (this.#room !== undefined) {
      this.#cutPiece()
      this.#roomBytes = Math.min(ROOM_BYTES_MAX, this.#roomBytes * 4)
    }
    this.#room = Buffer.allocUnsafe(Math.max(bytes, this.#roomBytes))
    this.#taken = 0
    this.#cut = 0
    return this.#room
  }

  #cutPiece(): void {
    if (this.#room === undefined || this.#taken === this.#cut) return
    this.#pieces.append(this.#room.subarray(this.#cut, this.#taken))
    this.#cut = this.#taken
  }

  /** All has been taken: what is left of a room that was much too large is given up, and the next one is smaller. */
  #leaveRoom(): void {
    if (this.#room === undefined) return
    if (this.#taken * 4 < this.#room.length) this.#roomBytes = Math.max(ROOM_FIRST_BYTES, this.#roomBytes / 4)
    this.#room = undefined
    this.#taken = 0
    this.#cut = 0
  }
}
